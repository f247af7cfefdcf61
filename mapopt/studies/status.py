"""How far a study is, seen from outside while it runs or when it does not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from mapopt.documents import Part
from mapopt.studies.claims import Claims
from mapopt.studies.plan import PlannedRun
from mapopt.studies.running import prepare
from mapopt.studies.table import Table


class Failure(Part, frozen=True, omit_defaults=False):
    """A run that failed, and why."""

    id: str
    instance: str
    method: str
    seed: int
    reason: str
    command: str


class State(Part, frozen=True, omit_defaults=False):
    """How far a study is.

    Parameters
    ----------
    study, folder
        Its name and where its results are.
    total, done, running, todo
        Runs: all; those with a record, failed ones among them; those that a process is making; the rest.
    failed
        The runs that failed.
    left_s
        Seconds until the end at the pace of the runs of the same method, with as many at a time as are running now; an
        estimate, ``None`` where there is nothing to go by.
    damaged
        Files in the store that are no intact records, with the reason.
    others
        Records in the store of no run of the study as it is now: made by other code, versions or settings.
    """

    study: str
    folder: str
    total: int
    done: int
    running: int
    todo: int
    failed: tuple[Failure, ...]
    left_s: float | None
    damaged: tuple[str, ...]
    others: int


def status_of(path: str | Path, results: str | Path) -> State:
    """Return how far a study is.

    Raises
    ------
    InputError
        If the study file breaks a rule.
    """
    folder, expansion = prepare(path, results)
    runs = expansion.plan.runs
    if not folder.path.is_dir():
        return State(expansion.plan.name, str(folder.path), len(runs), 0, 0, len(runs), (), None, (), 0)
    with Table(folder) as table:
        statuses, reasons, runtimes = table.statuses(), table.reasons(), table.runtimes()
        damaged = table.problems
    missing = [run for run in runs if run.id not in statuses]
    with Claims(folder.path / "claims") as claims:
        running = sum(claims.held(run.id) for run in missing)
    failed = tuple(
        Failure(run.id, run.instance, run.method, run.seed, reasons[run.id], run.command)
        for run in runs
        if statuses.get(run.id) == "failed"
    )
    pace = _Pace(runs, runtimes)
    return State(
        expansion.plan.name,
        str(folder.path),
        len(runs),
        len(runs) - len(missing),
        running,
        len(missing) - running,
        failed,
        pace.left(missing, max(1, running)),
        damaged,
        len(statuses.keys() - {run.id for run in runs}),
    )


@dataclass(frozen=True, slots=True, init=False)
class _Pace:
    """The mean seconds of a run, by method and over all."""

    of: dict[str, float]
    overall: float | None

    def __init__(self, runs: Iterable[PlannedRun], runtimes: dict[str, float | None]) -> None:
        taken: dict[str, list[float]] = {}
        for run in runs:
            seconds = runtimes.get(run.id)
            if seconds is not None:
                taken.setdefault(run.method, []).append(seconds)
        everything = [seconds for each in taken.values() for seconds in each]
        object.__setattr__(self, "of", {method: fmean(each) for method, each in taken.items()})
        object.__setattr__(self, "overall", fmean(everything) if everything else None)

    def left(self, missing: list[PlannedRun], at_once: int) -> float | None:
        """Return the seconds that the missing runs take."""
        if not missing:
            return 0.0
        if self.overall is None:
            return None
        return sum(self.of.get(run.method, self.overall) for run in missing) / at_once
