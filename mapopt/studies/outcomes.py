"""The records of what mappers and solves return."""

from __future__ import annotations

from mapopt.emulator.schedule import schedule
from mapopt.instance import Instance
from mapopt.mapping import Mapping
from mapopt.solvers.judging import with_timed_claims
from mapopt.solvers.outcome import Outcome
from mapopt.studies.records import LevelRecord, Record, RunKey, TraceEntry, decimal_ns, environment


def judged_record(
    key: RunKey, instance: Instance, mapping: Mapping, compared: str, runtime_s: float | None
) -> Record:
    """Return the record of a mapping that :func:`mapopt.mappers.run.run_mapper` returned, judged in a class.

    ``time-triggered``: the period is the largest load, the latency that of the schedule made for it, unless the mapping
    brings its own. ``single-frame``: the latency of a frame alone. ``""``: the largest load and the latency of a frame
    alone, without levels.
    """
    claims = mapping.claims
    assert claims is not None
    period, latency = claims.max_load_ticks, claims.latency_single_ticks
    classes, values = "", {}
    if compared:
        transfers = f"{type(instance.transfer).__name__.lower()} transfers"
        classes = f"time-triggered, one frame alone, {transfers}"
        values = {"latency": latency}
    if compared == "time-triggered":
        mapping = (
            with_timed_claims(instance, mapping) if mapping.is_time_triggered else schedule(instance, mapping)
        )
        claims = mapping.claims
        assert claims is not None
        period, latency = claims.period_ticks, claims.latency_ticks
        count = len(mapping.patterns)
        patterns = "one pattern (K = 1)" if count == 1 else f"{count} patterns (K = {count})"
        classes = f"time-triggered, {patterns}, {transfers}"
        whole = period is not None and "/" not in period  # a ratio is in period_ticks alone
        values = {**({"period": int(period or 0)} if whole else {}), "latency": latency}
    by = key.method.removeprefix("mapper ")
    return bare_record(
        key,
        instance,
        "feasible",
        mapping,
        period,
        latency,
        schedule_class=classes,
        levels=tuple(LevelRecord(name, "feasible", value, value_by=by) for name, value in values.items()),
        trace=tuple(TraceEntry(runtime_s or 0.0, name, value) for name, value in values.items()),
        runtime_s=runtime_s,
    )


def record_of(key: RunKey, instance: Instance, outcome: Outcome) -> Record:
    """Return the record of a solve."""
    claims = outcome.mapping.claims if outcome.mapping is not None else None
    return bare_record(
        key,
        instance,
        outcome.status,
        outcome.mapping,
        None if claims is None else claims.period_ticks,
        None if claims is None else claims.latency_ticks,
        schedule_class=outcome.schedule_class,
        levels=tuple(
            LevelRecord(
                level.objective,
                level.status,
                level.value,
                level.bound,
                level.value_by,
                level.bound_by,
                level.witness,
            )
            for level in outcome.levels
        ),
        trace=tuple(
            TraceEntry(entry.time_s, entry.objective, entry.value, entry.bound) for entry in outcome.trace
        ),
        runtime_s=outcome.runtime_s,
        reason="; ".join(level.reason for level in outcome.levels if level.reason),
        interrupted=outcome.interrupted,
    )


def bare_record(
    key: RunKey,
    instance: Instance,
    status: str,
    mapping: Mapping | None = None,
    period_ticks: str | None = None,
    latency_ticks: int | None = None,
    *,
    schedule_class: str = "",
    levels: tuple[LevelRecord, ...] = (),
    trace: tuple[TraceEntry, ...] = (),
    runtime_s: float | None = None,
    reason: str = "",
    interrupted: bool = False,
) -> Record:
    """Return a record of this machine, with the times in ns."""
    return Record(
        key=key,
        status=str(status),
        instance_name=instance.name,
        schedule_class=schedule_class,
        levels=levels,
        period_ticks=period_ticks,
        period_ns=None if period_ticks is None else decimal_ns(period_ticks, instance.tick_ps),
        latency_ticks=latency_ticks,
        latency_ns=None if latency_ticks is None else decimal_ns(latency_ticks, instance.tick_ps),
        runtime_s=runtime_s,
        trace=trace,
        mapping=mapping,
        reason=reason,
        interrupted=interrupted,
        environment=environment(),
    )
