"""Solving: bounds and heuristics first, formulations for what these leave open, the emulator as judge throughout."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial

import msgspec

from mapopt.bounds.every import lower_bounds
from mapopt.bounds.witnesses import Witness
from mapopt.emulator.schedule import schedule
from mapopt.errors import InfeasibleError, InputError, NoMappingError, UnsupportedError
from mapopt.feasibility import check, obstacles
from mapopt.instance import Instance
from mapopt.mappers.registry import get as get_mapper
from mapopt.mappers.run import with_claims
from mapopt.mapping import InstanceRef, MapperRef, Mapping
from mapopt.options import Value
from mapopt.placement.contiguity import is_contiguous
from mapopt.placement.problem import Problem
from mapopt.solvers.base import Formulation, Task
from mapopt.solvers.choice import candidates
from mapopt.solvers.compiling import compile_searches
from mapopt.solvers.conflicts import find_conflict
from mapopt.solvers.contention import without_contention
from mapopt.solvers.judging import BrokenFormulationError, accepted, measured, with_timed_claims
from mapopt.solvers.latency import improve
from mapopt.solvers.linked import improve_linked
from mapopt.solvers.model import Answer, Limits, Objective, PeriodRange, Status
from mapopt.solvers.neighbourhoods import pinned, rebound
from mapopt.solvers.outcome import Level, Outcome
from mapopt.solvers.partitions import least_period, narrowed, refilled
from mapopt.solvers.watch import Progress, Watch
from mapopt.transfers import Blocking, Delay, Free, Host, Links

OBJECTIVES = ("period", "latency", "period,latency", "energy", "traffic")
"""What can be asked for; with ``period,latency`` the latency is the least at the least period."""

HEURISTICS = ("lpt", "maxtp", "heft-tp", "lblp", "wb")
"""Mappers that give the first solutions of a period."""

CONTIGUOUS_HEURISTICS = ("pipeline",)

FIRST_SHARE = 0.02
"""Part of the time left that each of several methods gets for a first try."""

SHARE, UNRELATED_SHARE = 0.3, 0.6
"""The same for the second try; more where units have times of their own."""

START_SHARE = 0.15
"""Part of the time left for contiguous mappings to start from, where transfers occupy units."""

LEVEL_SHARE = 0.3
"""Part of the time left for an objective that others follow."""

RELAXED_SHARE, TIMED_SHARE, RELAXED_S = 0.5, 0.4, 120.0
"""Part of the time left for latencies without contention on links, then for the times of transfers between the units
found, and seconds at most."""


def solve(
    instance: Instance,
    objective: str = "period",
    *,
    formulation: str | None = None,
    options: Iterable[str] | dict[str, Value] = (),
    solver: str | None = None,
    contiguous: bool = False,
    max_period: int | None = None,
    slack: Fraction = Fraction(0),
    limits: Limits | None = None,
    start: Mapping | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Outcome:
    """Find a mapping that minimises an objective, and prove how good it is.

    Parameters
    ----------
    instance
        Any instance.
    objective
        One of :data:`OBJECTIVES`.
    formulation
        A name from ``mapopt formulations``, for the last objective; chosen to suit the instance by default.
    options
        ``option=value`` texts, or values by name, of that formulation.
    solver
        One of the formulation's solvers; its best by default.
    contiguous
        Whether units must be orderable so that no data flow backwards.
    max_period
        With ``latency``: the stream's period may be anything up to this many ticks.
    slack
        With ``period,latency``: the period may exceed the least one by this fraction.
    limits
        Limits on the effort; default 60 s.
    start
        A mapping to start from.
    on_progress
        Called with every improvement.

    Returns
    -------
    Outcome
        With the best solution found; stopped early (time, Ctrl-C) it says what was proven until then.

    Raises
    ------
    InputError
        If an argument is unknown, or no formulation supports the instance.
    InfeasibleError
        If no period is as short as ``max_period``.
    """
    if objective not in OBJECTIVES:
        raise InputError(f"objective {objective!r}: is unknown; there are {'; '.join(OBJECTIVES)}")
    if max_period is not None and objective != "latency":
        raise InputError(f"max period: goes with objective 'latency', not {objective!r}; drop one")
    if slack and objective != "period,latency":
        raise InputError(f"slack: goes with objective 'period,latency', not {objective!r}; drop one")
    if slack < 0:
        raise InputError(f"slack: is {float(slack):g}; it must be >= 0")
    if contiguous and "latency" in objective:
        raise InputError("contiguous: goes with objective 'period' alone; drop one")
    goals = [Objective(each) for each in objective.split(",")]
    run = _Run(instance, Watch(limits or Limits(), on_progress), solver, contiguous, start)
    reasons = obstacles(instance)
    if reasons:
        return run.without_mapping(goals[0], reasons)
    with run.watch.catching_interrupts():
        for goal in goals:
            last = goal is goals[-1]
            chosen = (formulation, options) if last else (None, ())
            period = run.period_range(max_period, slack) if goal is Objective.LATENCY else None
            order = candidates(
                instance,
                goal,
                period is not None,
                contiguous,
                *chosen,
                solver if last else None,
                run.watch.limits.deterministic,
            )
            with run.watch.at_most(run.watch.left * (1.0 if last else LEVEL_SHARE)):
                run.level(goal, order, period, aside=not (last and (formulation or solver)))
            if run.mapping is None:
                break
    return run.outcome()


@dataclass(slots=True)
class _Best:
    """The best value and bound of one level, and where they come from."""

    objective: Objective
    watch: Watch
    value: int | None = None
    mapping: Mapping | None = None
    bound: int | None = None
    value_by: str = ""
    bound_by: str = ""
    reasons: list[str] = field(default_factory=list)
    infeasible: bool = False
    witness: Witness | None = None

    @property
    def closed(self) -> bool:
        return self.infeasible or (self.value is not None and self.value == self.bound)

    def offer(self, value: int, mapping: Mapping, by: str) -> None:
        if self.value is None or value < self.value:
            self.value, self.mapping, self.value_by = value, mapping, by
            self.watch.report(self.objective, value=value)

    def prove(self, bound: int | None, by: str, witness: Witness | None = None) -> None:
        if witness is not None and (self.witness is None or witness.ticks > self.witness.ticks):
            self.witness = witness
        if bound is not None and (self.bound is None or bound > self.bound):
            self.bound, self.bound_by = bound, by
            self.watch.report(self.objective, bound=bound)

    def level(self) -> Level:
        return Level(
            self.objective,
            self.value,
            self.bound,
            self.value_by,
            self.bound_by,
            "; ".join(self.reasons),
            self.infeasible,
            bool(self.reasons),
            self.witness,
        )


@dataclass(slots=True)
class _Run:
    """One solve: its levels so far and the mapping that the next one starts from."""

    instance: Instance
    watch: Watch
    solver: str | None
    contiguous: bool
    mapping: Mapping | None
    levels: list[Level] = field(default_factory=list)
    class_of: str = ""

    def period_range(self, max_period: int | None, slack: Fraction) -> PeriodRange | None:
        """Return the periods from which the latency level may choose; ``None`` for a frame alone."""
        least = self.levels[0].value if self.levels else None
        if least is not None:
            return PeriodRange(max(1, least), max(1, int(least * (1 + slack))))
        if max_period is None:
            return None
        bound = lower_bounds(self.instance).period
        if max_period < max(1, bound.ticks):
            raise InfeasibleError(
                f"max period: is {max_period} ticks, but no period is below {max(1, bound.ticks)}: "
                f"{bound.explanation}; allow more"
            )
        return PeriodRange(max(1, bound.ticks), max_period)

    def level(
        self,
        objective: Objective,
        order: Sequence[Formulation],
        period: PeriodRange | None,
        *,
        aside: bool,
    ) -> None:
        """Minimise one objective and keep the best mapping; ``aside``: solve related problems first."""
        best = _Best(objective, self.watch)
        self._bound(best)
        self._start(best, period)
        if objective is Objective.LATENCY and not best.closed:
            with self.watch.uncharged():
                compile_searches(type(self.instance.transfer))
        if objective is Objective.LATENCY and aside:
            self._start_without_contention(best, order[0], period)
        turns: list[Callable[[_Best], None]] = [
            partial(self._formulate, formulation=formulation, period=period) for formulation in order
        ]
        if objective is Objective.PERIOD and not self.contiguous and aside:
            self._start_contiguous(best)
            if not isinstance(self.instance.transfer, (Free, Delay)):
                turns.insert(0, self._relax)
        for turn, share in zip(turns + turns, self._shares(len(turns)), strict=False):
            if best.closed or self.watch.stopped:
                break
            with self.watch.at_most(self.watch.left * share):
                turn(best)
            if objective is Objective.PERIOD and not self.contiguous:
                self._refill(best)
        self.class_of = _class_of(self.instance, order[0], period)
        self.mapping = self._timed(best)
        self.levels.append(best.level())

    def outcome(self) -> Outcome:
        """Return what all levels found."""
        watch = self.watch
        return Outcome(
            self.class_of,
            tuple(self.levels),
            self.mapping,
            tuple(watch.trace),
            watch.elapsed_s,
            watch.interrupted,
        )

    def without_mapping(self, objective: Objective, reasons: Sequence[str]) -> Outcome:
        """Return the outcome of an instance that has no mapping, for these reasons."""
        self.levels.append(Level(objective, None, None, reason="; ".join(reasons), infeasible=True))
        return self.outcome()

    def _bound(self, best: _Best) -> None:
        bounds = lower_bounds(self.instance)
        if best.objective is Objective.PERIOD:
            best.prove(bounds.period.ticks, bounds.period.name, bounds.period.witness)
        elif best.objective is Objective.LATENCY:
            best.prove(bounds.latency.ticks, bounds.latency.name, bounds.latency.witness)

    def _start(self, best: _Best, period: PeriodRange | None) -> None:
        """Offer the mapping at hand, and for periods those of fast heuristics."""
        if self.mapping is not None and self._is_valid(self.mapping, best.objective, period):
            value = measured(self.instance, self.mapping, best.objective)
            best.offer(value, self.mapping, self.levels[-1].value_by if self.levels else "given")
        if best.objective is not Objective.PERIOD:
            return
        for name in CONTIGUOUS_HEURISTICS if self.contiguous else HEURISTICS:
            if best.closed:
                return
            mapper = get_mapper(name)
            if mapper.rejects(self.instance) is None:
                try:
                    mapping = mapper.map(self.instance, seed=self.watch.limits.seed)
                except NoMappingError:
                    continue
                except InfeasibleError as error:
                    best.reasons.append(str(error))
                    self._explain(best)
                    return
                if self._is_valid(mapping, best.objective, period):
                    best.offer(measured(self.instance, mapping, best.objective), mapping, name)

    def _shares(self, turns: int) -> list[float]:
        """Return the part of the time left that each turn gets; a single method gets one turn."""
        if turns == 1:
            return [1.0]
        share = UNRELATED_SHARE if _is_unrelated(self.instance) else SHARE
        return [FIRST_SHARE] * turns + [share] * (turns - 1) + [1.0]

    def _relax(self, best: _Best) -> None:
        """Solve the same instance without transfers: its bound holds, and its mapping may be good."""
        free = msgspec.structs.replace(self.instance, transfer=Free())
        formulation = candidates(free, Objective.PERIOD, False, False)[0]
        bound = lower_bounds(free).period.ticks
        answer = self._aside(formulation, free, best.mapping, bound)
        best.prove(answer.bound, f"{formulation.name} without transfers")
        if answer.mapping is not None:
            mapping = _of(answer.mapping, self.instance)
            best.offer(measured(self.instance, mapping, Objective.PERIOD), mapping, formulation.name)

    def _refill(self, best: _Best) -> None:
        """List the ways to fill the units of classes that are almost full."""
        if best.closed or best.value is None or best.mapping is None:
            return
        bound = least_period(Problem(self.instance), best.bound or 0, best.value)
        if bound == best.bound:
            return
        best.prove(bound, "partitions")
        mapping = refilled(self.instance, best.mapping, bound)
        if self._is_valid(mapping, best.objective, None):
            best.offer(measured(self.instance, mapping, best.objective), mapping, "partitions")

    def _start_contiguous(self, best: _Best) -> None:
        """Offer the best contiguous mapping where transfers occupy units: few cross between them."""
        if best.closed or self.watch.stopped or not isinstance(self.instance.transfer, (Blocking, Host)):
            return
        formulation = candidates(self.instance, Objective.PERIOD, False, True)[0]
        with self.watch.at_most(self.watch.left * START_SHARE):
            answer = self._aside(formulation, self.instance, best.mapping, best.bound or 0)
        value = accepted(self.instance, answer, Objective.PERIOD, formulation.name)
        if answer.mapping is not None and value is not None:
            best.offer(value, answer.mapping, formulation.name)

    def _start_without_contention(
        self, best: _Best, formulation: Formulation, period: PeriodRange | None
    ) -> None:
        """Look at links as delays: the bounds hold, and the transfers between the units found may find times."""
        if not isinstance(self.instance.transfer, Links) or best.closed or self.watch.stopped:
            return
        relaxed = without_contention(self.instance)
        counted = self.watch.limits.deterministic
        faster = candidates(relaxed, Objective.LATENCY, period is not None, False, deterministic=counted)[0]
        start = best.mapping or self.mapping
        if start is not None and period is not None and period.fixed and not counted:
            self._start_linked(best, formulation, faster, start, period)
            return
        task = Task(
            relaxed,
            Objective.LATENCY,
            self.watch,
            faster.solvers[0],
            period,
            None if start is None else _of(start, relaxed),
        )  # without the bound, which need not hold without contention
        try:
            with self.watch.deaf(), self.watch.at_most(min(RELAXED_SHARE * self.watch.left, RELAXED_S)):
                answer = improve(task, faster)
        except BrokenFormulationError as error:
            best.reasons.append(str(error))
            return
        best.prove(answer.bound, f"{faster.name} without contention")
        if answer.mapping is None:
            return
        found = rebound(answer.mapping, self.instance)
        fixed = pinned(Problem(self.instance), found, set())
        task = replace(
            task,
            instance=fixed,
            solver=formulation.solvers[0],
            start=rebound(found, fixed),
            bound=best.bound or 0,
            cutoff=best.value,
        )
        with self.watch.deaf(), self.watch.at_most(min(TIMED_SHARE * self.watch.left, RELAXED_S)):
            timed = formulation.solve(task)
        self._offer_measured(best, timed, formulation)

    def _start_linked(
        self,
        best: _Best,
        formulation: Formulation,
        faster: Formulation,
        start: Mapping,
        period: PeriodRange,
    ) -> None:
        """Solve a stream over links: first without contention, then with every transfer booked."""
        instance = self._narrowed(period)
        task = Task(
            instance,
            Objective.LATENCY,
            self.watch,
            formulation.solvers[0],
            period,
            rebound(start, instance),
            best.bound or 0,
        )
        try:
            answer = improve_linked(task, formulation, faster)
        except BrokenFormulationError as error:
            best.reasons.append(str(error))
            return
        best.prove(answer.bound, f"{formulation.name}, or {faster.name} without contention")
        self._offer_measured(best, answer, formulation)

    def _offer_measured(self, best: _Best, answer: Answer, formulation: Formulation) -> None:
        """Offer the mapping of an answer for another instance with the same names; a wrong one is a failed run."""
        if answer.mapping is None:
            return
        mapping = rebound(answer.mapping, self.instance)
        try:
            best.offer(measured(self.instance, mapping, Objective.LATENCY), mapping, formulation.name)
        except BrokenFormulationError as error:
            best.reasons.append(str(error))

    def _narrowed(self, period: PeriodRange | None) -> Instance:
        """Return the instance with pins that the period implies, the mapping at hand being within it."""
        mapping = self.mapping
        if period is None or not period.fixed or mapping is None or len(mapping.patterns) != 1:
            return self.instance
        if check(self.instance, mapping) or measured(self.instance, mapping, Objective.PERIOD) > period.high:
            return self.instance
        return narrowed(self.instance, mapping, period.high)

    def _aside(
        self, formulation: Formulation, instance: Instance, start: Mapping | None, bound: int
    ) -> Answer:
        """Solve another period problem."""
        task = Task(
            instance,
            Objective.PERIOD,
            self.watch,
            formulation.solvers[0],
            start=None if start is None else _of(start, instance),
            bound=bound,
        )
        with self.watch.deaf():
            return formulation.solve(task)

    def _is_valid(self, mapping: Mapping, objective: Objective, period: PeriodRange | None) -> bool:
        """Return whether a mapping is a solution of the level's problem."""
        if len(mapping.patterns) != 1 or check(self.instance, mapping):
            return False
        if self.contiguous and not is_contiguous(self.instance, mapping.assignment(self.instance)[0]):
            return False
        if objective is not Objective.LATENCY:
            return True
        if mapping.horizon is None:
            return False
        return period is None or period.low <= mapping.horizon <= period.high

    def _formulate(self, best: _Best, formulation: Formulation, period: PeriodRange | None) -> None:
        """Ask a formulation; one that turns out to be wrong is a failed run, and what was found before stands."""
        is_latency = best.objective is Objective.LATENCY
        instance = self._narrowed(period) if is_latency else self.instance
        start = best.mapping or self.mapping
        task = Task(
            instance,
            best.objective,
            self.watch,
            self.solver or formulation.solvers[0],
            period,
            None if start is None else rebound(start, instance),
            best.bound or 0,
        )
        try:
            answer = improve(task, formulation) if is_latency else formulation.solve(task)
            if answer.mapping is not None:
                answer = replace(answer, mapping=rebound(answer.mapping, self.instance))
            self._take(best, formulation, answer, period)
        except BrokenFormulationError as error:
            best.reasons.append(str(error))
        except UnsupportedError as error:
            if not self.levels:
                raise
            best.reasons.append(str(error))  # what the levels before found stands

    def _take(
        self, best: _Best, formulation: Formulation, answer: Answer, period: PeriodRange | None
    ) -> None:
        """Measure an answer again and keep what is better."""
        value = accepted(self.instance, answer, best.objective, formulation.name)
        if answer.mapping is not None and value is not None:
            if not self._is_valid(answer.mapping, best.objective, period):
                raise BrokenFormulationError(
                    f"formulation {formulation.name!r}: its mapping is outside the class that was asked for; report it "
                    "to its authors"
                )
            by = MapperRef(formulation.name, dict(formulation.options.as_dict()), self.watch.limits.seed)
            best.offer(value, msgspec.structs.replace(answer.mapping, mapper=by), formulation.name)
        best.prove(answer.bound, formulation.name, answer.witness)
        if answer.reason:
            best.reasons.append(f"{formulation.name}: {answer.reason}")
        if answer.status is Status.INFEASIBLE and best.value is None:
            self._explain(best)

    def _explain(self, best: _Best) -> None:
        """Mark a level as infeasible and look for rules of the instance that contradict each other."""
        best.infeasible = True
        conflict = find_conflict(self.instance)
        if conflict is not None:
            best.reasons.append(str(conflict))
        elif best.objective is Objective.LATENCY:
            best.reasons.append("no schedule has a period within the limits; allow a longer one")
        elif self.contiguous:
            best.reasons.append("there are mappings, but none is contiguous; leave that out, or add units")

    def _timed(self, best: _Best) -> Mapping | None:
        """Return the level's mapping with starts and measured claims."""
        if best.mapping is None:
            return None
        if best.mapping.is_time_triggered:
            return with_timed_claims(self.instance, best.mapping)
        try:
            return schedule(self.instance, best.mapping)
        except InputError as error:  # its starts would be too large to write down
            best.reasons.append(str(error))
            return with_claims(self.instance, best.mapping)


def _is_unrelated(instance: Instance) -> bool:
    """Return whether some node can choose between classes."""
    return bool(((instance.times >= 0).sum(axis=1) > 1).any())


def _of(mapping: Mapping, instance: Instance) -> Mapping:
    """Return the assignment of a mapping as one of another instance with the same names."""
    return Mapping.of(
        instance, *msgspec.structs.replace(mapping, instance=InstanceRef()).assignment(instance)
    )


def _class_of(instance: Instance, formulation: Formulation, period: PeriodRange | None) -> str:
    """Return the class of schedules that a level's value and bound are about."""
    transfers = type(instance.transfer).__name__.lower()
    parts = [formulation.schedule_class, f"{transfers} transfers"]
    if period is not None:
        parts.append(
            f"period {period.low} ticks" if period.fixed else f"period {period.low} to {period.high} ticks"
        )
    return ", ".join(parts)
