"""Windows at a limited period: valid against brute force, and sharper than paths alone where units fill up."""

from __future__ import annotations

import pytest

from mapopt.bounds import lower_bounds
from mapopt.bounds.modulo import MAX_STEPS, Windows
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.placement.problem import Problem
from mapopt.transfers import Delay
from tests.formulations.cases import MODELS, random_period, tiny_instance
from tests.formulations.oracle import least_latency

SEEDS = 30


def chain(times: list[int], delay: int, units: int = 2) -> Instance:
    return Instance(
        "chain",
        ("x",),
        tuple(Unit(f"x{number}", "x") for number in range(units)),
        tuple(InstanceNode(f"n{at}", (time,)) for at, time in enumerate(times)),
        tuple(InstanceTensor(f"t{at}", f"n{at}", (f"n{at + 1}",)) for at in range(len(times) - 1)),
        Delay(1, delay),
    )


@pytest.mark.parametrize("kind", MODELS)
def test_never_above_the_optimum(kind: str) -> None:
    for seed in range(SEEDS):
        instance = tiny_instance(seed, kind, max_nodes=4)
        for period in (random_period(seed, instance), None):
            windows = Windows(Problem(instance), None if period is None else period.high)
            best = least_latency(instance, period)
            assert windows.feasible or best is None
            assert best is None or windows.critical <= best, (seed, period)


def test_without_a_period_it_is_the_critical_path() -> None:
    for seed in range(60):
        instance = tiny_instance(seed, "delay")
        path = next(bound for bound in lower_bounds(instance).all if bound.name == "critical path")
        assert Windows(Problem(instance), None).critical == path.ticks, seed


@pytest.mark.parametrize(
    ("period", "transfers"),
    [(20, 0), (16, 0), (15, 1), (12, 1), (8, 1), (7, 3), (4, 3)],
)
def test_work_beyond_the_period_has_to_change_units(period: int, transfers: int) -> None:
    """Four nodes of 4 ticks in a row: pieces of at most a period, and a transfer of 3 ticks between any two."""
    windows = Windows(Problem(chain([4, 4, 4, 4], 3, units=4)), period)
    assert windows.critical == 16 + 3 * transfers


def test_windows_of_nodes() -> None:
    windows = Windows(Problem(chain([2, 3, 4], 10, units=3)), 5)
    assert windows.head == [[0], [2], [15]]
    assert windows.tail == [[17], [14], [0]]
    assert windows.distances(0) == {0: 0, 1: 2, 2: 15}
    assert windows.may_share(0, 1, 0)
    assert not windows.may_share(1, 2, 0)


def test_a_node_longer_than_the_period() -> None:
    assert not Windows(Problem(chain([2, 9], 1)), 8).feasible


def test_many_steps_stay_valid_and_few() -> None:
    """More different loads than MAX_STEPS."""
    times = [1] * (3 * MAX_STEPS)
    windows = Windows(Problem(chain(times, 1)), 2 * MAX_STEPS)
    assert len(times) <= windows.critical <= len(times) + 1
