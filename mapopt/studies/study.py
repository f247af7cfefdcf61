"""The study file: what is to be run, as its author writes it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeVar

import msgspec

from mapopt.documents import Document, Name, Part, read_bytes
from mapopt.errors import InputError
from mapopt.solvers.isolation import GRACE_S
from mapopt.solvers.model import Limits
from mapopt.studies.plan import Compared

Scalar = bool | int | float | str
Value = Scalar | tuple[Scalar, ...]
"""One value, or several of which each gives runs of its own."""

Names = Name | Annotated[tuple[Name, ...], msgspec.Meta(min_length=1)]
Seed = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
Seeds = Annotated[int, msgspec.Meta(ge=1)] | Annotated[tuple[Seed, ...], msgspec.Meta(min_length=1)]
"""How many (0, 1, ...), or which."""

Positive = Annotated[float, msgspec.Meta(gt=0)]
Many = Annotated[int, msgspec.Meta(ge=1, le=10**9)]

HARNESS_GRACE_S = 6 * GRACE_S
"""How long after its time limit a solve is killed: it watches the time itself, but may have to compile its searches."""

MAX_RUNS = 200_000
"""Most runs of a study."""

StudyName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
T = TypeVar("T")


class RunLimits(Part, frozen=True):
    """Limits on one run.

    Parameters
    ----------
    time_s
        Seconds of wall-clock time; with ``deterministic`` units of effort of a solve.
    deterministic
        Whether solves count effort instead of seconds. Then nothing is killed for its time unless ``kill_s`` is given.
    memory_mib
        Address space beyond what the worker has before the run; no limit by default.
    workers
        Threads of a solve.
    kill_s
        Seconds after which a run is killed; by default the time limit and a grace time.
    """

    time_s: Positive = 60.0
    deterministic: bool = False
    memory_mib: Many | None = None
    workers: Many = 1
    kill_s: Positive | None = None

    def of_solve(self, seed: int) -> Limits:
        """Return the limits that a solve watches itself."""
        return Limits(self.time_s, self.workers, seed, self.deterministic, self.memory_mib)

    def kill_after(self, grace_s: float) -> float | None:
        """Return the seconds after which a run is killed, or ``None`` for never."""
        if self.kill_s is not None or self.deterministic:
            return self.kill_s
        return self.time_s + grace_s


class InstanceSet(Part, frozen=True):
    """Instances: of the library, files, or every network on every platform with every combination of parameters.

    Parameters
    ----------
    library
        Instances of the library: a family, or ``family/instance``, with ``*`` and ``?``.
    files
        Instance files, device-placement workloads, or patterns of such (``instances/light21/*.json``); relative to the
        study file.
    networks
        What ``mapopt map`` takes: ONNX files, built-in names, ``onnx:NAME``.
    platforms
        Presets or TOML files, each optionally with parameters.
    parameters
        Of the platforms, e.g. ``{ imc = [2, 4, 8], dpu = 2 }``.
    times, shapes, fuse, strict
        How networks are read, see :func:`mapopt.sources.load_instance`.
    """

    library: tuple[Name, ...] = ()
    files: tuple[Name, ...] = ()
    networks: tuple[Name, ...] = ()
    platforms: tuple[Name, ...] = ()
    parameters: dict[Name, Value] = msgspec.field(default_factory=dict)
    times: Name | None = None
    shapes: dict[Name, tuple[int, ...]] = msgspec.field(default_factory=dict)
    fuse: bool = True
    strict: bool = False


class MapperSet(Part, frozen=True):
    """Mappers that share options.

    Parameters
    ----------
    name
        One or several registered mappers.
    options
        Of each of them; the rest keeps its default.
    seeds
        Of those that are random; the study's by default.
    limits
        The study's by default.
    """

    name: Names
    options: dict[Name, Value] = msgspec.field(default_factory=dict)
    seeds: Seeds | None = None
    limits: RunLimits | None = None


class SolveSet(Part, frozen=True):
    """Solves, see :func:`mapopt.solvers.driver.solve`.

    Parameters
    ----------
    objective
        ``period``, ``latency``, or ``period,latency``; one or several.
    formulation
        Of the last objective; chosen to suit the instance by default.
    options
        Of the formulation.
    solver
        One of the formulation's; its best by default.
    contiguous, max_period, slack
        As of ``mapopt solve``.
    seeds
        Seed 0 alone by default.
    limits
        The study's by default.
    """

    objective: Names = "period,latency"
    formulation: Names | None = None
    options: dict[Name, Value] = msgspec.field(default_factory=dict)
    solver: Names | None = None
    contiguous: bool = False
    max_period: Many | tuple[Many, ...] | None = None
    slack: float | tuple[float, ...] = 0.0
    seeds: Seeds = 1
    limits: RunLimits | None = None


class Study(Document, frozen=True):
    """A comparison: every mapper and every solve on every instance.

    Parameters
    ----------
    name
        Of the result folder.
    instances, mappers, solves
        What is run on what.
    description
        For people.
    library
        Folder of the instance library, relative to the study file, or else to where the command runs.
    seeds
        Of random mappers.
    limits
        On each run.
    objectives
        What is compared.
    compared
        The key ``class``: ``time-triggered`` (period, and latency of a schedule with this period) or ``single-frame``
        (latency of a frame alone in the machine).
    """

    KIND: ClassVar[str] = "study"

    name: StudyName
    instances: tuple[InstanceSet, ...]
    mappers: tuple[MapperSet, ...] = ()
    solves: tuple[SolveSet, ...] = ()
    description: str = ""
    library: Name = "instances"
    seeds: Seeds = 1
    limits: RunLimits = RunLimits()
    objectives: tuple[Literal["period", "latency"], ...] | None = None
    compared: Compared = msgspec.field(default="time-triggered", name="class")

    def __post_init__(self) -> None:
        if self.compared == "single-frame" and "period" in (self.objectives or ()):
            raise InputError(
                f"study {self.name!r}: objectives has 'period', but in class 'single-frame' there is a latency alone; "
                "leave it out, or compare in class 'time-triggered'"
            )
        if self.objectives is not None and not self.objectives:
            raise InputError(f"study {self.name!r}: objectives is empty; name period, latency or both")

    @property
    def goals(self) -> tuple[Literal["period", "latency"], ...]:
        """What is compared, in order."""
        if self.objectives is not None:
            return self.objectives
        return ("latency",) if self.compared == "single-frame" else ("period", "latency")


def read_study(path: str | Path) -> Study:
    """Read a study file.

    Raises
    ------
    InputError
        If it cannot be read, is not TOML, or breaks a rule.
    """
    return parse_study(read_bytes(path), str(path))


def parse_study(data: bytes, source: str) -> Study:
    """Make a study of TOML text; ``source`` names it in messages.

    Raises
    ------
    InputError
        If it is not TOML or breaks a rule.
    """
    try:
        raw = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise InputError(f"{source}: is not UTF-8 text; a study file is TOML") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{source}: not valid TOML ({error})") from None
    return Study.from_data(raw, source)


def listed(value: T | tuple[T, ...]) -> tuple[T, ...]:
    """Return several values as they are, and one as a tuple of it."""
    return value if isinstance(value, tuple) else (value,)


def seeds_of(seeds: Seeds) -> range | tuple[int, ...]:
    """Return the seeds that a study file asks for."""
    return range(seeds) if isinstance(seeds, int) else seeds


def products(values: dict[str, Value], what: str) -> Iterator[dict[str, Scalar]]:
    """Yield every combination of one value each."""
    for name, value in values.items():
        if not listed(value):
            raise InputError(f"{what} {name!r}: is an empty list; give at least one value, or leave it out")
    axes: list[tuple[Scalar, ...]] = [listed(value) for value in values.values()]
    for chosen in product(*axes):
        yield dict(zip(values, chosen, strict=True))
