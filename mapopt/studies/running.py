"""Running a study: expanded, resumed, and made by an executor."""

from __future__ import annotations

import os
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from mapopt.documents import read_bytes, write_atomic
from mapopt.studies.claims import Claims
from mapopt.studies.expansion import Expansion, expand
from mapopt.studies.folder import Folder
from mapopt.studies.seats import Seat, hear
from mapopt.studies.store import RecordWarning
from mapopt.studies.study import parse_study
from mapopt.studies.table import Table
from mapopt.studies.tasks import Finished
from mapopt.studies.worker import Job

WAIT_S = 0.5
"""How often runs that another process makes are looked at."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a study is.

    Parameters
    ----------
    total, reused, done, failed
        Runs: all; those made before; made now; failed, whenever that was.
    last
        The run that ended last.
    damaged
        Files that were found in place of records, with the reason; their runs are made again.
    """

    total: int
    reused: int
    done: int
    failed: int
    last: Finished | None = None
    damaged: tuple[str, ...] = ()


class Executor(Protocol):
    """Makes runs and keeps their records in the folder of the study."""

    def execute(self, queue: Queue, folder: Folder) -> Generator[Finished]:
        """Yield how each run of the queue ended, as soon as it is kept; closing the iterator ends what runs."""


class Queue:
    """The runs to be made; those that another process is making are left to it.

    Parameters
    ----------
    jobs
        In order.
    folder
        Of the study.
    claims
        Of this process.
    """

    def __init__(self, jobs: Iterable[Job], folder: Folder, claims: Claims) -> None:
        self._jobs = deque(jobs)
        self._others: deque[Job] = deque()
        self._store = folder.store
        self._claims = claims
        self._passed: list[Finished] = []

    def __len__(self) -> int:
        return len(self._jobs) + len(self._others)

    def take(self) -> Job | None:
        """Claim the next run; ``None`` if there is none or other processes are making all that are left."""
        for _ in range(len(self._jobs)):
            job = self._jobs.popleft()
            if self._is_free(job):
                return job
        for _ in range(len(self._others)):
            job = self._others.popleft()
            if self._is_free(job):
                return job
        return None

    def passed(self) -> list[Finished]:
        """Return the runs that other processes have made since the last call."""
        passed, self._passed = self._passed, []
        return passed

    def end(self, run: str) -> None:
        """Give back the claim on a run that has ended."""
        self._claims.release(run)

    def _is_free(self, job: Job) -> bool:
        """Return whether a run is now this process's to make."""
        if not self._claims.take(job.task.id):
            self._others.append(job)
            return False
        with warnings.catch_warnings(action="ignore", category=RecordWarning):  # the table has reported it
            record = self._store.find(job.task.id)
        if record is None or (job.again and record.status == "failed"):
            return True
        self._claims.release(job.task.id)
        self._passed.append(Finished.of(record))
        return False


@dataclass(frozen=True, slots=True)
class Local:
    """Runs on this machine, in ``jobs`` processes."""

    jobs: int

    def execute(self, queue: Queue, folder: Folder) -> Generator[Finished]:
        """Yield how each run of the queue ended, see :class:`Executor`."""
        seats = [Seat(folder) for _ in range(self.jobs)]
        try:
            while True:
                for seat in seats:
                    job = None if seat.busy else queue.take()
                    if job is not None:
                        seat.start(job)
                yield from queue.passed()
                if any(seat.busy for seat in seats):
                    for _, finished in hear(seats):
                        queue.end(finished.id)
                        yield finished
                elif queue:
                    time.sleep(WAIT_S)
                else:
                    return
        finally:
            for seat in seats:
                seat.close()


def prepare(path: str | Path, results: str | Path) -> tuple[Folder, Expansion]:
    """Expand a study file, and say where its results go; nothing is written.

    Raises
    ------
    InputError
        If the file breaks a rule, see :func:`mapopt.studies.expansion.expand`.
    """
    study = parse_study(read_bytes(path), str(path))
    folder = Folder(Path(results) / study.name)
    return folder, expand(study, Path(path).parent, folder)


def run_study(
    path: str | Path,
    results: str | Path,
    executor: Executor,
    *,
    retry_failed: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Make the runs of a study that were not made yet.

    Ctrl-C, and whatever else ends it, keeps what is done; the next call goes on from there.

    Parameters
    ----------
    path
        The study file.
    results
        The study's folder is made in there, under its name.
    executor
        Makes the runs.
    retry_failed
        Whether runs that failed are made again.
    on_progress
        Called before the first and after every run.

    Raises
    ------
    InputError
        If the file breaks a rule, or results cannot be written.
    """
    folder, expansion = prepare(path, results)
    with Claims(folder.path / "claims") as claims:
        for instance in expansion.instances.values():
            folder.keep(instance)
        write_atomic(folder.study, read_bytes(path))
        expansion.plan.save(folder.plan)
        with Table(folder) as table:
            status, damaged = table.statuses(), table.problems
        jobs = [
            Job(task, again=task.id in status)
            for task in expansion.tasks
            if task.id not in status or (retry_failed and status[task.id] == "failed")
        ]
        ours = {task.id for task in expansion.tasks} - {job.task.id for job in jobs}
        failed = sum(status[run] == "failed" for run in ours)
        progress = Progress(len(expansion.tasks), len(ours), 0, failed, None, damaged)
        on_progress(progress)
        runs = executor.execute(Queue(jobs, folder, claims), folder)
        try:
            for done, finished in enumerate(runs, 1):
                failed += finished.status == "failed"
                progress = replace(progress, done=done, failed=failed, last=finished)
                on_progress(progress)
        finally:
            runs.close()
    return progress


def default_jobs() -> int:
    """Return how many runs to make at once on this machine."""
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
