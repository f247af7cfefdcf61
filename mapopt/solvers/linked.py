"""The least latency at a given period over links: first without contention, then with every transfer booked.

The relaxed problem gives bounds, and units close to the best. Its schedule is booked on the links and improved by the
methods below, the one that gains most going on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf
from threading import Lock
from typing import Any

import msgspec

from mapopt.mapping import Mapping
from mapopt.placement.communication import Communication
from mapopt.placement.problem import Problem
from mapopt.search.elastic_search import annealed_elastic
from mapopt.search.list_search import annealed_list, packed
from mapopt.search.schedule import Schedule
from mapopt.solvers.base import Formulation, Task
from mapopt.solvers.beside import beside
from mapopt.solvers.booking import book, compact
from mapopt.solvers.contention import bare, without_contention
from mapopt.solvers.forking import Send
from mapopt.solvers.guard import guarded
from mapopt.solvers.horizons import latency_in_class
from mapopt.solvers.judging import measured
from mapopt.solvers.latency import improve
from mapopt.solvers.link_annealing import TASKS_PACE, annealed_links
from mapopt.solvers.model import Answer, Objective, Status
from mapopt.solvers.neighbourhoods import pinned, rebound
from mapopt.solvers.registry import get
from mapopt.solvers.watch import Watch

RELAXED_SHARE, BOOK_SHARE, BOOKED_SHARE, ALL_SHARE = 0.45, 0.1, 0.1, 0.95
"""Parts of the time left: for the relaxed problem, for booking, for transfers between the units found, and for what
follows."""

MOST_S = 120.0
"""Seconds for the first and the third of them, and for one annealing, at most."""

LEAST_S = 0.01
"""Time of the annealing beside at least, in seconds."""

SLICE, GAIN, GROWTH = 0.12, 0.002, 1.5
"""First turn of each method as a part of the time; the gain, as a share of the value, that earns another turn; and how
turns grow."""

LIST_SHARE, LIST_NODE_S = 0.1, 0.02
"""Annealed list scheduling: share of the time, and seconds per node at most."""

NEAR, CLOSE = 0.05, 0.02
"""Gaps up to which the whole problem is solved, but no lists and cyclic orders annealed, and up to which it is solved
first and no neighbourhoods are searched."""


def improve_linked(task: Task, formulation: Formulation, relaxed_formulation: Formulation) -> Answer:
    """Look for a low latency and for bounds.

    Parameters
    ----------
    task
        Its period is fixed, its instance has links, and its limits are of time. ``start`` is an assignment within the
        period, or a schedule.
    formulation, relaxed_formulation
        For the instance, and for the same without contention.

    Returns
    -------
    Answer
        The best mapping found, measured by the emulator, and a bound.

    Raises
    ------
    BrokenFormulationError
        If a mapping of a formulation is not what it claims.
    """
    search = _Search(task, formulation)
    search.relax(relaxed_formulation)
    search.book()
    search.improve()
    return search.answer()


class _Search:
    """The best mapping and bound so far."""

    def __init__(self, task: Task, formulation: Formulation) -> None:
        assert task.period is not None
        self.task, self.watch, self.formulation = task, task.watch, formulation
        self.period = task.period.high
        self.direct = _variant(formulation, relax=False) or formulation
        self.relaxed = replace(
            task,
            instance=without_contention(task.instance),
            start=None if task.start is None else bare(task.start, without_contention(task.instance)),
            bound=0,  # bounds over links need not hold without contention
            cutoff=None,
        )
        self.bound, self.value, self.mapping = task.bound, task.cutoff, task.start
        self.lock = Lock()
        if task.start is not None:
            self.value = latency_in_class(task.instance, task.start, task.period)
            if self.value is None:
                self._offer(packed(task.instance, task.start, self.period))

    @property
    def is_open(self) -> bool:
        """Whether there is something left to do, and time to do it."""
        return not self.watch.stopped and (self.value is None or self.value > self.bound)

    def answer(self) -> Answer:
        """Return what was found."""
        if self.value is None or self.mapping is None:
            return Answer(Status.UNKNOWN, bound=self.bound)
        status = Status.OPTIMAL if self.value == self.bound else Status.FEASIBLE
        return Answer(status, self.mapping, self.value, self.bound)

    def relax(self, formulation: Formulation) -> None:
        """Solve without contention: the bound holds. Retimings spread chains over units and links, and are left out."""
        with self.watch.deaf(), self.watch.at_most(min(RELAXED_SHARE * self.watch.left, MOST_S)):
            answer = improve(self.relaxed, formulation, retiming=False)
        self._prove(answer.bound)
        self.relaxed = replace(self.relaxed, start=answer.mapping)

    def book(self) -> None:
        """Book the transfers of the schedule without contention."""
        if self.relaxed.start is None or self.relaxed.start.horizon is None:
            return
        if max(Communication(self.task.instance).loads(self._relaxed_units)) > self.period:
            return  # links are too full for these units
        moves = int(TASKS_PACE * BOOK_SHARE * min(self.watch.left, MOST_S))
        self._offer(book(self.task.instance, self.relaxed.start, self.period, moves=moves, stop=self._stops))
        if self.is_open:
            self._retime()

    def improve(self) -> None:
        """Give every method a turn, then always the one that gained most in its last.

        When none gains, the whole problem has a turn, and all turns become longer; where it is close, it begins.
        """
        if self.mapping is None or self.value is None:
            return
        if not self._is_within(NEAR):
            self._list()
        methods = (self._by_insertion, self._in_neighbourhoods, self._by_annealing)
        with self.watch.at_most(ALL_SHARE * self.watch.left):
            turn = SLICE * self.watch.left
            if self._is_within(CLOSE):
                self._gain_of(self._whole, turn)
            while self.is_open:
                gains = dict.fromkeys(methods, inf)
                while self.is_open and any(gains.values()):
                    method = max(methods, key=gains.__getitem__)
                    gain = self._gain_of(method, turn)
                    gains[method] = gain if gain >= GAIN else 0.0
                self._gain_of(self._whole, turn)
                turn *= GROWTH

    def _gain_of(self, method: Callable[[], None], turn: float) -> float:
        """Give a method a turn of so many seconds; return what it gained as a share of the value."""
        before = self.value
        with self.watch.at_most(turn), self.watch.deaf():
            method()
        return 0.0 if before is None or self.value is None else (before - self.value) / before

    def _in_neighbourhoods(self) -> None:
        if not self._is_within(CLOSE):
            task = replace(self.task, start=self.mapping, bound=self.bound, improving=True)
            self._take(self.formulation.solve(task))

    def _by_insertion(self) -> None:
        """Anneal elastic rings, with several workers in a copy of this process as well."""
        limits = self.watch.limits
        if limits.workers == 1:
            self._anneal(annealed_elastic, 0, self._offer)
            return
        limits = replace(limits, workers=1, time_s=max(LEAST_S, min(self.watch.left, MOST_S)))
        with beside(self._insert_beside, self._hear, limits):
            self._anneal(annealed_elastic, 0, self._offer)

    def _insert_beside(self, send: Send, watch: Watch) -> None:
        self.watch = watch
        self._anneal(annealed_elastic, 1, lambda better: send(msgspec.to_builtins(better.mapping)))

    def _hear(self, message: Any) -> None:
        """Take a mapping from the other process."""
        mapping = msgspec.convert(message, Mapping)
        value = measured(self.task.instance, mapping, Objective.LATENCY)
        with self.lock:
            if self.value is None or value < self.value:
                self.mapping, self.value = mapping, value

    def _by_annealing(self) -> None:
        if not self._is_within(NEAR):
            self._anneal(annealed_links, 0, self._offer)

    def _anneal(
        self, method: Callable[..., Schedule | None], number: int, on_better: Callable[[Schedule], None]
    ) -> None:
        """Anneal the best schedule; the number and its latency choose among random sequences."""
        method(
            self.task.instance,
            self.period,
            seed=self.watch.limits.seed + 1000 * number + (self.value or 0) % 1000,
            seconds=min(self.watch.left, MOST_S),
            target=self.bound,
            start=self.mapping,
            stop=self._stops,
            on_better=on_better,
        )

    def _list(self) -> None:
        """Anneal list schedules, which know of full links."""
        seconds = min(LIST_NODE_S * len(self.task.instance.nodes), LIST_SHARE * self.watch.left)
        found = annealed_list(
            self.task.instance,
            self.period,
            seed=self.watch.limits.seed,
            seconds=seconds,
            target=self.bound,
            start=self.task.start,
            stop=self._stops,
        )
        self._offer(found)

    def _whole(self) -> None:
        if self._is_within(NEAR):
            answer = self.direct.solve(replace(self.task, start=self.mapping, bound=self.bound))
            self._take(answer)
            self._prove(answer.bound)

    def _is_within(self, gap: float) -> bool:
        return self.value is not None and self.value <= (1 + gap) * self.bound

    def _retime(self) -> None:
        """Solve for the starts with the units of the relaxed schedule."""
        assert self.relaxed.start is not None
        start = self.mapping if self._keeps_units else self.relaxed.start
        if start is None:
            return
        fixed = pinned(Problem(self.task.instance), rebound(start, self.task.instance), set())
        task = replace(self.task, instance=fixed, start=rebound(start, fixed), bound=self.bound)
        with self.watch.deaf(), self.watch.at_most(min(BOOKED_SHARE * self.watch.left, MOST_S)):
            answer = self.direct.solve(replace(task, cutoff=self.value))
        if answer.mapping is not None:
            self._take(replace(answer, mapping=rebound(answer.mapping, self.task.instance)))

    @property
    def _relaxed_units(self) -> tuple[int, ...]:
        assert self.relaxed.start is not None
        return self.relaxed.start.assignment(self.relaxed.instance)[0]

    @property
    def _keeps_units(self) -> bool:
        """Whether the best mapping has the units of the relaxed schedule."""
        return (
            self.mapping is not None
            and self.relaxed.start is not None
            and self.mapping.patterns[0].units == self.relaxed.start.patterns[0].units
        )

    def _stops(self) -> bool:
        return self.watch.stopped

    def _take(self, answer: Answer) -> None:
        if answer.mapping is not None:
            measured(self.task.instance, answer.mapping, Objective.LATENCY)
            self._offer(compact(self.task.instance, answer.mapping))

    def _offer(self, schedule: Schedule | None) -> None:
        with self.lock:
            if schedule is not None and (self.value is None or schedule.latency < self.value):
                self.mapping, self.value = schedule.mapping, schedule.latency

    def _prove(self, bound: int | None) -> None:
        self.bound = max(self.bound, bound or 0)


def _variant(formulation: Formulation, **settings: bool) -> Formulation | None:
    """Return the formulation with other options, ``None`` if it has none of these names."""
    known = formulation.options.as_dict()
    if not settings.keys() <= known.keys():
        return None
    return guarded(get(formulation.name, {**known, **settings}))
