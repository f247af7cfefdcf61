"""Recurrence: two instants at which the machine's whole state, relative to now, is the same.

From then on everything repeats, so the time between them divided by the frames between them is the exact period.
States are compared in full, not by hash: which task occupies each resource and until when, the data each task of
each frame in flight still waits for, every datum under way, the pattern of the next frame and the fraction of its
release time. What is ready follows from these.
"""

from __future__ import annotations

import numpy as np

from mapopt.emulator.jit import compiled
from mapopt.emulator.kernel import (
    ARRIVAL,
    EVENTS,
    IN_FLIGHT,
    NEVER,
    NEXT_FRAME,
    NEXT_RELEASE,
    NOW,
    OLDEST,
    RELEASED,
    REMAINDER,
    Arrival,
    State,
    Tables,
    advance,
)
from mapopt.instance import IntArray

RECURRED = 100
"""The reason returned when a recurrence is found; the others are those of the kernel."""

# Entries of `progress`: releases since the saved state, and after how many of them the next state is saved.
SINCE, POWER = range(2)


@compiled
def same(tables: Tables, arrival: Arrival, one: State, two: State) -> bool:
    """Whether two machines, both at the end of an instant, have the same future relative to now."""
    a, b = one.scalar, two.scalar
    span = a[NEXT_FRAME] - a[OLDEST]
    if (
        span != b[NEXT_FRAME] - b[OLDEST]
        or a[IN_FLIGHT] != b[IN_FLIGHT]
        or a[EVENTS] != b[EVENTS]
        or a[REMAINDER] != b[REMAINDER]
        or (a[NEXT_FRAME] - b[NEXT_FRAME]) % (len(tables.offset) - 1) != 0
        or (arrival.window == 0 and a[NEXT_RELEASE] - a[NOW] != b[NEXT_RELEASE] - b[NOW])
    ):
        return False
    shift = (b[OLDEST] - a[OLDEST]) << tables.bits
    for at in range(len(one.running)):
        if one.running[at] < 0 or two.running[at] < 0:
            if one.running[at] != two.running[at]:
                return False
        elif (
            one.running[at] + shift != two.running[at] or one.free_at[at] - a[NOW] != two.free_at[at] - b[NOW]
        ):
            return False
    for number in range(span):
        slot_one = (a[OLDEST] + number) & (len(one.remaining) - 1)
        slot_two = (b[OLDEST] + number) & (len(two.remaining) - 1)
        kind = (a[OLDEST] + number) % (len(tables.offset) - 1)
        for local in range(tables.offset[kind + 1] - tables.offset[kind]):
            if one.waiting[slot_one, local] != two.waiting[slot_two, local]:
                return False
    times_one, keys_one = _arrivals(one, 0)
    times_two, keys_two = _arrivals(two, shift)
    if len(keys_one) != len(keys_two):
        return False
    for number in range(len(keys_one)):
        if keys_one[number] != keys_two[number] or times_one[number] != times_two[number]:
            return False
    return True


@compiled
def _arrivals(state: State, shift: int) -> tuple[IntArray, IntArray]:
    """Return times from now and keys less ``shift`` of the data under way, sorted by key, then time."""
    size = state.scalar[EVENTS]
    times = np.empty(size, np.int64)
    keys = np.empty(size, np.int64)
    count = 0
    for number in range(size):
        if state.event[number] & 3 == ARRIVAL:
            times[count] = state.event_time[number] - state.scalar[NOW]
            keys[count] = (state.event[number] >> 2) - shift
            count += 1
    times, keys = times[:count], keys[:count]
    order = np.argsort(times, kind="mergesort")
    times, keys = times[order], keys[order]
    order = np.argsort(keys, kind="mergesort")
    return times[order], keys[order]


@compiled
def _save(tables: Tables, state: State, saved: State) -> None:
    """Copy what :func:`same` looks at; both have the same capacities."""
    saved.scalar[:] = state.scalar
    size = state.scalar[EVENTS]
    saved.event_time[:size] = state.event_time[:size]
    saved.event[:size] = state.event[:size]
    saved.running[:] = state.running
    saved.free_at[:] = state.free_at
    for frame in range(state.scalar[OLDEST], state.scalar[NEXT_FRAME]):
        slot = frame & (len(state.remaining) - 1)
        kind = frame % (len(tables.offset) - 1)
        size = tables.offset[kind + 1] - tables.offset[kind]
        saved.waiting[slot, :size] = state.waiting[slot, :size]


@compiled
def run_to_recurrence(
    tables: Tables, arrival: Arrival, state: State, saved: State, progress: IntArray, budget: int
) -> int:
    """Run until the state at a release equals the saved one, which is renewed after 1, 2, 4, ... releases.

    The releases between the two are then the shortest cycle (``progress[SINCE]`` of them), and the saved state
    lies at most at twice the end of the transient.

    References
    ----------
    R. P. Brent, "An improved Monte Carlo factorization algorithm", BIT 20, 1980, section 2.
    """
    while True:
        reason = advance(tables, arrival, state, True, NEVER, budget)
        if reason != RELEASED:
            return reason
        if progress[POWER] > 0:
            progress[SINCE] += 1
            if same(tables, arrival, saved, state):
                return RECURRED
        if progress[SINCE] == progress[POWER]:
            _save(tables, state, saved)
            progress[SINCE] = 0
            progress[POWER] = max(1, 2 * progress[POWER])


@compiled
def run_in_step(tables: Tables, arrival: Arrival, behind: State, ahead: State) -> int:
    """Advance two machines release by release until their states are the same; both must have room enough."""
    while not same(tables, arrival, behind, ahead):
        reason = advance(tables, arrival, behind, True, NEVER, NEVER)
        if reason == RELEASED:
            reason = advance(tables, arrival, ahead, True, NEVER, NEVER)
        if reason != RELEASED:
            return reason
    return RECURRED
