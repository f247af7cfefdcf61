"""The best that is known of an instance: values, bounds, who found them when, and the schedule itself."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec

from mapopt.bounds.model import gap
from mapopt.documents import Count, Document, Name, Part, Ticks, write_atomic
from mapopt.errors import InputError
from mapopt.instance import Instance
from mapopt.mapping import Claims, InstanceRef, Mapping, Pattern, TransferStart
from mapopt.solvers.model import Status
from mapopt.studies.records import Digest, Seconds

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

    Raises
    ------
    InputError
        If the date does not exist.
    """

    ticks: Ticks
    by: str
    version: Name
    date: Date

    def __post_init__(self) -> None:
        try:
            date.fromisoformat(self.date)
        except ValueError:
            raise InputError(f"date {self.date!r}: is no day; write YYYY-MM-DD") from None


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
        """Return the level with a value added, if it is better."""
        better = self.value is None or finding.ticks < self.value
        return msgspec.structs.replace(self, values=(*self.values, finding)) if better else self

    def with_bound(self, finding: Finding) -> Level:
        """Return the level with a bound added, if it is better."""
        better = self.bound is None or finding.ticks > self.bound
        return msgspec.structs.replace(self, bounds=(*self.bounds, finding)) if better else self


class Schedule(Part, frozen=True):
    """A time-triggered mapping of one pattern in numbers: those of nodes, units and tensors are of the instance.

    Parameters
    ----------
    horizon
        The period in ticks.
    units, starts
        Of each node.
    transfers
        Tensor, unit and the start on each link of every transfer that has times of its own.
    """

    horizon: Annotated[int, msgspec.Meta(ge=1, le=10**15)]
    units: tuple[Count, ...]
    starts: tuple[Ticks, ...]
    transfers: tuple[tuple[Ticks, ...], ...] = ()

    @classmethod
    def of(cls, instance: Instance, mapping: Mapping) -> Schedule:
        """Return the schedule of a time-triggered mapping of one pattern."""
        pattern = mapping.patterns[0]
        assert mapping.horizon is not None
        assert pattern.starts is not None
        tensors = {tensor.name: index for index, tensor in enumerate(instance.tensors)}
        return cls(
            mapping.horizon,
            mapping.assignment(instance)[0],
            tuple(pattern.starts[at] for at in mapping.positions(instance)),
            tuple(
                sorted(
                    (tensors[each.tensor], instance.unit_index[each.unit], *each.starts)
                    for each in pattern.transfers
                )
            ),
        )

    def mapping(self, instance: Instance, claims: Claims | None = None) -> Mapping:
        """Return the mapping of an instance, with claims to be verified.

        Raises
        ------
        InputError
            If a number does not exist in the instance.
        """
        units = [unit.name for unit in instance.units]
        tensors = [tensor.name for tensor in instance.tensors]
        try:
            pattern = Pattern(
                units=tuple(units[unit] for unit in self.units),
                starts=self.starts,
                transfers=tuple(
                    TransferStart(tensors[tensor], units[unit], tuple(starts))
                    for tensor, unit, *starts in self.transfers
                ),
            )
        except (IndexError, ValueError):
            raise InputError(
                f"schedule: names a unit or tensor by a number that instance {instance.name!r} does not have"
            ) from None
        return Mapping(
            nodes=tuple(node.name for node in instance.nodes),
            patterns=(pattern,),
            horizon=self.horizon,
            instance=InstanceRef(instance.name, instance.digest),
            claims=claims,
        )


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
    def status(self) -> Status:
        """Optimal if both levels are."""
        return self.period.status if self.period.status is not Status.OPTIMAL else self.latency.status

    def mapping(self, instance: Instance) -> Mapping | None:
        """Return the mapping behind the values, which it claims, or ``None``."""
        if self.schedule is None:
            return None
        claims = Claims(period_ticks=str(self.period.value), latency_ticks=self.latency.value)
        return self.schedule.mapping(instance, claims)

    def save(self, path: str | Path) -> None:
        """Write the reference atomically, one key per line."""
        content = {"schema": self.schema_id(), **msgspec.to_builtins(self)}
        lines = ",\n".join(
            f" {msgspec.json.encode(key).decode()}: {msgspec.json.encode(value).decode()}"
            for key, value in content.items()
        )
        write_atomic(path, f"{{\n{lines}\n}}\n".encode())
