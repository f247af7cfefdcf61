"""Earliest starts and shortest rests of nodes when the period is limited."""

from __future__ import annotations

from collections.abc import Sequence

from mapopt.bounds.unavoidable import Unavoidable
from mapopt.instance import Adjacent
from mapopt.placement.problem import Problem

MAX_STEPS = 64
"""More steps of a staircase than this are merged, which weakens the bound a little."""

Stairs = list[tuple[int, int]]
"""(load, end): ascending loads, descending ends."""


class Windows:
    """Bounds on when nodes can run in schedules with one pattern and a period of at most ``period``.

    A datum saves its transfer only where producer and consumer share a unit, and all that shares a unit takes at most
    one period. So along a path of nodes that share a unit the work adds up, and where it would exceed the period a
    transfer has to be made. For each node and class the least end is kept as a staircase over the work of such a path
    that ends there; the same from the end of the frame.

    Parameters
    ----------
    problem
        Any problem.
    period
        Ticks; ``None`` for a frame alone, whose unit may be busy for any time.

    Attributes
    ----------
    order
        Nodes in topological order.
    kinds
        Classes of each node that the period leaves, fastest first. An empty one: no schedule exists.
    head, tail
        For each node and each of its classes: the least start, and the least time from its end to the frame's last
        output.
    critical
        The least latency by these paths.
    """

    def __init__(self, problem: Problem, period: int | None) -> None:
        self.problem = problem
        self.period = period
        self._unavoidable = Unavoidable(problem)
        self._share: dict[tuple[int, int, int], bool] = {}
        self._units: dict[tuple[int, int], frozenset[int]] = {}
        fits = [
            tuple(kind for kind in kinds if period is None or problem.time[kind][group] <= period)
            for group, kinds in enumerate(problem.classes)
        ]
        self.kinds = [fits[group] for group in problem.group_of]
        self.feasible = all(self.kinds)
        instance = problem.instance
        self.order = order = instance.topological_order
        self._position = {node: at for at, node in enumerate(order)}
        self._distances: dict[int, dict[int, int]] = {}
        self._steps: dict[tuple[int, int, int], int] = {}
        self.head = self._least(order, instance.entering, forward=True) if self.feasible else []
        self.tail = self._least(order[::-1], instance.leaving, forward=False) if self.feasible else []
        self.critical = max(
            (
                min(
                    head + problem.node_time[kind][node] + tail
                    for kind, head, tail in zip(kinds, self.head[node], self.tail[node], strict=True)
                )
                for node, kinds in enumerate(self.kinds)
                if self.feasible
            ),
            default=0,
        )

    def may_share(self, one: int, other: int, kind: int) -> bool:
        """Return whether two groups may be on one unit of a class."""
        key = (one, other, kind) if one < other else (other, one, kind)
        if key not in self._share:
            self._share[key] = one == other or (
                not self._unavoidable.must_part(one, other)
                and not self.units(one, kind).isdisjoint(self.units(other, kind))
                and (
                    self.period is None
                    or self.problem.time[kind][one] + self.problem.time[kind][other] <= self.period
                )
            )
        return self._share[key]

    def units(self, group: int, kind: int) -> frozenset[int]:
        """Return the units of a class that a group may use."""
        key = group, kind
        if key not in self._units:
            self._units[key] = self.problem.allowed[group] & frozenset(self.problem.units_of[kind])
        return self._units[key]

    def hop(self, source: int, target: int, tensor: int, before: int, beyond: int) -> int:
        """Return the least delay of a tensor between nodes that run apart, on units of these classes."""
        one, other = self.problem.group_of[source], self.problem.group_of[target]
        return self._unavoidable.least_delay(tensor, self.units(one, before), self.units(other, beyond))

    def distances(self, source: int) -> dict[int, int]:
        """Return the least time from the start of a node to the starts of those that depend on it, and to itself."""
        if source in self._distances:
            return self._distances[source]
        found = {source: 0}
        for node in self.order[self._position[source] + 1 :]:
            reached = [
                found[before] + self._step(before, node, tensor)
                for before, tensor in self.problem.instance.entering[node]
                if before in found
            ]
            if reached:
                found[node] = max(reached)
        self._distances[source] = found
        return found

    def _step(self, source: int, target: int, tensor: int) -> int:
        """Return the least time from the start of a node to that of a reader, whatever their classes."""
        key = source, tensor, target
        if key not in self._steps:
            one, other = self.problem.group_of[source], self.problem.group_of[target]
            self._steps[key] = min(
                self.problem.node_time[kind][source]
                + (
                    0
                    if kind == beyond and self.may_share(one, other, kind)
                    else self.hop(source, target, tensor, kind, beyond)
                )
                for kind in self.kinds[source]
                for beyond in self.kinds[target]
            )
        return self._steps[key]

    def _least(self, order: Sequence[int], entering: Adjacent, *, forward: bool) -> list[list[int]]:
        """Return for each node and class the least time before it begins, in the given direction of time."""
        stairs: list[list[Stairs]] = [[] for _ in order]
        for node in order:
            for kind in self.kinds[node]:
                stairs[node].append(
                    self._stairs(
                        node,
                        kind,
                        [
                            self._arrivals(stairs[other], other, node, tensor, kind, forward)
                            for other, tensor in entering[node]
                        ],
                    )
                )
        return [
            [
                steps[-1][1] - self.problem.node_time[kind][node]
                for kind, steps in zip(self.kinds[node], stairs[node], strict=True)
            ]
            for node in range(len(order))
        ]

    def _arrivals(
        self, stairs: Sequence[Stairs], other: int, node: int, tensor: int, kind: int, forward: bool
    ) -> tuple[int, Stairs]:
        """Return when the datum arrives from another unit, and by load from the same unit if that is earlier."""
        apart = min(
            steps[-1][1]
            + (
                self.hop(other, node, tensor, at, kind)
                if forward
                else self.hop(node, other, tensor, kind, at)
            )
            for at, steps in zip(self.kinds[other], stairs, strict=True)
        )
        group_of = self.problem.group_of
        if kind not in self.kinds[other] or not self.may_share(group_of[other], group_of[node], kind):
            return apart, []
        shared = stairs[self.kinds[other].index(kind)]
        return apart, [step for step in shared if step[1] < apart]

    def _stairs(self, node: int, kind: int, arrivals: Sequence[tuple[int, Stairs]]) -> Stairs:
        """Combine the arrivals at a node: for every load on its unit, the latest of all."""
        duration = self.problem.node_time[kind][node]
        if self.period is None:
            ready = max((shared[-1][1] if shared else apart for apart, shared in arrivals), default=0)
            return [(0, ready + duration)]
        loads = sorted({0, *(load for _, shared in arrivals for load, _ in shared)})
        steps: Stairs = []
        for load in loads:
            if load + duration > self.period:
                break
            ready = max(
                (
                    min([apart, *(end for below, end in shared if below <= load)])
                    for apart, shared in arrivals
                ),
                default=0,
            )
            if not steps or ready + duration < steps[-1][1]:
                steps.append((load + duration, ready + duration))
        while len(steps) > MAX_STEPS:
            steps = [(steps[at][0], steps[min(at + 1, len(steps) - 1)][1]) for at in range(0, len(steps), 2)]
        return steps
