"""Annealed schedules over links: units as if no transfer ever waited, then the order of all tasks on all resources."""

from __future__ import annotations

import time
from collections.abc import Callable

from mapopt.emulator.lower import lower
from mapopt.instance import Instance
from mapopt.mapping import Mapping
from mapopt.placement.problem import Problem
from mapopt.search.assignment import homes_within
from mapopt.search.cyclic_search import annealed_cyclic, ignore
from mapopt.search.effort import Effort, check_request, never
from mapopt.search.list_search import packed
from mapopt.search.schedule import Schedule
from mapopt.search.tables import tables_of
from mapopt.search.task_rings import anneal_tasks
from mapopt.solvers.booking import book, compact, schedule_of
from mapopt.solvers.contention import bare, without_contention
from mapopt.transfers import Links

UNITS_SHARE = 0.6
"""Share of a round's time for units without contention; the rest orders tasks."""

ROUND_SECONDS, ROUND_MOVES = 10.0, 2_000_000
"""Time of a round, and moves of its annealings where only moves are limited."""

TASKS_PACE = 300_000
"""Moves of tasks per second, about; a round's annealing of tasks has as many as its time lets expect."""

HEATS = ((0.1, 0.002), (0.005, 0.0002), (0.02, 0.0005))
"""First and last temperatures, as shares of the period, of the annealings of tasks in turn."""


def annealed_links(
    instance: Instance,
    period: int,
    *,
    seed: int = 0,
    iterations: int | None = None,
    seconds: float | None = None,
    target: int = 0,
    start: Mapping | None = None,
    stop: Callable[[], bool] = never,
    on_better: Callable[[Schedule], None] = ignore,
) -> Schedule | None:
    """Anneal schedules of an instance whose transfers go over links.

    In turn, units and the places of nodes on them are annealed as if no transfer ever waited, and improvements get
    their transfers booked on the links; and the order of all tasks of the best schedule, on units and on links, is
    annealed with the assignment kept.

    Parameters
    ----------
    instance
        One with links.
    period
        Ticks.
    iterations, seconds
        Limits in moves, those of bookings not counted, and time; with neither, ``target`` or ``stop`` has to end the
        search.
    target
        A latency that is good enough, such as a lower bound.
    start
        Assignment to begin with, loads within the period; without it one is searched for. If it is time-triggered with
        this horizon, its schedule is the first that is improved.
    stop
        Asked about every tenth of a second.
    on_better
        Called with every schedule that is better than all before.

    Returns
    -------
    Schedule or None
        ``None`` if no assignment within the period was found.

    Raises
    ------
    UnsupportedError
        If transfers do not go over links.
    InputError
        If the period is below 1, or ``start`` is not of this instance.
    InfeasibleError
        If the instance has no mapping.
    """
    linked = isinstance(instance.transfer, Links)
    check_request(
        "annealed_links", period, None if linked else "transfers do not go over links; use annealed_cyclic"
    )
    effort = Effort(iterations, seconds, stop, time.perf_counter())
    search = _Search(instance, period, seed, effort, target, on_better)
    search.begin(start)
    number = 0
    while search.best is not None and not search.is_done:
        search.order_tasks(search.best, number)
        search.place_units(search.best, number)
        number += 1
    return search.best


class _Search:
    """The best schedule so far, and two ways to a better one."""

    def __init__(
        self,
        instance: Instance,
        period: int,
        seed: int,
        effort: Effort,
        target: int,
        on_better: Callable[[Schedule], None],
    ) -> None:
        self.instance, self.period, self.seed = instance, period, seed
        self.effort, self.target, self.on_better = effort, target, on_better
        self.relaxed = without_contention(instance)
        self.round_moves = min(ROUND_MOVES, effort.iterations or ROUND_MOVES)
        self.best: Schedule | None = None
        self.overloads = (
            False  # whether units found without contention had more work on a link than the period
        )

    def begin(self, start: Mapping | None) -> None:
        """Offer the schedule to start from, if there is any."""
        if start is None:
            problem = Problem(self.instance)
            homes = homes_within(problem, tables_of(problem), self.period, self.seed, self.effort.stop)
            if homes is None:
                return
            start = Mapping.of(self.instance, problem.units(homes.tolist()))
        if start.horizon == self.period and start.is_time_triggered and len(start.patterns) == 1:
            program = lower(self.instance, start)
            self.offer(schedule_of(self.instance, program, program.timed_starts, self.period))
        else:
            self.offer(packed(self.instance, start, self.period))

    @property
    def is_done(self) -> bool:
        """Whether the limits or the target are reached."""
        return self.effort.is_spent or (self.best is not None and self.best.latency <= self.target)

    def offer(self, schedule: Schedule | None) -> None:
        """Keep a schedule if it is the best, after compaction."""
        if schedule is not None and (self.best is None or schedule.latency < self.best.latency):
            self.best = compact(self.instance, schedule.mapping)
            self.on_better(self.best)

    def place_units(self, best: Schedule, number: int) -> None:
        """Anneal units and places of nodes without contention, and book transfers.

        Those of every improvement; where moves are counted, as bookings are not, only those of the last.
        """
        if self.is_done or self.overloads:
            return
        left, moves = self._left(UNITS_SHARE)
        clock, seed = time.perf_counter(), self.seed + number

        def hear(better: Schedule) -> None:
            if self.best is None or better.latency < self.best.latency:
                booked = book(
                    self.instance, better.mapping, self.period, seed=seed, moves=moves, stop=self.stops
                )
                self.overloads |= booked is None
                self.offer(booked)

        last = annealed_cyclic(
            self.relaxed,
            self.period,
            seed=seed,
            iterations=moves,
            seconds=left,
            target=self.target,
            start=bare(best.mapping, self.relaxed),
            stop=self.effort.stop,
            on_better=hear if moves is None else ignore,
        )
        if moves is not None:
            self.effort.book(moves, time.perf_counter() - clock)
            if last is not None:
                hear(last)

    def order_tasks(self, best: Schedule, number: int) -> None:
        """Anneal the order of all tasks of the best schedule."""
        left, moves = self._left(1 - UNITS_SHARE)
        program = lower(self.instance, best.mapping)
        found = anneal_tasks(
            program,
            program.timed_starts,
            self.period,
            seed=self.seed + number,
            moves=int(TASKS_PACE * (left or ROUND_SECONDS)) if moves is None else moves,
            heat=HEATS[number % len(HEATS)],
            effort=self.effort,
            target=self.target,
        )
        if found is not None:
            self.offer(schedule_of(self.instance, program, found, self.period))

    def stops(self) -> bool:
        """Return whether to stop what does not count its moves."""
        return self.effort.iterations is None and self.effort.is_spent

    def _left(self, share: float) -> tuple[float | None, int | None]:
        """Return the seconds or the moves of a part of a round."""
        effort = self.effort
        if effort.iterations is not None:
            return None, max(1, min(effort.iterations, round(share * self.round_moves)))
        left = ROUND_SECONDS
        if effort.seconds is not None:
            left = min(left, effort.seconds - (time.perf_counter() - effort.began))
        return max(0.01, share * left), None
