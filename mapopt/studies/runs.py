"""Runs of mappers and solves whose records are kept and reused."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from mapopt.instance import Instance
from mapopt.mapping import Mapping
from mapopt.solvers.model import Limits
from mapopt.solvers.watch import Progress
from mapopt.studies.methods import MapperMethod, Settings, SolveMethod
from mapopt.studies.records import Record
from mapopt.studies.store import RunStore, run_or_reuse


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
    run = MapperMethod.of(mapper, options).run(instance, seed)
    return run_or_reuse(store, run.key, run.execute)


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
    method = SolveMethod.of(
        objective,
        formulation=formulation,
        options=options,
        solver=solver,
        contiguous=contiguous,
        max_period=max_period,
        slack=slack,
    )
    run = method.run(instance, limits, start, on_progress)
    return run_or_reuse(store, run.key, run.execute)
