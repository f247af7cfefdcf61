"""The state of a placing heuristic: loads, used capacity, and where a group still fits."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence

from mapopt.errors import InfeasibleError, NoMappingError
from mapopt.placement.problem import Problem


class Stuck(Exception):  # noqa: N818 - a signal between a heuristic and its restarts, never shown
    """No unit can take this group any more."""

    def __init__(self, group: int) -> None:
        super().__init__(group)
        self.group = group


class Packing:
    """Groups placed so far.

    Parameters
    ----------
    problem
        What is to be placed.
    first
        Groups that get their unit now, in this order, on the least loaded unit that takes them. They count as
        unplaced until the heuristic reaches them, but no other unit accepts them and their capacity is booked.

    Attributes
    ----------
    load
        Ticks of work on each unit.
    unit_of
        Unit of each group, -1 if not placed.

    Raises
    ------
    Stuck
        If a group of ``first`` fits nowhere.
    """

    def __init__(self, problem: Problem, first: Sequence[int] = ()) -> None:
        self.problem = problem
        self.load = [0] * len(problem.unit_class)
        self.unit_of = [-1] * len(problem.groups)
        self._booked: dict[int, int] = {}
        self._crossbars = [0] * len(problem.unit_class)
        self._memory = [0] * len(problem.unit_class)
        self._by_load = [[(0, unit) for unit in units] for units in problem.units_of]
        ahead = list(self.load)
        for group in first:
            units = [unit for unit in sorted(problem.allowed[group]) if self.fits(group, unit)]
            if not units:
                raise Stuck(group)
            unit = min(units, key=lambda unit: (ahead[unit] + self.time(group, unit), unit))
            ahead[unit] += self.time(group, unit)
            self.book(group, unit)

    def time(self, group: int, unit: int) -> int:
        """Return the ticks of a group on a unit of a class that can run it."""
        return self.problem.time[self.problem.unit_class[unit]][group]

    def fits(self, group: int, unit: int) -> bool:
        """Return whether the unit may take the group now."""
        return self.takes(group, unit) and (
            not self.problem.is_limited or group in self._booked or not self._lacks(group, unit)
        )

    def takes(self, group: int, unit: int) -> bool:
        """Return whether the unit may take the group, its capacity aside."""
        if group in self._booked:
            return self._booked[group] == unit
        apart = self.problem.apart[group]
        return unit in self.problem.allowed[group] and not (
            apart and any(self._home(other) == unit for other in apart)
        )

    def room(self, unit: int) -> tuple[int | None, int | None]:
        """Return the crossbars and bytes of memory left on the unit, ``None`` where without limit."""
        spec = self.problem.instance.units[unit]
        return (
            None if spec.crossbars is None else spec.crossbars - self._crossbars[unit],
            None if spec.memory_bytes is None else spec.memory_bytes - self._memory[unit],
        )

    def is_booked(self, group: int) -> bool:
        """Return whether the group's capacity is booked already."""
        return group in self._booked

    def place(self, group: int, unit: int) -> None:
        """Put the group on a unit that takes it."""
        before = self.load[unit]
        after = before + self.time(group, unit)
        if self.problem.is_limited and group not in self._booked:
            self._take(group, unit)
        self.unit_of[group] = unit
        if after > before:
            order = self._by_load[self.problem.unit_class[unit]]
            del order[bisect_left(order, (before, unit))]
            insort(order, (after, unit))
            self.load[unit] = after

    def least_loaded(self, group: int, kind: int) -> Iterator[int]:
        """Yield the units of a class that take the group now, least loaded first, then by number."""
        return (unit for _, unit in self._by_load[kind] if self.fits(group, unit))

    def in_own_class(self, group: int) -> list[int]:
        """Return the units of the group's fastest class that takes it, in unit order.

        Raises
        ------
        Stuck
            If no class takes it.
        """
        for kind in self.problem.classes[group]:
            found = [unit for unit in self.problem.units_of[kind] if self.fits(group, unit)]
            if found:
                return found
        raise Stuck(group)

    def everywhere(self, group: int) -> list[int]:
        """Return all units that take the group, in unit order.

        Raises
        ------
        Stuck
            If there is none.
        """
        found = [unit for unit in sorted(self.problem.allowed[group]) if self.fits(group, unit)]
        if not found:
            raise Stuck(group)
        return found

    def book(self, group: int, unit: int) -> None:
        """Keep the unit's capacity for the group, which from now on fits nowhere else."""
        self._take(group, unit)
        self._booked[group] = unit

    def unbook(self, group: int, unit: int) -> None:
        """Take a booking back."""
        self._take(group, unit, -1)
        del self._booked[group]

    def filled(self, unit: int) -> float:
        """Return the larger of the shares of the unit's crossbars and memory in use, 0 where without limit."""
        spec = self.problem.instance.units[unit]
        return max(
            self._crossbars[unit] / spec.crossbars if spec.crossbars else 0.0,
            self._memory[unit] / spec.memory_bytes if spec.memory_bytes else 0.0,
        )

    def why_full(self, group: int) -> str:
        """Return what ran out for a group that fits nowhere."""
        short = {self._lacks(group, unit) or "separate nodes" for unit in self.problem.allowed[group]}
        return " and ".join(sorted(short))

    def _home(self, group: int) -> int:
        return self._booked[group] if group in self._booked else self.unit_of[group]

    def _take(self, group: int, unit: int, sign: int = 1) -> None:
        self._crossbars[unit] += sign * self.problem.crossbars[self.problem.unit_class[unit]][group]
        self._memory[unit] += sign * self.problem.memory_bytes[group]

    def _lacks(self, group: int, unit: int) -> str:
        problem, spec = self.problem, self.problem.instance.units[unit]
        crossbars = problem.crossbars[problem.unit_class[unit]][group]
        if spec.crossbars is not None and self._crossbars[unit] + crossbars > spec.crossbars:
            return "crossbars"
        if (
            spec.memory_bytes is not None
            and self._memory[unit] + problem.memory_bytes[group] > spec.memory_bytes
        ):
            return "memory"
        return ""


