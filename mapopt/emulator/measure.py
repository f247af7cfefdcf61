"""Measuring a mapping: period, latency and utilisation, with the conditions under which they were found."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import msgspec
import numpy as np

from mapopt.emulator import timetriggered
from mapopt.emulator.analysis import MaxLoad, max_load
from mapopt.emulator.explain import explain
from mapopt.emulator.lower import lower
from mapopt.emulator.machine import periodic, saturated
from mapopt.emulator.measurement import (
    Condition,
    Dispatch,
    Latency,
    Measurement,
    latency_statistics,
    ticks_from_ns,
    to_ns,
)
from mapopt.emulator.program import Program
from mapopt.emulator.stream import DEFAULT_BUDGET, Stream, check_horizon, run_single, run_stream
from mapopt.errors import InfeasibleError, InputError
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

DEFAULT_WINDOW = 16


def measure(
    instance: Instance,
    mapping: Mapping,
    *,
    frames: int | None = None,
    interval: Fraction | int | Literal["saturated"] | None = None,
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
    return measure_program(
        instance,
        lower(instance, mapping),
        frames=frames,
        interval=interval,
        window=window,
        dispatch=dispatch,
        budget=budget,
    )


def measure_program(
    instance: Instance,
    program: Program,
    *,
    frames: int | None = None,
    interval: Fraction | int | Literal["saturated"] | None = None,
    window: int = DEFAULT_WINDOW,
    dispatch: Dispatch | None = None,
    budget: int = DEFAULT_BUDGET,
) -> Measurement:
    """Measure a program lowered from ``instance`` (see :func:`measure`)."""
    check_horizon(program, frames, budget)
    load = max_load(program)
    if dispatch is None:
        dispatch = "self-timed" if program.horizon is None else "time-triggered"
    if dispatch == "time-triggered":
        if interval is not None:
            raise InputError(
                "interval: a time-triggered mapping releases its frames at H/K; leave the interval out, or choose "
                "self-timed dispatch"
            )
        found = _scheduled(instance, program)
    elif interval is None:
        found = _default_runs(program, load, frames, window, budget)
    else:
        found = _one_run(program, interval, frames, window, budget)
    stream, period_condition, latencies, latency_condition = found
    return _Report(instance, program, load).make(
        dispatch, stream, period_condition, latencies, latency_condition
    )


_Found = tuple[Stream, Condition, IntArray, Condition]


def latency_interval(load: MaxLoad) -> int:
    """Return the interval at which latency is measured unless told otherwise: ceil(1.05 * max load), at least 1."""
    return max(1, -(-105 * load.ticks.numerator // (100 * load.ticks.denominator)))


def _default_runs(program: Program, load: MaxLoad, frames: int | None, window: int, budget: int) -> _Found:
    rate = run_stream(program, saturated(window), frames=frames, budget=budget)
    interval = Fraction(latency_interval(load))
    paced = run_stream(program, periodic(interval), frames=frames, budget=budget)
    return (
        rate,
        _saturated_condition(rate, window),
        paced.latencies,
        _periodic_condition(paced, interval, program.tick_ps),
    )


def _one_run(
    program: Program,
    interval: Fraction | int | Literal["saturated"],
    frames: int | None,
    window: int,
    budget: int,
) -> _Found:
    if interval == "saturated":
        stream = run_stream(program, saturated(window), frames=frames, budget=budget)
        condition = _saturated_condition(stream, window)
        note = "set by the window: window * period in the mean (Little's law); compare rates, not latencies"
        return stream, condition, stream.latencies, msgspec.structs.replace(condition, note=note)
    ratio = Fraction(interval)
    stream = run_stream(program, periodic(ratio), frames=frames, budget=budget)
    condition = _periodic_condition(stream, ratio, program.tick_ps)
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
    outcome = timetriggered.replay(program)
    if isinstance(outcome, timetriggered.Conflict):
        raise InfeasibleError(explain(instance, program, outcome))
    stream = Stream(
        period=outcome.period,
        exact=True,
        bounds=(outcome.period, outcome.period),
        cycle_frames=program.n_patterns,
        transient_frames=0,
        transient_exact=True,
        horizon_frames=outcome.frames,
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
        dispatch: Dispatch,
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
            dispatch=dispatch,
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
            else (to_ns(stream.bounds[0], tick_ps), to_ns(stream.bounds[1], tick_ps)),
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
