"""Compare mappers on one instance: everybody is judged by the same emulator in the same class."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import fmean as mean
from statistics import pstdev
from typing import Literal

from mapopt.bounds import Bounds, lower_bounds
from mapopt.bounds.model import gap
from mapopt.documents import Part
from mapopt.emulator.measure import Dispatch, Latency, Measurement, measure
from mapopt.emulator.schedule import schedule
from mapopt.errors import InputError, NoMappingError
from mapopt.feasibility import require_feasible
from mapopt.instance import Instance
from mapopt.mappers.base import Mapper
from mapopt.mappers.registry import get, names
from mapopt.mappers.run import require_rules


class Spread(Part, frozen=True):
    """The period of a randomised mapper over its seeds, in ns."""

    seeds: int
    min: float
    max: float
    stdev: float


class Row(Part, frozen=True, omit_defaults=False):
    """One mapper's result; figures are ``None`` where there is no mapping, and ``status`` says why.

    Parameters
    ----------
    mapper
        Name, with the options that were set.
    status
        ``mapped``, ``rejected`` (the mapper does not support the instance), ``none found`` (which proves nothing) or
        ``failed`` (a defect of the mapper); ``reason`` explains all but the first.
    period_ns, rate_fps, latency_single_ns, latency_ns, utilization
        As measured, see :class:`mapopt.emulator.measure.Measurement`; utilization is the mean over the units. Means
        over the seeds for a randomised mapper; its latency percentiles are means of percentiles.
    exact
        Whether every period is exact.
    max_load_ns
        Work per frame on the busiest unit or link.
    gap, load_gap
        ``period / bound - 1`` and ``max load / bound - 1`` for the best lower bound of the class; ``None`` if the
        bound is 0.
    spread
        For randomised mappers.
    mapper_s
        Time of the mapper alone, of one run, in seconds.
    """

    mapper: str
    status: Literal["mapped", "rejected", "none found", "failed"]
    reason: str = ""
    period_ns: float | None = None
    rate_fps: float | None = None
    exact: bool | None = None
    latency_single_ns: float | None = None
    latency_ns: Latency | None = None
    utilization: float | None = None
    max_load_ns: float | None = None
    gap: float | None = None
    load_gap: float | None = None
    spread: Spread | None = None
    mapper_s: float | None = None


class Comparison(Part, frozen=True, omit_defaults=False):
    """Rows of all mappers on one instance.

    Parameters
    ----------
    schedule_class
        What the rows have in common: dispatch, patterns, transfers, arrival.
    bound_period_ns, bound_latency_ns
        Best lower bounds on the period and on a latency in this class.
    bound_period, bound_latency
        What these bounds are.
    """

    instance: str
    digest: str
    schedule_class: str
    bound_period_ns: float
    bound_period: str
    bound_latency_ns: float
    bound_latency: str
    rows: tuple[Row, ...]


def compare(
    instance: Instance,
    mappers: Sequence[str] = (),
    *,
    dispatch: Dispatch = "self-timed",
    window: int = 16,
    seeds: int = 100,
    seed: int = 0,
    on_row: Callable[[Row], None] | None = None,
) -> Comparison:
    """Map an instance with several mappers and measure each mapping.

    Parameters
    ----------
    mappers
        Names, each optionally with options: ``"lblp"``, ``"lblp:avoid=off"``. Empty: all that are registered.
    dispatch
        ``self-timed``: period of a saturated run, latency at 1.05 times the largest load. ``time-triggered``: every
        mapping is given a schedule first, whose period is its largest load.
    window
        Frames in flight in the saturated run.
    seeds
        Runs of a randomised mapper, with the seeds ``seed``, ``seed + 1``, ...
    on_row
        Called with each row as it is finished.

    Raises
    ------
    InputError
        If a mapper or option is unknown, or a number is out of range.
    InfeasibleError
        If the instance has no mapping.
    """
    if seeds < 1:
        raise InputError(f"seeds: is {seeds}; it must be >= 1")
    chosen = [(spec, parse_mapper(spec)) for spec in mappers or names()]
    require_feasible(instance)
    bounds = lower_bounds(instance)
    rows = []
    for spec, mapper in chosen:
        rows.append(_row(spec, mapper, instance, bounds, dispatch, window, range(seed, seed + seeds)))
        if on_row is not None:
            on_row(rows[-1])
    return summarise(instance, dispatch, window, rows)


def parse_mapper(spec: str) -> Mapper:
    """Return the mapper of ``name`` or ``name:option=value:option=value``."""
    name, *settings = spec.split(":")
    return get(name, settings)


def summarise(instance: Instance, dispatch: Dispatch, window: int, rows: Sequence[Row]) -> Comparison:
    """Put rows under their common heading."""
    bounds = lower_bounds(instance)
    transfers = type(instance.transfer).__name__.lower()
    arrival = f", saturated with window {window}" if dispatch == "self-timed" else ""
    return Comparison(
        instance=instance.name,
        digest=instance.digest,
        schedule_class=f"{dispatch}, one pattern, {transfers} transfers{arrival}",
        bound_period_ns=_ns(bounds.period.ticks, instance),
        bound_period=bounds.period.explanation,
        bound_latency_ns=_ns(bounds.latency.ticks, instance),
        bound_latency=bounds.latency.explanation,
        rows=tuple(rows),
    )


def _row(
    spec: str,
    mapper: Mapper,
    instance: Instance,
    bounds: Bounds,
    dispatch: Dispatch,
    window: int,
    seeds: Sequence[int],
) -> Row:
    reason = mapper.rejects(instance)
    if reason is not None:
        return Row(spec, "rejected", reason)
    try:
        runs = [
            _run(mapper, instance, each, dispatch, window)
            for each in (seeds if mapper.is_random else seeds[:1])
        ]
    except NoMappingError as error:
        return Row(spec, "none found", str(error))
    except Exception as error:  # a third party's mapper may raise anything; the others go on
        return Row(spec, "failed", f"{type(error).__name__}: {error}")
    bound = _ns(bounds.period.ticks, instance)
    found = [run.measurement for run in runs]
    periods = [measured.period_ns for measured in found]
    period, load = mean(periods), mean([measured.max_load_ns for measured in found])
    units = [unit.name for unit in instance.units]
    return Row(
        mapper=spec,
        status="mapped",
        period_ns=period,
        rate_fps=mean([measured.rate_fps or 0 for measured in found]),
        exact=all(measured.exact for measured in found),
        latency_single_ns=mean([measured.latency_single_ns for measured in found]),
        latency_ns=Latency(
            *(
                mean([getattr(measured.latency_ns, key) for measured in found])
                for key in Latency.__struct_fields__
            )
        ),
        utilization=mean([measured.utilization[unit] for measured in found for unit in units]),
        max_load_ns=load,
        gap=gap(period, bound),
        load_gap=gap(load, bound),
        spread=Spread(len(periods), min(periods), max(periods), pstdev(periods))
        if mapper.is_random
        else None,
        mapper_s=mean([run.seconds for run in runs]),
    )


@dataclass(frozen=True, slots=True)
class _Run:
    measurement: Measurement
    seconds: float


def _run(mapper: Mapper, instance: Instance, seed: int, dispatch: Dispatch, window: int) -> _Run:
    begin = time.perf_counter()
    mapping = mapper.map(instance, seed=seed)
    seconds = time.perf_counter() - begin
    require_rules(mapper, instance, mapping)
    if dispatch == "time-triggered" and not mapping.is_time_triggered:
        mapping = schedule(instance, mapping)
    return _Run(measure(instance, mapping, dispatch=dispatch, window=window), seconds)


def _ns(ticks: Fraction | int, instance: Instance) -> float:
    value = Fraction(ticks) * instance.tick_ps / 1000
    return value.numerator if value.denominator == 1 else float(value)
