"""Running a tuning study: begun or joined, and its trials made by one or several processes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mapopt.errors import InputError
from mapopt.studies.running import Local
from mapopt.tuning.making import OnRuns
from mapopt.tuning.setup import Setup, begin
from mapopt.tuning.storage import storage_errors
from mapopt.tuning.trials import Progress, enqueue_default, load_study, progress_of, work

POLL_S = 0.5
"""How often the trials of worker processes are counted."""

END_S = 30.0
"""How long workers have to end after Ctrl-C."""


class Order(msgspec.Struct, frozen=True):
    """What a worker process is told."""

    tuning: str
    results: str
    storage: str
    worker: int
    trials: int
    time_s: float | None


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
    """

    trials: int | None = None
    time_s: float | None = None
    jobs: int = 1


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
    setup = begin(path, results, storage, Local(asked.jobs), on_runs)
    trials = asked.trials or setup.tuning.budget.trials
    time_s = asked.time_s or setup.tuning.budget.time_s
    study = load_study(setup)
    with storage_errors(setup.url):
        enqueue_default(study, setup)
    until = None if time_s is None else time.monotonic() + time_s
    if asked.jobs == 1:
        return setup, work(setup, trials=trials, until=until, on_trial=on_trial)
    orders = [
        Order(str(path), str(results), setup.url, worker, trials, time_s) for worker in range(asked.jobs)
    ]

    def look() -> Progress:
        with storage_errors(setup.url):
            return progress_of(study, setup, trials)

    _supervise(orders, lambda: on_trial(look()))
    return setup, look()


def _supervise(orders: list[Order], look: Callable[[], None]) -> None:
    """Run a worker process per order until all have ended.

    Raises
    ------
    InputError
        If all workers failed; with the reason of the first.
    """
    with tempfile.TemporaryFile() as errors:
        workers = []
        try:
            for order in orders:
                process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "mapopt.tuning.worker"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                )
                workers.append(process)
                assert process.stdin is not None
                process.stdin.write(msgspec.json.encode(order) + b"\n")
                process.stdin.flush()
            while any(worker.poll() is None for worker in workers):
                time.sleep(POLL_S)
                look()
        except KeyboardInterrupt:
            end = time.monotonic() + END_S
            for worker in workers:
                with suppress(subprocess.TimeoutExpired):
                    worker.wait(max(0.1, end - time.monotonic()))
            raise
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
                assert worker.stdin is not None
                with suppress(OSError):
                    worker.stdin.close()
        if all(worker.returncode for worker in workers):
            errors.seek(0)
            lines = errors.read().decode(errors="replace").strip().splitlines()
            reason = lines[-1] if lines else f"exit code {workers[0].returncode}"
            raise InputError(f"workers: all failed ({reason}); what is done is kept")
