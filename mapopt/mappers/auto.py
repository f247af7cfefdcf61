"""The mapper to take when there is only time, and no wish, to choose one: its choice follows from a table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, NamedTuple

import msgspec

from mapopt.bounds.every import lower_bounds
from mapopt.instance import Instance
from mapopt.mappers.parametric_list import ParametricList, ParametricOptions
from mapopt.mappers.tuned import load_tuned
from mapopt.mapping import MapperRef, Mapping
from mapopt.options import Options, option

SEARCH_S, SOLVE_S = 0.3, 10.0
"""Budgets from which schedules are annealed, and from which formulations are solved."""

SEARCH_SHARE, PERIOD_SHARE = 0.2, 0.3
"""Shares: of a budget for annealing where formulations follow, and of this for the period."""

PLACEMENTS = 200_000
"""Nodes placed in list schedules per second, about."""


class _Pace(NamedTuple):
    """Moves per second, about: with elastic rings times the number of nodes, and with cyclic orders."""

    elastic: float
    cyclic: float


DELAYED, LINKED = _Pace(5e6, 1.5e6), _Pace(1.6e6, 1e6)

RETIMED = 8e6
"""The same of retiming, times the number of nodes."""

LINKED_SHARES, DELAYED_SHARES = (0.2, 0.3, 0.3, 0.2), (0.15, 0.4, 0.15, 0.2, 0.1)
"""Shares of the time for the latency of each method in turn; where transfers occupy units, lists have all of it."""


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
    lists, elastic rings and cyclic orders; from :data:`SOLVE_S` on formulations for both after that.
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
            best = _annealed(instance, best, (1 - PERIOD_SHARE) * search_s, seed)
            if budget_s >= SOLVE_S:
                best = _solved(instance, "period,latency", best, budget_s - search_s, seed)
        return msgspec.structs.replace(best, mapper=MapperRef(self.name, dict(self.options.as_dict()), seed))


@cache
def _tuned() -> ParametricOptions:
    return ParametricOptions.of(load_tuned("tuned:fast").options)


def _annealed(instance: Instance, start: Mapping, left_s: float, seed: int) -> Mapping:
    """Return the best schedule at the start's period that annealing finds, each method going on from the best."""
    from mapopt.search.annealing import annealed_cyclic, annealed_elastic, annealed_list, annealed_retimed
    from mapopt.solvers.link_annealing import annealed_links
    from mapopt.transfers import Delay, Free, Links

    target, best, nodes = lower_bounds(instance).latency.ticks, start, len(instance.nodes)
    lists = (annealed_list, PLACEMENTS / nodes)
    plan: list[tuple[Any, float]] = [lists]
    shares: tuple[float, ...] = (1.0,)
    if isinstance(instance.transfer, Links):
        elastic = (annealed_elastic, LINKED.elastic / nodes)
        plan, shares = [lists, elastic, (annealed_links, LINKED.cyclic), elastic], LINKED_SHARES
    elif isinstance(instance.transfer, (Free, Delay)):
        retimed, elastic = (annealed_retimed, RETIMED / nodes), (annealed_elastic, DELAYED.elastic / nodes)
        plan = [lists, retimed, elastic, (annealed_cyclic, DELAYED.cyclic), elastic]
        shares = DELAYED_SHARES
    assert start.horizon is not None
    for turn, ((method, pace_per_s), share) in enumerate(zip(plan, shares, strict=True)):
        if _latency(instance, best) <= target:
            break
        moves = max(1, int(pace_per_s * share * left_s))
        found = method(instance, start.horizon, seed=seed + turn, iterations=moves, target=target, start=best)
        if found is not None:
            best = _better(instance, best, found.mapping)
    return best


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
