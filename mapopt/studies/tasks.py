"""What is sent to a worker: a run as plain data, from which the worker makes the same key."""

from __future__ import annotations

import shlex
from fractions import Fraction
from functools import cache
from typing import Protocol

import msgspec

from mapopt.documents import Name, Part
from mapopt.instance import Instance
from mapopt.mapping import Mapping
from mapopt.options import Value
from mapopt.studies.methods import MapperMethod, Run, SolveMethod
from mapopt.studies.plan import Compared, Role, RunId
from mapopt.studies.records import Digest, Record, RunKey, environment
from mapopt.studies.study import RunLimits


class Method(Protocol):
    """A mapper or a way to solve, as plain data."""

    @property
    def label(self) -> str:
        """The method as its user wrote it."""

    @property
    def role(self) -> Role:
        """What its runs are for."""

    def key(self, digest: str, seed: int) -> RunKey:
        """Return the key of the run on the instance with this digest."""

    def run(self, instance: Instance, seed: int) -> Run:
        """Return the run on an instance."""

    def command(self, instance: str, seed: int) -> str:
        """Return the command line that repeats the run on an instance file."""


class MapperTask(Part, frozen=True, tag="mapper"):
    """A mapper with the options that its user set, judged in a class."""

    mapper: Name
    compared: Compared
    options: dict[str, Value] = msgspec.field(default_factory=dict)

    @property
    def label(self) -> str:
        """The mapper as its user wrote it, e.g. ``lblp path_order=merged``."""
        return " ".join([self.mapper, *_settings(self.options)])

    @property
    def role(self) -> Role:
        """``mapper``."""
        return "mapper"

    def key(self, digest: str, seed: int) -> RunKey:
        """Return the key of the run on the instance with this digest."""
        return _mapper_method(msgspec.json.encode(self)).key(digest, seed)

    def run(self, instance: Instance, seed: int) -> Run:
        """Return the run on an instance."""
        return _mapper_method(msgspec.json.encode(self)).run(instance, seed)

    def command(self, instance: str, seed: int) -> str:
        """Return the command line that repeats the run on an instance file."""
        words = ["mapopt", "map", instance, "--mapper", self.mapper, "--seed", str(seed)]
        for setting in _settings(self.options):
            words += ["--set", setting]
        return shlex.join([*words, "-o", "mapping.json"])


class SolveTask(Part, frozen=True, tag="solve"):
    """A solve with its limits, see :func:`mapopt.solvers.driver.solve`; its command leaves a start out."""

    objective: Name
    limits: RunLimits
    formulation: str | None = None
    options: dict[str, Value] = msgspec.field(default_factory=dict)
    solver: str | None = None
    contiguous: bool = False
    max_period: int | None = None
    slack: str = "0"
    start: Mapping | None = None

    @property
    def label(self) -> str:
        """The solve as its user wrote it, e.g. ``solve period,latency``."""
        words = ["solve", self.objective]
        for name in ("formulation", "solver", "max_period"):
            if getattr(self, name) is not None:
                words.append(f"{name}={getattr(self, name)}")
        if self.contiguous:
            words.append("contiguous")
        if self.slack != "0":
            words.append(f"slack={float(Fraction(self.slack)):g}")
        return " ".join([*words, *_settings(self.options)])

    @property
    def role(self) -> Role:
        """``reference``."""
        return "reference"

    def key(self, digest: str, seed: int) -> RunKey:
        """Return the key of the run on the instance with this digest."""
        return _solve_method(self._bare).key(digest, self.limits.of_solve(seed), self.start)

    def run(self, instance: Instance, seed: int) -> Run:
        """Return the run on an instance."""
        return _solve_method(self._bare).run(instance, self.limits.of_solve(seed), self.start)

    @property
    def _bare(self) -> bytes:
        """The task without its start, which is no part of the method."""
        return msgspec.json.encode(msgspec.structs.replace(self, start=None))

    def command(self, instance: str, seed: int) -> str:
        """Return the command line that repeats the run on an instance file."""
        words = ["mapopt", "solve", instance, "--objective", self.objective]
        for name in ("formulation", "solver", "max_period"):
            if getattr(self, name) is not None:
                words += [f"--{name.replace('_', '-')}", str(getattr(self, name))]
        if self.contiguous:
            words.append("--contiguous")
        if self.slack != "0":
            words += ["--slack", repr(float(Fraction(self.slack)))]
        for setting in _settings(self.options):
            words += ["--set", setting]
        words += ["--time-limit", f"{self.limits.time_s:g}", "--workers", str(self.limits.workers)]
        words += ["--seed", str(seed)]
        if self.limits.deterministic:
            words.append("--deterministic")
        if self.limits.memory_mib is not None:
            words += ["--memory-mb", str(self.limits.memory_mib)]
        return shlex.join([*words, "-o", "mapping.json"])


class Task(Part, frozen=True):
    """One run for a worker.

    Parameters
    ----------
    id
        Of its record; a worker with other code or solvers makes another, and says so.
    digest
        Of the instance.
    method
        What runs.
    seed
        Of everything random.
    kill_s
        Seconds after which it is killed, or ``None`` for never.
    memory_mib
        What it may take beyond what the worker has, or ``None`` for no limit.
    """

    id: RunId
    digest: Digest
    method: MapperTask | SolveTask
    seed: int = 0
    kill_s: float | None = None
    memory_mib: int | None = None

    def failed(self, reason: str, instance_name: str = "") -> Record:
        """Return the record of this run for when it ended without one."""
        return Record(
            key=self.method.key(self.digest, self.seed),
            status="failed",
            instance_name=instance_name,
            reason=reason,
            environment=environment(),
        )


class Finished(Part, frozen=True):
    """How a run ended; the values are those of its record."""

    id: str
    status: str
    reason: str = ""
    runtime_s: float | None = None

    @classmethod
    def of(cls, record: Record) -> Finished:
        """Return how the run of a record ended."""
        return cls(record.id, record.status, record.reason, record.runtime_s)


@cache
def _mapper_method(encoded: bytes) -> MapperMethod:
    task = msgspec.json.decode(encoded, type=MapperTask)
    return MapperMethod.of(task.mapper, task.options, task.compared)


@cache
def _solve_method(encoded: bytes) -> SolveMethod:
    task = msgspec.json.decode(encoded, type=SolveTask)
    return SolveMethod.of(
        task.objective,
        formulation=task.formulation,
        options=task.options,
        solver=task.solver,
        contiguous=task.contiguous,
        max_period=task.max_period,
        slack=Fraction(task.slack),
    )


def _settings(options: dict[str, Value]) -> list[str]:
    return [f"{name}={_text(value)}" for name, value in options.items()]


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)
