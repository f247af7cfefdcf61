"""Assignments whose work per frame fits a period."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mapopt.errors import NoMappingError
from mapopt.instance import Instance, IntArray
from mapopt.mappers.base import Heuristic
from mapopt.mappers.greedy import LongestTimeFirst, WeightBalance
from mapopt.mappers.lblp import Lblp
from mapopt.mappers.throughput import MaxTp
from mapopt.mapping import Mapping
from mapopt.placement.communication import Communication
from mapopt.placement.problem import Problem
from mapopt.search.effort import never
from mapopt.search.load_annealing import excess, relieve
from mapopt.search.random_numbers import random_state
from mapopt.search.tables import Tables, tables_of

CHEAP: tuple[type[Heuristic[Any]], ...] = (LongestTimeFirst, WeightBalance, Lblp, MaxTp)
"""Mappers whose assignments a search starts from."""

ROUNDS, ITERATIONS = 8, 20_000
"""Annealings that :func:`assign_within` makes, and the moves of each."""


def cheap_assignments(instance: Instance, seed: int = 0) -> list[tuple[int, ...]]:
    """Return the assignments of cheap mappers, without those that find none.

    Raises
    ------
    InfeasibleError
        If no mapping can exist.
    """
    found: list[tuple[int, ...]] = []
    for mapper in CHEAP:
        try:
            found.append(mapper(mapper.options_type()).map(instance, seed=seed).assignment(instance)[0])
        except NoMappingError:
            continue
    return list(dict.fromkeys(found))


def least_load(instance: Instance, seed: int = 0) -> int:
    """Return the least largest load of the cheap assignments, at least 1.

    Raises
    ------
    NoMappingError, InfeasibleError
        If they find no mapping.
    """
    assignments = cheap_assignments(instance, seed)
    if not assignments:
        raise NoMappingError(f"instance {instance.name!r}: the cheap mappers find no mapping; give one")
    communication = Communication(instance)
    return max(1, min(max(communication.loads(units)) for units in assignments))


def assign_within(
    instance: Instance, period: int, seed: int = 0, *, stop: Callable[[], bool] = never
) -> Mapping | None:
    """Find a self-timed mapping that loads no unit or link with more than ``period`` ticks per frame.

    The best assignment of cheap mappers is annealed; its energy is the work beyond the period.

    Returns
    -------
    Mapping or None
        ``None`` proves nothing.

    Raises
    ------
    InfeasibleError
        If the instance has no mapping at all.
    """
    problem = Problem(instance)
    homes = homes_within(problem, tables_of(problem), period, seed, stop)
    return None if homes is None else Mapping.of(instance, problem.units(homes.tolist()))


def homes_within(
    problem: Problem, tables: Tables, period: int, seed: int, stop: Callable[[], bool] = never
) -> IntArray | None:
    """Do as :func:`assign_within`; shape (groups,)."""
    starts = [homes_of(problem, units) for units in cheap_assignments(problem.instance, seed)]
    if not starts:
        return None
    values = [excess(tables, period, home) for home in starts]
    order = sorted(range(len(starts)), key=lambda at: values[at])
    if values[order[0]] == 0:
        return starts[order[0]]
    for number in range(ROUNDS):
        if stop():
            break
        home = starts[order[number % len(order)]].copy()
        if relieve(tables, period, home, ITERATIONS, random_state(seed, number)) == 0:
            return home
    return None


def homes_of(problem: Problem, units: tuple[int, ...]) -> IntArray:
    """Return the unit of each group."""
    return np.array([units[nodes[0]] for nodes in problem.groups], dtype=np.int64)
