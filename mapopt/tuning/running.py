"""Running a tuning study: begun or joined, and its trials made by one or several processes, here or on a cluster."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mapopt.studies.cluster import Dask
from mapopt.studies.running import Executor, Local
from mapopt.tuning.cluster import storage_for_all, supervise_cluster
from mapopt.tuning.lost import TrialClaims
from mapopt.tuning.making import OnRuns
from mapopt.tuning.processes import Order, supervise
from mapopt.tuning.setup import Setup, begin
from mapopt.tuning.storage import storage_errors
from mapopt.tuning.trials import Follower, Progress, enqueue_default, load_study, work


@dataclass(frozen=True, slots=True)
class Budgeted:
    """What a call asks for.

    Parameters
    ----------
    trials
        Of the study as a whole; those of its file by default.
    time_s
        Seconds of this call, after the references are there; those of the file by default.
    jobs
        Processes.
    executor
        Where trials and other runs are made; by default these processes.
    """

    trials: int | None = None
    time_s: float | None = None
    jobs: int = 1
    executor: Executor | None = None

    @property
    def runs(self) -> Executor:
        """What makes runs."""
        return self.executor or Local(self.jobs)


def run_tuning(
    path: str | Path,
    results: str | Path,
    storage: str | None,
    asked: Budgeted,
    *,
    on_runs: OnRuns = lambda _done, _total: None,
    on_trial: Callable[[Progress], None] = lambda _: None,
) -> tuple[Setup, Progress]:
    """Make the trials of a tuning study that were not made yet.

    Ctrl-C, and whatever else ends it, keeps what is done; the next call goes on from there.

    Raises
    ------
    InputError
        If the file breaks a rule, or the study has changed since it began.
    StorageError
        If the storage is down or goes away.
    """
    executor = asked.runs
    if isinstance(executor, Dask):
        storage = storage_for_all(storage)
    setup = begin(path, results, storage, executor, on_runs)
    trials = asked.trials or setup.tuning.budget.trials
    time_s = asked.time_s or setup.tuning.budget.time_s
    study = load_study(setup)
    with storage_errors(setup.url):
        enqueue_default(study, setup)
    until = None if time_s is None else time.monotonic() + time_s
    if asked.jobs == 1 and not isinstance(executor, Dask):
        return setup, work(setup, trials=trials, until=until, on_trial=on_trial)

    follower = Follower(study, setup, trials)

    def order(worker: int) -> Order:
        left = None if until is None else max(0.0, until - time.monotonic())
        return Order(setup.tuning, setup.cases, str(setup.folder.path), setup.url, worker, trials, left)

    def look() -> Progress:
        with storage_errors(setup.url):
            progress = follower.look()
        on_trial(progress)
        return progress

    if isinstance(executor, Dask):
        with storage_errors(setup.url):
            claims = TrialClaims(setup.url)

        def look_after() -> Progress:
            with storage_errors(setup.url):
                claims.retry_lost(study)
            return look()

        supervise_cluster(executor, order, look_after, until)
    else:
        supervise([order(worker) for worker in range(asked.jobs)], look)
    return setup, look()
