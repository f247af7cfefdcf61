"""What a run, or the construction of an instance, adds to a reference; nothing that is known is ever lost."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec

from mapopt.bounds.every import lower_bounds
from mapopt.emulator.analysis import max_load
from mapopt.emulator.lower import lower
from mapopt.errors import InputError
from mapopt.instance import Instance
from mapopt.library.making import Construction
from mapopt.library.references import Finding, Level, Reference
from mapopt.library.repeating import (
    command_of_bounds,
    command_of_construction,
    command_of_mapper,
    command_of_run,
)
from mapopt.library.schedules import Schedule
from mapopt.mappers import registry as mappers
from mapopt.mappers.run import run_mapper
from mapopt.mapping import Claims, Mapping
from mapopt.solvers.model import Status
from mapopt.studies.records import LevelRecord, Record
from mapopt.verification import verify

OBJECTIVE = "period,latency"


@dataclass(frozen=True, slots=True)
class Stamp:
    """With which version of mapopt something was found, when it is recorded, and what repeats it."""

    version: str
    date: str
    run: str | None = None
    command: str = ""

    def finding(self, ticks: int, by: str) -> Finding:
        """Return a value or a bound with its provenance."""
        return Finding(ticks, by, self.version, self.date, self.run, self.command)


def is_comparable(record: Record) -> bool:
    """Return whether a run was about the least latency at the least period of any mapping with one pattern."""
    key = record.key
    free = {"contiguous": False, "max_period": None, "slack": "0"}
    return key.objective == OBJECTIVE and all(
        key.parameters.get(name) == value for name, value in free.items()
    )


def with_record(
    reference: Reference, instance: Instance, record: Record, date: str, command: str = ""
) -> Reference:
    """Return the reference with what a run found.

    Parameters
    ----------
    command
        What repeats the run if it went on from a schedule; the command of any other run follows from its record.

    Raises
    ------
    InputError
        If the run is of another instance or question, its mapping does not verify, or it contradicts the reference.
    """
    if record.key.instance != instance.digest or not is_comparable(record):
        raise InputError(
            f"record {record.id}: is of another instance, or not about the least latency at the least period"
        )
    repeats = command_of_run(record.key, instance.name) or command
    stamp = Stamp(record.environment.get("mapopt", "unknown"), date, record.id, repeats)
    period, latency = record.level("period"), record.level("latency")
    if record.mapping is not None and record.mapping.is_time_triggered and period is not None:
        by = latency.value_by if latency is not None else period.value_by
        reference = with_mapping(reference, instance, record.mapping, (period.value_by, by), stamp)
    reference = _with_claims(with_bounds(reference, instance, stamp), period, latency, stamp)
    limit_s, told = record.key.limits.get("time_s"), record.key.parameters.get("start")
    solved_s = reference.solved_s
    if record.status == Status.OPTIMAL and record.runtime_s is not None and told is None:
        solved_s = min(record.runtime_s, record.runtime_s if solved_s is None else solved_s)
    effort_s = max(reference.effort_s, float(limit_s or 0.0))
    return msgspec.structs.replace(reference, solved_s=solved_s, effort_s=effort_s)


def with_construction(
    reference: Reference, instance: Instance, known: Construction, stamp: Stamp
) -> Reference:
    """Return the reference with what the construction of the instance proves.

    Raises
    ------
    InputError
        If the mapping does not verify, or contradicts the reference.
    """
    by, stamp = "construction", replace(stamp, command=command_of_construction(instance.name))
    reference = with_mapping(reference, instance, known.mapping, (by, by), stamp)
    return _with_claims(
        with_bounds(reference, instance, stamp),
        LevelRecord("period", "optimal", known.period_ticks, known.period_ticks, by, by),
        LevelRecord("latency", "optimal", known.latency_ticks, known.latency_ticks, by, by),
        stamp,
    )


def with_mapping(
    reference: Reference, instance: Instance, mapping: Mapping, by: tuple[str, str], stamp: Stamp
) -> Reference:
    """Return the reference with the figures of a mapping, if they are better or repeat what nothing repeated.

    Parameters
    ----------
    mapping
        Time-triggered, with one pattern and its claims.
    by
        Who found its period, and its latency.

    Raises
    ------
    InputError
        If the mapping does not verify, or is better than a proven bound.
    """
    claims = mapping.claims or Claims()
    if len(mapping.patterns) != 1 or mapping.horizon is None or claims.latency_ticks is None:
        raise InputError("mapping: needs one pattern, start times, and a latency that it claims")
    period, latency = mapping.horizon, claims.latency_ticks
    best, shortest = reference.period.value, reference.latency.value
    if best is not None and shortest is not None and (period, latency) > (best, shortest):
        return reference
    require_verified(instance, mapping)
    if (period, latency) == (best, shortest):
        return msgspec.structs.replace(
            reference,
            period=reference.period.with_value(stamp.finding(period, by[0])),
            latency=reference.latency.with_value(stamp.finding(latency, by[1])),
        )
    level, former = reference.latency, reference.former
    if period != best:
        former = (*former, level) if level.values else former
        level = Level(period_ticks=period)
    return msgspec.structs.replace(
        reference,
        period=reference.period.with_value(stamp.finding(period, by[0])),
        latency=level.with_value(stamp.finding(latency, by[1])),
        former=former,
        schedule=Schedule.of(instance, mapping),
    )


def with_mappers(reference: Reference, instance: Instance) -> Reference:
    """Return the reference with the commands that repeat periods of mappers, where running them gives the same."""

    def checked(finding: Finding) -> Finding:
        if finding.is_repeatable or finding.by not in mappers.names():
            return finding
        mapper = mappers.get(finding.by)
        if mapper.is_random or max_load(lower(instance, run_mapper(mapper, instance))).ticks != finding.ticks:
            return finding
        return msgspec.structs.replace(finding, command=command_of_mapper(finding.by, instance.name))

    values = tuple(checked(finding) for finding in reference.period.values)
    return msgspec.structs.replace(reference, period=msgspec.structs.replace(reference.period, values=values))


def require_verified(instance: Instance, mapping: Mapping) -> None:
    """Check a mapping with the code that shares nothing with mappers.

    Raises
    ------
    InputError
        Naming the first rule that it breaks or claim that does not hold.
    """
    verdict = verify(instance, mapping)
    if verdict.violations:
        first = verdict.violations[0]
        raise InputError(f"mapping: breaks the rule {first.rule!r}: {first.message}")
    for claim in verdict.claims:
        if not claim.holds:
            raise InputError(f"mapping: claims {claim.name} {claim.claimed}, but it is {claim.measured}")


def with_bounds(reference: Reference, instance: Instance, stamp: Stamp) -> Reference:
    """Return the reference with the bounds that hold whatever the period is, see :func:`lower_bounds`."""
    bounds = lower_bounds(instance)
    stamp = replace(stamp, run=None, command=command_of_bounds(instance.name))
    return msgspec.structs.replace(
        reference,
        period=reference.period.with_bound(stamp.finding(bounds.period.ticks, bounds.period.name)),
        latency=reference.latency.with_bound(stamp.finding(bounds.latency.ticks, bounds.latency.name)),
    )


def _with_claims(
    reference: Reference, period: LevelRecord | None, latency: LevelRecord | None, stamp: Stamp
) -> Reference:
    """Add the bounds of a run; that of a latency only if it is about the reference's period."""
    if period is None or period.bound is None:
        return reference
    levels = {"period": reference.period.with_bound(stamp.finding(max(0, period.bound), period.bound_by))}
    is_same = period.value is not None and period.value == reference.period.value
    if is_same and latency is not None and latency.bound is not None:
        finding = stamp.finding(max(0, latency.bound), latency.bound_by)
        levels["latency"] = reference.latency.with_bound(finding)
    return msgspec.structs.replace(reference, **levels)
