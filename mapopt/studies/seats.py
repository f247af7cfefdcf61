"""Worker processes seen from outside: each makes one run at a time, within its limits."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress

import msgspec

from mapopt.errors import InputError, MapoptError
from mapopt.solvers.isolation import TAIL_BYTES, Exit
from mapopt.studies.folder import Folder
from mapopt.studies.tasks import Finished
from mapopt.studies.worker import CHUNK, Done, Job, Message, Stuck

POLL_S = 0.2
"""How often a worker is asked whether it still lives; its end is usually heard at once."""


class WorkerError(MapoptError):
    """Workers cannot be started."""


class Seat:
    """A place for a worker process; one that dies or is killed is replaced when the next job comes.

    Parameters
    ----------
    folder
        The instances are there, and the records go there.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self._job: Job | None = None
        self._begin: float | None = None

    @property
    def busy(self) -> bool:
        """Whether a job is being done."""
        return self._job is not None

    def start(self, job: Job) -> None:
        """Begin a job.

        Raises
        ------
        WorkerError
            If the system starts no process.
        """
        if self._process is None or self._process.poll() is not None:
            self._open()
        assert self._process is not None
        assert self._process.stdin is not None
        self._job, self._begin = job, None
        with suppress(BrokenPipeError):  # it has just died, which is heard next
            self._process.stdin.write(msgspec.json.encode(job) + b"\n")

    def close(self) -> None:
        """End the process at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                assert pipe is not None
                with suppress(OSError):
                    pipe.close()
            self._errors.close()
            self._process, self._rest = None, b""

    def fileno(self) -> int:
        """Return what becomes readable when there is something to :meth:`hear`."""
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def hear(self) -> Finished | None:
        """Return how the job ended, or ``None`` while it is being done.

        Raises
        ------
        InputError
            If the worker cannot go on: the disk is full, or its code is not that of the plan.
        WorkerError
            If it ended before it began.
        """
        process, job = self._process, self._job
        assert process is not None
        assert job is not None
        dead = process.poll() is not None
        for message in self._messages():
            if isinstance(message, Done):
                self._job = None
                return message.finished
            if isinstance(message, Stuck):
                raise InputError(message.reason)
            self._begin = time.monotonic()
        limit = job.task.kill_s
        late = limit is not None and self._begin is not None and time.monotonic() - self._begin > limit
        return self._fail(job, late=late) if dead or late else None

    def _open(self) -> None:
        self.close()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "mapopt.studies.worker", str(self._folder.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                bufsize=0,
            )
        except OSError as error:
            raise WorkerError(f"worker: cannot be started ({error.strerror or error})") from None
        os.set_blocking(self.fileno(), False)

    def _messages(self) -> Iterator[Message]:
        with suppress(BlockingIOError):
            while data := os.read(self.fileno(), CHUNK):
                self._rest += data
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            yield msgspec.json.decode(line, type=Message)

    def _fail(self, job: Job, *, late: bool) -> Finished:
        """Keep the failure of a run whose worker died or took too long."""
        assert self._process is not None
        self._process.kill()
        code = self._process.wait()
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - TAIL_BYTES))
        ended = Exit(code, self._errors.read().decode(errors="replace"), memory_mb=job.task.memory_mib)
        self.close()
        self._job = None
        if self._begin is None:
            raise WorkerError(f"worker: {ended.reason or 'ended'} before it began; what is done is kept")
        limit = job.task.kill_s
        reason = (
            f"took longer than {limit:g} s and was killed"
            if late
            else f"its process {ended.reason or 'ended'}"
        )
        record = job.task.failed(reason)
        return Finished.of(self._folder.store.put(record, over_failed=job.again))


def hear(seats: Iterable[Seat]) -> Iterator[tuple[Seat, Finished]]:
    """Wait until something happens at busy seats, at most :data:`POLL_S`, and yield the jobs that ended.

    Raises
    ------
    InputError, WorkerError
        As :meth:`Seat.hear`.
    """
    busy = [seat for seat in seats if seat.busy]
    select.select(busy, [], [], POLL_S)
    for seat in busy:
        finished = seat.hear()
        if finished is not None:
            yield seat, finished
