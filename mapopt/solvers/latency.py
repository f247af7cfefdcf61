"""Minimal latency with any formulation: bounds, annealing, refutations, long solves and neighbourhoods.

The formulation is only asked four kinds of question, see :class:`mapopt.solvers.base.Task`: is there a latency below
a cutoff (a decision); the same of a part of the mappings, by more pins in the instance; what is the least latency; and
what is better than the incumbent (improving), of all mappings or without the units of loose classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import count
from math import isinf
from random import Random
from threading import Lock
from typing import Any

import msgspec

from mapopt.bounds import lower_bounds
from mapopt.bounds.model import gap
from mapopt.bounds.modulo import Windows
from mapopt.errors import InfeasibleError
from mapopt.feasibility import check
from mapopt.instance import Instance
from mapopt.mapping import Mapping
from mapopt.placement.communication import Communication
from mapopt.placement.problem import Problem
from mapopt.search.annealing import (
    Relaxation,
    Schedule,
    annealed_cyclic,
    annealed_elastic,
    annealed_list,
    annealed_retimed,
)
from mapopt.solvers.base import Formulation, Task
from mapopt.solvers.beside import beside
from mapopt.solvers.forking import Send
from mapopt.solvers.horizons import latency_in_class
from mapopt.solvers.judging import BrokenFormulationError, measured
from mapopt.solvers.model import Answer, Objective, PeriodRange, Status
from mapopt.solvers.neighbourhoods import pinned, rebound
from mapopt.solvers.watch import Watch
from mapopt.transfers import Delay, Free

LATENCY = Objective.LATENCY

UNLIMITED_S = 600.0
"""A solve without a time limit shares its time out as if it had this one."""

LIST_SHARE, LIST_NODE_S, PLACEMENTS = 0.05, 0.01, 200_000
"""Annealed list scheduling: share of the time, seconds per node at most, and nodes placed per deterministic unit."""

INSERTIONS = 5_000_000
"""Moves of elastic rings per deterministic unit, times the number of nodes."""

AGAIN_MOST, RETIMED_SHARE, SEEDS, BESIDE = 0.25, 0.5, 1000, 1_000_000
"""Annealed retimings and cyclic orders: a round's share of the time is the gap, at most this, which is also the most
for the first elastic rings; the part of retimings, where some time is idle and they are wanted; how far apart the seeds
of two rounds are, as a round uses several; and those of the two halves of the workers."""

DISPATCHES, MOVES = 8_000_000, 1_000_000
"""Moves of retiming per deterministic unit, times the number of nodes, and of cyclic orders."""

CLOSE, WIDE, FAR = 0.02, 0.05, 0.15
"""Gaps above which large neighbourhoods are searched and, after a first round, the incumbent is annealed again beside
work at the bound; above which it is annealed again in any case; and above which the whole problem is not solved."""

LEAST_S = 0.01
"""Time of the search beside at least, in seconds."""

TIGHT = 0.97
"""A class is tight if its units work this share of the period or more."""

FIRST_STEP = 0.002
"""First step of the refutations over the bound, relative to it."""

TRY_FIRST, TRY_SHARE, GROWTH = 0.02, 0.05, 1.6
"""Share of the time of a decision in a first round on all workers, in the first of several, and how it grows."""

REFUTATIONS, APPROACHES = 3, 2
"""Decisions without answer, close to the bound and above, after which a round goes on to something else."""

WIDER = 1.5
"""How the distance of a cutoff from the bound grows in the search for solutions above the refutations."""

WHOLE_SOLVE, NEIGHBOURHOODS, NEIGHBOURHOOD = 2.0, 5, 0.3
"""In each round: the time of one solve of the whole problem, in decisions; how many neighbourhoods, and their time."""

LEAST_GAIN = 0.01
"""Neighbourhoods look for solutions that close at least this share of the gap; a method that does has another turn."""

FIRST_SIZE, LEAST_SIZE = 12, 4
"""Groups whose units are free in the first neighbourhood, and in the smallest."""


def improve(task: Task, formulation: Formulation, *, retiming: bool = True) -> Answer:
    """Minimise the latency until a proof, the limits or a request to stop.

    Parameters
    ----------
    task
        Its objective is the latency; ``period`` is given if and only if the formulation is pipelined. ``start`` and
        ``bound`` are where the search begins. Every improvement is reported to its watch.
    formulation
        Any that minimises latency and supports the instance.
    retiming
        Whether to anneal retimings, which spread chains over units.

    Returns
    -------
    Answer
        The best mapping found and the best bound; the mapping has been measured by the emulator.

    Raises
    ------
    UnsupportedError
        If the formulation does not support the instance.
    BrokenFormulationError
        If a mapping of the formulation is not what it claims.

    References
    ----------
    R. Klein, A. Scholl, "Computing lower bounds by destructive improvement", European Journal of Operational Research
    112, 1999; pinned neighbourhoods after P. Shaw, "Using constraint programming and local search methods to solve
    vehicle routing problems", CP 1998.
    """
    try:
        search = _Search(task, formulation, retiming)
    except InfeasibleError as error:
        return Answer(Status.INFEASIBLE, reason=str(error))
    search.begin()
    search.anneal()
    search.search()
    return search.answer()


class _Search:
    """The best mapping and bound so far, the least cutoff that gave no answer, and the ways to improve them."""

    def __init__(self, task: Task, formulation: Formulation, retiming: bool = True) -> None:
        self.task, self.formulation, self.watch = task, formulation, task.watch
        self.retiming = retiming
        self.problem = Problem(task.instance)
        self.random = Random(task.limits.seed)
        self.budget = min(self.watch.left, UNLIMITED_S)
        self.mapping: Mapping | None = None
        self.value: int | None = None
        self.bound = task.bound
        self.hard = self.reach = 0
        self.infeasible = False
        self.failure = ""
        self.size = FIRST_SIZE
        self.turns = count()
        self.lock = Lock()
        self.tell: Send | None = None

    @property
    def open(self) -> bool:
        """Whether there is something left to do, and time to do it."""
        return not (self.infeasible or self.proven or self.failure or self.watch.stopped)

    @property
    def proven(self) -> bool:
        """Whether no better mapping exists."""
        return self.cutoff is not None and self.bound >= self.cutoff

    @property
    def cutoff(self) -> int | None:
        """Only latencies below this are of interest."""
        return self.task.cutoff if self.value is None else self.value

    def answer(self) -> Answer:
        """Return what was found."""
        if self.failure:
            return Answer(Status.FAILED, self.mapping, self.value, self.bound, self.failure)
        if self.value is None:
            if self.infeasible or self.proven:
                return Answer(Status.INFEASIBLE, bound=self.cutoff)
            return Answer(Status.UNKNOWN, bound=self.bound)
        status = Status.OPTIMAL if self.proven else Status.FEASIBLE
        return Answer(status, self.mapping, self.value, self.bound)

    def begin(self) -> None:
        """Start from the bounds by paths and loads, and from the task's mapping if it is feasible."""
        windows = Windows(self.problem, None if self.task.period is None else self.task.period.high)
        self.infeasible = not windows.feasible
        self._raise(max(windows.critical, lower_bounds(self.task.instance).latency.ticks))
        start = self.task.start
        if start is not None and latency_in_class(self.task.instance, start, self.task.period) is not None:
            self._take(start)

    def anneal(self) -> None:
        """Anneal list schedules at the least, the largest and a middle period, retimings, and the best one's rings.

        The last as long as it gains.
        """
        periods = self._periods()
        longest = LIST_NODE_S * len(self.task.instance.nodes)
        for period in periods:
            self._anneal_lists(period, 0, min(longest, LIST_SHARE * self.budget) / len(periods))
        seconds = min(longest, LIST_SHARE * self.budget)
        if self.retiming:
            self._anneal_retimed(0, seconds)
        with self.watch.at_most(AGAIN_MOST * self.budget):
            self._while_it_gains(self._anneal_elastic, seconds)

    def _anneal_lists(self, period: int, number: int, seconds: float) -> None:
        """Anneal list schedules; the number chooses among random sequences."""
        if not self.open:
            return
        iterations, most = self._effort(seconds, PLACEMENTS / len(self.task.instance.nodes))
        found = annealed_list(
            self.task.instance,
            period,
            seed=self.watch.limits.seed + number,
            iterations=iterations,
            seconds=most,
            target=self.bound,
            start=self._loaded(period),
            stop=lambda: self.watch.stopped,
        )
        if found is not None:
            self._take(found.mapping)

    def _anneal_retimed(self, number: int, seconds: float) -> None:
        """Anneal retimings, which begin anew, each followed by elastic rings."""
        pace = DISPATCHES / len(self.task.instance.nodes)
        method = partial(annealed_retimed, first_round=number)
        self._anneal_stream(method, SEEDS * number, seconds, pace, self.mapping)

    def _anneal_elastic(self, seconds: float) -> None:
        """Anneal elastic rings from the incumbent, unless hardly any time is idle."""
        if not self._is_tight:
            pace = INSERTIONS / len(self.task.instance.nodes)
            self._anneal_stream(annealed_elastic, next(self.turns), seconds, pace, self.mapping)

    def _anneal_cyclic(self, number: int, seconds: float) -> None:
        """Anneal cyclic orders; the first two numbers from scratch, then the incumbent."""
        if self.mapping is not None and self.mapping.horizon is not None:
            start = self._loaded(self.mapping.horizon) if number < 2 else self.mapping
            self._anneal_stream(annealed_cyclic, SEEDS * number, seconds, MOVES, start)

    def _anneal_stream(
        self,
        method: Callable[..., Schedule | None],
        number: int,
        seconds: float,
        pace: float,
        start: Mapping | None,
    ) -> None:
        """Anneal a stream without contention at the incumbent's period; the number chooses random sequences."""
        if not self.open or self.mapping is None or self.mapping.horizon is None:
            return
        if self.task.period is None or not isinstance(self.task.instance.transfer, (Free, Delay)):
            return
        iterations, most = self._effort(seconds, pace)
        method(
            self.task.instance,
            self.mapping.horizon,
            seed=self.watch.limits.seed + number,
            iterations=iterations,
            seconds=most,
            target=self.bound,
            start=start,
            stop=lambda: self.watch.stopped,
            on_better=lambda better: self._take(better.mapping),
        )

    def _effort(self, seconds: float, pace: float) -> tuple[int | None, float | None]:
        """Return the iterations or the seconds of an annealing: ``pace`` iterations are a deterministic unit."""
        seconds = min(seconds, self.watch.left)
        if not self.watch.limits.deterministic:
            return None, seconds
        self.watch.charge(seconds)
        return max(1, int(pace * seconds)), None

    def search(self) -> None:
        """Go on until the end: after a round of everything with half of the workers at the bound, half at the value."""
        limits = self.watch.limits
        if limits.deterministic or limits.workers == 1:
            self._rounds()
            return
        if not (self._is_above(FAR) and self._is_tight):
            self._round(TRY_FIRST * self.budget, 0)
        if not self.open:
            return
        half = limits.workers // 2
        left = None if isinf(self.watch.left) else max(self.watch.left, LEAST_S)
        seed = (limits.seed + BESIDE) % 2**31
        aside = beside(
            self._improve_beside, self._hear, replace(limits, workers=half, time_s=left, seed=seed)
        )
        with self.watch.lending(half), aside:
            self._rounds(above=False)

    def _rounds(self, number: int = 0, *, below: bool = True, above: bool = True) -> None:
        """Make rounds, each with more time for a question than the one before."""
        while self.open:
            self._round(TRY_SHARE * GROWTH**number * self.budget, number, below=below, above=above)
            number += 1

    def _round(self, limit: float, number: int, *, below: bool = True, above: bool = True) -> None:
        """Refute and approach, anneal, solve, and look around: what is for the bound, for the value, or both."""
        is_far = self._is_above(FAR)
        if below and (self.value is not None or not above):
            self._refute(limit)
        if above and not is_far:
            self._approach(limit)
        if self._is_above(WIDE if below or number == 0 else CLOSE):
            self._anneal_again(2 * number + above)
        if not above:
            return
        if self._is_above(CLOSE):
            self._while_it_gains(self._anneal_elastic, WHOLE_SOLVE * limit)
            self._while_it_gains(self._solve_relaxed, WHOLE_SOLVE * limit)
            self._while_it_gains(self._descend, WHOLE_SOLVE * limit)
        if is_far:
            return
        self._solve(WHOLE_SOLVE * limit)
        for _ in range(0 if self.task.period is None else NEIGHBOURHOODS):
            self._neighbourhood(NEIGHBOURHOOD * limit)

    def _while_it_gains(self, method: Callable[[float], None], limit: float) -> None:
        """Repeat a method as long as it closes some of the gap each time."""
        gains = True
        while gains and self.open and self.value is not None:
            before = self.value
            method(limit)
            gains = before - self.value >= LEAST_GAIN * (before - self.bound)

    @property
    def _is_tight(self) -> bool:
        """Whether cyclic orders can be annealed and nodes bound to a class fill almost all the time of its units."""
        instance, period = self.task.instance, self.task.period
        if period is None or not isinstance(instance.transfer, (Free, Delay)):
            return False
        only = (instance.times >= 0).sum(axis=1) == 1
        return any(
            int(instance.times[only & (instance.times[:, kind] >= 0), kind].sum())
            >= TIGHT * period.high * instance.unit_class.tolist().count(kind)
            for kind in range(len(instance.classes))
        )

    def _improve_beside(self, send: Send, watch: Watch) -> None:
        """Go on with the value in a copy of this process until the end, and send what is better."""
        self.watch = watch
        self.task = replace(self.task, watch=watch)
        self.tell = send
        self.random = Random(f"{watch.limits.seed} beside")
        self._rounds(below=False)

    def _hear(self, message: Any) -> None:
        """Take a mapping from the other process."""
        self._take(msgspec.convert(message, Mapping))

    def _is_above(self, share: float) -> bool:
        """Whether the incumbent is above the bound by more than this share of it, in a stream."""
        return (
            self.value is not None and self.value > (1 + share) * self.bound and self.task.period is not None
        )

    def _anneal_again(self, number: int) -> None:
        """Anneal retimings, elastic rings and cyclic orders; the number chooses sequences of the first and last."""
        seconds = self.budget * min(AGAIN_MOST, gap(self.value or 0, self.bound) or AGAIN_MOST)
        retimed = RETIMED_SHARE if self.retiming and not self._is_tight else 0.0
        if retimed:
            self._anneal_retimed(1 + number, retimed * seconds)
        self._anneal_elastic(LIST_SHARE * self.budget)
        self._anneal_cyclic(number, (1 - retimed) * seconds)

    def _refute(self, limit: float) -> None:
        """Ask for latencies a step above the bound; steps double until one gives no answer, then halve the way."""
        step, fruitless, self.hard = self._first_step, 0, 0
        while fruitless < REFUTATIONS and self.open:
            least = max(self._first_step // 4, 1)
            if self.hard > self.bound:
                step = max(least, (self.hard - self.bound) // 2)
            status = self._decide(self.bound + step, limit)
            if status is Status.INFEASIBLE:
                step *= 2
            elif status is Status.UNKNOWN:
                self.hard, fruitless = self.bound + step, REFUTATIONS if step <= least else fruitless + 1
            else:
                step = max(1, step // 2)

    def _approach(self, limit: float) -> None:
        """Ask for latencies above the hardest cutoff: close to the bound, solutions are found that others miss."""
        fruitless = 0
        while fruitless < APPROACHES and self.open and self.value is not None:
            least = max(self.hard - self.bound, self._first_step)
            self.reach = max(1, int(WIDER * max(least, self.reach)))
            if self.bound + self.reach >= self.value:
                self.reach = 0
                break
            fruitless += self._decide(self.bound + self.reach, limit) is Status.UNKNOWN

    @property
    def _first_step(self) -> int:
        return max(1, int(FIRST_STEP * self.bound))

    def _decide(self, cutoff: int, limit: float) -> Status:
        """Ask for a latency below a cutoff, or below the incumbent if that is less."""
        cutoff = cutoff if self.cutoff is None else min(cutoff, self.cutoff)
        with self.watch.at_most(limit):
            return self._ask(replace(self.task, cutoff=cutoff, decision=True)).status

    def _solve(self, limit: float) -> None:
        """Minimise over everything; without an incumbent any solution will do first."""
        if self.open:
            first = self.value is None and self.cutoff is not None
            with self.watch.at_most(limit):
                self._ask(replace(self.task, cutoff=self.cutoff, decision=first))

    def _descend(self, limit: float) -> None:
        """Improve the incumbent in the formulation's own large neighbourhoods."""
        if self.open and self.value is not None:
            with self.watch.at_most(limit):
                self._ask(replace(self.task, cutoff=self.value + 1, improving=True))

    def _solve_relaxed(self, limit: float) -> None:
        """Improve without the units of loose classes, and fit their nodes in afterwards."""
        if not self.open or self.mapping is None or self.mapping.horizon is None:
            return
        if not isinstance(self.task.instance.transfer, (Free, Delay)):
            return
        period, units = self.mapping.horizon, self.mapping.assignment(self.task.instance)[0]
        relaxation = Relaxation(self.problem, units, period, self.watch.limits.seed)
        if relaxation.instance is None:
            return
        start = relaxation.relaxed(self.mapping)
        task = replace(
            self.task,
            instance=relaxation.instance,
            period=PeriodRange(period, period),
            cutoff=None if self.value is None else self.value + 1,
            bound=self.bound,
            start=start,
            improving=latency_in_class(relaxation.instance, start, self.task.period) is not None,
        )
        with self.watch.at_most(limit), self.watch.deaf():
            found = self.formulation.solve(task).mapping
        schedule = None if found is None else relaxation.fitted(found)
        if schedule is not None:
            self._take(schedule.mapping)

    def _neighbourhood(self, limit: float) -> None:
        """Look for a better mapping that differs on few groups' units, more of them after each that has none."""
        if self.mapping is None or self.value is None or not self.open:
            return
        cutoff = self.value - int(LEAST_GAIN * (self.value - self.bound))
        instance = pinned(self.problem, self.mapping, self._free(self.size))
        task = replace(
            self.task, instance=instance, cutoff=cutoff, decision=True, start=rebound(self.mapping, instance)
        )
        with self.watch.at_most(limit):
            answer = self.formulation.solve(task)
        if answer.mapping is not None:
            self._take(rebound(answer.mapping, self.task.instance))
        elif answer.status is Status.INFEASIBLE:
            self.size = min(self.size + 2, len(self.problem.groups))
        else:
            self.size = max(LEAST_SIZE, self.size - 2)

    def _free(self, size: int) -> set[int]:
        """Choose groups: neighbours in time, or random ones."""
        count = len(self.problem.groups)
        if self.random.random() < 0.7:
            order = [self.problem.group_of[node] for node in self.task.instance.topological_order]
            first = self.random.randrange(len(order))
            return set((order + order)[first : first + size])
        return set(self.random.sample(range(count), min(size, count)))

    def _ask(self, task: Task) -> Answer:
        """Ask the formulation about the whole problem and keep what it finds.

        Decisions get no hint: their solutions are unlike the incumbent, which has a latency that they forbid.
        """
        start = None if task.decision else self.mapping or task.start
        answer = self.formulation.solve(replace(task, bound=self.bound, start=start))
        if answer.mapping is not None:
            try:
                self._take(answer.mapping)
            except BrokenFormulationError as error:  # what was found before stands
                self.failure = f"{error}; report it to the formulation's authors"
                return answer
        if answer.status is Status.INFEASIBLE:
            if task.cutoff is None:
                self.infeasible = True
            else:
                self._raise(task.cutoff)
        elif answer.status is Status.FAILED:
            self.failure = answer.reason
        elif answer.bound is not None:
            self._raise(answer.bound)
        return answer

    def _take(self, mapping: Mapping) -> None:
        """Keep a mapping if the emulator measures a lower latency than before."""
        value = measured(self.task.instance, mapping, LATENCY)
        with self.lock:
            if self.cutoff is None or value < self.cutoff:
                if self.task.period is None:
                    mapping = msgspec.structs.replace(mapping, horizon=max(1, value), claims=None)
                self.mapping, self.value = mapping, value
                self.watch.report(LATENCY, value=value)
                if self.tell is not None:
                    self.tell(msgspec.to_builtins(mapping))

    def _raise(self, bound: int) -> None:
        """Keep a bound if it is better than before."""
        self.bound = max(self.bound, bound)
        if self.value is not None and self.bound > self.value:
            raise BrokenFormulationError(
                f"formulation {self.formulation.name!r}: proves that no latency is below {self.bound}, but the "
                f"emulator measures {self.value}; report it to its authors"
            )
        self.watch.report(LATENCY, bound=self.bound)

    def _loaded(self, period: int) -> Mapping | None:
        """Return the task's mapping, as an assignment, if its loads are within the period."""
        start = self.task.start
        if start is None or check(self.task.instance, start):
            return None
        return start if measured(self.task.instance, start, Objective.PERIOD) <= period else None

    def _periods(self) -> tuple[int, ...]:
        period = self.task.period
        if period is None:
            return (_alone(self.task.instance),)
        return tuple(dict.fromkeys((period.high, period.low, (period.low + period.high) // 2)))


def _alone(instance: Instance) -> int:
    """Return a period so long that frames never meet."""
    communication = Communication(instance)
    units = range(len(instance.units))
    travel = sum(
        max(communication.delay(tensor, source, target) for source in units for target in units)
        * len(each.consumers)
        for tensor, each in enumerate(instance.tensors)
    )
    return 1 + travel + sum(int(times.max()) for times in instance.times)
