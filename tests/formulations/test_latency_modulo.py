"""Circular scheduling against brute force, and its honesty at the edges."""

from __future__ import annotations

import pytest

from formulations.latency_modulo import LatencyModulo, LatencyModuloOptions
from mapopt.errors import UnsupportedError
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.mapping import Mapping
from mapopt.solvers.base import Task
from mapopt.solvers.judging import accepted, judged
from mapopt.solvers.model import Answer, Limits, Objective, PeriodRange, Status
from mapopt.solvers.watch import Watch
from mapopt.transfers import Blocking, Delay
from tests.formulations.cases import least_period, random_period, tiny_instance
from tests.formulations.oracle import least_latency

SEEDS = 200
KINDS = ("free", "delay")


def solve(instance: Instance, period: PeriodRange, *, options: str = "", **wishes: object) -> Answer:
    formulation = LatencyModulo(LatencyModuloOptions.parse(options.split()))
    watch = Watch(Limits(time_s=60, workers=1))
    answer = formulation.solve(Task(instance, Objective.LATENCY, watch, period=period, **wishes))  # type: ignore[arg-type]
    accepted(instance, answer, Objective.LATENCY, formulation.name)
    if answer.mapping is not None:
        assert period.low <= judged(instance, answer.mapping).period <= period.high
    return answer


@pytest.mark.parametrize("kind", KINDS)
def test_brute_force(kind: str) -> None:
    """Fixed and variable periods, several classes, zero times, capacities and side constraints."""
    for seed in range(SEEDS):
        instance = tiny_instance(seed, kind)
        period = random_period(seed, instance)
        answer = solve(instance, period)
        expected = least_latency(instance, period)
        assert (answer.value, answer.bound) == (expected, expected), seed
        assert answer.status is Status.OPTIMAL


@pytest.mark.parametrize(
    "name", ["strong_propagation", "windows", "anchor", "incompatible", "load", "symmetry", "hint"]
)
def test_every_ingredient_can_be_left_out(name: str) -> None:
    for seed in range(30):
        instance = tiny_instance(seed, "delay")
        period = random_period(seed, instance)
        assert solve(instance, period, options=f"{name}=false").value == least_latency(instance, period), seed


def test_variable_period_is_the_best_fixed_one() -> None:
    better = 0
    for seed in range(40):
        instance = tiny_instance(seed, "delay")
        low = least_period(instance)
        fixed = [solve(instance, PeriodRange(each, each)).value for each in range(low, low + 4)]
        values = [value for value in fixed if value is not None]
        assert solve(instance, PeriodRange(low, low + 3)).value == min(values), seed
        better += min(values) < values[0]
    assert better > 5


def test_period_below_the_least_is_infeasible() -> None:
    for seed in range(40):
        instance = tiny_instance(seed, "delay")
        least = least_period(instance)
        if least > 1 and max(min(row[row >= 0]) for row in instance.times) > 0:
            answer = solve(instance, PeriodRange(least - 1, least - 1))
            assert (answer.status, answer.bound) == (Status.INFEASIBLE, None), seed


def test_decisions() -> None:
    for seed in range(40):
        instance = tiny_instance(seed, "delay")
        period = random_period(seed, instance)
        best = least_latency(instance, period)
        assert best is not None
        refuted = solve(instance, period, cutoff=best, decision=True)
        assert (refuted.status, refuted.bound) == (Status.INFEASIBLE, best)
        assert solve(instance, period, cutoff=best + 1, decision=True).value == best
        loose = solve(instance, period, cutoff=best + 9, decision=True)
        assert loose.value is not None
        assert best <= loose.value < best + 9


def test_start_is_a_hint_under_other_names_of_units() -> None:
    for seed in range(30):
        instance = tiny_instance(seed, "delay")
        period = random_period(seed, instance)
        start = solve(instance, period).mapping
        assert start is not None
        again = solve(instance, period, start=start)
        assert again.value == least_latency(instance, period), seed
    wrong = Mapping.of(instance, [0] * len(instance.nodes))
    assert solve(instance, period, start=wrong).value == least_latency(instance, period)


def test_zero_time_may_touch_but_not_enter() -> None:
    """One unit, period 4: node b of no time has to wait for the end of the other frame's a."""
    nodes = (InstanceNode("a", (4, None)), InstanceNode("c", (None, 3)), InstanceNode("b", (0, None)))
    tensors = (InstanceTensor("t", "a", ("c",)), InstanceTensor("u", "c", ("b",)))
    instance = Instance("i", ("x", "y"), (Unit("x0", "x"), Unit("y0", "y")), nodes, tensors)
    assert solve(instance, PeriodRange(4, 4)).value == 8
    assert solve(instance, PeriodRange(5, 5)).value == 9
    assert solve(instance, PeriodRange(7, 7)).value == 7


def test_long_node_is_infeasible_with_its_name() -> None:
    instance = Instance("i", ("x",), (Unit("x0", "x"),), (InstanceNode("slow", (9,)),))
    answer = solve(instance, PeriodRange(8, 8))
    assert answer.status is Status.INFEASIBLE
    assert "'slow'" in answer.reason


def test_rejections() -> None:
    node = InstanceNode("a", (2**45,))
    instance = Instance("i", ("x",), (Unit("x0", "x"),), (node,), transfer=Blocking(1))
    formulation = LatencyModulo(LatencyModuloOptions())
    assert "'blocking'" in (formulation.rejects(instance) or "")
    with pytest.raises(UnsupportedError, match="'blocking'"):
        formulation.solve(Task(instance, Objective.LATENCY, period=PeriodRange(1, 1)))
    large = Instance("i", ("x",), (Unit("x0", "x"),), (node,), transfer=Delay(1))
    with pytest.raises(UnsupportedError, match="give one"):
        formulation.solve(Task(large, Objective.LATENCY))
    with pytest.raises(UnsupportedError, match="tick_ps"):
        formulation.solve(Task(large, Objective.LATENCY, period=PeriodRange(2**45, 2**46)))


def test_deterministic_runs_agree() -> None:
    instance = tiny_instance(7, "delay")
    period = random_period(7, instance)
    runs = []
    for _ in range(2):
        watch = Watch(Limits(time_s=1, workers=2, deterministic=True))
        runs.append(
            LatencyModulo(LatencyModuloOptions()).solve(
                Task(instance, Objective.LATENCY, watch, period=period)
            )
        )
    assert runs[0] == runs[1]
