"""One frame alone, against brute force."""

from __future__ import annotations

import pytest

from formulations.latency_single import LatencySingle, LatencySingleOptions
from mapopt.errors import UnsupportedError
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.solvers.base import Task
from mapopt.solvers.judging import accepted
from mapopt.solvers.model import Answer, Limits, Objective, PeriodRange, Status
from mapopt.solvers.watch import Watch
from mapopt.transfers import Free, Host
from tests.formulations.cases import tiny_instance
from tests.formulations.oracle import least_latency

SEEDS = 200


def solve(instance: Instance, *, options: str = "", **wishes: object) -> Answer:
    formulation = LatencySingle(LatencySingleOptions.parse(options.split()))
    watch = Watch(Limits(time_s=60, workers=1))
    answer = formulation.solve(Task(instance, Objective.LATENCY, watch, **wishes))  # type: ignore[arg-type]
    accepted(instance, answer, Objective.LATENCY, formulation.name)
    return answer


def alike(seed: int) -> Instance:
    """Identical units, free transfers and zero times: what anonymous units are for."""
    other = tiny_instance(seed, "free")
    nodes = tuple(
        InstanceNode(node.name, (next(time for time in node.times if time is not None),))
        for node in other.nodes
    )
    units = tuple(Unit(f"u{number}", "x") for number in range(1 + seed % 3))
    return Instance("alike", ("x",), units, nodes, other.tensors, Free())


@pytest.mark.parametrize("kind", ["free", "delay"])
def test_brute_force(kind: str) -> None:
    for seed in range(SEEDS):
        instance = tiny_instance(seed, kind)
        answer = solve(instance)
        expected = least_latency(instance, None)
        assert (answer.value, answer.bound) == (expected, expected), seed
        assert answer.status is Status.OPTIMAL


def test_anonymous_units() -> None:
    for seed in range(SEEDS):
        instance = alike(seed)
        expected = least_latency(instance, None)
        assert solve(instance).value == expected, seed
        if seed % 4 == 0:
            assert solve(instance, options="anonymous=false").value == expected, seed


@pytest.mark.parametrize("name", ["strong_propagation", "windows", "symmetry", "hint"])
def test_every_ingredient_can_be_left_out(name: str) -> None:
    for seed in range(25):
        instance = tiny_instance(seed, "delay")
        assert solve(instance, options=f"{name}=false").value == least_latency(instance, None), seed


def test_decisions_and_starts() -> None:
    for seed in range(40):
        instance = tiny_instance(seed, "delay") if seed % 2 else alike(seed)
        first = solve(instance)
        best = first.value
        assert best is not None
        refuted = solve(instance, cutoff=best, decision=True, start=first.mapping)
        assert (refuted.status, refuted.bound) == (Status.INFEASIBLE, best)
        assert solve(instance, cutoff=best + 1, decision=True, start=first.mapping).value == best


def test_rejections() -> None:
    instance = Instance("i", ("x",), (Unit("x0", "x"),), (InstanceNode("a", (2**47,)),))
    formulation = LatencySingle(LatencySingleOptions())
    with pytest.raises(UnsupportedError, match="no period"):
        formulation.solve(Task(instance, Objective.LATENCY, period=PeriodRange(1, 1)))
    with pytest.raises(UnsupportedError, match="tick_ps"):
        formulation.solve(Task(instance, Objective.LATENCY))
    hosted = Instance("i", ("x",), (Unit("x0", "x"),), (InstanceNode("a", (1,)),), transfer=Host(1))
    assert "'host'" in (formulation.rejects(hosted) or "")


def test_zero_times_on_another_part_keep_units_named() -> None:
    """Node z of no time is between a and c, on the unit that is busy with the long y."""
    nodes = (
        InstanceNode("a", (5, None)),
        InstanceNode("y", (None, 10)),
        InstanceNode("z", (None, 0)),
        InstanceNode("c", (5, None)),
    )
    tensors = (InstanceTensor("t", "a", ("z",)), InstanceTensor("u", "z", ("c",)))
    instance = Instance("i", ("p", "q"), (Unit("p0", "p"), Unit("q0", "q")), nodes, tensors)
    assert solve(instance).value == least_latency(instance, None) == 15
