"""A genetic search over the units of nodes, compiled: least largest load, then least latency of one frame."""

from __future__ import annotations

import numpy as np

from mapopt.emulator.jit import compiled
from mapopt.instance import IntArray
from mapopt.search.list_annealing import FloatArray
from mapopt.search.load_annealing import add_up, may_use, relieve
from mapopt.search.placing import Board, place_nodes
from mapopt.search.random_numbers import RandomState, below, uniform
from mapopt.search.tables import Tables


@compiled
def evolve(
    tables: Tables,
    population: IntArray,
    fitness: IntArray,
    key: FloatArray,
    alone: int,
    generations: int,
    tournament: int,
    crossover: float,
    mutation: float,
    repairs: int,
    least: int,
    board: Board,
    random: RandomState,
) -> None:
    """Replace the worst of a population by children of good ones, generation by generation.

    Parameters
    ----------
    population
        Shape (individuals, groups): the unit of each group; the first one keeps every rule. Sorted by fitness in the
        end, the best first.
    fitness
        Shape (individuals, 2): largest load and latency in ticks; largest where a rule is broken.
    key
        Shape (nodes,): priorities of the schedule whose latency counts, smallest first.
    alone
        A period so long that frames do not meet.
    generations
        Each replaces half of the population.
    tournament
        How many are drawn to find a parent.
    crossover
        Share of children of two parents; in these every group is on its unit in one of them, drawn evenly.
    mutation
        Groups of a child that move or change places with another, on average.
    repairs
        Moves tried to bring a child's largest load below the best one's.
    least
        A lower bound of the largest load.
    """
    count, groups = population.shape
    fixed = np.full(len(key), -1, np.int64)
    for number in range(count):
        if number > 0 and repairs > 0:
            relieve(tables, least, population[number], repairs, random)
        _rate(tables, population[number], fitness[number], key, alone, fixed, board)
    _sort(population, fitness)
    child = np.empty(groups, np.int64)
    rating = np.empty(2, np.int64)
    half = (count + 1) // 2
    for _ in range(generations):
        for number in range(half, count):
            mother = _drawn(half, tournament, random)
            child[:] = population[mother]
            if uniform(random) < crossover:
                father = _drawn(half, tournament, random)
                for group in range(groups):
                    if uniform(random) < 0.5:
                        child[group] = population[father, group]
            _mutate(tables, child, mutation, random)
            if repairs > 0:
                relieve(tables, max(least, fitness[0, 0] - below(random, 2)), child, repairs, random)
            _rate(tables, child, rating, key, alone, fixed, board)
            if not _is_known(population, fitness, child, rating, number):
                population[number] = child
                fitness[number] = rating
        _sort(population, fitness)


@compiled
def _rate(
    tables: Tables,
    home: IntArray,
    rating: IntArray,
    key: FloatArray,
    alone: int,
    fixed: IntArray,
    board: Board,
) -> None:
    """Set the largest load, and the latency of a frame alone."""
    rating[:] = np.iinfo(np.int64).max
    load = np.zeros(len(tables.latency), np.int64)
    if add_up(tables, home, load) > 0:
        return
    rating[0] = load.max()
    latency, missing = place_nodes(tables, alone, key, home, fixed, 0.0, False, board)
    if missing == 0:
        rating[1] = latency


@compiled
def _drawn(count: int, tournament: int, random: RandomState) -> int:
    """Draw an individual: the best of some, the population being sorted."""
    best = count
    for _ in range(tournament):
        best = min(best, below(random, count))
    return best


@compiled
def _mutate(tables: Tables, child: IntArray, mutation: float, random: RandomState) -> None:
    """Move groups to other units that they may use, or let two change places."""
    groups = len(child)
    changes = int(mutation) + (1 if uniform(random) < mutation - int(mutation) else 0)
    for _ in range(changes):
        group, other = below(random, groups), below(random, groups)
        if uniform(random) < 0.5:
            first = tables.choice_offset[group]
            child[group] = tables.choice[first + below(random, tables.choice_offset[group + 1] - first)]
        elif may_use(tables, group, child[other]) and may_use(tables, other, child[group]):
            child[group], child[other] = child[other], child[group]


@compiled
def _is_known(population: IntArray, fitness: IntArray, child: IntArray, rating: IntArray, count: int) -> bool:
    """Return whether one of the first individuals is the same."""
    for number in range(count):
        same = fitness[number, 0] == rating[0] and fitness[number, 1] == rating[1]
        if same and (population[number] == child).all():
            return True
    return False


@compiled
def _sort(population: IntArray, fitness: IntArray) -> None:
    """Sort by load, then latency; equals stay in order."""
    for number in range(1, len(population)):
        at = number
        while at > 0 and (
            fitness[at, 0] < fitness[at - 1, 0]
            or (fitness[at, 0] == fitness[at - 1, 0] and fitness[at, 1] < fitness[at - 1, 1])
        ):
            for column in range(2):
                fitness[at, column], fitness[at - 1, column] = fitness[at - 1, column], fitness[at, column]
            for group in range(population.shape[1]):
                kept = population[at, group]
                population[at, group] = population[at - 1, group]
                population[at - 1, group] = kept
            at -= 1
