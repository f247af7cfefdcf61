"""Result folders to report on: a small real study, and big or hostile made-up ones."""

from __future__ import annotations

from pathlib import Path

from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.solvers.model import Limits
from mapopt.studies.folder import Folder
from mapopt.studies.methods import MapperMethod, SolveMethod
from mapopt.studies.plan import Plan, PlannedRun
from mapopt.studies.records import LevelRecord, Record, RunKey, TraceEntry

CODE = "sha256:" + "0" * 64

NASTY = "<script>alert('x')</script>\"'&<img src=x onerror=alert(1)>"


def chain(name: str = "chain", times=(6, 6, 9, 4), units: int = 2) -> Instance:
    """A chain of nodes on equal units."""
    nodes = tuple(InstanceNode(f"n{at}", (time,), "Conv") for at, time in enumerate(times))
    tensors = tuple(InstanceTensor(f"t{at}", f"n{at}", (f"n{at + 1}",)) for at in range(len(times) - 1))
    return Instance(name, ("imc",), tuple(Unit(f"u{at}", "imc") for at in range(units)), nodes, tensors)


def key(instance: str, method: str, seed: int = 0, parameters=None) -> RunKey:
    return RunKey(
        instance, method, CODE, parameters=parameters or {}, seed=seed, versions={"ortools": "9.15"}
    )


def record(of: RunKey, status: str = "feasible", **fields) -> Record:
    return Record(
        of, status, environment={"mapopt": "0.1.0", "system": "Linux", "machine": "x86_64"}, **fields
    )


def mapped(instance: Instance, mapper: str, options=(), seed=0, compared="time-triggered") -> Record:
    """What a study keeps of a mapper's run."""
    return MapperMethod.of(mapper, options, compared).run(instance, seed).execute()


class Made:
    """A result folder in the making."""

    def __init__(self, path: Path, name: str = "made") -> None:
        self.folder, self.name = Folder(path), name
        self.runs: list[PlannedRun] = []

    def add(
        self,
        record: Record | None,
        instance: Instance,
        method: str,
        *,
        seed=0,
        role="mapper",
        id_="",
        label="",
    ):
        identity = id_ or record.id
        command = f"mapopt map {instance.name!r} --mapper {method} --seed {seed}"
        self.runs.append(
            PlannedRun(identity, label or instance.name, instance.digest, method, seed, role, command)
        )
        if record is not None:
            self.folder.store.put(record)
        self.folder.keep(instance)
        return identity

    def done(self, compared="time-triggered") -> Path:
        self.folder.path.mkdir(parents=True, exist_ok=True)
        Plan(self.name, tuple(self.runs), compared).save(self.folder.plan)
        return self.folder.path


def real(path: Path, instances: dict[str, Instance], mappers, *, seeds=(), time_s: float = 5.0) -> Path:
    """Run mappers and a solve on instances as a study does."""
    made = Made(path, path.name)
    for label, instance in instances.items():
        for mapper, options in mappers:
            method = " ".join((mapper, *options))
            for seed in seeds if mapper in ("rd", "annealed-list") else (0,):
                made.add(mapped(instance, mapper, options, seed), instance, method, seed=seed, label=label)
        solved = SolveMethod.of("period,latency").run(instance, Limits(time_s=time_s, workers=2)).execute()
        made.add(solved, instance, "solve period,latency", role="reference", label=label)
    return made.done()


def small(path: Path) -> Path:
    """A study by hand: two methods and a reference on two chains, with known gaps; one failed, one not run."""
    made = Made(path)
    for number, (name, bound) in enumerate((("one", 15), ("two", 20))):
        instance = chain(name, (6, 6, 9, 4 + 5 * number))
        for method, period, latency in (("lblp", bound, 40), ("wb", bound * 2, 30)):
            levels = (LevelRecord("period", "feasible", period), LevelRecord("latency", "feasible", latency))
            made.add(
                record(key(instance.digest, f"mapper {method}"), levels=levels, runtime_s=0.01),
                instance,
                method,
            )
        levels = (
            LevelRecord("period", "optimal", bound, bound, "lpt", "counting"),
            LevelRecord("latency", "feasible", 32, 32, "latency-modulo", "latency-modulo"),
        )
        trace = (
            TraceEntry(0.1, "period", bound * 2, None), TraceEntry(0.2, "period", bound, bound),
            TraceEntry(1.0, "latency", 32, 32),
        )  # fmt: skip
        stated = f"time-triggered, one pattern (K = 1), free transfers, period {bound} ticks"
        made.add(
            record(
                key(instance.digest, "solve"), "optimal", levels=levels, runtime_s=1.5, trace=trace,
                schedule_class=stated,
            ),
            instance,
            "solve period,latency",
            role="reference",
        )  # fmt: skip
        made.add(record(key(instance.digest, "mapper bad"), "failed", reason="it broke"), instance, "bad")
    made.add(None, chain("two", (6, 6, 9, 9)), "later", id_="f" * 32)
    return made.done()
