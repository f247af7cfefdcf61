"""Column generation: the search for a fractional choice of patterns that holds every item within a period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mapopt.solvers.patterns.effort import OPERATION, SIMPLEX_ITERATION
from mapopt.solvers.patterns.knapsack import Knapsacks, Patterns
from mapopt.solvers.patterns.loads import IntArray, LoadProblem
from mapopt.solvers.watch import Watch

SCALE = 10**7
"""Integer price of an item that counts fully."""

SMOOTHING = 0.7
"""Weight of the best prices so far in those that are tried."""

TOLERANCE = 1e-7
"""Of the linear program; nothing that is proven rests on it."""

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What column generation says of a period.

    Parameters
    ----------
    prices
        Integer prices that refute the period exactly, shape (items,); ``None`` if it was not refuted.
    finished
        Whether it came to an end: either refuted, or no pattern improves the linear program any more.
    """

    prices: IntArray | None
    finished: bool

    @property
    def refuted(self) -> bool:
        """Whether no choice of patterns holds every item."""
        return self.prices is not None


class Columns:
    """The linear program over patterns for one period, solved again and again as patterns and limits change.

    Minimise the items left over, so that each item is left over or held often enough, and no more patterns of a kind
    are chosen than there are units.

    Parameters
    ----------
    problem
        Items and unit kinds.
    ticks
        The period.
    watch
        Says when to stop.
    """

    def __init__(self, problem: LoadProblem, ticks: int, watch: Watch) -> None:
        import highspy

        self.problem = problem
        self.ticks = ticks
        self.knapsacks = Knapsacks(problem, ticks)
        self.kind_of: list[int] = []
        self.counts: list[IntArray] = []
        self._watch = watch
        self._known: set[tuple[int, bytes]] = set()
        self._most: IntArray = self.knapsacks.most
        self._units: IntArray = problem.units
        model: Any = highspy.Highs()
        model.setOptionValue("output_flag", False)
        model.setOptionValue("threads", 1)
        nothing, none = np.array([], np.int32), np.array([])
        for count in problem.demand:
            model.addRow(float(count), highspy.kHighsInf, 0, nothing, none)
        for count in problem.units:
            model.addRow(-highspy.kHighsInf, float(count), 0, nothing, none)
        for item, count in enumerate(problem.demand):
            model.addCol(1.0, 0.0, float(count), 1, np.array([item], np.int32), np.array([1.0]))
        self._model = model
        self._unlimited = highspy.kHighsInf

    def restrict(self, most: IntArray, units: IntArray) -> None:
        """Allow at most ``most`` of each item on a unit of a kind, and ``units`` units of each kind.

        ``most`` has shape (items, kinds), ``units`` shape (kinds,).
        """
        self._most, self._units = most, units
        n_items, n_kinds = self.problem.shape
        rows = np.arange(n_items, n_items + n_kinds, dtype=np.int32)
        self._model.changeRowsBounds(
            n_kinds, rows, np.full(n_kinds, -self._unlimited), units.astype(np.float64)
        )
        self.release()

    def forget(self, first: int) -> None:
        """Drop the patterns from number ``first`` on, so that the linear program stays small."""
        for kind, counts in zip(self.kind_of[first:], self.counts[first:], strict=True):
            self._known.discard((kind, counts.tobytes()))
        n_items = self.problem.shape[0]
        gone = np.arange(n_items + first, n_items + len(self.counts), dtype=np.int32)
        self._model.deleteCols(len(gone), gone)
        del self.kind_of[first:], self.counts[first:]

    def release(self) -> None:
        """Drop the patterns that were fixed; those that the limits forbid stay away."""
        if self.counts:
            self._bound_columns(np.zeros(len(self.counts)))

    def fix(self, times: IntArray) -> None:
        """Choose each pattern at least so many times, shape (patterns,)."""
        self._bound_columns(times.astype(np.float64))

    def generate(self, fixed: IntArray | None = None) -> Verdict:
        """Add patterns until the period is refuted or the linear program is solved.

        Parameters
        ----------
        fixed
            Units of each kind whose pattern was fixed: no patterns are looked for if none is left, and nothing is
            refuted.
        """
        centre: FloatArray | None = None  # the prices that came closest to a refutation
        best = 0
        left = self._units - (0 if fixed is None else fixed)
        most = np.where(left > 0, self._most, 0)
        if fixed is None:
            shortest = self._shortest()
            if self._surplus(shortest, self._price(shortest, most)) > 0:
                return Verdict(shortest, finished=True)
        while not self._watch.stopped:
            objective, prices, kind_prices = self._solve()
            if objective < TOLERANCE:
                return Verdict(None, finished=True)
            smooth = prices
            if centre is not None:
                smooth = SMOOTHING * centre + (1 - SMOOTHING) * prices
            for tried in (smooth, prices):
                whole = np.floor(tried * SCALE).astype(np.int64)
                found = self._price(whole, most)
                if fixed is None:
                    surplus = self._surplus(whole, found)
                    if surplus > 0:
                        return Verdict(whole, finished=True)
                    if centre is None or surplus > best:
                        best, centre = surplus, tried
                if self._add_improving(found, prices, kind_prices):
                    break
            else:
                return Verdict(None, finished=True)
        return Verdict(None, finished=False)

    def fractions(self) -> FloatArray:
        """Return how often each pattern is chosen in the last linear program, shape (patterns,)."""
        chosen = np.array(self._model.getSolution().col_value)[self.problem.shape[0] :]
        return np.asarray(chosen, np.float64)

    def shares(self) -> FloatArray:
        """Return how much of each item is on each kind in the last linear program, shape (items, kinds)."""
        n_items, n_kinds = self.problem.shape
        share = np.zeros((n_kinds, n_items))
        fractions = self.fractions()
        used = np.flatnonzero(fractions > TOLERANCE)
        for column in used:
            share[self.kind_of[column]] += fractions[column] * self.counts[column]
        return np.ascontiguousarray(share.T / np.maximum(share.sum(axis=0), 1e-9)[:, None])

    def _solve(self) -> tuple[float, FloatArray, FloatArray]:
        self._model.run()
        info = self._model.getInfo()
        self._watch.charge(SIMPLEX_ITERATION * max(1, info.simplex_iteration_count))
        duals = np.array(self._model.getSolution().row_dual)
        n_items = self.problem.shape[0]
        return info.objective_function_value, np.clip(duals[:n_items], 0.0, 1.0), duals[n_items:]

    def _shortest(self) -> IntArray:
        """Return the shortest time of each item where it is allowed, shape (items,): prices to begin with."""
        allowed = (self._most > 0) & (self._units > 0)
        times = np.where(allowed, self.problem.times, self.problem.times.max())
        return np.asarray(np.where(allowed.any(axis=1), times.min(axis=1), 1), np.int64)

    def _surplus(self, prices: IntArray, found: Patterns) -> int:
        """Return by how much the prices of all items exceed what all units can be paid for."""
        return int(prices @ self.problem.demand - found.ceilings @ self._units)

    def _price(self, prices: IntArray, most: IntArray) -> Patterns:
        before = self.knapsacks.effort
        found = self.knapsacks.best(prices, most)
        self._watch.charge(OPERATION * (self.knapsacks.effort - before))
        return found

    def _add_improving(self, found: Patterns, prices: FloatArray, kind_prices: FloatArray) -> bool:
        """Add the patterns that the linear program would like to choose."""
        gains = found.counts @ prices + kind_prices
        added = False
        for kind in np.flatnonzero(gains > 1e-9):
            added = self.add(int(kind), found.counts[kind]) or added
        return added

    def add(self, kind: int, counts: IntArray) -> bool:
        """Add a pattern unless it is known."""
        key = (kind, counts.tobytes())
        if key in self._known or not counts.any():
            return False
        self._known.add(key)
        items = np.flatnonzero(counts)
        rows = np.append(items, self.problem.shape[0] + kind).astype(np.int32)
        entries = np.append(counts[items], 1).astype(np.float64)
        self._model.addCol(0.0, 0.0, self._unlimited, len(rows), rows, entries)
        self.kind_of.append(kind)
        self.counts.append(counts)
        return True

    def _bound_columns(self, lower: FloatArray) -> None:
        """Choose each pattern at least so often, and those that the limits forbid never."""
        legal: BoolArray = np.all(np.array(self.counts) <= self._most.T[self.kind_of], axis=1)
        n_items = self.problem.shape[0]
        columns = np.arange(n_items, n_items + len(lower), dtype=np.int32)
        self._model.changeColsBounds(len(columns), columns, lower, np.where(legal, self._unlimited, 0.0))
