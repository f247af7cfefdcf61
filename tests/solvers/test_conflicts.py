import random
from itertools import product

from mapopt.feasibility import check
from mapopt.instance import Instance, InstanceNode, NodeUnits, SideConstraints, Unit
from mapopt.mapping import Mapping
from mapopt.solvers.conflicts import find_conflict


def make(needs, capacities, side=None):
    return Instance(
        "i",
        classes=("imc",),
        units=tuple(Unit(f"u{at}", "imc", crossbars=each) for at, each in enumerate(capacities)),
        nodes=tuple(InstanceNode(f"n{at}", times=(1,), crossbars=(each,)) for at, each in enumerate(needs)),
        side_constraints=side or SideConstraints(),
    )


def is_feasible(instance):
    units = range(len(instance.units))
    return any(
        not check(instance, Mapping.of(instance, row)) for row in product(units, repeat=len(instance.nodes))
    )


def test_three_halves_do_not_fit_into_two_units_and_the_small_nodes_are_not_blamed():
    conflict = find_conflict(make([6, 6, 6, 1, 1], [10, 10]))
    assert conflict is not None
    assert conflict.minimal
    assert sorted(conflict.rules) == [
        "node 'n0' runs on imc and needs 6 crossbars on 'imc'",
        "node 'n1' runs on imc and needs 6 crossbars on 'imc'",
        "node 'n2' runs on imc and needs 6 crossbars on 'imc'",
        "unit 'u0' holds 10 crossbars",
        "unit 'u1' holds 10 crossbars",
    ]


def test_pins_and_separations_are_named():
    side = SideConstraints(
        pin=(NodeUnits("n0", ("u0",)), NodeUnits("n1", ("u0",)), NodeUnits("n2", ("u1",))),
        separate=(("n0", "n1"),),
    )
    conflict = find_conflict(make([0, 0, 0], [None, None], side))
    assert conflict is not None
    assert set(conflict.rules) == {
        "'n0' is pinned to 'u0'",
        "'n1' is pinned to 'u0'",
        "'n0', 'n1' run on different units",
        "node 'n0' runs on imc",
        "node 'n1' runs on imc",
    }


def test_there_is_a_conflict_exactly_where_there_is_no_mapping():
    dice = random.Random(3)
    found = 0
    for _ in range(60):
        instance = make([dice.randint(1, 6) for _ in range(4)], [dice.randint(3, 9) for _ in range(2)])
        conflict = find_conflict(instance)
        assert (conflict is None) == is_feasible(instance)
        found += conflict is not None
    assert 10 < found < 50
