"""Compaction: the earliest starts that keep the cyclic order of the tasks on every resource."""

from __future__ import annotations

import numpy as np

from mapopt.emulator.jit import compiled
from mapopt.emulator.program import Program
from mapopt.instance import IntArray


def compacted(program: Program, start: IntArray, period: int) -> IntArray:
    """Start every task of a feasible schedule of one pattern as early as the order on its resource lets it.

    Parameters
    ----------
    program
        With one pattern.
    start
        Shape (tasks,): a schedule that repeats every ``period`` ticks, without conflicts.
    period
        Ticks.

    Returns
    -------
    IntArray
        Starts, none later than before. With the orders and the turns of the circles that the tasks begin in kept, no
        schedule has an earlier start of any task, so that the latency is the least too.

    Notes
    -----
    Let task i start in turn q_i. Where j follows i on a resource, s_j - q_j T >= s_i - q_i T + busy_i, and the first
    task follows the last one turn later. With the arcs these are difference constraints; their least solution is a
    longest path.
    """
    busy = program.duration + program.hold
    turn, offset = start // period, start % period
    before = [np.repeat(np.arange(program.n_tasks), np.diff(program.arc_offset))]
    after = [program.arc_target]
    gap = [program.duration[before[0]] + program.arc_delay]
    for resource in range(len(program.resources)):
        here = np.flatnonzero(program.resource == resource)
        if len(here) > 1:
            # What takes no time stands before what begins at the same instant.
            here = here[np.lexsort((start[here], busy[here] > 0, offset[here]))]
            following = np.roll(here, -1)
            ahead = turn[following] - turn[here]
            ahead[-1] -= 1
            before.append(here)
            after.append(following)
            gap.append(busy[here] + ahead * period)
    columns = np.concatenate(before), np.concatenate(after), np.concatenate(gap)
    order = np.argsort(start[columns[0]], kind="stable")
    earliest: IntArray = _longest(np.zeros_like(start), *(column[order] for column in columns))
    return earliest


@compiled
def _longest(start: IntArray, before: IntArray, after: IntArray, gap: IntArray) -> IntArray:
    """Raise starts until every constraint holds; there must be a solution."""
    changed = True
    while changed:
        changed = False
        for number in range(len(before)):
            least = start[before[number]] + gap[number]
            if start[after[number]] < least:
                start[after[number]] = least
                changed = True
    return start
