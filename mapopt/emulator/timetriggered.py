"""Time-triggered programs: judged from their fixed starts, for all frames at once.

Nothing waits: a datum that is late for its start, a start before its frame's release, or a start on a busy resource
makes the schedule infeasible. At one instant on one resource, tasks of zero length run before one of positive length;
a task of zero length strictly inside another's time is a conflict.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

import numpy as np

from mapopt.emulator.program import Program
from mapopt.instance import IntArray


class Rule(StrEnum):
    """What an infeasible start breaks."""

    RELEASE = "starts before its frame is released"
    DATA = "starts before its data has arrived"
    BUSY = "starts while its resource is busy"


@dataclass(frozen=True, slots=True)
class Conflict:
    """One broken rule.

    Parameters
    ----------
    task, frame, start
        The task's number in the program, the frame, and the tick at which it starts.
    other, other_frame
        The task that is late or in the way, and its frame; -1 where there is none.
    until
        The tick from which it would be right: the release, the arrival, or the end of the other task's time.
    """

    rule: Rule
    task: int
    frame: int
    start: int
    other: int
    other_frame: int
    until: int


@dataclass(frozen=True, slots=True)
class Feasible:
    """What a time-triggered program without conflict does.

    Parameters
    ----------
    period
        H/K in ticks.
    latencies
        Ticks from release to last end, per pattern.
    """

    period: Fraction
    latencies: IntArray


def judge(program: Program) -> Feasible | Conflict:
    """Look for a conflict between any two frames of an endless stream.

    Returns
    -------
    Feasible or Conflict
        The first release or data that a start is too early for, else the first conflict by resource, if there is any.

    Raises
    ------
    InputError
        If the program has no starts.
    """
    start, horizon = _starts_and_horizon(program)
    release = releases(program)
    pattern = np.repeat(np.arange(program.n_patterns), np.diff(program.offset))
    early = np.flatnonzero(start < release[pattern])
    if early.size:
        task = int(early[np.argmin(start[early])])
        frame = int(pattern[task])
        return Conflict(Rule.RELEASE, task, frame, int(start[task]), -1, -1, int(release[frame]))
    end = start + program.duration
    before = np.repeat(np.arange(program.n_tasks), np.diff(program.arc_offset))
    arrival = end[before] + program.arc_delay
    late = np.flatnonzero(arrival > start[program.arc_target])
    if late.size:
        arc = int(late[np.argmin(start[program.arc_target[late]])])
        task = int(program.arc_target[arc])
        frame = int(pattern[task])
        return Conflict(Rule.DATA, task, frame, int(start[task]), int(before[arc]), frame, int(arrival[arc]))
    latencies = np.maximum.reduceat(end, program.offset[:-1]) - release
    conflict = modulo_conflict(program) or _instant_conflict(program)
    return conflict or Feasible(Fraction(horizon, program.n_patterns), latencies)


def releases(program: Program) -> IntArray:
    """Return floor(k * H / K) for each pattern k.

    Raises
    ------
    InputError
        If the program has no starts.
    """
    _, horizon = _starts_and_horizon(program)
    count = program.n_patterns
    return np.array([number * horizon // count for number in range(count)], dtype=np.int64)


def _starts_and_horizon(program: Program) -> tuple[IntArray, int]:
    return program.timed_starts, program.horizon or 1


def modulo_conflict(program: Program) -> Conflict | None:
    """Find two tasks of any frames that overlap on a resource, from their starts modulo H alone."""
    start, horizon = _starts_and_horizon(program)
    busy = program.duration + program.hold
    for resource in range(len(program.resources)):
        tasks = np.flatnonzero(program.resource == resource)
        long = tasks[busy[tasks] > 0]
        if long.size == 0:
            continue
        long = long[np.lexsort((long, start[long] % horizon))]
        offset = start[long] % horizon
        gap = np.append(offset[1:], offset[0] + horizon) - offset
        clash = np.flatnonzero(gap < busy[long])
        if clash.size:
            at = int(clash[0])
            return _at_same_time(program, int(long[at]), int(long[(at + 1) % long.size]))
        for short in tasks[busy[tasks] == 0].tolist():
            place = int(start[short] % horizon)
            at = int(np.searchsorted(offset, place, side="right")) - 1
            inside = (place - int(offset[at])) % horizon
            if 0 < inside < busy[long[at]]:
                return _at_same_time(program, int(long[at]), short)
    return None


def _instant_conflict(program: Program) -> Conflict | None:
    """Find a task of zero length that must run before a send on its resource, but waits for that send's task.

    This takes a task without duration that is held by sends; the tasks of one instant (modulo H) are put in an
    order that respects both their arcs and the rule for zero length, and one that cannot be is in conflict.
    """
    start, horizon = _starts_and_horizon(program)
    busy = program.duration + program.hold
    at_once = program.duration == 0
    held = np.flatnonzero(at_once & (busy > 0))
    for instant in np.unique(start[held] % horizon).tolist():
        tasks = np.flatnonzero(at_once & (start % horizon == instant)).tolist()
        here = set(tasks)
        after: dict[int, list[int]] = {
            task: [
                int(other)
                for other in program.arc_target[program.arc_offset[task] : program.arc_offset[task + 1]]
                if int(other) in here and start[other] == start[task]
            ]
            for task in tasks
        }
        for task in tasks:
            gate = -1 - int(program.resource[task])
            after.setdefault(gate, [])
            if busy[task] > 0:
                after[gate].append(task)
            else:
                after[task].append(gate)
        stuck = _on_cycles(after)
        for gate in sorted(each for each in stuck if each < 0):
            on = [task for task in sorted(stuck) if task >= 0 and program.resource[task] == -1 - gate]
            short = next(task for task in on if busy[task] == 0)
            return _at_same_time(program, next(task for task in on if busy[task] > 0), short)
    return None


def _on_cycles(after: dict[int, list[int]]) -> set[int]:
    """Return the nodes of a graph that lie on a cycle, or on a path from one to another."""
    left = set(after)
    for _ in range(2):
        waiting = dict.fromkeys(left, 0)
        for node in left:
            for other in after[node]:
                if other in left:
                    waiting[other] += 1
        free = [node for node, count in waiting.items() if count == 0]
        while free:
            node = free.pop()
            left.discard(node)
            for other in after[node]:
                if other in left:
                    waiting[other] -= 1
                    if waiting[other] == 0:
                        free.append(other)
        reverse: dict[int, list[int]] = {node: [] for node in left}
        for node in left:
            for other in after[node]:
                if other in left:
                    reverse[other].append(node)
        after = reverse
    return left


def _at_same_time(program: Program, one: int, two: int) -> Conflict:
    """Return the conflict of task ``two`` with ``one``, which starts at most H earlier modulo H."""
    start, horizon = _starts_and_horizon(program)
    count = program.n_patterns
    pattern = [int(np.searchsorted(program.offset, task, side="right")) - 1 for task in (one, two)]
    lag = int(start[two] - start[one]) % horizon
    if lag == 0 and one == two:
        lag = horizon
    turns = (int(start[one]) + lag - int(start[two])) // horizon
    first, second = max(0, -turns), max(0, turns)
    until = int(start[one]) + first * horizon + int(program.duration[one] + program.hold[one])
    return Conflict(
        Rule.BUSY,
        two,
        second * count + pattern[1],
        int(start[two]) + second * horizon,
        one,
        first * count + pattern[0],
        until,
    )
