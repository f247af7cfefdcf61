"""The best mapping so far, every group and unit told apart."""

from __future__ import annotations

from threading import Lock

import numpy as np

from mapopt.solvers.model import Objective
from mapopt.solvers.patterns.annealing import Schedule, anneal
from mapopt.solvers.patterns.columns import BoolArray, FloatArray
from mapopt.solvers.patterns.effort import OPERATION
from mapopt.solvers.patterns.loads import IntArray, LoadProblem
from mapopt.solvers.watch import Watch


class Incumbent:
    """Keeps the best mapping and looks for better ones near others; two threads may do so at a time.

    Assignments are arrays with the position of each item's unit in ``spread``, shape (items of ``spread``,).

    Parameters
    ----------
    problem
        With identical groups and units counted.
    watch
        Is told of improvements and charged with effort.

    Attributes
    ----------
    spread
        The problem with every group and unit told apart.
    value
        Period of the best mapping in ticks; ``None`` without one.
    best
        The best assignment.
    """

    def __init__(self, problem: LoadProblem, watch: Watch) -> None:
        self.spread = problem.spread()
        self.value: int | None = None
        self.best: IntArray | None = None
        self._problem, self._watch, self._lock = problem, watch, Lock()
        self._preference = np.maximum(self.spread.times, 0).astype(np.float64)

    def reaches(self, ticks: int) -> bool:
        """Whether the best mapping has a period of at most ``ticks``."""
        return self.value is not None and self.value <= ticks

    def propose(self, units: IntArray) -> None:
        """Keep an assignment if it is feasible and better."""
        spread, items = self.spread, np.arange(len(units))
        times = spread.times[items, units]
        if (times < 0).any():
            return
        for size, capacity in zip(spread.sizes, spread.capacities, strict=True):
            held = np.zeros(len(capacity), np.int64)
            np.add.at(held, units, size[items, units])
            if (held > capacity).any():
                return
        load = np.zeros(len(spread.units), np.int64)
        np.add.at(load, units, times)
        value = int(load.max())
        with self._lock:
            if self.value is None or value < self.value:
                self.best, self.value = units.copy(), value
        self._watch.report(Objective.PERIOD, value=value)

    def repair(self, ticks: int, start: IntArray, schedule: Schedule, rng: np.random.Generator) -> bool:
        """Anneal an assignment towards a period; whether it was reached."""
        allowed = self.spread.fits(ticks)
        if not allowed.any(axis=1).all():
            return False
        tried = schedule.scaled(ticks, len(start))
        excess, units = anneal(self.spread, ticks, start, allowed, self._preference, tried, rng)
        self._watch.charge(OPERATION * 30 * tried.moves)
        self.propose(units)
        return excess == 0.0

    def rounded(self, shares: FloatArray) -> IntArray:
        """Round shares of kinds, shape (items, kinds) of the problem, to an assignment."""
        kinds = np.repeat(shares.argmax(axis=1), self._problem.demand)
        first = np.append(0, np.cumsum(self._problem.units))
        turns = np.arange(len(kinds)) % self._problem.units[kinds]
        return np.asarray(first[kinds] + turns, np.int64)

    def spread_out(self, allowed: BoolArray) -> BoolArray:
        """Return what holds for items and kinds for every group and unit."""
        return np.repeat(np.repeat(allowed, self._problem.demand, axis=0), self._problem.units, axis=1)

    def of_groups(self, units: tuple[int, ...]) -> IntArray:
        """Return the assignment where group g is on unit ``units[g]``."""
        position = {unit: at for at, (unit,) in enumerate(self.spread.units_of)}
        return np.array([position[units[group]] for (group,) in self.spread.groups_of], np.int64)

    def units(self) -> tuple[int, ...] | None:
        """Return the unit of each group in the best mapping."""
        if self.best is None:
            return None
        found = [0] * len(self.best)
        for (group,), at in zip(self.spread.groups_of, self.best.tolist(), strict=True):
            found[group] = self.spread.units_of[at][0]
        return tuple(found)
