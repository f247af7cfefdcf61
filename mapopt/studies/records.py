"""What identifies a run, and what is kept of it."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, ClassVar

import msgspec

from mapopt.bounds.witnesses import Witness
from mapopt.documents import Count, Document, Name, Part, Ticks
from mapopt.errors import InputError
from mapopt.mapping import Mapping, TicksRatio

Digest = Annotated[str, msgspec.Meta(pattern=r"^sha256:[0-9a-f]{64}$")]
Seconds = Annotated[float, msgspec.Meta(ge=0)]
Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class RunKey(Part, frozen=True):
    """Everything that a run's result depends on.

    Parameters
    ----------
    instance
        Digest of the instance.
    method
        What ran, e.g. ``"mapper heft"``, ``"formulation latency-modulo"``, ``"solve"``.
    objective
        What was minimised; ``""`` for a mapper.
    parameters
        Options of the method, and whatever else it was asked for.
    limits
        Limits on its effort.
    seed
        Of everything random.
    versions
        Of the solvers that this code uses; of everything else the code's digest says more.
    code
        Digest of the code that it runs, see :func:`mapopt.studies.sources.code_digest`.
    """

    instance: Digest
    method: Name
    code: Digest
    objective: str = ""
    parameters: dict[str, bool | int | float | str | None] = msgspec.field(default_factory=dict)
    limits: dict[str, bool | int | float | str | None] = msgspec.field(default_factory=dict)
    seed: Count = 0
    versions: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def id(self) -> str:
        """32 hexadecimal digits that change with every field, and with nothing else."""
        data = msgspec.json.encode(msgspec.to_builtins(self), order="sorted")
        return hashlib.sha256(b"mapopt.run/1" + data).hexdigest()[:32]


class LevelRecord(Part, frozen=True):
    """One objective of a run, see :class:`mapopt.solvers.outcome.Level`; what does not exist is absent."""

    objective: Name
    status: Name
    value: Whole | None = None
    bound: Whole | None = None
    value_by: str = ""
    bound_by: str = ""
    witness: Witness | None = None


class TraceEntry(Part, frozen=True):
    """An improvement: seconds since the start, and the best value and bound of an objective so far."""

    time_s: Seconds
    objective: Name
    value: Whole | None = None
    bound: Whole | None = None


class Record(Document, frozen=True):
    """What is kept of a run.

    Parameters
    ----------
    key
        What the run depends on.
    status
        Of the whole run: ``optimal``, ``feasible``, ``infeasible``, ``unknown`` or ``failed``.
    instance_name
        For people.
    schedule_class
        The class of schedules within which bounds hold and optima are optimal.
    levels
        One per objective.
    period_ticks, period_ns, latency_ticks, latency_ns
        As the emulator measures the mapping; times in ns are exact decimals.
    runtime_s
        Seconds of wall-clock time.
    trace
        Every improvement.
    mapping
        The best one, or ``None``.
    reason
        Why a run failed or a problem is infeasible.
    interrupted
        Whether somebody stopped it before its limits did; such a record is not kept.
    environment
        Where it ran; for people.
    digest
        Of everything else, so that a record that was edited or cut off is not taken for one; made by :meth:`sealed`.
    """

    KIND: ClassVar[str] = "record"

    key: RunKey
    status: Name
    instance_name: str = ""
    schedule_class: str = msgspec.field(default="", name="class")
    levels: tuple[LevelRecord, ...] = ()
    period_ticks: TicksRatio | None = None
    period_ns: str | None = None
    latency_ticks: Ticks | None = None
    latency_ns: str | None = None
    runtime_s: Seconds | None = None
    trace: tuple[TraceEntry, ...] = ()
    mapping: Mapping | None = None
    reason: str = ""
    interrupted: bool = False
    environment: dict[str, str] = msgspec.field(default_factory=dict)
    digest: str = ""

    @property
    def id(self) -> str:
        """The run's identity."""
        return self.key.id

    @property
    def content_digest(self) -> str:
        """What ``digest`` has to be."""
        bare = msgspec.structs.replace(self, digest="")
        data = msgspec.json.encode([self.schema_id(), msgspec.to_builtins(bare)], order="sorted")
        return "sha256:" + hashlib.sha256(data).hexdigest()

    def sealed(self) -> Record:
        """Return the record with its digest."""
        return msgspec.structs.replace(self, digest=self.content_digest)

    @classmethod
    def from_data(cls, raw: Any, source: str = "document") -> Record:
        """Validate decoded data; its digest must be that of its content.

        Raises
        ------
        InputError
            If the data breaks a rule or was altered.
        """
        record = super().from_data(raw, source)
        content = record.content_digest
        if record.digest != content:
            raise InputError(
                f"{source}: digest is {record.digest[:19]!r}, but the content's is {content[:19]!r}; the "
                "record was altered: delete it, and it will be made again"
            )
        return record

    def level(self, objective: str) -> LevelRecord | None:
        """Return the level of an objective, or ``None``."""
        return next((level for level in self.levels if level.objective == objective), None)


def installed(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of packages; those that are not installed are left out."""
    found = {}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def environment() -> dict[str, str]:
    """Describe this machine, without naming it."""
    return dict(_environment())


@cache
def _environment() -> tuple[tuple[str, str], ...]:
    """Return what does not change while a process lives; reading versions takes milliseconds."""
    return (
        *installed(["mapopt"]).items(),
        ("cpus", str(os.cpu_count())),
        ("machine", platform.machine()),
        ("python", platform.python_version()),
        ("system", platform.system()),
    )


def decimal_ns(ticks: str | int, tick_ps: int) -> str | None:
    """Return ticks in ns as an exact decimal, or ``None`` if there is none.

    Examples
    --------
    >>> decimal_ns("7/2", 1000), decimal_ns(3, 250), decimal_ns("1/3", 1000)
    ('3.5', '0.75', None)
    """
    value = Fraction(ticks) * tick_ps / 1000
    for places in range(40):
        scaled = value * 10**places
        if scaled.denominator == 1:
            digits = str(scaled.numerator).rjust(places + 1, "0")
            return digits if places == 0 else f"{digits[:-places]}.{digits[-places:]}"
    return None
