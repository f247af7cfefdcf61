"""Study files of tests, and what they leave."""

import json
from pathlib import Path

import msgspec

from mapopt.instance import Instance, InstanceNode, Unit
from mapopt.studies.folder import Folder
from mapopt.studies.merging import result_of
from mapopt.studies.tasks import Finished
from mapopt.studies.worker import Instances, make

TINY = """
schema = "mapopt.study/1"
name = "tiny"
seeds = {seeds}

[limits]
time_s = 5
deterministic = true

[[instances]]
files = ["*.instance.json"]

[[mappers]]
name = ["rd", "lpt"]
{more}
"""


def instance(*times, name="four nodes"):
    """Two equal units and nodes with these times."""
    return Instance(
        name,
        classes=("imc",),
        units=(Unit("a", "imc"), Unit("b", "imc")),
        nodes=tuple(InstanceNode(f"n{at}", (time,)) for at, time in enumerate(times)),
    )


def write_study(folder: Path, text: str = "", *, seeds: int = 3, more: str = "") -> Path:
    """Write two instances and a study file beside them."""
    instance(4, 5, 6, 9).save(folder / "four.instance.json")
    instance(4, 4, 8, name="three nodes").save(folder / "three.instance.json")
    path = folder / "study.toml"
    path.write_text(text or TINY.format(seeds=seeds, more=more))
    return path


def content(folder: Path) -> dict[str, object]:
    """The results of a study without times and machines, by run id."""
    return {record.id: msgspec.to_builtins(result_of(record)) for record in Folder(folder).store.records()}


def planned(folder: Path) -> list[str]:
    """The ids of a plan in order."""
    return [run["id"] for run in json.loads((folder / "plan.json").read_text())["runs"]]


class Here:
    """Runs in this process: quick, and without limits."""

    def execute(self, queue, folder):
        instances = Instances(folder)
        while (job := queue.take()) is not None:
            record = make(job.task, instances.get(job.task.digest))
            yield Finished.of(folder.store.put(record, over_failed=job.again))
            queue.end(job.task.id)
        yield from queue.passed()
