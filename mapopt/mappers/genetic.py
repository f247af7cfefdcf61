"""A genetic mapper, as compilers for in-memory computing have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mapopt.bounds.every import lower_bounds
from mapopt.instance import Instance
from mapopt.mapping import MapperRef, Mapping
from mapopt.options import Options, Tune, option
from mapopt.placement.problem import Problem


@dataclass(frozen=True)
class GeneticOptions(Options):
    """Sizes and rates of the evolution."""

    population: int = option(24, "individuals", ge=2, le=10**6, tune=Tune(8, 64, log=True))
    generations: int = option(60, "generations; each replaces half of the population", ge=0, le=10**8)
    tournament: int = option(2, "individuals drawn to find a parent", ge=1, le=10**6, tune=Tune(1, 6))
    crossover: float = option(0.8, "share of children of two parents", ge=0, le=1, tune=Tune(0.0, 1.0))
    mutation: float = option(
        2.0,
        "groups of a child that move or change places, on average",
        ge=0,
        le=10**6,
        tune=Tune(0.2, 10.0, log=True),
    )
    repairs: int = option(
        200,
        "moves tried to bring a child's largest load down",
        ge=0,
        le=10**8,
        tune=Tune(0, 300),
    )


class Genetic:
    """Units of nodes by selection, crossover and mutation: least largest load, then least latency of a frame alone.

    Individuals are assignments, as in the compilers for in-memory computing that map by evolution; the latency is that
    of the list schedule by longest remaining path, whose order becomes the dispatch priorities.

    References
    ----------
    X. Sun et al., "PIMCOMP: A Universal Compilation Framework for Crossbar-based PIM DNN Accelerators", DAC 2023.
    """

    name: ClassVar[str] = "genetic"
    summary: ClassVar[str] = "units evolved for the largest load, then the latency of a frame alone"
    reference: ClassVar[str] = "as in Sun et al., PIMCOMP, DAC 2023"
    options_type: ClassVar[type[Options]] = GeneticOptions
    is_random: ClassVar[bool] = True
    is_search: ClassVar[bool] = True

    def __init__(self, options: GeneticOptions) -> None:
        self.options = options

    def rejects(self, instance: Instance) -> str | None:
        """Return why the mapper does not support the instance, or ``None``; it supports all."""
        return None

    def map(self, instance: Instance, *, seed: int = 0) -> Mapping:
        """Return a self-timed mapping with priorities, see :meth:`Mapper.map`.

        Raises
        ------
        NoMappingError
            If it finds no mapping.
        InfeasibleError
            If no mapping can exist.
        """
        from mapopt.search.balancing import balanced
        from mapopt.search.genetic import evolve
        from mapopt.search.list_search import longest_paths
        from mapopt.search.placing import board_of
        from mapopt.search.random_numbers import random_state
        from mapopt.search.tables import tables_of

        options, problem = self.options, Problem(instance)
        tables = tables_of(problem)
        bound = max(1, lower_bounds(instance).period.ticks)
        first, _ = balanced(problem, tables, bound, moves=0)
        generator = np.random.default_rng(seed & 0xFFFF_FFFF_FFFF_FFFF)
        units = [np.array(sorted(allowed), dtype=np.int64) for allowed in problem.allowed]
        population = np.stack([generator.choice(each, options.population) for each in units], axis=1)
        population[0] = first
        fitness = np.zeros((options.population, 2), dtype=np.int64)
        key = -longest_paths(tables, instance)[1]
        work = int(tables.duration.max(axis=1).sum()) + int(tables.once.sum()) * len(instance.units)
        board = board_of(tables)
        evolve(
            tables,
            population,
            fitness,
            key,
            max(1, 2 * (work + int(tables.ticks.sum()))),
            options.generations,
            options.tournament,
            float(options.crossover),
            float(options.mutation),
            options.repairs,
            bound,
            board,
            random_state(seed),
        )
        order = np.empty(len(key), dtype=np.int64)
        order[np.lexsort((np.arange(len(key)), key))] = np.arange(len(key))
        return Mapping.of(
            instance,
            problem.units(population[0].tolist()),
            priorities=order.tolist(),
            mapper=MapperRef(self.name, dict(options.as_dict()), seed),
        )
