"""The time of one resource modulo the period: a circle with busy arcs, sorted by where they begin.

Arcs of length 0 stand before a longer one that begins at the same place, as they run before it. An arc of length 0
never lies inside another arc.
"""

from __future__ import annotations

from mapopt.emulator.jit import compiled
from mapopt.instance import IntArray


@compiled
def earliest(
    begin: IntArray, length: IntArray, count: int, period: int, ready: int, duration: int
) -> tuple[int, int]:
    """Find the earliest start from ``ready`` on of a task that fits between the arcs.

    Parameters
    ----------
    begin, length
        Of the first ``count`` arcs.

    Returns
    -------
    tuple
        The start, -1 if there is no room; and the ticks that stay idle on the tighter side of the task.
    """
    if duration > period:
        return -1, 0
    if count == 0:
        return ready, (period - duration) // 2
    here = ready % period
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if begin[middle] < here:
            low = middle + 1
        else:
            high = middle
    last = low - 1 if low > 0 else count - 1
    free_since = begin[last] + length[last] - here - (0 if low > 0 else period)
    wait = max(0, free_since)
    at = low
    for _ in range(count):
        if at == count:
            at = 0
        following = begin[at] - here
        if following < 0:
            following += period
        if following - wait >= duration:
            return ready + wait, min(wait - free_since, following - wait - duration)
        wait = free_since = following + length[at]
        at += 1
    following = begin[low if low < count else 0] - here
    following += period if following >= 0 else 2 * period
    if wait < period and following - wait >= duration:
        return ready + wait, 0
    return -1, 0


@compiled
def insert(begin: IntArray, length: IntArray, count: int, place: int, duration: int) -> None:
    """Add an arc to ``count`` arcs; there must be room for it."""
    at = count
    while at > 0 and (begin[at - 1] > place or (begin[at - 1] == place and length[at - 1] > 0)):
        begin[at] = begin[at - 1]
        length[at] = length[at - 1]
        at -= 1
    begin[at] = place
    length[at] = duration


@compiled
def remove(begin: IntArray, length: IntArray, count: int, place: int, duration: int) -> None:
    """Take an arc away from ``count`` arcs that include it."""
    at = 0
    while begin[at] != place or length[at] != duration:
        at += 1
    for other in range(at, count - 1):
        begin[other] = begin[other + 1]
        length[other] = length[other + 1]
