"""Units of groups in a CP-SAT model, and the flows between them: what formulations without times share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mapopt.placement.flows import Flow
from mapopt.placement.problem import Problem

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

    from mapopt.solvers.cpsat import Values

FIRST_GROUPS = 4
"""Times the number of interchangeable units: so many groups tell them apart."""


class Placing:
    """Variables x that say which unit each group is on, and literals of flows that follow from them.

    Parameters
    ----------
    model
        Gets the variables, and the rules that are asked for.
    problem
        The placing problem.

    Attributes
    ----------
    x
        By group and unit, where the group is allowed.
    """

    def __init__(self, model: cp_model.CpModel, problem: Problem) -> None:
        self.model, self.problem = model, problem
        self.x = {
            (group, unit): model.new_bool_var(f"x{group},{unit}")
            for group, units in enumerate(problem.allowed)
            for unit in sorted(units)
        }

    def on(self, group: int, unit: int) -> Any:
        """Return x, or 0 where the group is not allowed."""
        return self.x.get((group, unit), 0)

    def here(self, unit: int) -> list[int]:
        """Return the groups that are allowed on a unit."""
        return [group for group, units in enumerate(self.problem.allowed) if unit in units]

    def hint(self, unit_of: Sequence[int]) -> None:
        """Hint at the unit of each group."""
        for (group, unit), x in self.x.items():
            self.model.add_hint(x, unit_of[group] == unit)

    def unit_of(self, values: Values) -> list[int]:
        """Return the unit of each group in a solution."""
        placed = {group: unit for (group, unit), x in self.x.items() if values(x)}
        return [placed[group] for group in range(len(placed))]

    def place(self) -> None:
        """Put every group on one unit."""
        for group, units in enumerate(self.problem.allowed):
            self.model.add_exactly_one(self.x[group, unit] for unit in sorted(units))

    def capacities(self, unit: int) -> None:
        """Let what is on a unit fit into it."""
        groups = self.here(unit)
        for need, capacity in needs(self.problem, unit, groups, [self.x[group, unit] for group in groups]):
            self.model.add(need <= capacity)

    def separate(self) -> None:
        """Keep groups apart that must not share a unit."""
        for one, other, unit in separated(self.problem):
            self.model.add_at_most_one(self.x[one, unit], self.x[other, unit])

    def first_use(self, part: Sequence[int], order: Iterable[int]) -> None:
        """Let the first groups of an order use the interchangeable units of a part in ascending order.

        A group may use unit j only if an earlier one uses unit j - 1. Units that none of these groups uses stay alike.
        """
        users = [group for group in order if (group, part[0]) in self.x][: FIRST_GROUPS * len(part)]
        for at, group in enumerate(users):
            for before, unit in pairwise(part):
                earlier = [self.x[other, before] for other in users[:at]]
                self.model.add_bool_or(~self.x[group, unit], *earlier)

    def entering(self, number: int, flow: Flow, units: Iterable[int]) -> dict[int, Any]:
        """Return for each unit that a reader may use a literal d: true if one is there, but not the producer."""
        found = {}
        for unit in units:
            readers = [reader for reader in flow.readers if (reader, unit) in self.x]
            if not readers:
                continue
            found[unit] = enters = self.model.new_bool_var(f"d{number},{unit}")
            at_home = [self.x[flow.producer, unit]] if (flow.producer, unit) in self.x else []
            for reader in readers:
                self.model.add_bool_or(enters, ~self.x[reader, unit], *at_home)
        return found

    def leaving(self, number: int, flow: Flow, units: Iterable[int]) -> dict[int, Any]:
        """Return for each unit that the producer may use a literal o: true if it is there, but some reader is not."""
        found = {}
        for unit in units:
            if (flow.producer, unit) not in self.x:
                continue
            found[unit] = leaves = self.model.new_bool_var(f"o{number},{unit}")
            for reader in flow.readers:
                together = [self.x[reader, unit]] if (reader, unit) in self.x else []
                self.model.add_bool_or(leaves, ~self.x[flow.producer, unit], *together)
        return found


def needs(
    problem: Problem, unit: int, groups: Sequence[int], count: Sequence[Any]
) -> Iterator[tuple[Any, int]]:
    """Yield what groups need of a unit, and its capacity, for crossbars and memory where it has limits.

    ``count[i]`` is the number of groups like ``groups[i]`` that are on the unit, or an expression for it.
    """
    spec = problem.instance.units[unit]
    for capacity, need in (
        (spec.crossbars, problem.crossbars[problem.unit_class[unit]]),
        (spec.memory_bytes, problem.memory_bytes),
    ):
        if capacity is not None and groups:
            yield sum(need[group] * each for group, each in zip(groups, count, strict=True)), capacity


def separated(problem: Problem) -> Iterator[tuple[int, int, int]]:
    """Yield pairs of groups that must be apart, with each unit that both may use."""
    for one, others in enumerate(problem.apart):
        for other in others:
            if one < other:
                for unit in sorted(problem.allowed[one] & problem.allowed[other]):
                    yield one, other, unit
