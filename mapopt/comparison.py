"""Compare mappers on one instance: everybody is judged by the same emulator in the same class."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import pstdev
from typing import Literal

from mapopt.bounds import Bounds, lower_bounds
from mapopt.bounds.model import gap
from mapopt.documents import Part
from mapopt.emulator.machine import MAX_WINDOW
from mapopt.emulator.measure import measure
from mapopt.emulator.measurement import Dispatch, Latency, Measurement, Number, to_ns
from mapopt.emulator.schedule import schedule
from mapopt.errors import InfeasibleError, InputError, NoMappingError
from mapopt.feasibility import require_feasible
from mapopt.instance import Instance
from mapopt.mappers.base import Mapper
from mapopt.mappers.registry import get, names
from mapopt.mappers.run import require_rules
from mapopt.mappers.tuned import PREFIX
from mapopt.mapping import Mapping

SEEDS = 100
"""Runs of a randomised mapper unless a number is given."""

SEARCH_SEEDS = 5
"""The same for mappers that search, see :class:`mapopt.mappers.base.Mapper`."""

MAX_SEEDS = 100_000
"""Most runs of a randomised mapper."""


class Spread(Part, frozen=True):
    """The period of a randomised mapper over its seeds, in ns."""

    seeds: int
    min: Number
    max: Number
    stdev: Number


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
    exact, latency_exact
        Whether every period, and every latency, is that of a cycle that repeats for ever.
    max_load_ns
        Work per frame on the busiest unit or link.
    gap, load_gap
        ``period / bound - 1`` and ``max load / bound - 1`` for the best lower bound that holds for the mapping's number
        of patterns; ``None`` if the bound is 0.
    spread
        For randomised mappers.
    mapper_s
        Time of the mapper alone, of one run, in seconds.
    """

    mapper: str
    status: Literal["mapped", "rejected", "none found", "failed"]
    reason: str = ""
    period_ns: Number | None = None
    rate_fps: Number | None = None
    exact: bool | None = None
    latency_exact: bool | None = None
    latency_single_ns: Number | None = None
    latency_ns: Latency | None = None
    utilization: Number | None = None
    max_load_ns: Number | None = None
    gap: float | None = None
    load_gap: float | None = None
    spread: Spread | None = None
    mapper_s: float | None = None


class Comparison(Part, frozen=True, omit_defaults=False):
    """Rows of all mappers on one instance.

    Parameters
    ----------
    schedule_class
        What the rows have in common: dispatch, transfers, arrival.
    bound_period_ns, bound_latency_ns
        Best lower bounds on the period and on a latency of mappings with one pattern.
    bound_period, bound_latency
        What these bounds are.
    complete
        ``False`` if Ctrl-C ended it before every mapper had its row.
    """

    instance: str
    digest: str
    schedule_class: str
    bound_period_ns: Number
    bound_period: str
    bound_latency_ns: Number
    bound_latency: str
    rows: tuple[Row, ...]
    complete: bool


