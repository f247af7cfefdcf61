"""The period problem as arrays: identical nodes and identical units are counted, not told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mapopt.placement.problem import Problem

IntArray = npt.NDArray[np.int64]

N_RESOURCES = 2
"""Crossbars and memory bytes."""


@dataclass(frozen=True, slots=True)
class LoadProblem:
    """Items to distribute over units, each kind of item and unit as often as it occurs.

    Parameters
    ----------
    times
        Ticks of an item on a unit kind, shape (items, kinds); -1 where it is not allowed.
    sizes
        Resources an item takes on a unit kind, shape (resources, items, kinds).
    capacities
        Resources of one unit of a kind, shape (resources, kinds); never more than all items take together.
    demand
        How many groups are of an item's kind, shape (items,); at least 1.
    units
        How many units are of a kind, shape (kinds,).
    groups_of
        Group numbers of each item.
    units_of
        Unit numbers of each kind.
    """

    times: IntArray
    sizes: IntArray
    capacities: IntArray
    demand: IntArray
    units: IntArray
    groups_of: tuple[tuple[int, ...], ...]
    units_of: tuple[tuple[int, ...], ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of items and of unit kinds."""
        return len(self.demand), len(self.units)

    def fits(self, ticks: int) -> npt.NDArray[np.bool_]:
        """Return where an item alone fits on a unit within ``ticks``, shape (items, kinds)."""
        small = (self.sizes <= self.capacities[:, None, :]).all(axis=0)
        return (self.times >= 0) & (self.times <= ticks) & small

    def next_load(self, ticks: int) -> int:
        """Return a number from ``ticks`` on such that no load lies below it and not below ``ticks``.

        Loads of a kind are multiples of the greatest common divisor of its times.
        """
        steps = np.gcd.reduce(np.maximum(self.times, 0), axis=0).tolist()
        return min((-(-ticks // step) * step for step in steps if step > 0), default=ticks)

    def per_group(self, values: IntArray) -> tuple[int, ...]:
        """Return for each group the value of its item; ``values`` has shape (items,)."""
        found = np.zeros(int(self.demand.sum()), np.int64)
        for value, groups in zip(values, self.groups_of, strict=True):
            found[list(groups)] = value
        return tuple(found.tolist())

    def spread(self) -> LoadProblem:
        """Return the same problem with every group and every unit told apart."""
        items = np.repeat(np.arange(len(self.demand)), self.demand)
        kinds = np.repeat(np.arange(len(self.units)), self.units)
        return LoadProblem(
            times=np.ascontiguousarray(self.times[np.ix_(items, kinds)]),
            sizes=np.ascontiguousarray(self.sizes[:, items][:, :, kinds]),
            capacities=np.ascontiguousarray(self.capacities[:, kinds]),
            demand=np.ones(len(items), np.int64),
            units=np.ones(len(kinds), np.int64),
            groups_of=tuple((group,) for groups in self.groups_of for group in groups),
            units_of=tuple((unit,) for units in self.units_of for unit in units),
        )


def load_problem(problem: Problem) -> LoadProblem:
    """Count the identical groups and units of a placing problem.

    Two units are identical if they have the same class, the same capacities and are allowed to the same groups; two
    groups if they have the same times and sizes everywhere. Capacities that all items together cannot fill are cut
    down to what they take, so that they cost nothing.
    """
    n_groups, n_units = len(problem.groups), len(problem.unit_class)
    times = np.full((n_groups, n_units), -1, np.int64)
    for group, units in enumerate(problem.allowed):
        for unit in sorted(units):
            times[group, unit] = problem.time[problem.unit_class[unit]][group]
    crossbars = np.array(problem.crossbars, np.int64)[problem.unit_class].T
    memory = np.repeat(np.array(problem.memory_bytes, np.int64)[:, None], n_units, axis=1)
    sizes = np.stack([crossbars, memory])
    sizes[:, times < 0] = 0
    whole = sizes.sum(axis=1)
    given = [(unit.crossbars, unit.memory_bytes) for unit in problem.instance.units]
    capacities = np.array(
        [
            [whole[r, u] if row[r] is None else min(row[r], whole[r, u]) for u, row in enumerate(given)]
            for r in (0, 1)
        ],
        np.int64,
    )
    free = capacities == whole
    sizes = np.where(free[:, None, :], 0, sizes)
    capacities = np.where(free, 0, capacities)

    units_of = _alike(
        [(times[:, u].tobytes(), sizes[:, :, u].tobytes(), tuple(capacities[:, u])) for u in range(n_units)]
    )
    groups_of = _alike([(times[g].tobytes(), sizes[:, g].tobytes()) for g in range(n_groups)])
    kinds, items = [units[0] for units in units_of], [groups[0] for groups in groups_of]
    return LoadProblem(
        times=np.ascontiguousarray(times[np.ix_(items, kinds)]),
        sizes=np.ascontiguousarray(sizes[:, items][:, :, kinds]),
        capacities=np.ascontiguousarray(capacities[:, kinds]),
        demand=np.array([len(groups) for groups in groups_of], np.int64),
        units=np.array([len(units) for units in units_of], np.int64),
        groups_of=groups_of,
        units_of=units_of,
    )


def _alike(keys: Sequence[object]) -> tuple[tuple[int, ...], ...]:
    """Collect the numbers of equal keys, in order of their first."""
    found: dict[object, list[int]] = {}
    for number, key in enumerate(keys):
        found.setdefault(key, []).append(number)
    return tuple(map(tuple, found.values()))


def simple_bound(problem: LoadProblem) -> tuple[int, IntArray]:
    """Return the larger of the longest item and the mean load, all at their shortest times, and prices that prove it.

    No unit is paid for an item that takes longer than the period; and none is paid more than its ticks if no price
    exceeds an item's shortest time.
    """
    shortest = np.where(problem.times >= 0, problem.times, problem.times.max()).min(axis=1)
    mean = -(-int(shortest @ problem.demand) // int(problem.units.sum()))
    longest = int(shortest.argmax())
    if shortest[longest] < mean:
        return mean, shortest
    return int(shortest[longest]), (np.arange(len(shortest)) == longest).astype(np.int64)
