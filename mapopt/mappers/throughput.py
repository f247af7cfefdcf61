"""Throughput-aware greedy rules: HEFT-Tp, CPoP-Tp and MaxTP of the scheduler collection anrg-saga 2.1.0.

All three put each node where the busiest unit or link would then have the least work per frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mapopt.mappers.base import Heuristic, NoOptions, Placement
from mapopt.mappers.packing import Packing
from mapopt.mappers.ranks import (
    RankOptions,
    Ranks,
    by_priority_among_ready,
    by_upward_rank,
    is_close,
    mean_times,
)
from mapopt.options import option
from mapopt.placement.communication import Communication
from mapopt.placement.problem import Problem


@dataclass(frozen=True)
class SagaRankOptions(RankOptions):
    """How ranks average over units; the default is what anrg-saga does."""

    ranks: Literal["paper", "saga"] = option(
        "saga",
        "as in anrg-saga 2.1.0: transfers within a unit count as 0 in the mean, and downward ranks take the node's own "
        "harmonic mean time in place of its producer's mean; or as published",
    )


class Bottleneck:
    """The work per frame on every unit and link, for nodes placed in topological order."""

    def __init__(self, problem: Problem, packing: Packing) -> None:
        self.problem = problem
        self.packing = packing
        self._communication = Communication(problem.instance)
        self._load = [0] * self._communication.n_resources
        self._unit = [-1] * len(problem.group_of)
        self._arrived: set[tuple[int, int]] = set()
        self._departed: set[int] = set()
        self.ticks = 0

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

    def place_least(self, node: int, units: Sequence[int]) -> None:
        """Put the node where the bottleneck is least, on the first such unit."""
        unit = min(units, key=lambda unit: self._with(node, unit))
        for resource, ticks in self._added(node, unit):
            self._load[resource] += ticks
            self.ticks = max(self.ticks, self._load[resource])
        for before, tensor in self.problem.instance.entering[node]:
            if self._unit[before] != unit:
                self._arrived.add((tensor, unit))
                self._departed.add(tensor)
        self._unit[node] = unit
        group = self.problem.group_of[node]
        if self.packing.unit_of[group] < 0:
            self.packing.place(group, unit)

    def _with(self, node: int, unit: int) -> int:
        added: dict[int, int] = {}
        for resource, ticks in self._added(node, unit):
            added[resource] = added.get(resource, 0) + ticks
        return max([self.ticks, *(self._load[resource] + ticks for resource, ticks in added.items())])

    def _added(self, node: int, unit: int) -> list[tuple[int, int]]:
        charges = [(unit, self.problem.duration(node, unit))]
        for before, tensor in self.problem.instance.entering[node]:
            source = self._unit[before]
            if source != unit and (tensor, unit) not in self._arrived:
                first = tensor not in self._departed
                charges += self._communication.charges(tensor, source, unit, first_departure=first)
        return charges


def fastest_unit(problem: Problem, node: int, units: Sequence[int]) -> int:
    """Return the first of the units on which the node takes the least time."""
    return min(units, key=lambda unit: problem.duration(node, unit))


class HeftTp(Heuristic[SagaRankOptions]):
    """HEFT's order, each node where the bottleneck grows least.

    References
    ----------
    anrg-saga 2.1.0 (github.com/ANRGUSC/saga): parametric scheduler with upward ranking and the throughput
    comparison.
    """

    name = "heft-tp"
    summary = "HEFT's order, each node where the busiest unit or link grows least"
    reference = "anrg-saga 2.1.0; order: Topcuoglu et al. 2002"
    options_type = SagaRankOptions

    def place(self, problem: Problem, packing: Packing, seed: int) -> Placement:
        """Place every node; see the class."""
        ranks = Ranks(problem, Communication(problem.instance), self.options.ranks)
        bottleneck = Bottleneck(problem, packing)
        for node in by_upward_rank(problem, ranks):
            bottleneck.place_least(node, bottleneck.candidates(node))
        return Placement(problem.units(packing.unit_of))


class CpopTp(Heuristic[SagaRankOptions]):
    """CPOP's order, critical nodes on their fastest unit, the others where the bottleneck grows least.

    Critical are the nodes whose upward plus downward rank is the largest of all. Unlike anrg-saga, which starts
    from one entry node only, all entry nodes are ready from the start.

    References
    ----------
    anrg-saga 2.1.0 (github.com/ANRGUSC/saga): parametric scheduler with CPoP ranking, the throughput comparison
    and the critical path reserved for the fastest unit.
    """

    name = "cpop-tp"
    summary = (
        "CPOP's order, critical nodes on the fastest unit, others where the busiest unit or link grows least"
    )
    reference = "anrg-saga 2.1.0; order: Topcuoglu et al. 2002"
    options_type = SagaRankOptions

    def place(self, problem: Problem, packing: Packing, seed: int) -> Placement:
        """Place every node; see the class."""
        ranks = Ranks(problem, Communication(problem.instance), self.options.ranks)
        largest = max(ranks.through)
        bottleneck = Bottleneck(problem, packing)
        for node in by_priority_among_ready(problem.instance, ranks.through):
            units = bottleneck.candidates(node)
            if is_close(ranks.through[node], largest):
                units = [fastest_unit(problem, node, units)]
            bottleneck.place_least(node, units)
        return Placement(problem.units(packing.unit_of))


class MaxTp(Heuristic[NoOptions]):
    """Of the ready nodes the longest, where the bottleneck grows least.

    References
    ----------
    anrg-saga 2.1.0 (github.com/ANRGUSC/saga): MaxTP scheduler. A node's length is its mean time over the units.
    """

    name = "maxtp"
    summary = "longest ready node first, where the busiest unit or link grows least"
    reference = "anrg-saga 2.1.0"

    def place(self, problem: Problem, packing: Packing, seed: int) -> Placement:
        """Place every node; see the class."""
        bottleneck = Bottleneck(problem, packing)
        for node in by_priority_among_ready(problem.instance, mean_times(problem)):
            bottleneck.place_least(node, bottleneck.candidates(node))
        return Placement(problem.units(packing.unit_of))
