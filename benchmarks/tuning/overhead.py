"""What the harness of tuning studies costs per trial, beyond the runs of the mapper and their judging."""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

from benchmarks.tables import heading, table
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.studies.methods import Run
from mapopt.studies.records import Record
from mapopt.studies.running import Local
from mapopt.tuning import evaluation
from mapopt.tuning.setup import begin
from mapopt.tuning.trials import enqueue_default, load_study, work

WARM, TRIALS = 20, 300
TUNING = """
schema = "mapopt.tuning/1"
name = "overhead"
mapper = "lblp"
sampler = "{sampler}"
pruner = "{pruner}"
[limits]
time_s = 5
[gain]
period = 0.0
[[instances]]
files = ["train*.json"]
split = "train"
[[instances]]
files = ["validation.json"]
split = "validation"
[[instances]]
files = ["test.json"]
split = "test"
"""


def instance(number: int) -> Instance:
    random_ = random.Random(number)
    times = [random_.randint(300, 4000) for _ in range(12)]
    return Instance(
        f"chain {number}",
        classes=("imc",),
        units=tuple(Unit(f"u{at}", "imc") for at in range(3)),
        nodes=tuple(InstanceNode(f"n{at}", (time_,)) for at, time_ in enumerate(times)),
        tensors=tuple(
            InstanceTensor(f"t{at}", f"n{at}", tuple(f"n{to}" for to in (at + 1, at + 4) if to < 12))
            for at in range(11)
        ),
    )


class Clock:
    """Counts what runs take, by the wall and in this process."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0
        self.runs = 0

    def executed(self, run: Run) -> Record:
        wall, cpu = time.perf_counter(), time.process_time()
        record = run.execute()
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu
        self.runs += 1
        return record


def measure(sampler: str, pruner: str, scheme: str) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        for number, name in enumerate(("train0", "validation", "test")):
            instance(number).save(top / f"{name}.json")
        path = top / "tuning.toml"
        path.write_text(TUNING.format(sampler=sampler, pruner=pruner))
        setup = begin(path, top, f"{scheme}{top / 'trials'}", Local(1))
        enqueue_default(load_study(setup), setup)
        work(setup, trials=WARM, until=None)
        clock = Clock()
        evaluation.execute = clock.executed
        wall, cpu = time.perf_counter(), time.process_time()
        work(setup, trials=WARM + TRIALS, until=None, worker=1)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    each = [1000 * value / TRIALS for value in (wall - clock.wall, cpu - clock.cpu)]
    return [
        sampler,
        pruner,
        scheme.rstrip(":/"),
        f"{TRIALS:,}",
        f"{clock.runs:,}",
        f"{1000 * wall / TRIALS:.2f}",
        f"{each[0]:.2f}",
        f"{each[1]:.2f}",
    ]


def main() -> None:
    heading(
        "Tuning studies",
        "LBLP with 9 parameters on one instance; overhead: all but the runs of the mapper and their judging.",
    )
    columns = [
        "sampler",
        "pruner",
        "storage",
        "trials",
        "runs",
        "ms per trial",
        "overhead ms",
        "of it CPU ms",
    ]
    rows = [
        measure("random", "none", "sqlite:///"),
        measure("random", "none", "journal:"),
        measure("tpe", "none", "sqlite:///"),
    ]
    table(columns, rows)


if __name__ == "__main__":
    main()
