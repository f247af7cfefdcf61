import itertools

import pytest

from mapopt.errors import InfeasibleError, InputError
from mapopt.feasibility import check, obstacles, require, require_feasible
from mapopt.instance import Instance, InstanceNode, NodeUnits, SideConstraints, Unit
from mapopt.mapping import Mapping

NO_RULES = SideConstraints()


def instance(rules=NO_RULES, crossbars=4, memory=None):
    return Instance(
        "tiny",
        ("imc", "dpu"),
        (Unit("i0", "imc", crossbars, memory), Unit("i1", "imc", crossbars, memory), Unit("d0", "dpu")),
        (
            InstanceNode("a", (1, None), crossbars=(2, 0), memory_bytes=10),
            InstanceNode("b", (1, None), crossbars=(3, 0), memory_bytes=10),
            InstanceNode("c", (1, 5), crossbars=(2, 0), memory_bytes=10),
        ),
        side_constraints=rules,
    )


def broken(problem, *assignments):
    return [violation.rule for violation in check(problem, Mapping.of(problem, *assignments))]


def test_class_and_capacity():
    problem = instance()
    assert broken(problem, [0, 1, 2]) == []
    assert broken(problem, [2, 1, 0]) == ["class"]
    assert broken(problem, [0, 0, 2]) == ["crossbars"]
    assert broken(instance(memory=19), [0, 1, 0]) == ["memory"]
    assert broken(instance(memory=20), [0, 1, 0]) == []


def test_weights_are_resident_on_the_union_of_the_patterns():
    problem = instance()
    assert broken(problem, [0, 1, 2], [1, 0, 2]) == ["crossbars", "crossbars"]
    assert broken(instance(crossbars=5), [0, 1, 2], [1, 0, 2]) == []


def test_side_constraints_and_messages():
    rules = SideConstraints(
        pin=(NodeUnits("a", ("i1",)),),
        forbid=(NodeUnits("c", ("d0",)),),
        colocate=(("a", "c"),),
        separate=(("a", "b"),),
    )
    problem = instance(rules)
    assert broken(problem, [1, 0, 1]) == []
    assert broken(problem, [0, 0, 2]) == ["pin", "forbid", "colocate", "separate", "crossbars"]
    message = check(problem, Mapping.of(problem, [0, 0, 2]))[-1].message
    assert message == "unit 'i0': needs 5 crossbars and has 4"
    with pytest.raises(InputError, match=r"separate: nodes 'a' and 'b' share unit 'i0'"):
        require(problem, Mapping.of(problem, [0, 0, 2]))


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (instance(crossbars=2), "node 'b': needs 3 crossbars"),
        (
            instance(SideConstraints(pin=(NodeUnits("a", ("d0",)),))),
            "node 'a': no unit is left by its classes \\(imc: 2 units\\), pin and forbid",
        ),
        (
            instance(SideConstraints(pin=(NodeUnits("a", ("i0",)),), forbid=(NodeUnits("a", ("i0",)),))),
            "node 'a': no unit is left by its classes \\(imc: 2 units\\), pin and forbid",
        ),
        (
            instance(SideConstraints(colocate=(("a", "b"),))),
            "colocated nodes 'a', 'b': needs 5 crossbars and 'i0' has 4",
        ),
        (
            instance(SideConstraints(colocate=(("a", "c"),), separate=(("c", "a"),))),
            r"both together \(colocate\) and apart",
        ),
        (
            instance(SideConstraints(separate=(("a", "b", "c"),), forbid=(NodeUnits("c", ("d0",)),))),
            "3 nodes from 'a' on must be on different units, but only 2",
        ),
        (
            instance(SideConstraints(forbid=(NodeUnits("c", ("d0",)),)), crossbars=3),
            "need 7 crossbars.*have 6",
        ),
        (instance(memory=9), "needs 10 bytes of memory and 'i0' has 9"),
    ],
)
def test_obstacles_are_found_and_named(problem, reason):
    with pytest.raises(InfeasibleError, match=reason):
        require_feasible(problem)


def test_obstacles_never_refuse_what_has_a_mapping():
    """Every combination of small rules: if brute force finds a mapping, there is no obstacle."""
    pins = ((), (NodeUnits("a", ("i0",)),), (NodeUnits("c", ("i1", "d0")),))
    forbids = ((), (NodeUnits("b", ("i1",)),), (NodeUnits("c", ("d0",)),))
    pairs = ((), (("a", "b"),), (("a", "c"),), (("a", "b", "c"),))
    refused = 0
    for pin, forbid, together, apart, crossbars, memory in itertools.product(
        pins, forbids, pairs, pairs, (3, 4, 5, 7, None), (10, 20, None)
    ):
        problem = instance(SideConstraints(pin, forbid, together, apart), crossbars, memory)
        possible = any(not broken(problem, units) for units in itertools.product(range(3), repeat=3))
        assert not (possible and obstacles(problem))
        refused += bool(obstacles(problem))
    assert refused > 500


def test_the_least_need_of_all_classes_counts():
    """Two nodes need 3 crossbars each on the dpu, but 1 on the imc, where both fit."""
    problem = Instance(
        "p",
        ("imc", "dpu"),
        (Unit("i0", "imc", crossbars=2), Unit("d0", "dpu", crossbars=3)),
        tuple(InstanceNode(f"n{at}", (1, 1), crossbars=(1, 3)) for at in range(2)),
    )
    assert broken(problem, [0, 0]) == []
    assert obstacles(problem) == ()


def test_the_same_reason_is_given_once():
    empty = Instance(
        "p", ("imc", "dpu"), (Unit("d0", "dpu"),), tuple(InstanceNode(f"n{i}", (1, None)) for i in range(9))
    )
    assert obstacles(empty) == (
        "node 'n0' and 8 more: no unit is left by its classes (imc: 0 units), pin and forbid; relax them or add a unit",
    )


def test_every_pattern_keeps_the_rules():
    problem = instance(SideConstraints(forbid=(NodeUnits("c", ("i0",)),)), crossbars=9)
    (violation,) = check(problem, Mapping.of(problem, [0, 1, 2], [0, 1, 0]))
    assert (violation.rule, violation.pattern) == ("forbid", 1)
