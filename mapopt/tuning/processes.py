"""Worker processes that make trials, seen from outside."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress

import msgspec

from mapopt.errors import InputError
from mapopt.tuning.cases import Case
from mapopt.tuning.tuning import Tuning

POLL_S = 0.5
"""How often worker processes are looked at."""

END_S = 30.0
"""How long workers have to end after Ctrl-C."""


class Order(msgspec.Struct, frozen=True):
    """What a worker process is told: the study, whose references are in its storage, and how much to do.

    Parameters
    ----------
    tuning, cases, folder, url
        As of :class:`mapopt.tuning.setup.Setup`.
    worker
        Number of this worker.
    trials
        Of the study as a whole.
    time_s
        Seconds after which no trial begins.
    """

    tuning: Tuning
    cases: tuple[Case, ...]
    folder: str
    url: str
    worker: int
    trials: int
    time_s: float | None


class WorkerProcess:
    """One worker process, which ends with this one.

    Parameters
    ----------
    order
        What it does.
    """

    def __init__(self, order: Order) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "mapopt.tuning.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
        )
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has died, which is seen next
            self._process.stdin.write(msgspec.json.encode(order) + b"\n")
            self._process.stdin.flush()

    def poll(self) -> int | None:
        """Return its exit code, or ``None`` while it works."""
        return self._process.poll()

    def interrupt(self) -> None:
        """Have it end as Ctrl-C does, what it has done being kept."""
        self._process.send_signal(signal.SIGINT)

    def wait(self, timeout_s: float) -> None:
        """Wait for its end, but not for longer than this."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_s)

    def reason(self) -> str:
        """Return why it failed: the last line that it wrote, or its exit code."""
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit code {self._process.returncode}"

    def close(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        self._errors.close()


def supervise(orders: list[Order], look: Callable[[], object]) -> None:
    """Run a worker process per order until all have ended.

    Raises
    ------
    InputError
        If all workers failed; with the reason of the first.
    """
    workers: list[WorkerProcess] = []
    try:
        for order in orders:
            workers.append(WorkerProcess(order))
        while any(worker.poll() is None for worker in workers):
            time.sleep(POLL_S)
            look()
        if all(worker.poll() for worker in workers):
            raise all_failed(workers[0].reason())
    except KeyboardInterrupt:  # the system has told the workers too
        end = time.monotonic() + END_S
        for worker in workers:
            worker.wait(max(0.1, end - time.monotonic()))
        raise
    finally:
        for worker in workers:
            worker.close()


def all_failed(reason: str) -> InputError:
    """Return what is raised if no worker could do anything."""
    return InputError(f"workers: all failed ({reason}); what is done is kept")
