"""References of a tuning study's instances, and which of these have something to teach."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from mapopt.bounds.every import lower_bounds
from mapopt.studies.folder import Folder
from mapopt.studies.records import Record
from mapopt.studies.running import Executor
from mapopt.studies.tasks import MapperTask, SolveTask
from mapopt.tuning.cases import Case, Known
from mapopt.tuning.making import OnRuns, made, task_of
from mapopt.tuning.scores import Reference, gaps_of
from mapopt.tuning.subject import COMPARED, OBJECTIVE
from mapopt.tuning.tuning import Gain, Tuning


def reference_method(tuning: Tuning) -> SolveTask:
    """Return the solve that finds references: the least period, then the least latency at it."""
    return SolveTask(OBJECTIVE, tuning.limits)


def references_of(
    tuning: Tuning,
    cases: Sequence[Case],
    folder: Folder,
    executor: Executor,
    on_runs: OnRuns = lambda _done, _total: None,
) -> tuple[Reference, ...]:
    """Return the reference of every case, in order; solves that were made before are reused.

    A case whose reference is not found, or on which :class:`Gain` sees nothing to gain, is excluded, with the reason.
    """
    solve, simple = reference_method(tuning), MapperTask(tuning.gain.mapper, COMPARED)
    maps = [task_of(simple, case.instance.digest) for case in cases]
    solves = [task_of(solve, case.instance.digest) if case.known is None else None for case in cases]
    records = made([*maps, *(task for task in solves if task is not None)], folder, executor, on_runs)
    found = []
    for case, solve_task, map_task in zip(cases, solves, maps, strict=True):
        record = None if solve_task is None else records.get(solve_task.id)
        reference = _library(case, case.known) if case.known is not None else _solved(case, record)
        found.append(
            reference
            if reference.excluded
            else _filtered(tuning.gain, case, reference, records.get(map_task.id))
        )
    return tuple(found)


def _library(case: Case, known: Known) -> Reference:
    return msgspec.structs.replace(
        _nothing(case),
        period=known.period,
        period_bound=known.period_bound,
        latency=known.latency,
        latency_bound=known.latency_bound,
        source="library",
    )


def _solved(case: Case, solve: Record | None) -> Reference:
    """Return the reference that a solve found."""
    period = None if solve is None else solve.level("period")
    latency = None if solve is None else solve.level("latency")
    if solve is None or period is None or latency is None or period.value is None or latency.value is None:
        reason = "the solve was not made" if solve is None else solve.reason or f"status {solve.status}"
        return msgspec.structs.replace(_nothing(case), excluded=f"no reference: {reason}")
    return msgspec.structs.replace(
        _nothing(case),
        period=period.value,
        period_bound=period.bound or 0,
        latency=latency.value,
        latency_bound=latency.bound or 0,
        source=f"run {solve.id}",
    )


def _nothing(case: Case) -> Reference:
    return Reference(case.label, case.family, case.split, case.instance.digest, 0, 0, 0, 0, "none")


def _filtered(gain: Gain, case: Case, reference: Reference, simple: Record | None) -> Reference:
    """Return the reference with bounds that need no solver, excluded where there is nothing to gain."""
    bounds = lower_bounds(case.instance)
    critical = bounds.latency.ticks
    sharper = msgspec.structs.replace(
        reference,
        period_bound=max(reference.period_bound, bounds.period.ticks),
        latency_bound=max(reference.latency_bound, critical),
    )
    if sharper.period_bound == 0 or sharper.latency == 0:
        return msgspec.structs.replace(sharper, excluded="its period or latency is 0: there are no gaps")
    return msgspec.structs.replace(sharper, excluded=_easy(gain, sharper, critical, simple))


def _easy(gain: Gain, reference: Reference, critical: int, simple: Record | None) -> str:
    """Return why there is nothing to gain over the simple mapper, or nothing."""
    level = None if simple is None else simple.level("latency")
    if simple is None or level is None or level.value is None:
        return ""
    off = gaps_of(simple, reference).period
    if off > gain.period or level.value > critical * (1 + gain.latency):
        return ""
    return f"easy: {gain.mapper} has a period {off:.2%} off and a latency at the critical path"
