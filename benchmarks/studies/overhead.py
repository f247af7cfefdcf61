"""What the harness of studies costs: per run, for 10,000 short runs, and for a report of 100,000 records."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from benchmarks.tables import heading, table
from mapopt.instance import Instance
from mapopt.report.report import read, write_page
from mapopt.sources import load_instance
from mapopt.studies.folder import Folder
from mapopt.studies.load import load_results
from mapopt.studies.plan import Plan, PlannedRun
from mapopt.studies.records import Record
from mapopt.studies.running import Local, run_study
from mapopt.studies.store import RunStore
from mapopt.studies.tasks import MapperTask

RUNS, RECORDS, PUTS, JOBS = 10_000, 100_000, 300, 2
INSTANCES, MAPPERS = 20, ("lblp", "wb", "rr", "rd", "lpt")
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


def sample(units: int = 4, mapper: str = "lblp") -> tuple[Instance, Record]:
    instance = load_instance("resnet8", platform=f"imce:imc={units},dpu=1")
    return instance, MapperTask(mapper, "time-triggered").run(instance, 0).execute()


def puts(top: Path) -> list[list[str]]:
    rows = []
    _, record = sample()
    for durable in (True, False):
        store = RunStore(top / str(durable), durable=durable)
        taken, _ = seconds(lambda store=store: [store.put(seeded(record, seed)) for seed in range(PUTS)])  # type: ignore[misc]
        name = "on the disk at once (fsync)" if durable else "left to the system"
        rows.append([f"writing a record, {name}", f"{1000 * taken / PUTS:.2f} ms", ""])
    return rows


def seeded(record: Record, seed: int) -> Record:
    return msgspec.structs.replace(record, key=msgspec.structs.replace(record.key, seed=seed))


def keep_many(top: Path) -> Folder:
    """Keep as many records as the target says, of a few mappings and many seeds."""
    folder = Folder(top / "many")
    runs = []
    for units in range(1, INSTANCES + 1):
        for mapper in MAPPERS:
            instance, record = sample(units, mapper)
            folder.keep(instance)
            for seed in range(RECORDS // INSTANCES // len(MAPPERS)):
                each = folder.store.put(seeded(record, seed))
                label = f"resnet8 imce:imc={units},dpu=1"
                runs.append(PlannedRun(each.id, label, instance.digest, mapper, seed, "mapper", "mapopt map"))
    Plan("many", tuple(runs)).save(folder.plan)
    return folder


def many_records(top: Path) -> list[list[str]]:
    folder = keep_many(top)
    target = top / "report.html"
    first, _ = seconds(lambda: write_page(read([folder.path]), target))
    size = target.stat().st_size / 1e6
    second, results = seconds(lambda: load_results([folder.path]))
    assert len(results.rows) == RECORDS
    return [
        [f"report of {RECORDS:,} records that were not looked at before", f"{first:.1f} s", "<= 30 s"],
        ["its page", f"{size:.1f} MB", "<= 15 MB"],
        ["plan and rows of all of them, later", f"{second:.1f} s", "seconds"],
    ]


def main() -> None:
    heading("Studies", "One run each, on a machine that may be busy with other things.")
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        rows = [*short_runs(top), *puts(top), *many_records(top)]
    table(["what", "measured", "target"], rows)


if __name__ == "__main__":
    main()
