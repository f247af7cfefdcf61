"""The baselines that place one node after the other: weight balance, round robin, random, longest time first."""

from __future__ import annotations

import random

from mapopt.mappers.base import Heuristic, NoOptions, Placement
from mapopt.mappers.packing import Packing, Stuck
from mapopt.placement.problem import Problem


def least_loaded_of_own_class(packing: Packing, group: int) -> int:
    """Return the least loaded unit of the group's fastest class that takes it, the first among equals.

    Raises
    ------
    Stuck
        If no class takes it.
    """
    for kind in packing.problem.classes[group]:
        for unit in packing.least_loaded(group, kind):
            return unit
    raise Stuck(group)


class WeightBalance(Heuristic[NoOptions]):
    """Heaviest node first, each on the least loaded unit of its own class.

    A node's weight is its time on its own class, the fastest that can run it.

    References
    ----------
    The baseline WB of Bougioukou and Antonakopoulos, MOCAST 2025, arXiv 2511.04682; on identical units the rule
    of R. L. Graham, "Bounds on multiprocessing timing anomalies", SIAM J. Appl. Math. 17(2), 1969.
    """

    name = "wb"
    summary = "weight balance: heaviest node first, on the least loaded unit of its class"
    reference = "Bougioukou & Antonakopoulos, MOCAST 2025, arXiv 2511.04682 (baseline WB)"

    def place(self, problem: Problem, packing: Packing, seed: int) -> Placement:
        """Place every node; see the class."""
        weight = problem.own_time
        for group in sorted(range(len(weight)), key=lambda group: (-weight[group], group)):
            packing.place(group, least_loaded_of_own_class(packing, group))
        return Placement(problem.units(packing.unit_of))


class LongestTimeFirst(Heuristic[NoOptions]):
    """Longest node first, each on the unit of any class where it would end first.

    A node's length is its time on its fastest class, and the end on a unit is the unit's load plus the node's time
    there. Differs from weight balance only where a node can run on several classes.

    References
    ----------
    R. L. Graham, "Bounds on multiprocessing timing anomalies", SIAM J. Appl. Math. 17(2), 1969: at most
    4/3 - 1/(3m) times the optimum on m identical units. O. H. Ibarra and C. E. Kim, "Heuristic algorithms for
    scheduling independent tasks on nonidentical processors", J. ACM 24(2), 1977, for unit-dependent times.
    """

    name = "lpt"
    summary = "longest processing time first, on the unit of any class where the node ends first"
    reference = "Graham 1969; Ibarra & Kim 1977"

    def place(self, problem: Problem, packing: Packing, seed: int) -> Placement:
        """Place every node; see the class.

        Raises
        ------
        Stuck
            If a node fits on no unit.
        """
        length = problem.own_time
        for group in sorted(range(len(length)), key=lambda group: (-length[group], group)):
            ends = [
                (packing.load[unit] + packing.time(group, unit), position, unit)
                for position, kind in enumerate(problem.classes[group])
                for unit in _first(packing, group, kind)
            ]
            if not ends:
                raise Stuck(group)
            packing.place(group, min(ends)[2])
        return Placement(problem.units(packing.unit_of))


def _first(packing: Packing, group: int, kind: int) -> list[int]:
    unit = next(packing.least_loaded(group, kind), None)
    return [] if unit is None else [unit]


class RoundRobin(Heuristic[NoOptions]):
    """Nodes in topological order, each on the next unit of its own class that takes it.

    References
    ----------
    The baseline RR of Bougioukou and Antonakopoulos, MOCAST 2025, arXiv 2511.04682.
    """

    name = "rr"
    summary = "round robin: topological order, each node on the next unit of its class"
    reference = "Bougioukou & Antonakopoulos, MOCAST 2025, arXiv 2511.04682 (baseline RR)"

    def place(self, problem: Problem, packing: Packing, seed: int) -> Placement:
        """Place every node; see the class."""
        turn = [0] * len(problem.units_of)
        for node in problem.instance.topological_order:
            group = problem.group_of[node]
            if packing.unit_of[group] < 0:
                packing.place(group, self._next(problem, packing, group, turn))
        return Placement(problem.units(packing.unit_of))

    @staticmethod
    def _next(problem: Problem, packing: Packing, group: int, turn: list[int]) -> int:
        for kind in problem.classes[group]:
            units = problem.units_of[kind]
            for step in range(len(units)):
                at = (turn[kind] + step) % len(units)
                if packing.fits(group, units[at]):
                    turn[kind] = at + 1
                    return units[at]
        raise Stuck(group)


class Random(Heuristic[NoOptions]):
    """Every node on a unit drawn uniformly from those of its own class that take it, in topological order.

    References
    ----------
    The baseline RD of Bougioukou and Antonakopoulos, MOCAST 2025, arXiv 2511.04682.
    """

    name = "rd"
    summary = "random: every node on a unit of its class drawn uniformly"
    reference = "Bougioukou & Antonakopoulos, MOCAST 2025, arXiv 2511.04682 (baseline RD)"
    is_random = True

    def place(self, problem: Problem, packing: Packing, seed: int) -> Placement:
        """Place every node; see the class."""
        draw = random.Random(seed).random
        for node in problem.instance.topological_order:
            group = problem.group_of[node]
            if packing.unit_of[group] >= 0:
                continue
            # Drawing from all units and, if that one refuses, from those that take it is uniform over the latter.
            units = problem.units_of[problem.classes[group][0]]
            unit = units[int(draw() * len(units))]
            if not packing.fits(group, unit):
                units = packing.in_own_class(group)
                unit = units[int(draw() * len(units))]
            packing.place(group, unit)
        return Placement(problem.units(packing.unit_of))
