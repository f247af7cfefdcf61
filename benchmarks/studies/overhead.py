"""What the harness of studies costs: per run, for 10,000 short runs, and for looking at 100,000 records."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from benchmarks.tables import heading, table
from mapopt.sources import load_instance
from mapopt.studies.folder import Folder
from mapopt.studies.load import load_results
from mapopt.studies.plan import Plan, PlannedRun
from mapopt.studies.records import Record
from mapopt.studies.running import Local, run_study
from mapopt.studies.store import RunStore
from mapopt.studies.table import Table
from mapopt.studies.tasks import MapperTask

RUNS, RECORDS, PUTS, JOBS = 10_000, 100_000, 300, 2
STUDY = f"""
schema = "mapopt.study/1"
name = "short"
seeds = {RUNS // 4}
[[instances]]
networks = ["resnet8"]
platforms = ["imce"]
parameters = {{ imc = [2, 4], dpu = [1, 2] }}
[[mappers]]
name = "rd"
"""
T = TypeVar("T")


def seconds(work: Callable[[], T]) -> tuple[float, T]:
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def short_runs(top: Path) -> list[list[str]]:
    path = top / "study.toml"
    path.write_text(STUDY)
    taken, progress = seconds(lambda: run_study(path, top, Local(JOBS)))
    again, _ = seconds(lambda: run_study(path, top, Local(JOBS)))
    own = sum(row.runtime_s or 0.0 for row in load_results([top / "short"]).rows.values())
    overhead = 1000 * (JOBS * taken - own) / progress.done
    return [
        [f"{progress.done:,} runs of `rd` on ResNet8, {JOBS} jobs", f"{taken:.1f} s", "<= 300 s"],
        ["of these in the mapper and its checks", f"{own:.1f} s", ""],
        ["overhead per run", f"{overhead:.2f} ms", "<= 20 ms"],
        ["the same study again, nothing to do", f"{again:.1f} s", ""],
    ]


def sample() -> Record:
    instance = load_instance("resnet8", platform="imce:imc=4,dpu=1")
    return MapperTask("lblp", "time-triggered").run(instance, 0).execute()


def puts(top: Path, record: Record) -> list[list[str]]:
    rows = []
    for durable in (True, False):
        store = RunStore(top / str(durable), durable=durable)
        taken, _ = seconds(lambda store=store: [store.put(seeded(record, seed)) for seed in range(PUTS)])  # type: ignore[misc]
        name = "on the disk at once (fsync)" if durable else "left to the system"
        rows.append([f"writing a record, {name}", f"{1000 * taken / PUTS:.2f} ms", ""])
    return rows


def seeded(record: Record, seed: int) -> Record:
    return msgspec.structs.replace(record, key=msgspec.structs.replace(record.key, seed=seed))


def many_records(top: Path, record: Record) -> list[list[str]]:
    folder = Folder(top / "many")
    runs = []
    for seed in range(RECORDS):
        each = folder.store.put(seeded(record, seed))
        runs.append(PlannedRun(each.id, "i", record.key.instance, "lblp", seed, "mapper", "mapopt map"))
    Plan("many", tuple(runs)).save(folder.plan)
    first, _ = seconds(lambda: Table(folder).statuses())
    second, _ = seconds(lambda: Table(folder).statuses())
    loaded, results = seconds(lambda: load_results([folder.path]))
    assert len(results.rows) == RECORDS
    return [
        [f"first look at {RECORDS:,} records", f"{first:.1f} s", ""],
        ["second look", f"{second:.1f} s", "seconds"],
        ["plan and rows of all of them", f"{loaded:.1f} s", "<= 30 s"],
    ]


def main() -> None:
    heading("Studies", "One run each, on a machine that may be busy with other things.")
    with tempfile.TemporaryDirectory() as name:
        top, record = Path(name), sample()
        rows = [*short_runs(top), *puts(top, record), *many_records(top, record)]
    table(["what", "time", "target"], rows)


if __name__ == "__main__":
    main()
