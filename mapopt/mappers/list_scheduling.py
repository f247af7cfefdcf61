"""HEFT and CPOP: list scheduling of one frame with insertion and communication delays."""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mapopt.instance import Instance
from mapopt.mappers.base import Heuristic, Placement
from mapopt.mappers.communication import Communication
from mapopt.mappers.options import Options, option
from mapopt.mappers.packing import Packing
from mapopt.mappers.problem import Problem

Edges = list[list[tuple[int, int]]]
"""For each node the (other node, tensor) of its edges."""


@dataclass(frozen=True)
class RankOptions(Options):
    """How ranks average over units."""

    ranks: Literal["paper", "saga"] = option(
        "paper",
        "as published; or as in anrg-saga 2.1.0: transfers within a unit count as 0 in the mean, and downward ranks "
        "take the node's own harmonic mean time in place of its producer's mean",
    )


@dataclass(frozen=True, slots=True)
class FrameSchedule:
    """One frame on an empty machine: unit, start and end tick of every node, transfers without contention."""

    units: tuple[int, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @property
    def makespan(self) -> int:
        """The largest end."""
        return max(self.ends)


class Ranks:
    """Upward and downward ranks (Topcuoglu et al. 2002, equations 5 to 9), to 12 digits so that ties are ties.

    Attributes
    ----------
    upward
        Longest mean path from the start of each node to the end of the frame.
    downward
        Longest mean path from the start of the frame to the start of each node.
    through
        The sum of both.
    entering, leaving
        Edges of each node.
    """

    def __init__(
        self, problem: Problem, communication: Communication, style: Literal["paper", "saga"]
    ) -> None:
        instance = problem.instance
        self.entering, self.leaving = edges_of(instance)
        mean = mean_times(problem)
        passed = mean if style == "paper" else harmonic_mean_times(problem)
        delay = [
            communication.mean_delay(tensor, own_unit_counts=style == "saga")
            for tensor in range(len(instance.tensors))
        ]
        count = len(mean)
        self.upward = [0.0] * count
        self.downward = [0.0] * count
        for node in reversed(instance.topological_order):
            self.upward[node] = mean[node] + max(
                (delay[tensor] + self.upward[after] for after, tensor in self.leaving[node]), default=0.0
            )
        for node in instance.topological_order:
            self.downward[node] = max(
                (
                    self.downward[before] + passed[before if style == "paper" else node] + delay[tensor]
                    for before, tensor in self.entering[node]
                ),
                default=0.0,
            )

        self.through = [_rounded(up + down) for up, down in zip(self.upward, self.downward, strict=True)]
        self.upward = [_rounded(rank) for rank in self.upward]


def _rounded(rank: float) -> float:
    return float(f"{rank:.12g}")


def edges_of(instance: Instance) -> tuple[Edges, Edges]:
    """Return the (producer, tensor) edges that enter and the (consumer, tensor) edges that leave each node."""
    entering: Edges = [[] for _ in instance.nodes]
    leaving: Edges = [[] for _ in instance.nodes]
    for producer, consumer, tensor in instance.edges:
        entering[consumer].append((producer, tensor))
        leaving[producer].append((consumer, tensor))
    return entering, leaving


def mean_times(problem: Problem) -> list[float]:
    """Return the mean time of each node over all units of the classes that can run it."""
    size = [len(units) for units in problem.units_of]
    means = []
    for row in zip(*problem.node_time, strict=True):
        units = sum(count for time, count in zip(row, size, strict=True) if time >= 0)
        total = sum(time * count for time, count in zip(row, size, strict=True) if time >= 0)
        means.append(total / max(1, units))
    return means


def harmonic_mean_times(problem: Problem) -> list[float]:
    """Return the harmonic mean time of each node over all units: its work divided by their mean speed."""
    size = [len(units) for units in problem.units_of]
    means = []
    for row in zip(*problem.node_time, strict=True):
        times = [(time, count) for time, count in zip(row, size, strict=True) if time >= 0 and count > 0]
        slow = all(time > 0 for time, _ in times)
        means.append(
            sum(count for _, count in times) / sum(count / time for time, count in times) if slow else 0.0
        )
    return means


def by_upward_rank(problem: Problem, ranks: Ranks) -> list[int]:
    """Return the nodes by decreasing upward rank, topologically among equals."""
    place = {node: at for at, node in enumerate(problem.instance.topological_order)}
    return sorted(place, key=lambda node: (-ranks.upward[node], place[node]))


def by_priority_among_ready(priority: Sequence[float], entering: Edges, leaving: Edges) -> list[int]:
    """Return the nodes in the order of a queue of ready nodes, largest priority first, lowest number among equals."""
    waiting = [len(edges) for edges in entering]
    ready = [(-priority[node], node) for node, count in enumerate(waiting) if count == 0]
    heapq.heapify(ready)
    order = []
    while ready:
        node = heapq.heappop(ready)[1]
        order.append(node)
        for after, _ in leaving[node]:
            waiting[after] -= 1
            if waiting[after] == 0:
                heapq.heappush(ready, (-priority[after], after))
    return order


class FrameScheduler:
    """Places nodes into the earliest gap of a unit that is long enough."""

    def __init__(
        self, problem: Problem, packing: Packing, communication: Communication, entering: Edges
    ) -> None:
        self.problem = problem
        self.packing = packing
        self._communication = communication
        self._entering = entering
        count = len(problem.group_of)
        self._unit = [-1] * count
        self._start = [0] * count
        self._end = [0] * count
        self._busy: list[list[tuple[int, int]]] = [[] for _ in problem.unit_class]

    def place_first_ending(self, node: int, units: Sequence[int]) -> None:
        """Put the node on the unit where it ends first, the first among equals."""
        end, _, unit = min(
            (self._earliest(node, unit) + self.problem.duration(node, unit), place, unit)
            for place, unit in enumerate(units)
        )
        start = end - self.problem.duration(node, unit)
        self._unit[node], self._start[node], self._end[node] = unit, start, end
        if end > start:
            insort(self._busy[unit], (start, end))
        group = self.problem.group_of[node]
        if self.packing.unit_of[group] < 0:
            self.packing.place(group, unit)

    def candidates(self, node: int) -> list[int]:
        """Return the units that may take the node: all that fit, or the one that its group is on already."""
        group = self.problem.group_of[node]
        placed = self.packing.unit_of[group]
        return [placed] if placed >= 0 else self.packing.everywhere(group)

    def result(self) -> FrameSchedule:
        """Return the schedule of all nodes."""
        return FrameSchedule(tuple(self._unit), tuple(self._start), tuple(self._end))

    def _earliest(self, node: int, unit: int) -> int:
        ready = max(
            (
                self._end[before] + self._communication.delay(tensor, self._unit[before], unit)
                for before, tensor in self._entering[node]
            ),
            default=0,
        )
        duration = self.problem.duration(node, unit)
        busy = self._busy[unit]
        at = bisect_left(busy, (ready, ready))
        if at > 0:
            ready = max(ready, busy[at - 1][1])
        while at < len(busy) and ready + duration > busy[at][0]:
            ready = max(ready, busy[at][1])
            at += 1
        return ready


class ListScheduler(Heuristic[RankOptions]):
    """Base of the list schedulers: they schedule one frame and hand on its order as priorities."""

    options_type = RankOptions

    def frame_schedule(self, problem: Problem, packing: Packing) -> FrameSchedule:
        """Return the schedule of one frame that the mapping is taken from."""
        raise NotImplementedError

    def place(self, problem: Problem, packing: Packing, seed: int) -> Placement:  # noqa: ARG002
        """Place every node; priorities follow the starts, topologically among equals."""
        schedule = self.frame_schedule(problem, packing)
        order = sorted(problem.instance.topological_order, key=lambda node: schedule.starts[node])
        priorities = [0] * len(order)
        for position, node in enumerate(order):
            priorities[node] = position
        return Placement(schedule.units, priorities)


class Heft(ListScheduler):
    """Heterogeneous earliest finish time: by decreasing upward rank, each node where it ends first.

    The makespan of one frame is what it minimises, so its period may be poor. Nodes are inserted into idle gaps.

    References
    ----------
    H. Topcuoglu, S. Hariri, M.-Y. Wu, "Performance-effective and low-complexity task scheduling for heterogeneous
    computing", IEEE TPDS 13(3), 2002, figure 3.
    """

    name = "heft"
    summary = "heterogeneous earliest finish time: list scheduling of one frame by upward rank"
    reference = "Topcuoglu, Hariri & Wu, IEEE TPDS 13(3), 2002"

    def frame_schedule(self, problem: Problem, packing: Packing) -> FrameSchedule:
        """Schedule one frame; lines are those of figure 3."""
        communication = Communication(problem.instance)
        ranks = Ranks(problem, communication, self.options.ranks)  # lines 1 and 2
        scheduler = FrameScheduler(problem, packing, communication, ranks.entering)
        for node in by_upward_rank(problem, ranks):  # lines 3 to 5
            scheduler.place_first_ending(node, scheduler.candidates(node))  # lines 6 to 9
        return scheduler.result()


class Cpop(ListScheduler):
    """Critical path on a processor: the critical path on the one unit that runs it fastest, the rest as in HEFT.

    Where no unit can run the whole critical path, its nodes are divided by the units they may use, and each part
    has a unit of its own.

    References
    ----------
    H. Topcuoglu, S. Hariri, M.-Y. Wu, "Performance-effective and low-complexity task scheduling for heterogeneous
    computing", IEEE TPDS 13(3), 2002, figure 5.
    """

    name = "cpop"
    summary = "critical path on one processor: list scheduling of one frame by upward plus downward rank"
    reference = "Topcuoglu, Hariri & Wu, IEEE TPDS 13(3), 2002"

    def frame_schedule(self, problem: Problem, packing: Packing) -> FrameSchedule:
        """Schedule one frame; lines are those of figure 5."""
        communication = Communication(problem.instance)
        ranks = Ranks(problem, communication, self.options.ranks)  # lines 1 to 3
        priority = ranks.through  # line 4
        home = _critical_units(problem, _critical_path(problem, priority, ranks))  # lines 5 to 12
        scheduler = FrameScheduler(problem, packing, communication, ranks.entering)
        for node in by_priority_among_ready(priority, ranks.entering, ranks.leaving):  # lines 13 to 15
            units = scheduler.candidates(node)
            if home.get(node) in units:  # lines 16 and 17
                units = [home[node]]
            scheduler.place_first_ending(node, units)  # lines 18 to 20
        return scheduler.result()


def is_close(one: float, other: float) -> bool:
    """Return whether two ranks count as equal: within 1e-8 plus 1e-5 of the second."""
    return abs(one - other) <= 1e-8 + 1e-5 * abs(other)


def _critical_path(problem: Problem, priority: Sequence[float], ranks: Ranks) -> list[int]:
    entries = [node for node in problem.instance.topological_order if not ranks.entering[node]]
    path = [max(entries, key=lambda node: priority[node])]
    while ranks.leaving[path[-1]]:
        path.append(max((after for after, _ in ranks.leaving[path[-1]]), key=lambda node: priority[node]))
    return path


def _critical_units(problem: Problem, path: Sequence[int]) -> dict[int, int]:
    """Return the unit of each node of the critical path that minimises the path's time."""
    shared = frozenset.intersection(*(problem.allowed[problem.group_of[node]] for node in path))
    parts: dict[frozenset[int], list[int]] = {}
    for node in path:
        parts.setdefault(shared or problem.allowed[problem.group_of[node]], []).append(node)
    home = {}
    for units, nodes in parts.items():
        best = min(units, key=lambda unit: (sum(problem.duration(node, unit) for node in nodes), unit))
        home.update(dict.fromkeys(nodes, best))
    return home
