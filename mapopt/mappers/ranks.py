"""Ranks of nodes, and the orders that list schedulers place them in."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mapopt.instance import Instance
from mapopt.options import Options, option
from mapopt.placement.communication import Communication
from mapopt.placement.problem import Problem


@dataclass(frozen=True)
class RankOptions(Options):
    """How ranks average over units."""

    ranks: Literal["paper", "saga"] = option(
        "paper",
        "as published; or as in anrg-saga 2.1.0: transfers within a unit count as 0 in the mean, and downward ranks "
        "take the node's own harmonic mean time in place of its producer's mean",
    )


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
    """

    def __init__(
        self, problem: Problem, communication: Communication, style: Literal["paper", "saga"]
    ) -> None:
        instance = problem.instance
        mean = mean_times(problem)
        passed = mean if style == "paper" else harmonic_mean_times(problem)
        delay = [
            communication.mean_delay(tensor, own_unit_counts=style == "saga")
            for tensor in range(len(instance.tensors))
        ]
        self.upward = [0.0] * len(mean)
        self.downward = [0.0] * len(mean)
        for node in reversed(instance.topological_order):
            self.upward[node] = mean[node] + max(
                (delay[tensor] + self.upward[after] for after, tensor in instance.leaving[node]), default=0.0
            )
        for node in instance.topological_order:
            self.downward[node] = max(
                (
                    self.downward[before] + passed[before if style == "paper" else node] + delay[tensor]
                    for before, tensor in instance.entering[node]
                ),
                default=0.0,
            )
        self.through = [_rounded(up + down) for up, down in zip(self.upward, self.downward, strict=True)]
        self.upward = [_rounded(rank) for rank in self.upward]


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


def by_priority_among_ready(instance: Instance, priority: Sequence[float]) -> list[int]:
    """Return the nodes in the order of a queue of ready nodes, largest priority first, lowest number among equals."""
    waiting = [len(edges) for edges in instance.entering]
    ready = [(-priority[node], node) for node, count in enumerate(waiting) if count == 0]
    heapq.heapify(ready)
    order = []
    while ready:
        node = heapq.heappop(ready)[1]
        order.append(node)
        for after, _ in instance.leaving[node]:
            waiting[after] -= 1
            if waiting[after] == 0:
                heapq.heappush(ready, (-priority[after], after))
    return order


def is_close(one: float, other: float) -> bool:
    """Return whether two ranks count as equal: within 1e-8 plus 1e-5 of the second."""
    return abs(one - other) <= 1e-8 + 1e-5 * abs(other)


def _rounded(rank: float) -> float:
    return float(f"{rank:.12g}")
