"""Runs of mappers and solves whose records are kept and reused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import asdict
from fractions import Fraction

from mapopt.errors import NoMappingError
from mapopt.instance import Instance
from mapopt.mappers import registry as mappers
from mapopt.mappers.run import run_mapper
from mapopt.mapping import Mapping
from mapopt.options import Value
from mapopt.solvers import driver
from mapopt.solvers import registry as formulations
from mapopt.solvers.model import Limits
from mapopt.solvers.outcome import Outcome
from mapopt.solvers.watch import Progress
from mapopt.studies.records import (
    LevelRecord,
    Record,
    RunKey,
    TraceEntry,
    decimal_ns,
    environment,
    installed,
)
from mapopt.studies.sources import code_digest, packages_of
from mapopt.studies.store import RunStore, run_or_reuse

SOLVERS = ("highspy", "ortools", "pulp", "pyscipopt")
"""Packages whose version can change a result."""

Settings = Iterable[str] | dict[str, Value]


def mapper_run(
    store: RunStore, instance: Instance, mapper: str, *, options: Settings = (), seed: int = 0
) -> tuple[Record, bool]:
    """Map an instance, or take the record of when that was done; see :func:`mapopt.mappers.run.map_instance`.

    Returns
    -------
    tuple
        The record and whether it was there already. Its period is the largest load, its latency that of a frame
        alone in the machine. No mapping found is a record with status ``unknown``.
    """
    chosen = mappers.get(mapper, options)
    modules = ("mapopt.mappers.run", type(chosen).__module__)
    key = RunKey(
        instance=instance.digest,
        method=f"mapper {mapper}",
        code=code_digest(*modules),
        parameters=dict(chosen.options.as_dict()),
        seed=seed if chosen.is_random else 0,
        versions=_versions(modules),
    )

    def compute() -> Record:
        try:
            mapping = run_mapper(chosen, instance, seed=seed)
        except NoMappingError as error:
            return _record(key, instance, "unknown", reason=str(error))
        claims = mapping.claims
        assert claims is not None
        return _record(
            key, instance, "feasible", mapping, claims.max_load_ticks, claims.latency_single_ticks,
        )  # fmt: skip

    return run_or_reuse(store, key, compute)


def solve_run(
    store: RunStore,
    instance: Instance,
    objective: str = "period",
    *,
    formulation: str | None = None,
    options: Settings = (),
    solver: str | None = None,
    contiguous: bool = False,
    max_period: int | None = None,
    slack: Fraction = Fraction(0),
    limits: Limits | None = None,
    start: Mapping | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> tuple[Record, bool]:
    """Solve an instance, or take the record of when that was done; see :func:`mapopt.solvers.driver.solve`.

    Returns
    -------
    tuple
        The record and whether it was there already.
    """
    limits = limits or Limits()
    options = options if isinstance(options, dict) else tuple(options)
    named = None if formulation is None else formulations.get(formulation, options)
    modules = _modules_of_solve(objective, formulation)
    effort = asdict(limits)
    seed = effort.pop("seed")
    key = RunKey(
        instance=instance.digest,
        method="solve" if formulation is None else f"formulation {formulation}",
        code=code_digest(*modules),
        objective=objective,
        parameters={
            **({} if named is None else named.options.as_dict()),
            "solver": solver,
            "contiguous": contiguous,
            "max_period": max_period,
            "slack": str(slack),
            "start": None if start is None else hashlib.sha256(start.to_json()).hexdigest(),
        },
        limits=effort,
        seed=seed,
        versions=_versions(modules),
    )

    def compute() -> Record:
        outcome = driver.solve(
            instance,
            objective,
            formulation=formulation,
            options=options,
            solver=solver,
            contiguous=contiguous,
            max_period=max_period,
            slack=slack,
            limits=limits,
            start=start,
            on_progress=on_progress,
        )
        return record_of(key, instance, outcome)

    return run_or_reuse(store, key, compute)


def record_of(key: RunKey, instance: Instance, outcome: Outcome) -> Record:
    """Return the record of a solve."""
    claims = outcome.mapping.claims if outcome.mapping is not None else None
    return _record(
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


def _modules_of_solve(objective: str, formulation: str | None) -> tuple[str, ...]:
    """Return the modules that the driver finds by name; it may choose among all formulations unless one is named."""
    tried = (*driver.HEURISTICS, *driver.CONTIGUOUS_HEURISTICS)
    heuristics = {type(mappers.get(name)).__module__ for name in tried}
    chooses = formulation is None or "," in objective
    known = formulations.names() if chooses else (formulation,)
    models = {type(formulations.get(name)).__module__ for name in known if name is not None}
    return ("mapopt.solvers.driver", *sorted(heuristics | models))


def _versions(modules: Iterable[str]) -> dict[str, str]:
    used = packages_of(modules)
    return installed(name for name in SOLVERS if name in used)


def _record(
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
