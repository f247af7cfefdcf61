"""The most valuable pattern of every unit kind: a bounded knapsack over time and resources, in exact integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mapopt.bounds.pattern_duals import fractional, grid
from mapopt.emulator.jit import compiled
from mapopt.solvers.patterns.loads import IntArray, LoadProblem


@dataclass(frozen=True, slots=True)
class Patterns:
    """The best pattern of each unit kind.

    Parameters
    ----------
    ceilings
        No pattern of the kind is worth more, shape (kinds,).
    counts
        How many of each item the pattern found holds, shape (kinds, items); it is worth the ceiling unless the table
        is coarse.
    """

    ceilings: IntArray
    counts: IntArray


class Knapsacks:
    """One knapsack per unit kind: what it may hold within a period.

    Parameters
    ----------
    problem
        Items and unit kinds.
    ticks
        Length of the period.

    Attributes
    ----------
    effort
        Operations so far.
    """

    def __init__(self, problem: LoadProblem, ticks: int) -> None:
        n_items, n_kinds = problem.shape
        self.problem = problem
        self.most = np.where(problem.fits(ticks), problem.demand[:, None], 0)
        """Most of each item on one unit of a kind, shape (items, kinds)."""
        self.effort = 0
        copies = int(np.ceil(np.log2(problem.demand + 1)).sum())
        self._weights = np.zeros((n_kinds, n_items, 3), np.int64)
        self._limits = np.zeros((n_kinds, 3), np.int64)
        self._grids = np.ones((n_kinds, 3), np.int64)
        self._coarse = np.zeros(n_kinds, np.bool_)
        for kind in range(n_kinds):
            weights = np.stack([problem.times[:, kind], *problem.sizes[:, :, kind]], axis=1)
            weights[self.most[:, kind] == 0] = 0
            self._weights[kind] = weights
            self._limits[kind] = np.minimum([ticks, *problem.capacities[:, kind]], weights.T @ problem.demand)
            self._grids[kind] = grid(weights, self._limits[kind], copies)
            self._coarse[kind] = (weights % self._grids[kind]).any()
        self._cells = copies * (self._limits // self._grids + 1).prod(axis=1)

    def best(self, prices: IntArray, most: IntArray) -> Patterns:
        """Return the best patterns where an item is worth its price.

        Parameters
        ----------
        prices
            Non-negative, shape (items,).
        most
            Most of each item on one unit of a kind, shape (items, kinds), at most ``self.most``.
        """
        n_items, n_kinds = self.problem.shape
        ceilings, counts = np.zeros(n_kinds, np.int64), np.zeros((n_kinds, n_items), np.int64)
        for kind in np.flatnonzero(most.any(axis=0)):
            weights, limits, units = self._weights[kind], self._limits[kind], self._grids[kind]
            here = np.ascontiguousarray(most[:, kind])
            ceilings[kind] = knapsack(prices, here, weights // units, limits // units, counts[kind])
            self.effort += int(self._cells[kind])
            if self._coarse[kind]:
                ceilings[kind] = min(ceilings[kind], self._cut(prices, here, int(kind)))
                if (counts[kind] @ weights > limits).any():
                    knapsack(prices, here, -(-weights // units), limits // units, counts[kind])
                    self.effort += int(self._cells[kind])
        return Patterns(ceilings, counts)

    def _cut(self, prices: IntArray, most: IntArray, kind: int) -> int:
        """Return the least of the bounds that arise when items may be cut."""
        able = np.flatnonzero(most * prices)
        rows = [each[able].tolist() for each in (prices, *self._weights[kind].T, most)]
        limits = self._limits[kind].tolist()
        return min(fractional(rows[0], rows[1 + each], rows[4], limits[each]) for each in range(3))


@compiled
def knapsack(prices: IntArray, most: IntArray, weights: IntArray, limits: IntArray, counts: IntArray) -> int:
    """Maximise the price of a choice of items within three limits, and put the choice into ``counts``.

    Dynamic programming over all states; an item that may be taken several times is cut into parts of 1, 2, 4, ...

    Parameters
    ----------
    prices, most
        Of each item, shape (items,).
    weights
        Shape (items, 3).
    limits
        Shape (3,).
    counts
        Output, shape (items,).
    """
    n_items = len(prices)
    counts[:] = 0
    item_of = np.empty(64 * n_items, np.int64)
    part_of = np.empty(64 * n_items, np.int64)
    n_parts = 0
    for item in range(n_items):
        left = most[item] if prices[item] > 0 else 0
        for each in range(3):
            if weights[item, each] > 0:
                left = min(left, limits[each] // weights[item, each])
        part = 1
        while left > 0:
            item_of[n_parts], part_of[n_parts] = item, min(part, left)
            left -= part_of[n_parts]
            n_parts += 1
            part *= 2
    length, width, depth = limits[0] + 1, limits[1] + 1, limits[2] + 1
    old = np.zeros((width, depth, length), np.int64)
    new = np.zeros((width, depth, length), np.int64)
    taken = np.zeros((n_parts, width, depth, length), np.uint8)
    for number in range(n_parts):
        item, part = item_of[number], part_of[number]
        price = prices[item] * part
        time, first, second = weights[item, 0] * part, weights[item, 1] * part, weights[item, 2] * part
        for a in range(width):
            for b in range(depth):
                row, out, flags = old[a, b], new[a, b], taken[number, a, b]
                if a < first or b < second:
                    out[:] = row
                    continue
                source = old[a - first, b - second]
                out[:time] = row[:time]
                for t in range(time, length):
                    with_it = source[t - time] + price
                    out[t] = max(row[t], with_it)
                    flags[t] = with_it > row[t]
        old, new = new, old
    t, a, b = limits[0], limits[1], limits[2]
    for number in range(n_parts - 1, -1, -1):
        if taken[number, a, b, t]:
            item, part = item_of[number], part_of[number]
            counts[item] += part
            t -= weights[item, 0] * part
            a -= weights[item, 1] * part
            b -= weights[item, 2] * part
    return int(old[limits[1], limits[2], limits[0]])
