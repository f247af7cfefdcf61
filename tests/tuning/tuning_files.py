"""Small tuning studies."""

import random

from mapopt.bounds.every import lower_bounds
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.studies.tasks import Finished
from mapopt.studies.worker import Instances, make
from mapopt.tuning.scores import Reference


def instance(seed, nodes=9):
    """A chain with shortcuts on three equal units; nothing is free of choice."""
    random_ = random.Random(seed)
    times = [random_.randint(3, 40) for _ in range(nodes)]
    return Instance(
        f"chain {seed}",
        classes=("imc",),
        units=tuple(Unit(f"u{at}", "imc") for at in range(3)),
        nodes=tuple(InstanceNode(f"n{at}", (time,)) for at, time in enumerate(times)),
        tensors=tuple(
            InstanceTensor(f"t{at}", f"n{at}", tuple(f"n{to}" for to in (at + 1, at + 4) if to < nodes))
            for at in range(nodes - 1)
        ),
    )


def write_tuning(
    top, *, head="", more="", families=("a", "b", "c"), each=2, split=True, trials=8, name="tiny"
):
    """Write a tuning file and its instances; families a, b and c are trained on, validated on and held out."""
    for number, family in enumerate(families):
        (top / family).mkdir(parents=True, exist_ok=True)
        for at in range(each):
            instance(10 * number + at).save(top / family / f"{family}{at}.json")
    splitting = '[split]\ntrain = ["a"]\nvalidation = ["b"]\ntest = ["c"]\n' if split else ""
    text = f"""
schema = "mapopt.tuning/1"
name = "{name}"
mapper = "tunable"
baselines = ["rr"]
pruner = "none"
{head}
[budget]
trials = {trials}
[limits]
time_s = 5
[gain]
mapper = "rr"
period = 0.0
{splitting}
[[instances]]
files = ["*/*.json"]
{more}
"""
    path = top / "tuning.toml"
    path.write_text(text)
    return path


def cheap_references(_tuning, cases, *_):
    """References without solving: a period that three units attain or nearly, and the critical path."""
    found = []
    for case in cases:
        bounds = lower_bounds(case.instance)
        period, latency = bounds.period.ticks, bounds.latency.ticks
        found.append(
            Reference(
                case.label,
                case.family,
                case.split,
                case.instance.digest,
                period,
                period,
                latency,
                latency,
                "bounds",
            )
        )
    return tuple(found)


class Here:
    """Makes runs in this process."""

    def execute(self, queue, folder):
        instances = Instances(folder)
        while (job := queue.take()) is not None:
            record = folder.store.put(make(job.task, instances.get(job.task.digest)), over_failed=job.again)
            queue.end(job.task.id)
            yield Finished.of(record)
