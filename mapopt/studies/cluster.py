"""Runs on the workers of a Dask cluster, which have mapopt installed; records come back and are kept here.

Every Dask worker makes its runs in processes of its own (:mod:`mapopt.studies.seats`), so that limits hold there as
they do here. A run whose worker is lost is made by another one.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from mapopt.documents import read_bytes
from mapopt.errors import InputError
from mapopt.instance import Instance
from mapopt.studies.folder import Folder
from mapopt.studies.records import Record
from mapopt.studies.running import WAIT_S, Queue
from mapopt.studies.seats import Seat, WorkerError, hear
from mapopt.studies.tasks import Finished
from mapopt.studies.worker import Job

CONNECT_S = 10
"""How long to look for a scheduler, in seconds."""

AHEAD = 2
"""Runs that are sent out per thread of the workers, so that none waits for this process."""


@dataclass(frozen=True, slots=True)
class Dask:
    """Runs on the workers of the scheduler with this address, e.g. ``tcp://10.0.0.1:8786``."""

    scheduler: str

    def execute(self, queue: Queue, folder: Folder) -> Generator[Finished]:
        """Yield how each run of the queue ended, see :class:`mapopt.studies.running.Executor`."""
        distributed = distributed_package()
        waiting: dict[Any, Job] = {}
        with self.connected() as client:
            completed = distributed.as_completed(loop=client.loop)
            try:
                while True:
                    while len(waiting) < AHEAD * max(1, sum(client.nthreads().values())):
                        job = queue.take()
                        if job is None:
                            break
                        future = _submit(client, job, folder)
                        waiting[future] = job
                        completed.add(future)
                    yield from queue.passed()
                    if waiting:
                        future = next(completed)
                        job = waiting.pop(future)
                        record = _record(distributed, future, job)
                        yield Finished.of(folder.store.put(record, over_failed=job.again))
                        queue.end(job.task.id)
                    elif queue:
                        threading.Event().wait(WAIT_S)
                    else:
                        return
            finally:
                client.cancel(list(waiting))

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """Give a client of the scheduler, closed in the end.

        Raises
        ------
        InputError
            If there is no scheduler, or it has no workers.
        """
        distributed = distributed_package()
        try:
            client = distributed.Client(self.scheduler, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise InputError(
                f"--scheduler {self.scheduler!r}: cannot be reached ({error}); start one with `dask scheduler`"
            ) from None
        try:
            if not client.nthreads():
                raise InputError(
                    f"--scheduler {self.scheduler!r}: has no workers; start some with `dask worker {self.scheduler}`"
                )
            yield client
        finally:
            client.close()


def distributed_package() -> Any:
    """Return Dask's package.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        return import_module("distributed")
    except ImportError:
        raise InputError(
            "--executor dask: the package 'distributed' is not installed; install mapopt with its extra: mapopt[dask]"
        ) from None


def _submit(client: Any, job: Job, folder: Folder) -> Any:
    """Send out a run; its instance is sent once, and again where the worker that had it is lost."""
    digest = job.task.digest
    data = read_bytes(folder.instance_file(digest))
    instance = client.submit(bytes, data, key=f"mapopt-instance-{digest.removeprefix('sha256:')}")
    return client.submit(
        make, msgspec.json.encode(job), instance, key=f"mapopt-run-{job.task.id}", pure=False
    )


def _record(distributed: Any, future: Any, job: Job) -> Record:
    """Return the record of a run that has ended; a run that ends its workers again and again has failed."""
    try:
        return Record.from_json(future.result(), f"run {job.task.id}")
    except distributed.scheduler.KilledWorker as error:
        return job.task.failed(f"its Dask workers were lost: {error}")
    except InputError:
        raise
    except Exception as error:  # whatever happens there
        raise WorkerError(f"Dask: {type(error).__name__}: {error}; what is done is kept") from error


def make(job: bytes, instance: bytes) -> bytes:
    """Make a run on a Dask worker and return its sealed record as JSON."""
    seats = _seats()
    task = msgspec.json.decode(job, type=Job)
    with seats.lock:
        file = seats.folder.instance_file(task.task.digest)
        if not file.exists():
            seats.folder.keep(Instance.from_json(instance, str(file)))
        seat = seats.idle.pop() if seats.idle else Seat(seats.folder)
    try:
        seat.start(task)
        finished: list[tuple[Seat, Finished]] = []
        while not finished:
            finished = list(hear([seat]))
    except BaseException:
        seat.close()
        raise
    record = seats.folder.store.find(task.task.id)
    assert record is not None
    seats.folder.store.file(record.key).unlink()
    with seats.lock:
        seats.idle.append(seat)
    return record.to_json()


class _Seats:
    """The worker processes of one Dask worker, and a folder for what they read and write."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.idle: list[Seat] = []
        self.folder = Folder(Path(tempfile.mkdtemp(prefix="mapopt-")))
        atexit.register(self._close)

    def _close(self) -> None:
        for seat in self.idle:
            seat.close()
        shutil.rmtree(self.folder.path, ignore_errors=True)


@cache
def _seats() -> _Seats:
    return _Seats()