SEARCH_STEPS = 20_000
"""Placings that :func:`pack_anyhow` tries before it gives up."""


def pack_anyhow(problem: Problem, mapper: str) -> Packing:
    """Find any packing by depth-first search, without regard to loads, and book every group there.

    Groups with the largest share of a unit's capacity come first, then those with the fewest units; of the units,
    the fullest come first.

    Raises
    ------
    InfeasibleError
        If every placing was tried.
    NoMappingError
        If ``SEARCH_STEPS`` placings did not suffice.
    """
    order = sorted(range(len(problem.groups)), key=lambda group: _urgency(problem, group))
    packing = Packing(problem)
    choices: list[list[int]] = []
    tried: list[int] = []
    failed, reason, deepest = order[0], "units", -1
    for _ in range(len(order) + SEARCH_STEPS):
        if len(tried) == len(choices):
            if len(tried) == len(order):
                return packing
            group = order[len(tried)]
            fitting = [unit for unit in sorted(problem.allowed[group]) if packing.fits(group, unit)]
            choices.append(sorted(fitting, key=lambda unit: (-packing.filled(unit), unit), reverse=True))
            if not fitting and len(tried) > deepest:
                failed, reason, deepest = group, packing.why_full(group), len(tried)
        if choices[-1]:
            unit = choices[-1].pop()
            packing.book(order[len(tried)], unit)
            tried.append(unit)
            continue
        choices.pop()
        if not tried:
            raise InfeasibleError(
                f"instance {problem.instance.name!r} has no mapping: every placing was tried, and at best "
                f"{problem.names(failed)} finds no unit ({reason}); add units or capacity, or relax a side constraint"
            )
        packing.unbook(order[len(tried) - 1], tried.pop())
    raise NoMappingError(
        f"mapper {mapper!r}: found no unit for {problem.names(failed)}, {reason} ran out; this proves nothing: try "
        "another mapper or add capacity"
    )


def _urgency(problem: Problem, group: int) -> tuple[float, int, int]:
    shares = [0.0]
    for unit in sorted(problem.allowed[group]) if problem.is_limited else ():
        spec = problem.instance.units[unit]
        if spec.crossbars:
            shares.append(problem.crossbars[problem.unit_class[unit]][group] / spec.crossbars)
        if spec.memory_bytes:
            shares.append(problem.memory_bytes[group] / spec.memory_bytes)
    return -max(shares), len(problem.allowed[group]), group
