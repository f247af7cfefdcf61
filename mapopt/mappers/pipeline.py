"""Contiguous pipeline partition by dynamic programming."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from mapopt.instance import Instance
from mapopt.mappers.base import Heuristic, NoOptions, Placement
from mapopt.mappers.packing import Packing, Stuck
from mapopt.placement.communication import Communication
from mapopt.placement.problem import Problem
from mapopt.transfers import Blocking, Host

MAX_NODES = 5_000
"""Largest graph; the time grows with its square."""


class Pipeline(Heuristic[NoOptions]):
    """Cut the topological order of each class into one contiguous stage per unit, the largest load minimal.

    A stage's load is its nodes' time and, where the transfer model charges units, its transfers: every tensor
    that comes in once, and every tensor that goes out once (``blocking`` charges once per destination, so a tensor
    with several destinations is underestimated). Units keep their order, stages may be empty, and within these
    limits the partition is optimal. Every node runs on its own class, the fastest that can run it.

    References
    ----------
    D. Narayanan et al., "PipeDream: generalized pipeline parallelism for DNN training", SOSP 2019, section 3.1,
    without replication.
    """

    name = "pipeline"
    summary = "contiguous stages in topological order per class, largest load minimal by dynamic programming"
    reference = "PipeDream: Narayanan et al., SOSP 2019"

    def rejects(self, instance: Instance) -> str | None:
        """Refuse graphs that are too large for a quadratic method."""
        if len(instance.nodes) > MAX_NODES:
            return (
                f"is for at most {MAX_NODES} nodes and instance {instance.name!r} has {len(instance.nodes)}; use lblp "
                "or wb"
            )
        return None

    def place(self, problem: Problem, packing: Packing, seed: int) -> Placement:
        """Place every node; see the class."""
        sequences: list[list[int]] = [[] for _ in problem.units_of]
        for node in problem.instance.topological_order:
            sequences[problem.classes[problem.group_of[node]][0]].append(node)
        for kind, nodes in enumerate(sequences):
            if nodes:
                _Partition(problem, packing, kind, nodes).place()
        return Placement(problem.units(packing.unit_of))


class _Partition:
    """The nodes of one class in topological order, to be cut into stages for its units in unit order."""

    def __init__(self, problem: Problem, packing: Packing, kind: int, nodes: Sequence[int]) -> None:
        self.problem = problem
        self.packing = packing
        self.nodes = nodes
        self.units = problem.units_of[kind]
        self.groups = [problem.group_of[node] for node in nodes]
        self.times = [problem.node_time[kind][node] for node in nodes]
        self.rest = [*accumulate(reversed(self.times), initial=0)][::-1]
        """Time of the nodes from each position on."""
        self.may_cut = _cuts_between_groups(self.groups)
        self.ends = [self._last_ends(unit, kind) for unit in self.units]
        self.transfers = _StageTransfers(problem, nodes)

    def place(self) -> None:
        """Place all nodes.

        Raises
        ------
        Stuck
            If no partition keeps capacities and side constraints.
        """
        limit = max(-(-self.rest[0] // len(self.units)), max(self.times), 1)
        while True:
            value, stages = self._cut(limit)
            # Any partition of a smaller value has stages of less work than the limit, so it would have been found.
            if value is not None and value <= limit:
                break
            if value is None and limit > self.rest[0]:
                raise Stuck(self.groups[stages[-1]])
            limit = limit + limit // 8 + 1 if value is None else value
        for unit, (start, end) in zip(self.units, pairwise(stages), strict=True):
            for group in self.groups[start:end]:
                if self.packing.unit_of[group] < 0:
                    self.packing.place(group, unit)

    def _cut(self, limit: int) -> tuple[int | None, list[int]]:
        """Return the least largest load with stages of at most ``limit`` work, and where each stage begins and ends.

        ``best[i]`` is that load for the nodes before position i on the units so far. Without a partition the load is
        ``None`` and the list ends with the first position that no stage reaches beyond.
        """
        count = len(self.nodes)
        best: list[int | None] = [0] + [None] * count
        cuts: list[list[int]] = []
        for number, unit in enumerate(self.units):
            after, cut = list(best), list(range(count + 1))  # an empty stage
            for start in range(count):
                before = best[start]
                if before is None or self.rest[start] > limit * (len(self.units) - number):
                    continue
                for end, load in self.transfers.stages(
                    start, self.ends[number][start], unit, self.times, limit
                ):
                    value, known = max(before, load), after[end]
                    if self.may_cut[end] and (known is None or value < known):
                        after[end], cut[end] = value, start
            best = after
            cuts.append(cut)
        if best[count] is None:
            return None, [max(at for at, value in enumerate(best) if value is not None)]
        stages = [count]
        for cut in reversed(cuts):
            stages.append(cut[stages[-1]])
        return best[count], stages[::-1]

    def _last_ends(self, unit: int, kind: int) -> list[int]:
        """Return for each start the largest end of a stage that keeps capacities and side constraints on the unit."""
        problem, packing = self.problem, self.packing
        instance, room = problem.instance, packing.room(unit)
        latest: dict[int, int] = {}
        not_with, needs = [], []
        for at, (node, group) in enumerate(zip(self.nodes, self.groups, strict=True)):
            not_with.append(max((latest.get(other, -1) for other in problem.apart[group]), default=-1))
            latest[group] = at
            booked = packing.is_booked(group)
            needs.append(
                (0, 0) if booked else (int(instance.crossbars[node, kind]), int(instance.memory_bytes[node]))
            )
        ends, end, used = [], 0, [0, 0]
        for start in range(len(self.nodes)):
            if end < start:
                end, used = start, [0, 0]
            while (
                end < len(self.nodes)
                and not_with[end] < start
                and packing.takes(self.groups[end], unit)
                and all(
                    left is None or have + need <= left
                    for left, have, need in zip(room, used, needs[end], strict=True)
                )
            ):
                used = [have + need for have, need in zip(used, needs[end], strict=True)]
                end += 1
            ends.append(end)
            if end > start:
                used = [have - need for have, need in zip(used, needs[start], strict=True)]
        return ends


class _StageTransfers:
    """Loads of growing stages, with the transfers that charge their unit."""

    def __init__(self, problem: Problem, nodes: Sequence[int]) -> None:
        self._nodes = nodes
        self._position = {node: at for at, node in enumerate(nodes)}
        self._instance = problem.instance
        communication = Communication(problem.instance)
        self._hosts = communication.hosts
        self._ticks = [communication.once(tensor) for tensor in range(len(problem.instance.tensors))]

    def stages(
        self, start: int, last_end: int, unit: int, times: Sequence[int], limit: int
    ) -> Iterator[tuple[int, int]]:
        """Yield (end, load) of the stages from ``start`` on, up to ``limit`` work and ``last_end``."""
        instance, ticks = self._instance, self._ticks
        readers_pay = isinstance(instance.transfer, Host)
        charged = isinstance(instance.transfer, (Host, Blocking)) and unit not in self._hosts
        work = transfers = 0
        read: set[int] = set()
        unread: dict[int, int] = {}
        for at in range(start, last_end):
            work += times[at]
            if work > limit:
                return
            if charged:
                node = self._nodes[at]
                for before, tensor in instance.entering[node]:
                    if self._position.get(before, -1) >= start:
                        unread[tensor] -= 1
                        if unread[tensor] == 0:
                            transfers -= ticks[tensor]
                    elif tensor not in read and readers_pay:
                        read.add(tensor)
                        transfers += ticks[tensor]
                for _, tensor in instance.leaving[node]:
                    if tensor not in unread:
                        transfers += ticks[tensor]
                    unread[tensor] = unread.get(tensor, 0) + 1
            yield at + 1, work + transfers


def _cuts_between_groups(groups: Sequence[int]) -> list[bool]:
    """Return for each position whether a cut there splits no group."""
    last = {group: at for at, group in enumerate(groups)}
    may_cut, open_until = [True], -1
    for at, group in enumerate(groups):
        open_until = max(open_until, last[group])
        may_cut.append(open_until == at)
    return may_cut
