"""The mapper to take when there is only time, and no wish, to choose one: its choice follows from a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import msgspec

from mapopt.bounds.every import lower_bounds
from mapopt.instance import Instance
from mapopt.mappers.parametric_list import ParametricList, ParametricOptions
from mapopt.mappers.tuned import load_tuned
from mapopt.mapping import MapperRef, Mapping
from mapopt.options import Options, option

SEARCH_S, SOLVE_S = 0.3, 10.0
"""Budgets from which schedules are annealed, and from which formulations are solved."""

PLACEMENTS, CYCLIC_MOVES, LINK_MOVES = 200_000, 1_500_000, 1_000_000
"""Per second, about: nodes placed in list schedules, and changes of cyclic orders, of nodes and with links."""

SEARCH_SHARE, PERIOD_SHARE, LIST_SHARE = 0.2, 0.3, 0.3
"""Shares: of a budget for annealing where formulations follow; of this for the period; and of the rest of it for list
schedules where there are cyclic orders, too."""


@dataclass(frozen=True)
class AutoOptions(Options):
    """How long it may take."""

    budget_s: float = option(
        1.0,
        "about the seconds it may take; effort is counted, so that the result is the same",
        ge=0.0,
        le=1e5,
    )


class Auto:
    """The best choice for a budget on the test split of a tuning study, see ``results/mapper-choice.md``.

    Tuned elastic lists at once; from :data:`SEARCH_S` seconds on the period by formulations, then annealed
    lists and cyclic orders; from :data:`SOLVE_S` on formulations for both after that.
    """

    name: ClassVar[str] = "auto"
    summary: ClassVar[str] = "what does best within a budget of time: lists, annealing, or formulations"
    reference: ClassVar[str] = ""
    options_type: ClassVar[type[Options]] = AutoOptions
    is_random: ClassVar[bool] = True
    is_search: ClassVar[bool] = True

    def __init__(self, options: AutoOptions) -> None:
        self.options = options

    def rejects(self, instance: Instance) -> str | None:
        """Return why the mapper does not support the instance, or ``None``; it supports all."""
        return None

    def map(self, instance: Instance, *, seed: int = 0) -> Mapping:
        """Return a time-triggered mapping, see :meth:`Mapper.map`.

        Raises
        ------
        NoMappingError
            If it finds no mapping.
        InfeasibleError
            If no mapping can exist.
        """
        budget_s = self.options.budget_s
        best = ParametricList(_tuned()).map(instance, seed=seed)
        if budget_s >= SEARCH_S:
            search_s = budget_s if budget_s < SOLVE_S else SEARCH_SHARE * budget_s
            best = _solved(instance, "period", best, PERIOD_SHARE * search_s, seed)
            best = _better(instance, best, *_annealed(instance, best, (1 - PERIOD_SHARE) * search_s, seed))
            if budget_s >= SOLVE_S:
                best = _solved(instance, "period,latency", best, budget_s - search_s, seed)
        return msgspec.structs.replace(best, mapper=MapperRef(self.name, dict(self.options.as_dict()), seed))


@cache
def _tuned() -> ParametricOptions:
    return ParametricOptions.of(load_tuned("tuned:fast").options)


def _annealed(instance: Instance, start: Mapping, left_s: float, seed: int) -> Iterator[Mapping]:
    """Yield annealed schedules at the start's period, by as many methods as support the instance."""
    from mapopt.search.annealing import annealed_cyclic, annealed_list
    from mapopt.solvers.link_annealing import annealed_links
    from mapopt.transfers import Delay, Free, Links

    target = lower_bounds(instance).latency.ticks
    if start.horizon is None or _latency(instance, start) <= target:
        return
    cyclic, pace = {
        Free: (annealed_cyclic, CYCLIC_MOVES),
        Delay: (annealed_cyclic, CYCLIC_MOVES),
        Links: (annealed_links, LINK_MOVES),
    }.get(type(instance.transfer), (None, 0))
    lists_s = left_s if cyclic is None else LIST_SHARE * left_s
    placements = int(PLACEMENTS * lists_s)
    found = annealed_list(
        instance,
        start.horizon,
        seed=seed,
        iterations=max(1, placements // len(instance.nodes)),
        target=target,
        start=start,
    )
    if found is not None:
        yield found.mapping
    if cyclic is not None:
        moves = max(1, int(pace * (left_s - lists_s)))
        found = cyclic(instance, start.horizon, seed=seed, iterations=moves, target=target, start=start)
        if found is not None:
            yield found.mapping


def _solved(instance: Instance, objective: str, start: Mapping, effort: float, seed: int) -> Mapping:
    """Return the better of the start and of what formulations find within a counted effort."""
    from mapopt.solvers.driver import solve
    from mapopt.solvers.model import Limits

    limits = Limits(effort, workers=1, seed=seed % 2**31, deterministic=True)
    mapping = solve(instance, objective, limits=limits, start=start).mapping
    if mapping is None or not mapping.is_time_triggered:
        return start
    return _better(instance, start, mapping)


def _better(instance: Instance, *mappings: Mapping) -> Mapping:
    """Return the time-triggered mapping of the shortest period, then of the least latency; the first of equals."""
    return min(mappings, key=lambda mapping: (mapping.horizon, _latency(instance, mapping)))


def _latency(instance: Instance, mapping: Mapping) -> int:
    from mapopt.solvers.judging import measured
    from mapopt.solvers.model import Objective

    return measured(instance, mapping, Objective.LATENCY)
