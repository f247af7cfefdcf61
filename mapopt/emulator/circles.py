"""Placing tasks on circles: each resource's time modulo H, compiled.

A resource's free time is a list of gaps ``(begin, length)`` on its circle, gaps of length 0 included: there a task
of zero length fits. No entry means that the whole circle is free.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mapopt.emulator.jit import compiled
from mapopt.instance import IntArray

BoolArray = npt.NDArray[np.bool_]


@compiled
def place_all(
    order: IntArray,
    release: IntArray,
    horizon: int,
    resource: IntArray,
    busy: IntArray,
    duration: IntArray,
    arcs: tuple[IntArray, IntArray, IntArray],
    packed: BoolArray,
) -> tuple[IntArray, BoolArray]:
    """Start each task, in the given topological order, in the earliest gap after its data and release.

    Parameters
    ----------
    order
        Task numbers, every task after its predecessors.
    release, resource, busy, duration
        Per task: earliest start, resource, ticks of work with hold, ticks of work.
    arcs
        Offsets, targets and delays as in a program.
    packed
        Resources whose tasks form one block without gaps, which grows at the end that lets the next task start
        earlier.

    Returns
    -------
    tuple
        Starts, and the resources on which some task found no gap. With any of these the starts are of no use.
    """
    arc_offset, arc_target, arc_delay = arcs
    count = len(packed)
    tasks_on = np.zeros(count + 1, np.int64)
    for task in range(len(resource)):
        tasks_on[resource[task] + 1] += 1
    base = np.cumsum(tasks_on + 1)  # room for one gap more than tasks
    gap = np.empty((base[-1] + 1, 2), np.int64)
    gaps = np.zeros(count, np.int64)
    first = np.zeros(count, np.int64)
    length = np.full(count, -1, np.int64)
    failed = np.zeros(count, np.bool_)
    start = release.copy()
    for task in order:
        at = resource[task]
        ready = start[task]
        if packed[at]:
            if length[at] < 0:
                first[at] = ready % horizon
                length[at] = 0
            after = (first[at] + length[at] - ready) % horizon
            before = (first[at] - busy[task] - ready) % horizon
            if before < after:
                first[at] = (first[at] - busy[task]) % horizon
            start[task] = ready + min(before, after)
            length[at] += busy[task]
        elif gaps[at] == 0:
            gaps[at] = 1
            gap[base[at], 0] = (ready + busy[task]) % horizon
            gap[base[at], 1] = horizon - busy[task]
        else:
            best = -1
            for number in range(base[at], base[at] + gaps[at]):
                if gap[number, 1] >= busy[task]:
                    inside = (ready - gap[number, 0]) % horizon
                    wait = 0 if inside + busy[task] <= gap[number, 1] else (horizon - inside) % horizon
                    if best < 0 or wait < start[task] - ready:
                        best = number
                        start[task] = ready + wait
            if best < 0:
                failed[at] = True
            else:
                begin, width = gap[best]
                inside = (start[task] - begin) % horizon
                gap[best, 1] = inside
                number = base[at] + gaps[at]
                gap[number, 0] = (begin + inside + busy[task]) % horizon
                gap[number, 1] = width - inside - busy[task]
                gaps[at] += 1
        end = start[task] + duration[task]
        for arc in range(arc_offset[task], arc_offset[task + 1]):
            target = arc_target[arc]
            start[target] = max(start[target], end + arc_delay[arc])
    return start, failed
