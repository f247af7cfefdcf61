"""What the harness of tuning studies costs per trial, beyond the runs of the mapper and their judging.

Beside it stands what Optuna alone takes for the same sampler, space and scores, without storage, run or record: the
rest is the harness's.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median
from types import ModuleType

from benchmarks.tables import heading, table
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.studies.methods import Run
from mapopt.studies.records import Record
from mapopt.studies.running import Local
from mapopt.tuning import evaluation
from mapopt.tuning.sampling import sampler_of, suggest
from mapopt.tuning.setup import begin
from mapopt.tuning.space import Space
from mapopt.tuning.trials import enqueue_default, load_study, trial_score, work
from mapopt.tuning.tuning import Sampler

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
family = "train"
split = "train"
[[instances]]
files = ["validation.json"]
family = "validation"
split = "validation"
[[instances]]
files = ["test.json"]
family = "test"
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


Spent = tuple[float, float]
"""Seconds by the wall, and of this process."""


class Clock:
    """Counts what runs take, and notes at the end of every trial what all took without them."""

    def __init__(self) -> None:
        self._runs = (0.0, 0.0)
        self.runs = 0
        self.whole: list[Spent] = []
        self.overhead: list[Spent] = []

    def executed(self, run: Run) -> Record:
        before = now()
        record = run.execute()
        self._runs = plus(self._runs, less(now(), before))
        self.runs += 1
        return record

    def tick(self, _: object = None) -> None:
        self.whole.append(now())
        self.overhead.append(less(now(), self._runs))


def now() -> Spent:
    return time.perf_counter(), time.process_time()


def plus(one: Spent, other: Spent) -> Spent:
    return one[0] + other[0], one[1] + other[1]


def less(one: Spent, other: Spent) -> Spent:
    return one[0] - other[0], one[1] - other[1]


def typical(ticks: list[Spent]) -> Spent:
    """Return the median milliseconds from one tick to the next, of the last trials."""
    steps = [less(after, before) for before, after in pairwise(ticks[-TRIALS - 1 :])]
    return 1000 * median(step[0] for step in steps), 1000 * median(step[1] for step in steps)


def measure(sampler: Sampler, scheme: str) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        for number, name in enumerate(("train0", "validation", "test")):
            instance(number).save(top / f"{name}.json")
        path = top / "tuning.toml"
        path.write_text(TUNING.format(sampler=sampler, pruner="none"))
        setup = begin(path, top, f"{scheme}{top / 'trials'}", Local(1))
        enqueue_default(load_study(setup), setup)
        work(setup, trials=WARM, until=None)
        clock = Clock()
        with patched(evaluation, "execute", clock.executed):
            work(setup, trials=WARM + TRIALS, until=None, worker=1, on_trial=clock.tick)
        scores = [trial_score(trial, setup) or 0.0 for trial in load_study(setup).get_trials(deepcopy=False)]
        alone = typical(optuna_alone(sampler, setup.subject.space, scores))
    whole, overhead = typical(clock.whole), typical(clock.overhead)
    figures = (whole[0], overhead[0], alone[0], overhead[0] - alone[0])
    return [
        sampler,
        scheme.rstrip(":/"),
        f"{TRIALS:,}",
        f"{clock.runs:,}",
        *(f"{value:.2f}" for value in (*figures, overhead[1], alone[1], overhead[1] - alone[1])),
    ]


def optuna_alone(sampler: Sampler, space: Space, scores: list[float]) -> list[Spent]:
    """Return when each of as many trials of Optuna ended, with the scores of the harness's."""
    import optuna

    study = optuna.create_study(sampler=sampler_of(sampler, 0))
    ticks = [now()]
    for value in scores[: WARM + TRIALS]:
        trial = study.ask()
        suggest(trial, space)
        study.tell(trial, value)
        ticks.append(now())
    return ticks


@contextmanager
def patched(owner: ModuleType, name: str, value: object) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def main() -> None:
    heading(
        "Tuning studies",
        "LBLP on one instance. Overhead: all but the runs of the mapper and their judging. Optuna: its share of that, "
        "measured without the harness on the same space and scores. Rest: the harness's share. Medians over trials, in "
        "milliseconds.",
    )
    columns = ["sampler", "storage", "trials", "runs", "ms per trial", "overhead", "Optuna", "rest"]
    columns += ["overhead CPU", "Optuna CPU", "rest CPU"]
    cells: list[tuple[Sampler, str]] = [
        ("random", "sqlite:///"),
        ("random", "journal:"),
        ("tpe", "sqlite:///"),
    ]
    table(columns, [measure(sampler, scheme) for sampler, scheme in cells])


if __name__ == "__main__":
    main()
