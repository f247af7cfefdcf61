"""Bounds on the latency of every frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

from mapopt.bounds.loads import unit_names
from mapopt.bounds.model import Bound
from mapopt.bounds.unavoidable import Unavoidable
from mapopt.bounds.witnesses import Path, Window


def latency_bounds(unavoidable: Unavoidable) -> Iterator[Bound]:
    """Yield the critical path and, per class, the work between the paths before and after it."""
    paths = _Paths(unavoidable)
    yield paths.critical()
    yield from paths.class_windows()


class _Paths:
    """Longest paths in which every node chooses its class, and transfers happen only where they must.

    ``until[v][k]`` is a lower bound on the end of node v on its k-th class, counted from the frame's entry;
    ``after[v][k]`` on the time from the end of v there until the frame's last output.
    """

    def __init__(self, unavoidable: Unavoidable) -> None:
        self.unavoidable = unavoidable
        self.problem = unavoidable.problem
        self.instance = self.problem.instance
        count = len(self.instance.nodes)
        self.times: list[list[int]] = self.instance.times.tolist()
        self.kinds = [self.problem.classes[group] for group in self.problem.group_of]
        self._within: dict[tuple[frozenset[int], int], frozenset[int]] = {}
        entering, leaving = self.instance.entering, self.instance.leaving
        self.until: list[list[int]] = [[] for _ in range(count)]
        for node in self.instance.topological_order:
            before = [
                max(
                    (self._arrival(source, node, tensor, kind) for source, tensor in entering[node]),
                    default=0,
                )
                for kind in self.kinds[node]
            ]
            self.until[node] = [
                start + self.times[node][kind] for start, kind in zip(before, self.kinds[node], strict=True)
            ]
        self.after: list[list[int]] = [[] for _ in range(count)]
        for node in reversed(self.instance.topological_order):
            self.after[node] = [
                max(
                    (self._remaining(node, target, tensor, kind) for target, tensor in leaving[node]),
                    default=0,
                )
                for kind in self.kinds[node]
            ]

    def critical(self) -> Bound:
        """Return the longest path's bound."""
        ends = [min(ends) for ends in self.until]
        last = max(self.instance.topological_order, key=lambda node: ends[node])
        path = self._trace(last)
        nodes = tuple(self.instance.nodes[node].name for node in path)
        evidence = path if self._along(path) == ends[last] else self._ancestors(last)
        return Bound(
            "critical path",
            "latency",
            ends[last],
            Fraction(ends[last]),
            f"{len(nodes)} nodes from {nodes[0]!r} to {nodes[-1]!r}, each at its fastest, one after the other, and the "
            "transfers between units that have to differ",
            nodes,
            Path(ends[last], tuple(self.instance.nodes[node].name for node in evidence)),
        )

    def class_windows(self) -> Iterator[Bound]:
        """Yield for each class the best of: earliest start + mean load + shortest rest, over its later nodes."""
        for kind, units in enumerate(self.problem.units_of):
            only = [node for node, kinds in enumerate(self.kinds) if kinds == (kind,)]
            if not only:
                continue
            start = {node: self.until[node][0] - self.times[node][kind] for node in only}
            latest_first = sorted(only, key=lambda node: -start[node])
            best, first, work, rest = -1, only[0], 0, self.after[latest_first[0]][0]
            count = 0
            for number, node in enumerate(latest_first, 1):
                work += self.times[node][kind]
                rest = min(rest, self.after[node][0])
                ticks = start[node] + -(-work // len(units)) + rest
                if ticks > best:
                    best, first, count = ticks, node, number
            name = self.instance.classes[kind]
            where = unit_names(self.problem, frozenset(units))
            late = tuple(self.instance.nodes[node].name for node in latest_first[:count])
            yield Bound(
                "class window",
                "latency",
                best,
                Fraction(best),
                f"the {name!r} nodes that cannot start before {self.instance.nodes[first].name!r} can, after "
                f"{start[first]} ticks, share {len(units)} units",
                where,
                Window(best, where, late),
            )

    def _arrival(self, source: int, node: int, tensor: int, kind: int) -> int:
        return min(
            end + self._hop(source, node, tensor, before, kind)
            for end, before in zip(self.until[source], self.kinds[source], strict=True)
        )

    def _remaining(self, node: int, target: int, tensor: int, kind: int) -> int:
        return min(
            self._hop(node, target, tensor, kind, beyond) + self.times[target][beyond] + after
            for after, beyond in zip(self.after[target], self.kinds[target], strict=True)
        )

    def _hop(self, source: int, target: int, tensor: int, before: int, kind: int) -> int:
        """Return the least delay of a tensor between nodes on these classes: 0 where they may share a unit."""
        one, other = self.problem.group_of[source], self.problem.group_of[target]
        first, second = self._units(one, before), self._units(other, kind)
        if before == kind and not first.isdisjoint(second) and not self.unavoidable.must_part(one, other):
            return 0
        return self.unavoidable.least_delay(tensor, first, second)

    def _units(self, group: int, kind: int) -> frozenset[int]:
        key = self.problem.allowed[group], kind
        if key not in self._within:
            self._within[key] = key[0] & frozenset(self.problem.units_of[kind])
        return self._within[key]

    def _along(self, path: Sequence[int]) -> int:
        """Return the bound of a path taken alone."""
        first = path[0]
        ends = [self.times[first][kind] for kind in self.kinds[first]]
        for source, node in pairwise(path):
            tensors = [tensor for other, tensor in self.instance.entering[node] if other == source]
            ends = [
                self.times[node][kind]
                + max(
                    min(
                        end + self._hop(source, node, tensor, before, kind)
                        for end, before in zip(ends, self.kinds[source], strict=True)
                    )
                    for tensor in tensors
                )
                for kind in self.kinds[node]
            ]
        return min(ends)

    def _ancestors(self, last: int) -> list[int]:
        """Return a node and all nodes before it, in topological order."""
        found = {last}
        for node in reversed(self.instance.topological_order):
            if node in found:
                found.update(self.instance.predecessors[node])
        return [node for node in self.instance.topological_order if node in found]

    def _trace(self, last: int) -> Sequence[int]:
        path, node = [last], last
        at = min(range(len(self.kinds[last])), key=lambda k: self.until[last][k])
        while self.instance.entering[node]:
            kind = self.kinds[node][at]
            source, tensor = max(
                self.instance.entering[node], key=lambda each: self._arrival(each[0], node, each[1], kind)
            )
            at = min(
                range(len(self.kinds[source])),
                key=lambda k: (
                    self.until[source][k] + self._hop(source, node, tensor, self.kinds[source][k], kind)
                ),
            )
            node = source
            path.append(node)
        return path[::-1]
