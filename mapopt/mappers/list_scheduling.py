"""HEFT and CPOP: list scheduling of one frame with insertion and communication delays."""

from __future__ import annotations

from abc import abstractmethod
from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass

from mapopt.instance import Instance
from mapopt.mappers.base import Heuristic, Placement
from mapopt.mappers.packing import Packing
from mapopt.mappers.ranks import RankOptions, Ranks, by_priority_among_ready, by_upward_rank
from mapopt.placement.communication import Communication
from mapopt.placement.problem import Problem


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


class FrameScheduler:
    """Places nodes into the earliest gap of a unit that is long enough."""

    def __init__(self, problem: Problem, packing: Packing, communication: Communication) -> None:
        self.problem = problem
        self.packing = packing
        self._communication = communication
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
        """Return the units that may take the node: all that fit, or the one that its group is on already.

        Raises
        ------
        Stuck
            If there is none.
        """
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
                for before, tensor in self.problem.instance.entering[node]
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

    @abstractmethod
    def frame_schedule(self, problem: Problem, packing: Packing) -> FrameSchedule:
        """Return the schedule of one frame that the mapping is taken from.

        Raises
        ------
        Stuck
            If a node fits on no unit.
        """

    def place(self, problem: Problem, packing: Packing, seed: int) -> Placement:
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
        scheduler = FrameScheduler(problem, packing, communication)
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
        home = _critical_units(problem, _critical_path(problem.instance, priority))  # lines 5 to 12
        scheduler = FrameScheduler(problem, packing, communication)
        for node in by_priority_among_ready(problem.instance, priority):  # lines 13 to 15
            units = scheduler.candidates(node)
            if home.get(node) in units:  # lines 16 and 17
                units = [home[node]]
            scheduler.place_first_ending(node, units)  # lines 18 to 20
        return scheduler.result()


def _critical_path(instance: Instance, priority: Sequence[float]) -> list[int]:
    entries = [node for node in instance.topological_order if not instance.entering[node]]
    path = [max(entries, key=lambda node: priority[node])]
    while instance.leaving[path[-1]]:
        path.append(max((after for after, _ in instance.leaving[path[-1]]), key=lambda node: priority[node]))
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
