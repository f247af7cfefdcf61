import numpy as np
import pytest

from mapopt.errors import InfeasibleError
from mapopt.instance import Instance, InstanceNode, Unit
from mapopt.placement.problem import Problem
from mapopt.solvers.model import Limits
from mapopt.solvers.patterns.branching import BranchAndPrice, State
from mapopt.solvers.patterns.incumbent import Incumbent
from mapopt.solvers.patterns.loads import load_problem
from mapopt.solvers.watch import Watch
from tests.solvers.patterns.cases import least_period, packing_instance


def decide(instance, ticks):
    """What the tree alone says, without any repair."""
    problem, watch = load_problem(Problem(instance)), Watch(Limits(time_s=20))
    incumbent = Incumbent(problem, watch)

    def attempt(shares):
        incumbent.propose(shares.argmax(axis=1))
        return incumbent.reaches(ticks)

    tree = BranchAndPrice(problem, ticks, watch)
    return tree.run(10**6, attempt), incumbent.value, tree.nodes


def test_every_period_is_reached_or_refuted():
    nodes = []
    for seed in range(150):
        instance = packing_instance(seed)
        try:
            best = least_period(instance)
        except InfeasibleError:
            continue
        if best is None:
            continue
        state, value, looked_at = decide(instance, best)
        assert (state, value) == (State.FOUND, best), seed
        nodes.append(looked_at)
        if best > 0:
            state, _, looked_at = decide(instance, best - 1)
            assert state is State.REFUTED, seed
            nodes.append(looked_at)
    assert max(nodes) > 3


def test_both_halves_are_looked_at():
    """Unrelated units: every assignment of 11 jobs to 3 of them is tried beside the tree."""
    homes = np.array(list(np.ndindex(*[3] * 11)))
    for seed in range(10):
        times = np.random.default_rng(seed).integers(30, 40, (11, 3))
        loads = [np.where(homes == unit, times[:, unit], 0).sum(axis=1) for unit in range(3)]
        best = int(np.max(loads, axis=0).min())
        instance = Instance(
            "r",
            ("a", "b", "c"),
            tuple(Unit(f"u{kind}", kind) for kind in "abc"),
            tuple(InstanceNode(f"n{at}", tuple(map(int, row))) for at, row in enumerate(times)),
        )
        assert decide(instance, best)[:2] == (State.FOUND, best), seed
        assert decide(instance, best - 1)[0] is State.REFUTED, seed


@pytest.mark.parametrize(
    ("times", "units", "best"),
    [
        ((1, 1, 1, 1, 1), 2, 3),
        ((3, 3, 2, 2, 2), 2, 6),
        ((7, 7, 6, 6, 5, 5, 4, 4, 4), 3, 16),
        ((9, 8, 8, 7, 7, 6, 5, 5, 4), 4, 15),
    ],
)
def test_identical_units_are_told_apart_when_they_must_be(times, units, best):
    instance = Instance(
        "p",
        ("c",),
        tuple(Unit(f"u{unit}", "c") for unit in range(units)),
        tuple(InstanceNode(f"n{at}", (time,)) for at, time in enumerate(times)),
    )
    assert decide(instance, best)[0] is State.FOUND
    assert decide(instance, best - 1)[0] is State.REFUTED


def test_a_search_can_be_continued():
    instance = packing_instance(2, max_nodes=8)
    best = least_period(instance)
    tree = BranchAndPrice(load_problem(Problem(instance)), best, Watch(Limits()))
    states = []
    while not states or (states[-1] is State.OPEN and len(states) < 5000):
        states.append(tree.run(1, lambda _shares: False))
    assert State.FOUND not in states
