"""Diving on patterns: fix one pattern after the other as the linear program suggests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mapopt.solvers.patterns.columns import Columns, FloatArray
from mapopt.solvers.patterns.loads import IntArray, LoadProblem
from mapopt.solvers.watch import Watch

CANDIDATES = 3
"""Of so many patterns with the largest fractions one is drawn, the first most likely."""

LARGE = 0.6
"""Fractions from here on are rounded up."""

TINY = 1e-6
"""Fractions up to here are none."""


class Diving:
    """Dives on the patterns of one period.

    Parameters
    ----------
    columns
        Their linear program, free to use until the last dive.
    watch
        Says when to stop.
    rng
        Draws the pattern where several suggest themselves.
    """

    def __init__(self, columns: Columns, watch: Watch, rng: np.random.Generator) -> None:
        columns.generate()
        self._columns, self._watch, self._rng = columns, watch, rng
        self._first = len(columns.counts)

    @property
    def ticks(self) -> int:
        """The period."""
        return self._columns.ticks

    def dive(self) -> list[tuple[int, IntArray]]:
        """Choose a pattern for every unit, or until it is time to stop; return their kinds and counts."""
        columns = self._columns
        if len(columns.counts) > 2 * self._first:
            columns.forget(self._first)
        chosen = np.zeros(len(columns.counts), np.int64)
        while not self._watch.stopped:
            used = np.zeros(columns.problem.shape[1], np.int64)
            np.add.at(used, np.array(columns.kind_of, np.int64), chosen)
            if not columns.generate(fixed=used).finished:
                break
            chosen = np.append(chosen, np.zeros(len(columns.counts) - len(chosen), np.int64))
            left = columns.problem.units - used
            open_fractions = np.where(left[columns.kind_of] > 0, columns.fractions() - chosen, 0.0)
            more = self._next(open_fractions, left)
            if not more.any():
                break
            chosen += more
            columns.fix(chosen)
        columns.release()
        taken = np.repeat(np.arange(len(chosen)), chosen)
        return [(columns.kind_of[at], columns.counts[at]) for at in taken.tolist()]

    def _next(self, fractions: FloatArray, left: IntArray) -> IntArray:
        """Return how often more each pattern is to be chosen.

        The whole parts, then large fractions while their kind has units left; or else once one of the largest.
        """
        kind_of = np.array(self._columns.kind_of, np.int64)
        more = np.floor(fractions + TINY).astype(np.int64)
        np.subtract.at(left, kind_of, more)
        rest = fractions - more
        order = np.argsort(-rest, kind="stable")
        for at in order[rest[order] >= LARGE]:
            if left[kind_of[at]] > 0:
                more[at] += 1
                left[kind_of[at]] -= 1
        if not more.any():
            order = order[:CANDIDATES]
            order = order[rest[order] > TINY]
            if len(order):
                more[order[int(self._rng.random() ** 2 * len(order))]] = 1
        return more


def assignment(problem: LoadProblem, spread: LoadProblem, chosen: Sequence[tuple[int, IntArray]]) -> IntArray:
    """Give every group a unit: first as the patterns say, then what is left over where it adds least load.

    Parameters
    ----------
    problem, spread
        The problem of the patterns, and the same with every group and unit told apart.
    chosen
        Kind and counts of the pattern of some units, at most as many of a kind as there are.

    Returns
    -------
    units
        Position of each item's unit in ``spread``, shape (items of ``spread``,).
    """
    first_item = np.append(0, np.cumsum(problem.demand))
    first_unit = np.append(0, np.cumsum(problem.units))
    unit_of = np.full(first_item[-1], -1, np.int64)
    placed = np.zeros(len(problem.demand), np.int64)
    used = np.zeros(len(problem.units), np.int64)
    load = np.zeros(first_unit[-1], np.int64)
    for kind, counts in chosen:
        unit = first_unit[kind] + used[kind]
        used[kind] += 1
        for item in np.flatnonzero(counts):
            for _ in range(min(counts[item], problem.demand[item] - placed[item])):
                unit_of[first_item[item] + placed[item]] = unit
                placed[item] += 1
                load[unit] += problem.times[item, kind]
    for item in np.flatnonzero(unit_of < 0):
        times = spread.times[item]
        unit = int(np.where(times >= 0, load + times, np.iinfo(np.int64).max).argmin())
        unit_of[item] = unit
        load[unit] += times[unit]
    return unit_of
