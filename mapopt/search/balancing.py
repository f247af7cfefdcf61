"""The least largest load: longest nodes first (or where transfers bind, maxtp), then annealed moves and exchanges."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from mapopt.errors import NoMappingError
from mapopt.instance import IntArray
from mapopt.mappers.base import NoOptions
from mapopt.mappers.greedy import LongestTimeFirst
from mapopt.mappers.throughput import MaxTp
from mapopt.placement.communication import Communication
from mapopt.placement.problem import Problem
from mapopt.search.assignment import homes_of
from mapopt.search.load_annealing import excess, relieve
from mapopt.search.random_numbers import random_state
from mapopt.search.tables import SENT, UPLOADED, Tables

ROUNDS = 4
"""Loads that are aimed at: the bound, then half the way from it or from what was missed to the best."""


def balanced(
    problem: Problem, tables: Tables, bound: int, *, moves: int, seed: int = 0
) -> tuple[IntArray, int]:
    """Return the unit of each group, and the largest load in ticks.

    Parameters
    ----------
    bound
        A lower bound of the largest load; the search ends there.
    moves
        Moves and exchanges tried at most.

    Raises
    ------
    NoMappingError, InfeasibleError
        If longest nodes first finds no mapping.
    """
    instance = problem.instance
    communication = Communication(instance)
    starts = [homes_of(problem, LongestTimeFirst(NoOptions()).map(instance).assignment(instance)[0])]
    loads = communication.loads(problem.units(starts[0].tolist()))
    if tables.travel in (SENT, UPLOADED) or max(loads[communication.n_units :], default=0) == max(loads):
        with suppress(NoMappingError):
            starts.append(homes_of(problem, MaxTp(NoOptions()).map(instance).assignment(instance)[0]))

    def load(homes: IntArray) -> int:
        return max(communication.loads(problem.units(homes.tolist())))

    best = min(starts, key=load)
    least, missed = load(best), max(1, bound)
    random = random_state(seed)
    for number in range(ROUNDS):
        if least <= missed or moves == 0:
            break
        aim = missed if number == 0 else (missed + least) // 2
        tried = best.copy()
        relieve(tables, aim, tried, max(1, moves // ROUNDS), random)
        value = load(tried)
        if value < least and excess(tables, value, tried) == 0.0:
            best, least = tried, value
        if value > aim:
            missed = aim + 1 if number else missed
    return np.asarray(best), least
