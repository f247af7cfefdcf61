"""Runs that a tuning study needs beside its trials, made and kept as those of comparison studies are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mapopt.studies.claims import Claims
from mapopt.studies.folder import Folder
from mapopt.studies.records import Record
from mapopt.studies.running import Executor, Queue
from mapopt.studies.study import HARNESS_GRACE_S
from mapopt.studies.tasks import MapperTask, SolveTask, Task
from mapopt.studies.worker import Job

OnRuns = Callable[[int, int], None]
"""Called with how many runs are made, and of how many."""


def task_of(method: MapperTask | SolveTask, digest: str, seed: int = 0) -> Task:
    """Return one run for a worker, with the time after which a solve is killed."""
    kill_s = method.limits.kill_after(HARNESS_GRACE_S) if isinstance(method, SolveTask) else None
    return Task(method.key(digest, seed).id, digest, method, seed, kill_s)


def made(
    tasks: Sequence[Task], folder: Folder, executor: Executor, on_runs: OnRuns = lambda _done, _total: None
) -> dict[str, Record]:
    """Return the records of runs by id; those that are not in the folder, or failed, are made."""
    store = folder.store
    found = {task.id: store.find(task.id) for task in tasks}
    missing = [
        Job(task, again=found[task.id] is not None) for task in unique(tasks) if _is_due(found[task.id])
    ]
    done = len(found) - len(missing)
    on_runs(done, len(found))
    if missing:
        with Claims(folder.path / "claims") as claims:
            runs = executor.execute(Queue(missing, folder, claims), folder)
            try:
                for finished in runs:
                    found[finished.id] = store.find(finished.id)
                    done += 1
                    on_runs(done, len(found))
            finally:
                runs.close()
    return {identity: record for identity, record in found.items() if record is not None}


def unique(tasks: Iterable[Task]) -> list[Task]:
    """Return every task once."""
    return list({task.id: task for task in tasks}.values())


def _is_due(record: Record | None) -> bool:
    return record is None or record.status == "failed"
