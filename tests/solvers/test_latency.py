"""The search for the least latency, with real formulations and with one that misbehaves."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from formulations.latency_modulo import LatencyModulo, LatencyModuloOptions
from formulations.latency_single import LatencySingle, LatencySingleOptions
from mapopt.emulator.schedule import schedule
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.mappers.registry import get
from mapopt.mapping import Mapping
from mapopt.search.annealing import Schedule, annealed_elastic
from mapopt.solvers import latency
from mapopt.solvers.base import Formulation, Task
from mapopt.solvers.judging import BrokenFormulationError, accepted, judged
from mapopt.solvers.latency import improve
from mapopt.solvers.model import Answer, Limits, Objective, PeriodRange, Status
from mapopt.solvers.watch import Watch
from mapopt.transfers import Delay
from tests.formulations.cases import least_period, random_period, tiny_instance
from tests.formulations.oracle import least_latency

KINDS = ("free", "delay")


def modulo() -> LatencyModulo:
    return LatencyModulo(LatencyModuloOptions())


def run(
    instance: Instance, period: PeriodRange | None, formulation: Formulation | None = None, **wishes: Any
) -> tuple[Answer, Watch]:
    if formulation is None:
        formulation = LatencySingle(LatencySingleOptions()) if period is None else modulo()
    watch = Watch(wishes.pop("limits", Limits(time_s=20, workers=1)))
    answer = improve(Task(instance, Objective.LATENCY, watch, period=period, **wishes), formulation)
    accepted(instance, answer, Objective.LATENCY, "improve")
    if answer.mapping is not None and period is not None:
        assert period.low <= judged(instance, answer.mapping).period <= period.high
    return answer, watch


def forked() -> Instance:
    """Ten nodes in three branches on 2 + 1 units, with a gap between the paths' bound and the optimum."""
    nodes = [
        ("a", 6, None),
        *((f"b{at}", 3 + at % 3, None) for at in range(6)),
        ("s", None, 2),
        ("t", None, 3),
        ("z", 4, None),
    ]
    edges = [("a", ("b0", "b1", "b2")), ("b0", ("b3",)), ("b1", ("b4",)), ("b2", ("b5",))]
    edges += [("b3", ("s",)), ("b4", ("s", "t")), ("b5", ("t",)), ("s", ("z",)), ("t", ("z",))]
    return Instance(
        "forked",
        ("imc", "dpu"),
        (Unit("i0", "imc"), Unit("i1", "imc"), Unit("d0", "dpu")),
        tuple(InstanceNode(name, times) for name, *times in ((n, i, d) for n, i, d in nodes)),
        tuple(InstanceTensor(f"{source}>", source, readers, 2) for source, readers in edges),
        Delay(10**9),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_brute_force(kind: str) -> None:
    for seed in range(40):
        instance = tiny_instance(seed, kind)
        for period in (random_period(seed, instance), None):
            answer, watch = run(instance, period)
            assert (answer.status, answer.value) == (Status.OPTIMAL, least_latency(instance, period)), seed
            assert watch.trace[-1].value == watch.trace[-1].bound == answer.value


def test_what_bounds_and_annealing_leave_open_is_closed_by_the_formulation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without heuristics the decisions, solves and neighbourhoods do it alone."""
    instance = forked()
    period = PeriodRange(22, 22)
    best = modulo().solve(Task(instance, Objective.LATENCY, period=period)).value
    monkeypatch.setattr(latency, "annealed_list", lambda *_, **__: None)
    monkeypatch.setattr(latency, "annealed_cyclic", lambda *_, **__: None)
    late = msgspec.structs.replace(begun(instance)[0], horizon=22, claims=None)
    for start in (None, late):
        answer, _ = run(instance, period, start=start)
        assert (answer.status, answer.value) == (Status.OPTIMAL, best)


def test_neighbourhoods_alone_improve(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = forked()
    monkeypatch.setattr(latency, "annealed_list", lambda *_, **__: None)
    start, horizon = begun(instance)
    period = PeriodRange(horizon, horizon)
    task = Task(instance, Objective.LATENCY, Watch(Limits(time_s=20)), period=period, start=start)
    search = latency._Search(task, modulo())
    search.begin()
    search.size = 6
    first = search.value
    for _ in range(30):
        search._neighbourhood(5.0)
    assert first is not None
    assert search.value is not None
    assert search.value < first
    assert search.mapping is not None
    assert search.mapping.instance.digest == instance.digest


def begun(instance: Instance) -> tuple[Mapping, int]:
    """Return a schedule of the forked instance that can be improved, and its period."""
    found = schedule(instance, Mapping.of(instance, [0, 1, 1, 1, 1, 0, 0, 2, 2, 0]))
    assert found.horizon is not None
    return found, found.horizon


@pytest.mark.parametrize("retiming", [True, False])
def test_retimings_are_annealed_unless_unwanted(monkeypatch: pytest.MonkeyPatch, retiming: bool) -> None:
    instance, calls = forked(), 0
    start, horizon = begun(instance)

    def count(*_: Any, **__: Any) -> None:
        nonlocal calls
        calls += 1

    monkeypatch.setattr(latency, "annealed_list", lambda *_, **__: None)
    monkeypatch.setattr(latency, "annealed_retimed", count)
    task = Task(
        instance,
        Objective.LATENCY,
        Watch(Limits(time_s=20, workers=1)),
        period=PeriodRange(horizon, horizon),
        start=start,
    )
    assert improve(task, modulo(), retiming=retiming).status is Status.OPTIMAL
    assert (calls > 0) == retiming


def test_elastic_rings_go_on_as_long_as_they_gain(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = forked()
    start, horizon = begun(instance)
    better: list[Schedule] = []
    for iterations in range(200):
        found = annealed_elastic(instance, horizon, iterations=iterations, start=start)
        if found is not None and (not better or found.latency < better[-1].latency):
            better.append(found)
    del better[0]  # the schedule to begin with
    assert len(better) > 1
    seeds = []

    def step(*_: Any, seed: int, on_better: Callable[[Schedule], None], **__: Any) -> None:
        if len(seeds) < len(better):
            on_better(better[len(seeds)])
        seeds.append(seed)

    for name in ("annealed_list", "annealed_retimed"):
        monkeypatch.setattr(latency, name, lambda *_, **__: None)
    monkeypatch.setattr(latency, "annealed_elastic", step)
    task = Task(
        instance,
        Objective.LATENCY,
        Watch(Limits(time_s=20)),
        period=PeriodRange(horizon, horizon),
        start=start,
    )
    search = latency._Search(task, modulo())
    search.begin()
    search.anneal()
    assert search.value == better[-1].latency
    assert len(better) <= len(seeds) <= len(better) + 1
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize(
    ("gap", "below", "above", "number", "again"),
    [
        (0.03, True, False, 0, False),
        (0.03, True, False, 3, False),
        (0.03, False, True, 0, False),
        (0.03, False, True, 1, True),
        (0.03, True, True, 1, False),
        (0.01, False, True, 1, False),
        (0.10, True, False, 0, True),
        (0.10, False, True, 0, True),
        (0.50, True, True, 2, True),
    ],
)
def test_who_anneals_again(
    monkeypatch: pytest.MonkeyPatch, gap: float, below: bool, above: bool, number: int, again: bool
) -> None:
    for name in ("_refute", "_approach", "_while_it_gains", "_solve", "_neighbourhood"):
        monkeypatch.setattr(latency._Search, name, lambda *_: None)
    calls: list[int] = []
    monkeypatch.setattr(latency._Search, "_anneal_again", lambda _, each: calls.append(each))
    task = Task(forked(), Objective.LATENCY, Watch(Limits(time_s=20)), period=PeriodRange(22, 22))
    search = latency._Search(task, modulo())
    search.value, search.bound = round(1000 * (1 + gap)), 1000
    search._round(1.0, number, below=below, above=above)
    assert calls == [2 * number + above] * again


@pytest.mark.parametrize("retiming", [True, False])
def test_what_is_annealed_again(monkeypatch: pytest.MonkeyPatch, retiming: bool) -> None:
    calls: list[tuple[str, int]] = []
    for name in ("retimed", "elastic", "cyclic"):
        monkeypatch.setattr(
            latency, f"annealed_{name}", lambda *_, seed, name=name, **__: calls.append((name, seed))
        )
    monkeypatch.setattr(latency._Search, "_is_tight", False)
    instance = forked()
    start, horizon = begun(instance)
    period = PeriodRange(horizon, horizon)
    search = latency._Search(
        Task(instance, Objective.LATENCY, Watch(Limits(time_s=20)), period=period, start=start),
        modulo(),
        retiming,
    )
    search.begin()
    search._anneal_again(0)
    search._anneal_again(1)
    assert [name for name, _ in calls] == [*["retimed"] * retiming, "elastic", "cyclic"] * 2
    assert len(set(calls)) == len(calls)


def test_infeasible_periods() -> None:
    for seed in range(20):
        instance = tiny_instance(seed, "delay")
        least = least_period(instance)
        if least_latency(instance, PeriodRange(max(1, least - 1), max(1, least - 1))) is None:
            answer, _ = run(instance, PeriodRange(least - 1, least - 1))
            assert (answer.status, answer.mapping) == (Status.INFEASIBLE, None), seed


def test_cutoff_that_nothing_is_below() -> None:
    instance = forked()
    period = PeriodRange(22, 22)
    best = run(instance, period)[0].value
    assert best is not None
    answer, _ = run(instance, period, cutoff=best)
    assert (answer.status, answer.bound, answer.mapping) == (Status.INFEASIBLE, best, None)
    assert run(instance, period, cutoff=best + 1)[0].value == best


def test_a_range_of_periods_is_no_worse_than_each() -> None:
    instance = forked()
    fixed = [run(instance, PeriodRange(each, each))[0].value for each in (21, 22, 23)]
    assert run(instance, PeriodRange(21, 23))[0].value == min(value for value in fixed if value is not None)


def test_time_limit_keeps_what_was_found() -> None:
    instance = forked()
    answer, _ = run(instance, PeriodRange(21, 21), limits=Limits(time_s=0.01, workers=1))
    assert answer.status in (Status.UNKNOWN, Status.FEASIBLE, Status.OPTIMAL)
    assert answer.bound is not None


def test_deterministic_runs_agree() -> None:
    instance = forked()
    limits = Limits(time_s=0.2, workers=2, deterministic=True)
    first, second = (run(instance, PeriodRange(21, 21), limits=limits)[0] for _ in range(2))
    assert first == second


@pytest.mark.parametrize(("workers", "deterministic", "count"), [(2, False, 1), (1, False, 0), (2, True, 0)])
def test_a_tight_class_is_annealed_beside_the_decisions(
    monkeypatch: pytest.MonkeyPatch, workers: int, deterministic: bool, count: int
) -> None:
    """Class imc works 34 of 2 * 17 ticks. Runs that must repeat stay on one thread."""
    instance, period = forked(), PeriodRange(17, 17)
    least = modulo().solve(Task(instance, Objective.LATENCY, period=period)).value
    begun: list[None] = []
    search_beside = latency.beside

    def noted(*arguments: Any) -> Any:
        begun.append(None)
        return search_beside(*arguments)

    monkeypatch.setattr(latency, "beside", noted)
    monkeypatch.setattr(latency, "FAR", 0.0)
    monkeypatch.setattr(latency, "annealed_list", lambda *_, **__: None)
    late = schedule(instance, Mapping.of(instance, [0, 0, 0, 1, 1, 1, 1, 2, 2, 0]))
    limits = Limits(time_s=20, workers=workers, deterministic=deterministic)
    answer, _ = run(instance, period, limits=limits, start=late)
    assert (answer.status, answer.value) == (Status.OPTIMAL, least)
    assert len(begun) == count


def test_what_is_annealed_beside_a_solver_that_finds_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    instance, period = forked(), PeriodRange(17, 17)
    least = modulo().solve(Task(instance, Objective.LATENCY, period=period)).value
    monkeypatch.setattr(latency, "FAR", 0.0)
    monkeypatch.setattr(latency, "annealed_list", lambda *_, **__: None)
    late = schedule(instance, Mapping.of(instance, [0, 0, 0, 1, 1, 1, 1, 2, 2, 0]))
    idle, limits = _Idle(), Limits(time_s=3, workers=2)
    answer, _ = run(instance, period, idle, limits=limits, start=late)  # type: ignore[arg-type]
    assert (answer.status, answer.value) == (Status.FEASIBLE, least)


class _Idle:
    """Finds nothing and takes its time for it."""

    name = "idle"

    def solve(self, task: Task) -> Answer:
        time.sleep(0.1)
        return Answer(Status.UNKNOWN)


class _Failing:
    name = "failing"

    def solve(self, task: Task) -> Answer:
        return Answer(Status.FAILED, reason="out of memory")


class _Vain:
    """Claims a bound that its own incumbent breaks."""

    name = "vain"

    def solve(self, task: Task) -> Answer:
        return Answer(Status.UNKNOWN, bound=10**6)


def test_a_failed_solver_leaves_the_incumbent() -> None:
    answer, _ = run(forked(), PeriodRange(21, 21), _Failing())  # type: ignore[arg-type]
    assert answer.status is Status.FAILED
    assert answer.reason == "out of memory"
    assert answer.mapping is not None


def test_contradictions_are_caught() -> None:
    with pytest.raises(BrokenFormulationError, match="'vain': proves that no latency is below 1000000"):
        run(forked(), PeriodRange(21, 21), _Vain())  # type: ignore[arg-type]


class Hasty(LatencyModulo):
    """Starts every node at once."""

    def solve(self, task: Task) -> Answer:
        valid = schedule(task.instance, get("lpt").map(task.instance))
        pattern = valid.patterns[0]
        hasty = msgspec.structs.replace(pattern, starts=(0,) * len(pattern.units))
        mapping = msgspec.structs.replace(valid, patterns=(hasty,), claims=None)
        return Answer(Status.FEASIBLE, mapping, 1, 1)


def test_a_schedule_that_is_not_feasible_is_a_failure_and_the_incumbent_stands() -> None:
    instance = forked()
    answer, _ = run(instance, PeriodRange(21, 21), Hasty(LatencyModuloOptions()))
    assert answer.status is Status.FAILED
    assert "before its data has arrived" in answer.reason
    assert answer.mapping is not None
