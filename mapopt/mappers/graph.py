"""Longest paths, earliest windows, and which nodes can run in parallel."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Protocol

from mapopt.instance import Instance

EdgeDelay = Callable[[int, int], float]
"""Ticks between the end of a node and the start of one that reads from it."""


def longest_path(
    instance: Instance,
    weight: Sequence[float],
    delay: EdgeDelay | None = None,
    among: Sequence[int] | None = None,
) -> list[int]:
    """Return the nodes of a heaviest path, producers first.

    Parameters
    ----------
    weight
        Of each node, >= 0.
    delay
        Weight of each (producer, consumer) edge, >= 0; none counts nothing.
    among
        Only paths within these nodes, in topological order; default is all nodes.

    Notes
    -----
    Among equally heavy paths the one wins whose last node, then whose node before, ... comes first in topological
    order. One pass over nodes and edges.
    """
    order = instance.topological_order if among is None else among
    if not order:
        return []
    inside = None if among is None else set(among)
    end: dict[int, float] = {}
    came_from: dict[int, int] = {}
    last = order[0]
    for node in order:
        best, source = 0.0, -1
        for before in instance.predecessors[node]:
            if inside is None or before in inside:
                value = end[before] + (delay(before, node) if delay else 0)
                if value > best or source < 0:
                    best, source = value, before
        end[node] = best + weight[node]
        came_from[node] = source
        if end[node] > end[last]:
            last = node
    path = [last]
    while came_from[path[-1]] >= 0:
        path.append(came_from[path[-1]])
    return path[::-1]


def earliest_windows(
    instance: Instance, weight: Sequence[int], delay: EdgeDelay | None = None
) -> list[tuple[float, float]]:
    """Return when each node runs, (start, end), if every node starts as soon as its producers have ended."""
    window: list[tuple[float, float]] = [(0, 0)] * len(weight)
    for node in instance.topological_order:
        if delay is None:
            start = max([window[before][1] for before in instance.predecessors[node]], default=0)
        else:
            start = max(
                [window[before][1] + delay(before, node) for before in instance.predecessors[node]], default=0
            )
        window[node] = (start, start + weight[node])
    return window


class Parallel(Protocol):
    """Remembers which nodes are on which unit, and tells whether one of them can run in parallel with another."""

    def meets(self, node: int, unit: int) -> bool:
        """Return whether the unit holds a node that can run in parallel with this one."""

    def add(self, node: int, unit: int) -> None:
        """Put the node on the unit."""


class OverlappingWindows:
    """Nodes are parallel if their earliest windows overlap; nodes of no time never are.

    Each unit has a sorted list of disjoint windows.
    """

    def __init__(self, windows: Sequence[tuple[float, float]], n_units: int) -> None:
        self._windows = windows
        self._starts: list[list[float]] = [[] for _ in range(n_units)]
        self._ends: list[list[float]] = [[] for _ in range(n_units)]

    def meets(self, node: int, unit: int) -> bool:
        """Return whether the unit holds a node whose window overlaps this one's."""
        start, end = self._windows[node]
        at = bisect_right(self._ends[unit], start)
        return start < end and at < len(self._ends[unit]) and self._starts[unit][at] < end

    def add(self, node: int, unit: int) -> None:
        """Put the node on the unit; windows that overlap are joined."""
        start, end = self._windows[node]
        if start == end:
            return
        starts, ends = self._starts[unit], self._ends[unit]
        first, after = bisect_right(ends, start), bisect_left(starts, end)
        if first < after:
            start, end = min(start, starts[first]), max(end, ends[after - 1])
        starts[first:after] = [start]
        ends[first:after] = [end]


class SharedBits:
    """Nodes are parallel as listed: bit v of ``parallel[u]`` is set if nodes u and v are."""

    def __init__(self, parallel: Sequence[int], n_units: int) -> None:
        self._parallel = parallel
        self._held = [0] * n_units

    def meets(self, node: int, unit: int) -> bool:
        """Return whether the unit holds a parallel node."""
        return self._parallel[node] & self._held[unit] != 0

    def add(self, node: int, unit: int) -> None:
        """Put the node on the unit."""
        self._held[unit] |= 1 << node


def incomparable(instance: Instance) -> list[int]:
    """Return for each node the set of nodes with no path to or from it, as bits; quadratic memory."""
    count = len(instance.nodes)
    below, above = [0] * count, [0] * count
    for node in instance.topological_order:
        for before in instance.predecessors[node]:
            above[node] |= above[before] | 1 << before
    for node in reversed(instance.topological_order):
        for after in instance.successors[node]:
            below[node] |= below[after] | 1 << after
    everything = (1 << count) - 1
    return [everything & ~(above[node] | below[node] | 1 << node) for node in range(count)]


def same_fork_join(instance: Instance) -> list[int]:
    """Return for each node the incomparable nodes of the same innermost fork-join, as bits.

    The fork of a node is the nearest node that every path from the sources passes before it and that has several
    readers, one of them not leading to it; the join mirrors this. Two nodes are of the same fork-join if both
    their forks and their joins are the same.
    """
    parallel = incomparable(instance)
    order = instance.topological_order
    fork = _branching(order, instance.predecessors, instance.successors)
    join = _branching(order[::-1], instance.successors, instance.predecessors)
    members: dict[tuple[int, int], int] = {}
    for node in order:
        key = (fork[node], join[node])
        members[key] = members.get(key, 0) | 1 << node
    return [parallel[node] & members[fork[node], join[node]] for node in range(len(parallel))]


def _branching(
    order: Sequence[int], entering: Sequence[Sequence[int]], leaving: Sequence[Sequence[int]]
) -> list[int]:
    """Return for each node its nearest dominator that some path leaves without coming by, -1 for the outside.

    Node v's dominator d is such a fork if v does not dominate the end of every path from d, i.e. if v is not on
    the chain of immediate post-dominators of d. Dominators are found by walking up the tree built so far
    (Cooper, Harvey and Kennedy, "A simple, fast dominance algorithm", 2001), one pass suffices in a DAG.
    """
    above = _immediate(order, entering)
    below = _immediate(order[::-1], leaving)
    place = {node: at for at, node in enumerate(order)}
    found = [-1] * len(order)
    for node in order:
        at = above[node]
        while at >= 0:
            beyond = below[at]
            while beyond >= 0 and place[beyond] < place[node]:
                beyond = below[beyond]
            if beyond != node:
                break
            at = above[at]
        found[node] = at
    return found


def _immediate(order: Sequence[int], entering: Sequence[Sequence[int]]) -> list[int]:
    """Return the immediate dominator of each node, -1 where it is the outside."""
    above = [-1] * len(order)
    depth = [0] * len(order)
    for node in order:
        common: int | None = None
        for before in entering[node]:
            other = before
            while common is not None and common != other:
                if common < 0 or other < 0:
                    common = other = -1
                elif depth[common] >= depth[other]:
                    common = above[common]
                else:
                    other = above[other]
            common = other
        above[node] = -1 if common is None else common
        depth[node] = 0 if above[node] < 0 else depth[above[node]] + 1
    return above
