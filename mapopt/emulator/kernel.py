"""The event loop, compiled: self-timed dispatch of a program over a stream of frames.

Time advances from instant to instant. At each instant, in rounds until nothing changes: all completions and
arrivals (and resources that become free), then releases of frames, then every idle resource takes the first of
its ready tasks: the oldest frame, then the first in the pattern's order.

All state is in arrays, so that a run can be stopped at the end of an instant, looked at, copied and resumed. Frames
in flight live in a ring of slots (frame number modulo a power of two); a task of a frame is known by its *key*,
``frame << bits | number within the pattern``, which is also its dispatch order.

Hot accesses write ``array[u(index)]``: with a signed index, compiled code would first ask whether it is negative and
counts from the end, which takes a quarter of the time of a run.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numpy import uint64 as u

from mapopt.emulator.jit import compiled
from mapopt.instance import IntArray

ByteArray = npt.NDArray[np.uint8]
CountArray = npt.NDArray[np.int32]

NEVER = 2**63 - 1
LAST_INSTANT = 2**62
"""A run stops before this time, so that no sum overflows."""

# Why `advance` returned.
DRAINED, RELEASED, BUDGET_SPENT, SLOTS_FULL, TARGET_LEFT, TIME_OVER = range(6)

# What an event does; the two lowest bits beside a key (of FREE: a resource).
END_AND_FREE, END, FREE, ARRIVAL = range(4)

# Columns of `Tables.task`.
RESOURCE, DURATION, HOLD, FIRST_ARC, LAST_ARC = range(5)

# Columns of `Tables.arc`: number of the target within its pattern, delay, the target's resource.
TARGET, DELAY, TARGET_RESOURCE = range(3)

# Entries of `State.scalar`.
(
    NOW,
    NEXT_FRAME,  # frames released so far
    OLDEST,  # every frame below has left
    IN_FLIGHT,
    LEFT,  # frames that have left
    EVENTS,  # length of the event heap
    DIRTY,  # length of the list of resources to look at
    FIRINGS,
    NEXT_RELEASE,  # time of the next periodic release
    REMAINDER,  # numerator of that time's fraction
    HAS_RELEASED,  # whether a frame was released at this instant, and that not yet reported
    INSTANT_FIRST,  # frames released before this instant
    SCALARS,
) = range(13)


class Tables(NamedTuple):
    """A program in the kernel's layout.

    ``task`` has shape (tasks, 8): the five columns above, padded to the 64 bytes of a cache line. ``arc`` has shape
    (arcs, 3), columns as above; ``predecessors`` shape (tasks,);
    ``offset`` shape (K+1,); ``source`` lists the tasks without predecessor, those of pattern k from
    ``source_offset[k]``, as numbers within the pattern.
    """

    task: IntArray
    arc: IntArray
    predecessors: CountArray
    offset: IntArray
    source: IntArray
    source_offset: IntArray
    bits: int


class Arrival(NamedTuple):
    """When frames are released.

    Saturated if ``window`` > 0; else frame f is released at floor(f * (whole + part/divisor)).
    No frame beyond ``frames`` is released.
    """

    window: int
    whole: int
    part: int
    divisor: int
    frames: int


class State(NamedTuple):
    """A machine in the middle of a run; ring arrays have one entry per slot.

    Attributes
    ----------
    scalar
        See the constants above.
    event_time, event
        Binary heap of times, and ``key << 2 | kind``.
    ready, ready_base, ready_count
        One binary heap of keys per resource, at ``ready_base[r]``.
    running, free_at
        Per resource: key of the task that occupies it (-1: none), and until when.
    dirty, is_dirty
        Resources to look at in the next dispatch.
    waiting
        Shape (slots, tasks of the largest pattern): data still to arrive; 0 ready, -1 started.
    remaining, released, origin
        Per slot: tasks to complete, release time, number of the frame's first task in the program.
    latency, left_at
        Per frame modulo their length: latency and time of leaving of the last frames.
    log
        Shape (firings to record, 2): key and start of each task, in order of dispatch.
    """

    scalar: IntArray
    event_time: IntArray
    event: IntArray
    ready: IntArray
    ready_base: IntArray
    ready_count: IntArray
    running: IntArray
    free_at: IntArray
    dirty: IntArray
    is_dirty: ByteArray
    waiting: CountArray
    remaining: IntArray
    released: IntArray
    origin: IntArray
    latency: IntArray
    left_at: IntArray
    log: IntArray


@compiled
def _push_event(times: IntArray, events: IntArray, size: int, time: int, event: int) -> None:
    hole = size
    while hole > 0:
        parent = (hole - 1) >> 1
        if times[u(parent)] <= time:
            break
        times[u(hole)] = times[u(parent)]
        events[u(hole)] = events[u(parent)]
        hole = parent
    times[u(hole)] = time
    events[u(hole)] = event


@compiled
def _pop_event(times: IntArray, events: IntArray, size: int) -> int:
    """Remove the first of ``size`` events and return it.

    The hole sinks to the bottom, which needs no branch but the loop's, and the last event rises from there.
    """
    first = events[0]
    last = size - 1
    time = times[u(last)]
    event = events[u(last)]
    hole = 0
    child = 1
    while child + 1 < last:
        child += times[u(child + 1)] < times[u(child)]
        times[u(hole)] = times[u(child)]
        events[u(hole)] = events[u(child)]
        hole = child
        child = 2 * hole + 1
    if child < last:
        times[u(hole)] = times[u(child)]
        events[u(hole)] = events[u(child)]
        hole = child
    _push_event(times, events, hole, time, event)
    return int(first)


@compiled
def _push_ready(ready: IntArray, base: int, size: int, key: int) -> None:
    hole = size
    while hole > 0:
        parent = (hole - 1) >> 1
        if ready[u(base + parent)] <= key:
            break
        ready[u(base + hole)] = ready[u(base + parent)]
        hole = parent
    ready[u(base + hole)] = key


@compiled
def _pop_ready(ready: IntArray, base: int, size: int) -> int:
    """Remove the smallest of ``size`` keys and return it (as in :func:`_pop_event`)."""
    first = ready[u(base)]
    last = size - 1
    key = ready[u(base + last)]
    hole = 0
    child = 1
    while child + 1 < last:
        child += ready[u(base + child + 1)] < ready[u(base + child)]
        ready[u(base + hole)] = ready[u(base + child)]
        hole = child
        child = 2 * hole + 1
    if child < last:
        ready[u(base + hole)] = ready[u(base + child)]
        hole = child
    _push_ready(ready, base, hole, key)
    return int(first)


@compiled
def advance(
    tables: Tables, arrival: Arrival, state: State, stop_at_release: bool, target: int, budget: int
) -> int:
    """Run until something asks to stop; calling again resumes.

    Parameters
    ----------
    stop_at_release
        Return ``RELEASED`` at the end of every instant at which frames were released.
    target
        Return ``TARGET_LEFT`` at the end of the first instant at which all frames below ``target`` have left.
    budget
        Return ``BUDGET_SPENT`` once so many tasks have been started since the beginning.

    Returns
    -------
    int
        One of the reasons above, ``DRAINED`` when nothing is left to happen, ``SLOTS_FULL`` when the ring must
        grow before the next release, or ``TIME_OVER``.
    """
    task, arc, predecessors, offset, source, source_offset, bits = tables
    window, whole, part, divisor, frames = arrival
    scalar, event_time, event, ready, ready_base, ready_count = state[:6]
    running, free_at, dirty, is_dirty, waiting, remaining, released, origin = state[6:14]
    latency, left_at, log = state[14:]
    ring = len(remaining) - 1
    history = len(latency) - 1
    local_mask = (1 << bits) - 1
    n_log = len(log)
    n_patterns = len(offset) - 1

    now = scalar[NOW]
    next_frame = scalar[NEXT_FRAME]
    oldest = scalar[OLDEST]
    in_flight = scalar[IN_FLIGHT]
    left = scalar[LEFT]
    n_events = scalar[EVENTS]
    n_dirty = scalar[DIRTY]
    firings = scalar[FIRINGS]
    next_release = scalar[NEXT_RELEASE]
    remainder = scalar[REMAINDER]
    has_released = scalar[HAS_RELEASED]
    instant_first = scalar[INSTANT_FIRST]
    reason = DRAINED

    while True:
        if firings >= budget:
            reason = BUDGET_SPENT
            break
        interrupted = n_dirty > 0  # an instant that ended before its dispatch, for want of slots
        if not interrupted and (window == 0 or in_flight >= window or next_frame >= frames):
            instant = event_time[0] if n_events > 0 else NEVER
            if window == 0 and next_frame < frames and next_release < instant:
                instant = next_release
            if instant > now:
                if has_released and stop_at_release:
                    has_released = 0
                    reason = RELEASED
                    break
                if oldest >= target:
                    reason = TARGET_LEFT
                    break
                if instant == NEVER:
                    break
                if instant > LAST_INSTANT:
                    reason = TIME_OVER
                    break
                has_released = 0
                instant_first = next_frame
                now = instant

        # Completions, arrivals, and resources that become free.
        while n_events > 0 and event_time[0] == now:
            what = _pop_event(event_time, event, n_events)
            n_events -= 1
            kind = what & 3
            key = what >> 2
            if kind == FREE:
                running[u(key)] = -1
                if is_dirty[u(key)] == 0:
                    is_dirty[u(key)] = 1
                    dirty[u(n_dirty)] = key
                    n_dirty += 1
                continue
            slot = (key >> bits) & ring
            local = key & local_mask
            row = origin[u(slot)] + local
            if kind == ARRIVAL:
                waiting[u(slot), u(local)] -= 1
                if waiting[u(slot), u(local)] == 0:
                    at = task[u(row), RESOURCE]
                    _push_ready(ready, ready_base[u(at)], ready_count[u(at)], key)
                    ready_count[u(at)] += 1
                    if running[u(at)] < 0 and is_dirty[u(at)] == 0:
                        is_dirty[u(at)] = 1
                        dirty[u(n_dirty)] = at
                        n_dirty += 1
                continue
            if kind == END_AND_FREE:
                at = task[u(row), RESOURCE]
                running[u(at)] = -1
                if is_dirty[u(at)] == 0:
                    is_dirty[u(at)] = 1
                    dirty[u(n_dirty)] = at
                    n_dirty += 1
            stem = key - local
            for number in range(task[u(row), FIRST_ARC], task[u(row), LAST_ARC]):
                after = arc[u(number), TARGET]
                delay = arc[u(number), DELAY]
                if delay > 0:
                    _push_event(event_time, event, n_events, now + delay, (stem + after) << 2 | ARRIVAL)
                    n_events += 1
                    continue
                waiting[u(slot), u(after)] -= 1
                if waiting[u(slot), u(after)] == 0:
                    at = arc[u(number), TARGET_RESOURCE]
                    _push_ready(ready, ready_base[u(at)], ready_count[u(at)], stem + after)
                    ready_count[u(at)] += 1
                    if running[u(at)] < 0 and is_dirty[u(at)] == 0:
                        is_dirty[u(at)] = 1
                        dirty[u(n_dirty)] = at
                        n_dirty += 1
            remaining[u(slot)] -= 1
            if remaining[u(slot)] == 0:
                frame = key >> bits
                latency[u(frame & history)] = now - released[u(slot)]
                left_at[u(frame & history)] = now
                in_flight -= 1
                left += 1
                while oldest < next_frame and remaining[u(oldest & ring)] == 0:
                    oldest += 1

        # Releases.
        while next_frame < frames and (in_flight < window if window > 0 else next_release <= now):
            if next_frame - oldest > ring:
                reason = SLOTS_FULL
                break
            slot = next_frame & ring
            kind = next_frame % n_patterns
            first = offset[kind]
            size = offset[kind + 1] - first
            origin[u(slot)] = first
            remaining[u(slot)] = size
            released[u(slot)] = now
            waiting[slot, :size] = predecessors[first : first + size]
            stem = next_frame << bits
            for number in range(source_offset[kind], source_offset[kind + 1]):
                local = source[u(number)]
                at = task[u(first + local), RESOURCE]
                _push_ready(ready, ready_base[u(at)], ready_count[u(at)], stem + local)
                ready_count[u(at)] += 1
                if running[u(at)] < 0 and is_dirty[u(at)] == 0:
                    is_dirty[u(at)] = 1
                    dirty[u(n_dirty)] = at
                    n_dirty += 1
            next_frame += 1
            in_flight += 1
            has_released = 1
            if window == 0:
                next_release += whole
                remainder += part
                if remainder >= divisor:
                    remainder -= divisor
                    next_release += 1
        if reason == SLOTS_FULL:
            break

        # Dispatch; no resource's choice affects another's at the same round, so any order gives the same.
        for number in range(n_dirty):
            at = dirty[u(number)]
            is_dirty[u(at)] = 0
            if running[u(at)] >= 0 or ready_count[u(at)] == 0:
                continue
            key = _pop_ready(ready, ready_base[u(at)], ready_count[u(at)])
            ready_count[u(at)] -= 1
            slot = (key >> bits) & ring
            local = key & local_mask
            row = origin[u(slot)] + local
            end = now + task[u(row), DURATION]
            hold = task[u(row), HOLD]
            waiting[u(slot), u(local)] = -1
            running[u(at)] = key
            free_at[u(at)] = end + hold
            if hold == 0:
                _push_event(event_time, event, n_events, end, key << 2 | END_AND_FREE)
                n_events += 1
            else:
                _push_event(event_time, event, n_events, end, key << 2 | END)
                _push_event(event_time, event, n_events + 1, end + hold, at << 2 | FREE)
                n_events += 2
            if firings < n_log:
                log[u(firings), 0] = key
                log[u(firings), 1] = now
            firings += 1
        n_dirty = 0

    scalar[NOW] = now
    scalar[NEXT_FRAME] = next_frame
    scalar[OLDEST] = oldest
    scalar[IN_FLIGHT] = in_flight
    scalar[LEFT] = left
    scalar[EVENTS] = n_events
    scalar[DIRTY] = n_dirty
    scalar[FIRINGS] = firings
    scalar[NEXT_RELEASE] = next_release
    scalar[REMAINDER] = remainder
    scalar[HAS_RELEASED] = has_released
    scalar[INSTANT_FIRST] = instant_first
    return reason
