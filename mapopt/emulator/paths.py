"""Longest paths through a program, compiled."""

from __future__ import annotations

import numpy as np

from mapopt.emulator.jit import compiled
from mapopt.instance import IntArray


@compiled
def earliest_ends(
    arc_offset: IntArray,
    arc_target: IntArray,
    arc_delay: IntArray,
    predecessors: IntArray,
    resource: IntArray,
    duration: IntArray,
    hold: IntArray,
) -> IntArray:
    """Return the longest path to the end of each task, taking tasks in topological order."""
    count = len(duration)
    waiting = predecessors.copy()
    end = duration.copy()
    queue = np.empty(count, np.int64)
    last = 0
    for task in range(count):
        if waiting[task] == 0:
            queue[last] = task
            last += 1
    for place in range(count):
        task = queue[place]
        for arc in range(arc_offset[task], arc_offset[task + 1]):
            after = arc_target[arc]
            delay = arc_delay[arc]
            if resource[after] == resource[task]:
                delay = max(delay, hold[task])
            end[after] = max(end[after], end[task] + delay + duration[after])
            waiting[after] -= 1
            if waiting[after] == 0:
                queue[last] = after
                last += 1
    return end


@compiled
def longest_tails(
    order: IntArray, arc_offset: IntArray, arc_target: IntArray, arc_delay: IntArray, duration: IntArray
) -> IntArray:
    """Return the longest path from the start of each task to any end; ``order`` is topological."""
    tail = duration.copy()
    for place in range(len(order) - 1, -1, -1):
        task = order[place]
        for arc in range(arc_offset[task], arc_offset[task + 1]):
            tail[task] = max(tail[task], duration[task] + arc_delay[arc] + tail[arc_target[arc]])
    return tail
