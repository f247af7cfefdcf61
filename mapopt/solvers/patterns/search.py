"""The minimal period by patterns: bounds, searches for mappings, and branch and price, in turn."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import numpy as np

from mapopt.bounds.pattern_duals import PatternDuals
from mapopt.solvers.model import Objective
from mapopt.solvers.patterns.annealing import Schedule
from mapopt.solvers.patterns.assignment_mip import assign
from mapopt.solvers.patterns.branching import BranchAndPrice, State
from mapopt.solvers.patterns.columns import Columns, FloatArray
from mapopt.solvers.patterns.diving import Diving, assignment
from mapopt.solvers.patterns.incumbent import Incumbent
from mapopt.solvers.patterns.loads import IntArray, LoadProblem, simple_bound
from mapopt.solvers.patterns.question import Found, Ingredients, Wanted
from mapopt.solvers.patterns.relaxation import Relaxation, relax
from mapopt.solvers.watch import Watch

QUICK = Schedule(500_000, hot=2.0, cold=0.3, pull=0.2)
"""The first attempt at a period."""

REPAIR = Schedule(2_000_000, hot=1.0, cold=0.3, pull=0.2)
"""The repair of a dive."""

AT_NODE = Schedule(100_000, hot=1.0, cold=0.3, pull=0.2)
"""The attempt at each node of branch and price."""

DIVES = 4
"""Dives between two turns of the integer program and of branch and price."""

NODES = 20
"""Nodes of branch and price in its first turn; twice as many in each later one."""

MIP_S = 0.5
"""Seconds of the integer program before its first turn; twice as many in each."""


class Search:
    """A search for the minimal period of a problem.

    Parameters
    ----------
    problem
        With identical groups and units counted.
    watch
        Says when to stop, and is told of improvements.
    bound
        A proven lower bound, in ticks.
    ingredients, wanted
        See there.
    """

    def __init__(
        self,
        problem: LoadProblem,
        watch: Watch,
        bound: int = 0,
        ingredients: Ingredients | None = None,
        wanted: Wanted | None = None,
    ) -> None:
        self._problem, self._watch = problem, watch
        self._ingredients, self._wanted = ingredients or Ingredients(), wanted or Wanted()
        self._rng, self._tree_rng = np.random.default_rng(watch.limits.seed).spawn(2)
        self._incumbent = Incumbent(problem, watch)
        self._longest = int(problem.times.max(axis=1) @ problem.demand)  # every mapping keeps this period
        self._bound = 0
        self._duals: PatternDuals | None = None
        simple, prices = simple_bound(problem)
        if simple > 0:
            self._refute(simple - 1, prices)
        self._bound = max(problem.next_load(bound), self._bound)

    def run(self, start: tuple[int, ...] | None = None) -> Found:
        """Search until the bound is reached, or the limits are.

        Parameters
        ----------
        start
            Unit of each group of a mapping to improve on; it need not be feasible.
        """
        incumbent = self._incumbent
        self._watch.report(Objective.PERIOD, bound=self._bound)
        incumbent.propose(self._greedy())
        if start is not None:
            incumbent.propose(incumbent.of_groups(start))
        guess = self._first_guess() if self._ingredients.relaxation else self._bound
        if incumbent.value is None:
            self._reach_any()
        columns = self._raise_bound(guess)
        while columns is not None and not self._is_done:
            columns = self._settle(columns)
        infeasible = incumbent.value is None and self._bound > self._longest
        return Found(incumbent.units(), incumbent.value, self._bound, self._duals, infeasible)

    @property
    def _is_done(self) -> bool:
        below = self._wanted.below
        if below is not None and self._bound >= below:
            return True
        if below is not None and self._wanted.any_of_them and self._incumbent.reaches(below - 1):
            return True
        return self._watch.stopped or self._bound > self._longest or self._incumbent.reaches(self._bound)

    def _first_guess(self) -> int:
        """Return the shortest period that the linear program over assignments allows, and try to reach it."""

        def holds(ticks: int) -> bool:
            settled = self._is_done or self._incumbent.reaches(ticks) or ticks >= self._longest
            return settled or relax(self._problem, ticks, self._watch) is not None

        ticks = least(holds, self._bound)
        if not self._incumbent.reaches(ticks):
            relaxation = relax(self._problem, ticks, self._watch)
            if relaxation is not None:
                self._incumbent.repair(ticks, self._incumbent.rounded(relaxation.shares), QUICK, self._rng)
        return ticks

    def _raise_bound(self, guess: int) -> Columns | None:
        """Refute periods until the first that patterns allow; return its patterns, or ``None`` if done."""
        open_at: dict[int, Columns] = {}

        def holds(ticks: int) -> bool:
            if self._is_done or self._incumbent.reaches(ticks):
                return True
            if ticks < self._bound:
                return False
            open_at[ticks] = Columns(self._problem, ticks, self._watch)
            return not self._is_refuted(open_at[ticks])

        ticks, step = max(self._bound, guess - 1), 1
        while ticks > self._bound and holds(ticks):
            ticks = max(self._bound, ticks - step)
            step *= 2
        return open_at.get(least(holds, max(ticks, self._bound)))

    def _is_refuted(self, columns: Columns) -> bool:
        """Whether patterns cannot hold every item within the period of ``columns``, exactly."""
        prices = columns.generate().prices
        if prices is None:
            return False
        self._refute(columns.ticks, prices)
        return True

    def _refute(self, ticks: int, prices: IntArray | None = None) -> None:
        """Note that no mapping has a period of ``ticks``, and the prices of the items that prove it.

        What holds for these ticks holds until the next load that is possible.
        """
        ticks = self._problem.next_load(ticks + 1) - 1
        if prices is not None and (self._duals is None or ticks > self._duals.ticks):
            self._duals = PatternDuals(ticks, self._problem.per_group(prices))
        self._bound = max(self._bound, ticks + 1)
        self._watch.report(Objective.PERIOD, bound=self._bound)

    def _greedy(self) -> IntArray:
        return assignment(self._problem, self._incumbent.spread, [])

    def _reach_any(self) -> None:
        """Find a mapping that keeps the capacities, or refute that there is one."""
        ticks = self._longest
        if self._is_refuted(Columns(self._problem, ticks, self._watch)):
            return
        tree = BranchAndPrice(self._problem, ticks, self._watch)
        while self._incumbent.value is None and not self._is_done:
            if not self._incumbent.repair(ticks, self._greedy(), REPAIR, self._rng):
                self._search_tree(tree, NODES)

    def _settle(self, columns: Columns) -> Columns | None:
        """Reach or refute the period of ``columns``; return the patterns of the next one that is open.

        With several workers branch and price runs beside the other searches, otherwise they take turns.
        """
        ticks, limits = columns.ticks, self._watch.limits
        tree = BranchAndPrice(self._problem, ticks, self._watch) if self._ingredients.branching else None
        if tree is None or limits.workers == 1 or limits.deterministic:
            self._reach(columns, tree)
        else:
            with ThreadPoolExecutor(1) as beside:
                proof = beside.submit(self._exhaust, tree)
                try:
                    self._reach(columns, None)
                except BaseException:
                    self._watch.stop()
                    raise
                proof.result()
        return None if self._is_done else self._raise_bound(self._bound)

    def _exhaust(self, tree: BranchAndPrice) -> None:
        """Branch and price until the period is settled."""
        while not self._is_settled(tree.ticks) and not tree.is_stuck:
            self._search_tree(tree, 1)

    def _reach(self, columns: Columns, tree: BranchAndPrice | None) -> None:
        """Look for mappings until the period of ``columns`` is settled, in turns with branch and price."""
        ticks = columns.ticks
        divings = [Diving(columns, self._watch, self._rng)]
        relaxation = relax(self._problem, ticks, self._watch)
        for number in count():
            for _ in range(DIVES):
                for diving in divings:
                    self._dive(diving)
                self._improve()
            if self._ingredients.integer_program and relaxation is not None and number > 0:
                self._solve_integer_program(ticks, relaxation, MIP_S * 2.0**number)
            if tree is not None:
                self._search_tree(tree, NODES << number)
            if self._is_settled(ticks):
                return
            if len(divings) == 1 and not self._incumbent.reaches(ticks + 1):
                divings.append(Diving(Columns(self._problem, ticks + 1, self._watch), self._watch, self._rng))

    def _is_settled(self, ticks: int) -> bool:
        """Whether it is known if there is a mapping of this period, or nothing is left to do at all."""
        return self._is_done or self._bound > ticks or self._incumbent.reaches(ticks)

    def _dive(self, diving: Diving) -> None:
        """Dive on the patterns, or round their linear program, and repair what does not fit."""
        if self._is_settled(diving.ticks):
            return
        chosen = diving.dive() if self._ingredients.dives else []
        self._incumbent.repair(
            diving.ticks, assignment(self._problem, self._incumbent.spread, chosen), REPAIR, self._rng
        )

    def _improve(self) -> None:
        """Aim between the best mapping and the bound."""
        best, value = self._incumbent.best, self._incumbent.value
        if best is not None and value is not None and value > self._bound + 1 and not self._is_done:
            self._incumbent.repair((self._bound + value) // 2, best, REPAIR, self._rng)

    def _solve_integer_program(self, ticks: int, relaxation: Relaxation, limit_s: float) -> None:
        """Look for a mapping where reduced costs leave a choice."""
        if self._is_done:
            return
        allowed = self._incumbent.spread_out(relaxation.allowed)
        found = assign(self._incumbent.spread, ticks, allowed, self._watch, limit_s)
        if found is not None:
            self._incumbent.propose(found)

    def _search_tree(self, tree: BranchAndPrice, nodes: int) -> None:
        """Look at some nodes of branch and price, and repair what each one's linear program suggests."""
        if self._is_settled(tree.ticks):
            return

        def attempt(shares: FloatArray) -> bool:
            return self._incumbent.repair(tree.ticks, shares.argmax(axis=1), AT_NODE, self._tree_rng)

        if tree.run(nodes, attempt) is State.REFUTED:
            self._refute(tree.ticks)


def least(holds: Callable[[int], bool], low: int) -> int:
    """Return the least number from ``low`` on for which a monotone predicate holds.

    Examples
    --------
    >>> least(lambda number: number * number >= 50, 3)
    8
    """
    if holds(low):
        return low
    step = 1
    while not holds(low + step):
        low += step
        step *= 2
    high = low + step
    while high - low > 1:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle
    return high
