"""The best that is known of an instance: values, bounds, who found them when, and the schedule itself."""

from __future__ import annotations

import hashlib
from datetime import date
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import msgspec

from mapopt.bounds.model import gap
from mapopt.documents import Count, Document, Name, Part, Ticks, write_atomic
from mapopt.errors import InputError
from mapopt.instance import Instance
from mapopt.library.schedules import Schedule
from mapopt.mapping import Claims, Mapping
from mapopt.solvers.model import Status
from mapopt.studies.plan import RunId
from mapopt.studies.records import Digest, Seconds

GIVEN = "given"
"""What gives the value of a solve that found nothing better than the schedule from which it went on."""

Date = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class Finding(Part, frozen=True):
    """A value or a bound that was better than all before it.

    Parameters
    ----------
    ticks
        The value or bound.
    by
        The mapper, bound, formulation or construction that gave it.
    version
        Of mapopt.
    date
        When it was recorded.
    run
        The run that gave it, or the first known run that gave the same; ``None`` if it follows without one, or was
        recorded without it.
    command
        What repeats it; ``""`` if none is known.

    Raises
    ------
    InputError
        If the date does not exist.
    """

    ticks: Ticks
    by: str
    version: Name
    date: Date
    run: RunId | None = None
    command: str = ""

    def __post_init__(self) -> None:
        try:
            date.fromisoformat(self.date)
        except ValueError:
            raise InputError(f"date {self.date!r}: is no day; write YYYY-MM-DD") from None

    @property
    def is_repeatable(self) -> bool:
        """Whether a run or a command is named that gives it."""
        return self.run is not None or bool(self.command)

    def seen_again(self, other: Finding) -> Finding:
        """Return the finding with the run and command of another one that found the same, unless it has its own."""
        if self.is_repeatable or self.ticks != other.ticks or other.by == GIVEN:
            return self
        return msgspec.structs.replace(self, run=other.run, command=other.command)


class Level(Part, frozen=True):
    """What is known of one objective: every improvement in order, the last one counts.

    Parameters
    ----------
    values
        Of schedules that were verified, falling.
    bounds
        Proven lower bounds, rising.
    period_ticks
        For latencies: the period of the schedules that they are about.

    Raises
    ------
    InputError
        If values do not fall, bounds do not rise, or a bound exceeds a value.
    """

    values: tuple[Finding, ...] = ()
    bounds: tuple[Finding, ...] = ()
    period_ticks: Ticks | None = None

    def __post_init__(self) -> None:
        values = [finding.ticks for finding in self.values]
        bounds = [finding.ticks for finding in self.bounds]
        if sorted(set(values), reverse=True) != values:
            raise InputError(f"values {values}: must fall; each one is better than those before")
        if sorted(set(bounds)) != bounds:
            raise InputError(f"bounds {bounds}: must rise; each one is better than those before")
        if values and bounds and bounds[-1] > values[-1]:
            raise InputError(f"bound {bounds[-1]}: exceeds the value {values[-1]}; one of the two is wrong")

    @property
    def value(self) -> int | None:
        """The best value, or ``None``."""
        return self.values[-1].ticks if self.values else None

    @property
    def bound(self) -> int | None:
        """The best bound, or ``None``."""
        return self.bounds[-1].ticks if self.bounds else None

    @property
    def status(self) -> Status:
        """Optimal if and only if the value equals the bound."""
        if self.value is None:
            return Status.UNKNOWN
        return Status.OPTIMAL if self.value == self.bound else Status.FEASIBLE

    @property
    def gap(self) -> float | None:
        """``value / bound - 1``, or ``None`` where either is missing or the bound is 0."""
        if self.value is None or self.bound is None:
            return None
        return 0.0 if self.value == self.bound else gap(self.value, self.bound)

    def with_value(self, finding: Finding) -> Level:
        """Return the level with a value added if it is better, and named as a repetition if it is the same."""
        better = self.value is None or finding.ticks < self.value
        values = (*self.values, finding) if better else _seen_again(self.values, finding)
        return msgspec.structs.replace(self, values=values)

    def with_bound(self, finding: Finding) -> Level:
        """Return the level with a bound added if it is better, and named as a repetition if it is the same."""
        better = self.bound is None or finding.ticks > self.bound
        bounds = (*self.bounds, finding) if better else _seen_again(self.bounds, finding)
        return msgspec.structs.replace(self, bounds=bounds)


def _seen_again(findings: tuple[Finding, ...], finding: Finding) -> tuple[Finding, ...]:
    return (*findings[:-1], findings[-1].seen_again(finding))


