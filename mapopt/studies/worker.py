"""A process that makes one run after the other: ``python -m mapopt.studies.worker FOLDER``.

It reads a :class:`Job` per line of standard input, keeps the record in the folder's store and answers with a line. It
ends with the process that started it.
"""

from __future__ import annotations

import os
import queue
import resource
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import msgspec

from mapopt.errors import InfeasibleError, InputError, MapoptError, UnsupportedError
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.studies.folder import Folder
from mapopt.studies.methods import Run
from mapopt.studies.outcomes import bare_record
from mapopt.studies.records import Record
from mapopt.studies.study import RunLimits
from mapopt.studies.tasks import Finished, MapperTask, SolveTask, Task

CHUNK = 1 << 16
MAX_INSTANCES = 16
"""Instances that a worker keeps in memory."""


class Job(msgspec.Struct, frozen=True):
    """A task, and whether it is made again after it failed."""

    task: Task
    again: bool = False


class Begun(msgspec.Struct, tag="begun"):
    """The job begins: everything that it needs and is not charged for is loaded."""


class Stuck(msgspec.Struct, tag="stuck"):
    """The worker cannot go on, for a reason that is not the run's, e.g. a full disk."""

    reason: str


class Done(msgspec.Struct, tag="done"):
    """A run has ended and its record is in the store."""

    finished: Finished


Message = Begun | Stuck | Done


def main() -> None:
    """Make runs until standard input ends."""
    answers = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # solvers print
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    folder = Folder(Path(sys.argv[1]))
    tasks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(tasks,), daemon=True).start()
    instances = Instances(folder)
    while True:
        job = msgspec.json.decode(tasks.get(), type=Job)
        try:
            instance = instances.get(job.task.digest)
            warm_up(isinstance(job.task.method, SolveTask))
            _send(answers, Begun())
            record = make(job.task, instance)
            while record.interrupted:  # by Ctrl-C, which whoever started this process answers for
                record = make(job.task, instance)
            standing = folder.store.put(record, over_failed=job.again)
        except InputError as error:
            _send(answers, Stuck(str(error)))
        else:
            _send(answers, Done(Finished.of(standing)))


class Instances:
    """The instances of a folder by digest, the last ones in memory."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._kept: dict[str, Instance] = {}

    def get(self, digest: str) -> Instance:
        """Return an instance.

        Raises
        ------
        InputError
            If it cannot be read or has another digest.
        """
        if digest not in self._kept:
            while len(self._kept) >= MAX_INSTANCES:
                del self._kept[next(iter(self._kept))]
            file = self._folder.instance_file(digest)
            instance = Instance.load(file)
            if instance.digest != digest:
                raise InputError(f"{file}: holds another instance; delete it and run the study again")
            self._kept[digest] = instance
        return self._kept[digest]


@cache
def warm_up(solves: bool) -> None:
    """Load, and where needed compile, what runs need, so that no run is charged for it."""
    times = (7, 5, 9, 4, 6, 8, 3, 7, 5, 6, 9, 4)
    nodes = tuple(InstanceNode(f"n{at}", (time,)) for at, time in enumerate(times))
    tensors = tuple(
        InstanceTensor(f"t{at}", f"n{at}", tuple(f"n{to}" for to in (at + 1, at + 3) if to < len(times)))
        for at in range(len(times) - 1)
    )
    units = tuple(Unit(f"u{at}", "imc") for at in range(3))
    instance = Instance("warm up", classes=("imc",), units=units, nodes=nodes, tensors=tensors)
    task = SolveTask("period,latency", RunLimits()) if solves else MapperTask("rr", "time-triggered")
    task.run(instance, 0).execute()


def make(task: Task, instance: Instance) -> Record:
    """Make a run; whatever goes wrong in it becomes its record.

    Raises
    ------
    InputError
        If this worker's code or solvers differ from those of the study's plan.
    """
    run = task.method.run(instance, task.seed)
    if run.key.id != task.id:
        raise InputError(
            f"run {task.id}: this worker has other versions of mapopt or of its solvers than the process that planned "
            "the study; install the same ones"
        )
    with _memory(task.memory_mib):
        return _executed(run, instance, task.memory_mib)


def _executed(run: Run, instance: Instance, memory_mib: int | None) -> Record:
    try:
        return run.execute()
    except InfeasibleError as error:
        status, reason = "infeasible", str(error)
    except UnsupportedError as error:
        status, reason = "unknown", str(error)
    except MapoptError as error:
        lacked = isinstance(error.__cause__, MemoryError)
        status, reason = "failed", _lacks_memory(memory_mib) if lacked else str(error)
    except MemoryError:
        status, reason = "failed", _lacks_memory(memory_mib)
    except Exception as error:  # a defect of a mapper or a solver is its run's failure, not the study's
        status, reason = "failed", f"{type(error).__name__}: {error}"
    return bare_record(run.key, instance, status, reason=reason)


def _lacks_memory(memory_mib: int | None) -> str:
    limit = "" if memory_mib is None else f" (the limit is {memory_mib} MiB; raise memory_mib)"
    return f"ran out of memory{limit}"


@contextmanager
def _memory(mib: int | None) -> Iterator[None]:
    """Let the process grow by so much inside, where the system says how large it is."""
    size = Path("/proc/self/statm")
    if mib is None or not size.exists():
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    limit = int(size.read_text().split()[0]) * resource.getpagesize() + mib * 2**20
    hard = before[1]
    resource.setrlimit(
        resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard)
    )
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _read(tasks: queue.SimpleQueue[bytes]) -> None:
    """Queue lines of standard input; end the process when nobody is left to write any."""
    rest = b""
    with suppress(OSError):
        while data := os.read(0, CHUNK):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                tasks.put(line)
    os._exit(0)


def _send(channel: int, message: Message) -> None:
    data = msgspec.json.encode(message) + b"\n"
    while data:
        data = data[os.write(channel, data) :]


if __name__ == "__main__":
    main()