def compare(
    instance: Instance,
    mappers: Sequence[str] = (),
    *,
    dispatch: Dispatch = "self-timed",
    window: int = 16,
    seeds: int | None = None,
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
        Runs of a randomised mapper, with the seeds ``seed``, ``seed + 1``, ...; by default :data:`SEEDS`, and
        :data:`SEARCH_SEEDS` of one that searches.
    on_row
        Called with each row as it is finished.

    Raises
    ------
    InputError
        If a mapper or option is unknown, or a number is out of range.
    InfeasibleError
        If the instance has no mapping.
    """
    if seeds is not None and not 1 <= seeds <= MAX_SEEDS:
        raise InputError(f"seeds: is {seeds}; it must be in 1..{MAX_SEEDS}")
    if not 1 <= window <= MAX_WINDOW:
        raise InputError(f"window: is {window}; it must be in 1..{MAX_WINDOW}")
    chosen = [(spec, parse_mapper(spec)) for spec in mappers or names()]
    require_feasible(instance)
    judge = _Judge(instance, lower_bounds(instance), dispatch, window)
    rows: list[Row] = []
    try:
        for spec, mapper in chosen:
            runs = seeds or (SEARCH_SEEDS if is_search(mapper) else SEEDS)
            rows.append(judge.row(spec, mapper, range(seed, seed + runs)))
            if on_row is not None:
                on_row(rows[-1])
    except KeyboardInterrupt:
        return judge.comparison(rows, complete=False)
    return judge.comparison(rows, complete=True)


def is_search(mapper: Mapper) -> bool:
    """Return whether a mapper declares that it searches, rather than being done in a moment."""
    return bool(getattr(mapper, "is_search", False))


def parse_mapper(spec: str) -> Mapper:
    """Return the mapper of ``name`` or ``name:option=value:option=value``, where a name may be ``tuned:FILE``."""
    prefix = PREFIX if spec.startswith(PREFIX) else ""
    name, *settings = spec.removeprefix(prefix).split(":")
    name = prefix + name
    return get(name, settings)


@dataclass(frozen=True, slots=True)
class _Judge:
    """What all rows of a comparison share."""

    instance: Instance
    bounds: Bounds
    dispatch: Dispatch
    window: int

    def comparison(self, rows: Sequence[Row], *, complete: bool) -> Comparison:
        """Put rows under their common heading."""
        transfers = type(self.instance.transfer).__name__.lower()
        arrival = f", saturated with window {self.window}" if self.dispatch == "self-timed" else ""
        tick_ps = self.instance.tick_ps
        return Comparison(
            instance=self.instance.name,
            digest=self.instance.digest,
            schedule_class=f"{self.dispatch}, {transfers} transfers{arrival}",
            bound_period_ns=to_ns(self.bounds.period.ticks, tick_ps),
            bound_period=self.bounds.period.explanation,
            bound_latency_ns=to_ns(self.bounds.latency.ticks, tick_ps),
            bound_latency=self.bounds.latency.explanation,
            rows=tuple(rows),
            complete=complete,
        )

    def row(self, spec: str, mapper: Mapper, seeds: Sequence[int]) -> Row:
        """Run a mapper, once or for every seed, and measure what it returns."""
        reason = mapper.rejects(self.instance)
        if reason is not None:
            return Row(spec, "rejected", reason)
        found: list[Measurement] = []
        seconds: list[float] = []
        for seed in seeds if mapper.is_random else seeds[:1]:
            begin = time.perf_counter()
            try:
                mapping = mapper.map(self.instance, seed=seed)
                seconds.append(time.perf_counter() - begin)
                require_rules(mapper, self.instance, mapping)
            except NoMappingError as error:
                return Row(spec, "none found", str(error))
            except Exception as error:  # a third party's mapper may raise anything; the others go on
                return Row(spec, "failed", f"{type(error).__name__}: {error}")
            try:
                found.append(self._measure(mapping))
            except InfeasibleError as error:
                return Row(spec, "failed", f"its schedule is not feasible: {error}")
        return self._summary(spec, found, mean(seconds), mapper.is_random)

    def _measure(self, mapping: Mapping) -> Measurement:
        if self.dispatch == "time-triggered" and not mapping.is_time_triggered:
            mapping = schedule(self.instance, mapping)
        return measure(self.instance, mapping, dispatch=self.dispatch, window=self.window)

    def _summary(self, spec: str, found: Sequence[Measurement], seconds: float, is_random: bool) -> Row:
        periods = [measured.period_ns for measured in found]
        loads = [measured.max_load_ns for measured in found]
        rates = [measured.rate_fps for measured in found if measured.rate_fps is not None]
        bound = self._bound_ns(max(measured.patterns for measured in found))
        units = [unit.name for unit in self.instance.units]
        latencies = {
            key: mean([getattr(measured.latency_ns, key) for measured in found])
            for key in Latency.__struct_fields__
        }
        return Row(
            mapper=spec,
            status="mapped",
            period_ns=mean(periods),
            rate_fps=mean(rates) if len(rates) == len(found) else None,
            exact=all(measured.exact for measured in found),
            latency_exact=all(measured.latency_condition.exact for measured in found),
            latency_single_ns=mean([measured.latency_single_ns for measured in found]),
            latency_ns=Latency(**latencies),
            utilization=mean([measured.utilization[unit] for measured in found for unit in units]),
            max_load_ns=mean(loads),
            gap=gap(mean(periods), bound),
            load_gap=gap(mean(loads), bound),
            spread=Spread(len(periods), min(periods), max(periods), pstdev(periods)) if is_random else None,
            mapper_s=seconds,
        )

    def _bound_ns(self, patterns: int) -> Number:
        """Return the best period bound that holds for this number of patterns."""
        if patterns == 1:
            return to_ns(self.bounds.period.ticks, self.instance.tick_ps)
        return to_ns(self.bounds.period_any_pattern.any_pattern or 0, self.instance.tick_ps)


def mean(values: Sequence[Number]) -> Number:
    """Return the exact mean, as an integer where it is one, else as the nearest float."""
    exact = sum(map(Fraction, values), Fraction()) / len(values)
    return exact.numerator if exact.denominator == 1 else float(exact)