class Reference(Document, frozen=True):
    """What is known of an instance in the class: time-triggered, one pattern (K = 1), no duplication.

    Parameters
    ----------
    digest
        Of the instance.
    nodes, units
        How many it has.
    transfer
        Its transfer model.
    period
        The least period.
    latency
        The least latency at the value of the period.
    former
        Latencies at values of the period that have been improved since.
    schedule
        Attains both values; ``None`` until one is found.
    effort_s
        The longest time limit that a solve was given.
    solved_s
        The shortest time in which one solve proved both levels without being told anything; ``None`` if none did.
    seal
        Digest of everything else, so that a reference that was edited is not taken for one; made by :meth:`save`.

    Raises
    ------
    InputError
        If the parts contradict each other.
    """

    KIND: ClassVar[str] = "reference"

    digest: Digest
    nodes: Count
    units: Count
    transfer: Name
    period: Level = Level()
    latency: Level = Level()
    former: tuple[Level, ...] = ()
    schedule: Schedule | None = None
    effort_s: Seconds = 0.0
    solved_s: Seconds | None = None
    seal: str = ""

    def __post_init__(self) -> None:
        has = (self.period.value is not None, self.latency.value is not None, self.schedule is not None)
        if len(set(has)) > 1:
            raise InputError("reference: period, latency and schedule go together; give all or none")
        if self.schedule is not None and self.schedule.horizon != self.period.value:
            raise InputError(
                f"reference: the schedule repeats every {self.schedule.horizon} ticks, but the period is "
                f"{self.period.value}; they must be equal"
            )
        if self.latency.period_ticks != self.period.value:
            raise InputError(
                f"reference: its latency is that at a period of {self.latency.period_ticks}, but the period is "
                f"{self.period.value}; they must be equal"
            )
        periods = [level.period_ticks or 0 for level in self.former]
        least = self.period.value or 0
        if periods != sorted(set(periods), reverse=True) or any(period <= least for period in periods):
            raise InputError(
                f"reference: its former latencies are at periods of {periods} ticks; these must fall, and be longer "
                f"than the period of {self.period.value}"
            )
        for name, seconds in (("effort_s", self.effort_s), ("solved_s", self.solved_s)):
            if seconds is not None and not isfinite(seconds):
                raise InputError(f"reference: {name} is {seconds}; it must be finite")

    @classmethod
    def of(cls, instance: Instance) -> Reference:
        """Return the reference of an instance of which nothing is known."""
        model = type(instance.transfer).__name__.lower()
        return cls(instance.digest, len(instance.nodes), len(instance.units), model)

    @property
    def schedule_class(self) -> str:
        """The class of schedules within which the values are compared and the bounds hold."""
        return f"time-triggered, one pattern (K = 1), no duplication, {self.transfer} transfers"

    @property
    def levels(self) -> tuple[tuple[Literal["period", "latency"], Level], ...]:
        """The period, the latency, and the latencies at former periods, each with its objective."""
        latencies = (self.latency, *self.former)
        return (("period", self.period), *(("latency", level) for level in latencies))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All values and bounds."""
        return tuple(each for _, level in self.levels for each in (*level.values, *level.bounds))

    @property
    def status(self) -> Status:
        """Optimal if both levels are."""
        return self.period.status if self.period.status is not Status.OPTIMAL else self.latency.status

    def mapping(self, instance: Instance) -> Mapping | None:
        """Return the mapping behind the values, which it claims, or ``None``."""
        if self.schedule is None:
            return None
        claims = Claims(period_ticks=str(self.period.value), latency_ticks=self.latency.value)
        return self.schedule.mapping(instance, claims)

    @property
    def content_seal(self) -> str:
        """What ``seal`` has to be."""
        bare = msgspec.structs.replace(self, seal="")
        data = msgspec.json.encode([self.schema_id(), msgspec.to_builtins(bare)], order="sorted")
        return "sha256:" + hashlib.sha256(data).hexdigest()

    @classmethod
    def from_data(cls, raw: Any, source: str = "document") -> Self:
        """Validate decoded data; its seal, if there is one, must be that of its content.

        Raises
        ------
        InputError
            If the data breaks a rule or was altered.
        """
        reference = super().from_data(raw, source)
        if reference.seal not in ("", reference.content_seal):
            raise InputError(
                f"{source}: seal is {reference.seal[:19]!r}, but the content's is {reference.content_seal[:19]!r}; the "
                "reference was altered: take it from version control again, or delete it to start anew"
            )
        return reference

    def save(self, path: str | Path) -> None:
        """Write the reference with its seal, atomically, one key per line."""
        sealed = msgspec.structs.replace(self, seal=self.content_seal)
        content = {"schema": self.schema_id(), **msgspec.to_builtins(sealed)}
        lines = ",\n".join(
            f" {msgspec.json.encode(key).decode()}: {msgspec.json.encode(value).decode()}"
            for key, value in content.items()
        )
        write_atomic(path, f"{{\n{lines}\n}}\n".encode())
