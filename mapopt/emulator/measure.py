"""Measuring a mapping: period, latency and utilisation, with the conditions under which they were found."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import msgspec
import numpy as np

from mapopt.emulator import timetriggered
from mapopt.emulator.analysis import MaxLoad, max_load
from mapopt.emulator.explain import explain
from mapopt.emulator.lower import lower
from mapopt.emulator.measurement import (
    Condition,
    Dispatch,
    Latency,
    Measurement,
    latency_statistics,
    ticks_from_ns,
    to_ns,
)
from mapopt.emulator.options import DEFAULT_WINDOW, Interval, RunOptions, latency_interval
from mapopt.emulator.program import Program
from mapopt.emulator.stream import DEFAULT_BUDGET, Stream, check_horizon, run_single, run_stream
from mapopt.errors import InfeasibleError
from mapopt.instance import Instance, IntArray
from mapopt.mapping import InstanceRef, Mapping

__all__ = [
    "DEFAULT_WINDOW",
    "Condition",
    "Dispatch",
    "Latency",
    "Measurement",
    "latency_interval",
    "measure",
    "measure_program",
    "ticks_from_ns",
]


def measure(
    instance: Instance,
    mapping: Mapping,
    *,
    frames: int | None = None,
    interval: Interval = None,
    window: int = DEFAULT_WINDOW,
    dispatch: Dispatch | None = None,
    budget: int = DEFAULT_BUDGET,
) -> Measurement:
    """Emulate a mapping and measure it.

    Parameters
    ----------
    frames
        Horizon in frames; ``None``: run until the state recurs, at most ``budget`` firings.
    interval
        Ticks between releases, from which period and latency are then both measured; ``"saturated"``: both from a
        saturated run, where latency follows from the window; ``None``: the period from a saturated run, the
        latency from periodic release at ceil(1.05 * max load).
    window
        Frames in flight at most in a saturated run.
    dispatch
        ``None``: time-triggered if the mapping has start times, else self-timed.
    budget
        Firings per run within which a recurrence is looked for.

    Raises
    ------
    InputError
        If the mapping does not fit the instance, or an option is out of range.
    InfeasibleError
        If a time-triggered mapping's starts contradict each other; the message names node, frame and times.
    """
    options = RunOptions(dispatch, interval, window)
    return measure_program(instance, lower(instance, mapping), options, frames=frames, budget=budget)


def measure_program(
    instance: Instance,
    program: Program,
    options: RunOptions,
    *,
    frames: int | None = None,
    budget: int = DEFAULT_BUDGET,
) -> Measurement:
    """Measure a program lowered from ``instance``; parameters and errors are those of :func:`measure`."""
    check_horizon(program, frames, budget)
    options = options.resolved(program)
    load = max_load(program)
    if options.dispatch == "time-triggered":
        found = _scheduled(instance, program)
    elif options.interval is None:
        rate, condition, _, _ = _one_run(program, options, frames, budget)
        found = rate, condition, *_one_run(program, options.paced(program), frames, budget)[2:]
    else:
        found = _one_run(program, options, frames, budget)
        if options.interval == "saturated":
            note = (
                "set by the window: window * period in the mean (Little's law); compare rates, not latencies"
            )
            found = (*found[:3], msgspec.structs.replace(found[3], note=note))
    return _Report(instance, program, load).make(*found)


_Found = tuple[Stream, Condition, IntArray, Condition]


def _one_run(program: Program, options: RunOptions, frames: int | None, budget: int) -> _Found:
    """Run self-timed; without an interval saturated."""
    stream = run_stream(program, options.arrival(), frames=frames, budget=budget)
    if options.interval is None or options.interval == "saturated":
        condition = _saturated_condition(stream, options.window)
    else:
        condition = _periodic_condition(stream, Fraction(options.interval), program.tick_ps)
    return stream, condition, stream.latencies, condition


def _saturated_condition(stream: Stream, window: int) -> Condition:
    return Condition(
        arrival="saturated",
        exact=stream.exact,
        frames=len(stream.latencies),
        window=window,
        backlog=stream.backlog,
    )


def _periodic_condition(stream: Stream, interval: Fraction, tick_ps: int) -> Condition:
    note = "frames arrive faster than they leave: latency grows without end" if stream.overloaded else ""
    return Condition(
        arrival="periodic",
        exact=stream.exact,
        frames=len(stream.latencies),
        interval_ticks=str(interval),
        interval_ns=to_ns(interval, tick_ps),
        backlog=stream.backlog,
        overloaded=stream.overloaded,
        note=note,
    )


def _scheduled(instance: Instance, program: Program) -> _Found:
    outcome = timetriggered.judge(program)
    if isinstance(outcome, timetriggered.Conflict):
        raise InfeasibleError(explain(instance, program, outcome))
    stream = Stream(
        period=outcome.period,
        exact=True,
        period_range=(outcome.period, outcome.period),
        cycle_frames=program.n_patterns,
        transient_frames=0,
        transient_exact=True,
        horizon_frames=program.n_patterns,
        backlog=0,
        overloaded=False,
        latencies=outcome.latencies,
    )
    condition = Condition(
        arrival="schedule",
        exact=True,
        frames=program.n_patterns,
        interval_ticks=str(outcome.period),
        interval_ns=to_ns(outcome.period, program.tick_ps),
    )
    return stream, condition, outcome.latencies, condition


@dataclass(frozen=True, slots=True)
class _Report:
    """Ticks to the units of a measurement."""

    instance: Instance
    program: Program
    load: MaxLoad

    def make(
        self,
        stream: Stream,
        period_condition: Condition,
        latencies: IntArray,
        latency_condition: Condition,
    ) -> Measurement:
        tick_ps = self.program.tick_ps
        utilization, stall = self._fractions(stream.period)
        transient = stream.transient_frames
        return Measurement(
            instance=InstanceRef(self.instance.name, self.instance.digest),
            dispatch="time-triggered" if period_condition.arrival == "schedule" else "self-timed",
            patterns=self.program.n_patterns,
            period_ns=to_ns(stream.period, tick_ps),
            period_ticks=str(stream.period),
            exact=stream.exact,
            rate_fps=float(10**12 / (stream.period * tick_ps)) if stream.period else None,
            period_condition=period_condition,
            latency_single_ns=to_ns(max(run_single(self.program)), tick_ps),
            latency_ns=latency_statistics(latencies, tick_ps),
            latency_condition=latency_condition,
            utilization=utilization,
            stall=stall,
            max_load_ns=to_ns(self.load.ticks, tick_ps),
            max_load_resource=self.load.resource,
            horizon_frames=stream.horizon_frames,
            backlog=stream.backlog,
            cycle_frames=stream.cycle_frames,
            transient_frames=transient if stream.transient_exact else None,
            transient_frames_at_most=None if stream.transient_exact else transient,
            period_interval_ns=None
            if stream.exact
            else (to_ns(stream.period_range[0], tick_ps), to_ns(stream.period_range[1], tick_ps)),
        )

    def _fractions(self, period: Fraction) -> tuple[dict[str, float], dict[str, float]]:
        program = self.program
        works = (program.label[:, 0] >= 0) | (program.resource >= program.n_units)
        work = np.zeros(len(program.resources), dtype=np.int64)
        np.add.at(work, program.resource[works], program.duration[works])
        stalled = program.loads() - work
        span = period * program.n_patterns

        def fractions(ticks: IntArray) -> dict[str, float]:
            return {
                name: float(int(each) / span) if span else 0.0
                for name, each in zip(program.resources, ticks, strict=True)
            }

        return fractions(work), fractions(stalled)
