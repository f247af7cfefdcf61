"""Large-neighbourhood search as a mapper: CP-SAT repairs what is destroyed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec

from mapopt.bounds.every import lower_bounds
from mapopt.instance import Instance
from mapopt.mappers.base import Mapper
from mapopt.mapping import Claims, MapperRef, Mapping
from mapopt.options import Options, Tune, option
from mapopt.placement.problem import Problem

if TYPE_CHECKING:
    from mapopt.solvers.base import Formulation
    from mapopt.solvers.watch import Watch

GROWTH = 1.25
"""By what factor neighbourhoods grow when nothing better is in one, and shrink when that stays open."""

MOST_EFFORT = 10.0**6
"""Units of deterministic effort; one takes about a second."""


@dataclass(frozen=True)
class LnsOptions(Options):
    """Start, destroy rules and effort."""

    start: Literal["parametric-list", "annealed-list"] = option(
        "parametric-list", "mapper of the first schedule", tune=Tune()
    )
    period: int | None = option(
        None, "period in ticks; none: the one that the first mapper finds", ge=1, le=10**15
    )
    size: int = option(
        12,
        "groups of nodes whose unit is open in the first neighbourhood",
        ge=1,
        le=10**6,
        tune=Tune(4, 64, log=True),
    )
    window: float = option(
        1.0, "weight of the rule: nodes that start one after the other", ge=0, le=1000, tune=Tune(0.0, 2.0)
    )
    path: float = option(
        1.0,
        "weight of the rule: nodes and their readers, from one that ends last backwards",
        ge=0,
        le=1000,
        tune=Tune(0.0, 2.0),
    )
    units: float = option(
        0.5, "weight of the rule: nodes of two units of a class", ge=0, le=1000, tune=Tune(0.0, 2.0)
    )
    scatter: float = option(0.25, "weight of the rule: any nodes", ge=0, le=1000, tune=Tune(0.0, 2.0))
    step: float = option(
        0.05,
        "effort on one neighbourhood, in CP-SAT's deterministic units of about a second",
        ge=0.001,
        le=MOST_EFFORT,
        tune=Tune(0.01, 2.0, log=True),
    )
    effort: float = option(0.1, "effort on all of them, in the same units", ge=0.0, le=MOST_EFFORT)
    rounds: int = option(2, "neighbourhoods searched at most", ge=0, le=10**6)


class LnsCpSat:
    """Units of some nodes and the starts of all are searched anew by CP-SAT, until the effort is spent.

    References
    ----------
    P. Shaw, "Using constraint programming and local search methods to solve vehicle routing problems", CP 1998.
    """

    name: ClassVar[str] = "lns-cpsat"
    summary: ClassVar[str] = (
        "a list schedule improved in large neighbourhoods by CP-SAT, effort counted, not timed"
    )
    reference: ClassVar[str] = "Shaw, CP 1998"
    options_type: ClassVar[type[Options]] = LnsOptions
    is_random: ClassVar[bool] = True
    is_search: ClassVar[bool] = True

    def __init__(self, options: LnsOptions) -> None:
        self.options = options

    def rejects(self, instance: Instance) -> str | None:
        """Return why the mapper does not support the instance, or ``None``; it supports all."""
        return None

    def map(self, instance: Instance, *, seed: int = 0) -> Mapping:
        """Return a time-triggered mapping whose horizon is the period, see :meth:`Mapper.map`.

        Raises
        ------
        NoMappingError
            If the first mapper finds no mapping within the period.
        InfeasibleError
            If no mapping can exist.
        """
        from mapopt.mappers.annealed_list import AnnealedList, ListOptions
        from mapopt.mappers.parametric_list import ParametricList, ParametricOptions
        from mapopt.solvers.model import Limits
        from mapopt.solvers.watch import Watch

        options = self.options
        first: Mapper = ParametricList(ParametricOptions(period=options.period))
        if options.start == "annealed-list":
            first = AnnealedList(ListOptions(period=options.period))
        mapping = first.map(instance, seed=seed)
        formulation = _formulation(instance)
        if formulation is not None and options.effort > 0 and mapping.patterns[0].starts is not None:
            limits = Limits(options.effort, workers=1, seed=seed % 2**31, deterministic=True)
            search = _Search(instance, options, formulation, Watch(limits), mapping, seed)
            search.run()
            mapping = search.mapping
        return msgspec.structs.replace(mapping, mapper=MapperRef(self.name, dict(options.as_dict()), seed))


def _formulation(instance: Instance) -> Formulation | None:
    """Return the first formulation that supports the instance, ``None`` if none does."""
    from mapopt.solvers.guard import guarded

    for formulation in _formulations():
        if formulation.rejects(instance) is None:
            return guarded(formulation)
    return None


@cache
def _formulations() -> tuple[Formulation, ...]:
    """Return the preferred formulations of the latency at a period whose effort can be counted.

    They leave out the detour by a relaxation, which is for bounds and first solutions.
    """
    from mapopt.solvers.choice import COUNTING, PREFERRED
    from mapopt.solvers.model import Objective
    from mapopt.solvers.registry import get, names

    found = []
    registered = names()
    for name in PREFERRED:
        formulation = get(name) if name in registered else None
        if formulation is None or Objective.LATENCY not in formulation.objectives:
            continue
        if formulation.pipelined and not formulation.contiguous and formulation.solvers[0] in COUNTING:
            has_detour = "relax" in formulation.options.as_dict()
            found.append(get(name, {"relax": False}) if has_detour else formulation)
    return tuple(found)


class _Search:
    """The best schedule so far, and the neighbourhoods around it."""

    def __init__(
        self,
        instance: Instance,
        options: LnsOptions,
        formulation: Formulation,
        watch: Watch,
        mapping: Mapping,
        seed: int,
    ) -> None:
        from mapopt.solvers.judging import measured
        from mapopt.solvers.model import Objective

        self.instance, self.options, self.formulation, self.watch = instance, options, formulation, watch
        self.mapping = mapping
        self.problem = Problem(instance)
        self.objective = Objective.LATENCY
        self.measured = measured
        self.value = measured(instance, mapping, self.objective)
        self.bound = lower_bounds(instance).latency.ticks
        self.random = Random(seed)
        self.size = float(options.size)
        self.is_done = False

    def run(self) -> None:
        """Search neighbourhoods until the effort is spent."""
        rules: list[tuple[Callable[[int], list[int]], float]] = [
            (self._window, self.options.window),
            (self._path, self.options.path),
            (self._units, self.options.units),
            (self._scatter, self.options.scatter),
        ]
        weights = [weight for _, weight in rules]
        for _ in range(self.options.rounds):
            if self.value <= self.bound or self.watch.stopped or self.is_done:
                return
            rule = self.random.choices([rule for rule, _ in rules], weights if any(weights) else None)[0]
            self._search(set(rule(min(round(self.size), len(self.problem.groups)))))

    def _search(self, free: set[int]) -> None:
        """Solve with the units of all other groups kept; what is no better does not count."""
        from mapopt.solvers.base import Task
        from mapopt.solvers.model import PeriodRange, Status
        from mapopt.solvers.neighbourhoods import pinned, rebound

        period = self.mapping.horizon or 1
        instance = pinned(self.problem, self.mapping, free)
        task = Task(
            instance,
            self.objective,
            self.watch,
            period=PeriodRange(period, period),
            start=rebound(self.mapping, instance),
            bound=self.bound,
            cutoff=self.value,
        )
        with self.watch.at_most(self.options.step), self.watch.deaf():
            answer = self.formulation.solve(task)
        whole = len(free) == len(self.problem.groups)
        self.is_done = whole and answer.status in (Status.OPTIMAL, Status.INFEASIBLE)
        if answer.mapping is not None:
            mapping = rebound(answer.mapping, self.instance)
            value = self.measured(self.instance, mapping, self.objective)
            if value < self.value:
                self.value = value
                self.mapping = msgspec.structs.replace(
                    mapping, claims=Claims(period_ticks=str(period), latency_ticks=value)
                )
        elif answer.status is Status.INFEASIBLE:
            self.size *= GROWTH
        else:
            self.size = max(1.0, self.size / GROWTH)

    def _in_time(self) -> list[int]:
        """Return the groups by the start of their first node."""
        starts = self.mapping.patterns[0].starts or ()
        positions = self.mapping.positions(self.instance)
        nodes = sorted(range(len(positions)), key=lambda node: (starts[positions[node]], node))
        return list(dict.fromkeys(self.problem.group_of[node] for node in nodes))

    def _window(self, size: int) -> list[int]:
        order = self._in_time()
        first = self.random.randrange(len(order))
        return (order + order)[first : first + size]

    def _path(self, size: int) -> list[int]:
        """Follow the latest producers back from a node, again and again from another one."""
        order = self._in_time()
        rank = {group: at for at, group in enumerate(order)}
        found: dict[int, None] = {}
        ends = [node for node, after in enumerate(self.instance.successors) if not after]
        node = self.random.choice(ends)
        while len(found) < size:
            found[self.problem.group_of[node]] = None
            before = self.instance.predecessors[node]
            if before:
                node = max(before, key=lambda each: (rank[self.problem.group_of[each]], each))
            else:
                node = self.random.randrange(len(self.instance.nodes))
        return list(found)

    def _units(self, size: int) -> list[int]:
        (units,) = self.mapping.assignment(self.instance)
        kinds = [list(each) for each in self.problem.units_of if len(each) > 1]
        if not kinds:
            return self._scatter(size)
        pair = self.random.sample(self.random.choice(kinds), 2)
        groups = [group for group, nodes in enumerate(self.problem.groups) if units[nodes[0]] in pair]
        return self.random.sample(groups, min(size, len(groups)))

    def _scatter(self, size: int) -> list[int]:
        return self.random.sample(range(len(self.problem.groups)), size)
