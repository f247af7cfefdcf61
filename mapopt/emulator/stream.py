"""One self-timed run over a stream of frames, and what it shows: period, latencies, recurrence or horizon."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from mapopt.emulator import kernel
from mapopt.emulator.analysis import critical_paths, max_load
from mapopt.emulator.kernel import Arrival, State
from mapopt.emulator.machine import HISTORY, Machine, saturated
from mapopt.emulator.program import Program
from mapopt.emulator.recurrence import RECURRED
from mapopt.errors import InputError
from mapopt.instance import IntArray

MAX_FIRINGS = 10**9
"""Most firings (tasks times frames) that a run may be asked for."""

DEFAULT_BUDGET = 10**7
"""Firings within which a recurrence is looked for."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A run over a stream of frames.

    Parameters
    ----------
    period
        Ticks between two frames leaving. Exact if ``exact``; else the mean over the second half of the frames that
        left, or as many of its last as are remembered, but not less than the proven lower bound.
    period_range
        Ticks; ``(period, period)`` if exact. Else the lower is proven (the largest load per frame, and the interval
        between releases); the upper is the measured ``period``, and not a proof.
    cycle_frames, transient_frames, transient_exact
        Frames of the shortest cycle, and the frames released before it is first entered: if not
        ``transient_exact``, no more than that many. ``None`` without recurrence.
    horizon_frames
        Frames that left during the run.
    backlog
        Frames in flight when it ended.
    overloaded
        Whether it ended because too many frames were in flight.
    latencies
        Ticks of each frame of one cycle, or of the second half of the horizon; at most the last 65,536 of these.
    """

    period: Fraction
    exact: bool
    period_range: tuple[Fraction, Fraction]
    cycle_frames: int | None
    transient_frames: int | None
    transient_exact: bool
    horizon_frames: int
    backlog: int
    overloaded: bool
    latencies: IntArray


def run_stream(
    program: Program, arrival: Arrival, *, frames: int | None = None, budget: int = DEFAULT_BUDGET
) -> Stream:
    """Run a program self-timed until its state recurs, or to the horizon.

    Parameters
    ----------
    program, arrival
        See :class:`mapopt.emulator.machine.Machine`.
    frames
        Horizon in frames: so many are released, and all run to their end. ``None``: the horizon is ``budget``.
    budget
        Start no more than so many tasks, but run at least until one frame has left.

    Raises
    ------
    InputError
        If the frames or the budget are not positive, or ask for more than 10**9 firings.
    """
    check_horizon(program, frames, budget)
    if arrival.window > 0 and max_load(program).ticks == 0 and max(critical_paths(program)) == 0:
        return _timeless()
    limit = kernel.NEVER if frames is not None else budget
    machine = Machine(program, arrival, frames=frames)
    reason, saved, cycle = machine.run_to_recurrence(limit)
    if reason == RECURRED:
        budget = budget if frames is None else frames * program.n_tasks
        return _recurrent(machine, saved, cycle, budget)
    if reason == kernel.SLOTS_FULL:
        return _overloaded(machine)
    if machine[kernel.OLDEST] == 0:
        machine.run(target=1)
    return _horizon(machine, machine[kernel.IN_FLIGHT], overloaded=False)


def run_single(program: Program) -> tuple[int, ...]:
    """Return the ticks that a single frame of each pattern takes in an empty machine, self-timed."""
    found = []
    for number in range(program.n_patterns):
        machine = Machine(program.only(number), saturated(1), frames=1)
        machine.run()
        found.append(int(machine.state.latency[0]))
    return tuple(found)


def check_horizon(program: Program, frames: int | None, budget: int) -> None:
    """Refuse a horizon that is not positive, or asks for more than 10**9 firings.

    Raises
    ------
    InputError
        If it is, or the budget is not in 1..10**9.
    """
    if frames is not None and frames < 1:
        raise InputError(f"frames: is {frames}; it must be >= 1")
    if not 1 <= budget <= MAX_FIRINGS:
        raise InputError(f"budget: is {budget} firings; it must be in 1..{MAX_FIRINGS}")
    largest = int(np.diff(program.offset).max())
    if frames is not None and frames * largest > MAX_FIRINGS:
        raise InputError(
            f"frames: {frames} frames of {largest} tasks are {frames * largest} firings; at most {MAX_FIRINGS} are "
            f"run; ask for at most {MAX_FIRINGS // largest} frames (the period is exact without a horizon "
            "where the state recurs)"
        )


def _timeless() -> Stream:
    """Nothing takes time: any number of frames pass at once."""
    return Stream(
        period=Fraction(0),
        exact=True,
        period_range=(Fraction(0), Fraction(0)),
        cycle_frames=1,
        transient_frames=0,
        transient_exact=True,
        horizon_frames=1,
        backlog=0,
        overloaded=False,
        latencies=np.zeros(1, dtype=np.int64),
    )


def _recurrent(machine: Machine, saved: State, cycle: int, budget: int) -> Stream:
    used, slots = machine[kernel.FIRINGS], len(machine.state.remaining)
    first, last = int(saved.scalar[kernel.NEXT_FRAME]), machine[kernel.NEXT_FRAME]
    period = Fraction(machine[kernel.NOW] - int(saved.scalar[kernel.NOW]), last - first)
    transient_exact = 3 * used <= budget
    transient = (
        machine.transient(slots, cycle) if transient_exact else int(saved.scalar[kernel.INSTANT_FIRST])
    )
    backlog = machine[kernel.IN_FLIGHT]
    machine.arrival = machine.arrival._replace(frames=kernel.NEVER)
    machine.run(target=last)
    return Stream(
        period=period,
        exact=True,
        period_range=(period, period),
        cycle_frames=last - first,
        transient_frames=transient,
        transient_exact=transient_exact,
        horizon_frames=machine[kernel.LEFT],
        backlog=backlog,
        overloaded=False,
        latencies=_latencies(machine, first, last),
    )


def _overloaded(machine: Machine) -> Stream:
    """Release no more, and let the frames in flight run out, to see how fast they leave."""
    backlog = machine[kernel.IN_FLIGHT]
    machine.arrival = machine.arrival._replace(frames=machine[kernel.NEXT_FRAME])
    machine.run()
    return _horizon(machine, backlog, overloaded=True)


def _horizon(machine: Machine, backlog: int, *, overloaded: bool) -> Stream:
    last = machine[kernel.OLDEST]
    first = max(last // 2, machine[kernel.NEXT_FRAME] - HISTORY + 1)
    left = np.maximum.accumulate(machine.state.left_at[np.arange(max(first - 1, 0), last) % HISTORY])
    begin = int(left[0]) if first > 0 else 0
    measured = Fraction(int(left[-1]) - begin, last - first)
    lower = max_load(machine.program).ticks
    if machine.arrival.window == 0:
        arrival = machine.arrival
        lower = max(lower, arrival.whole + Fraction(arrival.part, arrival.divisor))
    period = max(lower, measured)
    return Stream(
        period=period,
        exact=False,
        period_range=(lower, period),
        cycle_frames=None,
        transient_frames=None,
        transient_exact=False,
        horizon_frames=last,
        backlog=backlog,
        overloaded=overloaded,
        latencies=_latencies(machine, first, last),
    )


def _latencies(machine: Machine, first: int, last: int) -> IntArray:
    remembered = max(first, machine[kernel.NEXT_FRAME] - HISTORY)
    return machine.state.latency[np.arange(remembered, last) % HISTORY]
