import numpy as np

from mapopt.instance import Instance, InstanceNode, NodeUnits, SideConstraints, Unit
from mapopt.placement.problem import Problem
from mapopt.solvers.patterns.loads import load_problem, simple_bound
from mapopt.solvers.patterns.search import least


def test_identical_nodes_and_units_are_counted():
    instance = Instance(
        "i",
        ("a", "b"),
        (
            Unit("a0", "a", crossbars=4),
            Unit("a1", "a", crossbars=4),
            Unit("a2", "a", crossbars=5),
            Unit("b0", "b"),
        ),
        (
            *(InstanceNode(f"n{at}", (6, 9), crossbars=(3, 1)) for at in range(3)),
            InstanceNode("m", (6, None), crossbars=(3, 1)),
            InstanceNode("k", (2, 2)),
        ),
        side_constraints=SideConstraints(forbid=(NodeUnits("k", ("b0",)),)),
    )
    problem = load_problem(Problem(instance))
    assert problem.groups_of == ((0, 1, 2), (3,), (4,))
    assert problem.units_of == ((0, 1), (2,), (3,))
    assert problem.times.tolist() == [[6, 6, 9], [6, 6, -1], [2, 2, -1]]
    assert problem.capacities.tolist() == [
        [4, 5, 0],
        [0, 0, 0],
    ]  # b0 holds everything, and nothing needs memory
    assert problem.sizes[0].tolist() == [[3, 3, 0], [3, 3, 0], [0, 0, 0]]
    spread = problem.spread()
    assert spread.shape == (5, 4)
    assert (spread.times[:3] == [6, 6, 6, 9]).all()
    assert problem.fits(6).tolist() == [[True, True, False], [True, True, False], [True, True, False]]


def test_the_simple_bound_is_the_longest_item_or_the_mean():
    nodes = tuple(InstanceNode(f"n{at}", (time, 9)) for at, time in enumerate((4, 4, 4)))
    units = (Unit("u", "a"), Unit("v", "a"))
    mean, prices = simple_bound(load_problem(Problem(Instance("i", ("a", "b"), units, nodes))))
    assert (mean, prices.tolist()) == (6, [4])
    longest, prices = simple_bound(
        load_problem(Problem(Instance("i", ("a", "b"), units, (*nodes, InstanceNode("k", (30, 20))))))
    )
    assert (longest, prices.tolist()) == (30, [0, 1])


def test_least_asks_for_no_number_twice_above_the_last_failure():
    for answer in range(3, 40):
        asked: list[int] = []

        def holds(number: int, answer: int = answer, asked: list[int] = asked) -> bool:
            asked.append(number)
            return number >= answer

        assert least(holds, 3) == answer
        assert len(asked) <= 2 * np.log2(answer + 1) + 3


def test_loads_are_multiples_of_what_divides_all_times():
    nodes = (InstanceNode("a", (20, 9)), InstanceNode("b", (30, None)))
    problem = load_problem(Problem(Instance("i", ("a", "b"), (Unit("u", "a"), Unit("v", "b")), nodes)))
    assert [problem.next_load(ticks) for ticks in (0, 1, 9, 10, 11, 19, 21)] == [0, 9, 9, 10, 18, 20, 27]
