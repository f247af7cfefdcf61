"""A parametric list scheduler as a mapper: fast, and everything in it can be tuned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mapopt.bounds.every import lower_bounds
from mapopt.errors import NoMappingError
from mapopt.instance import Instance
from mapopt.mappers.annealed_list import timed_mapping
from mapopt.mapping import Mapping
from mapopt.options import Options, Tune, option
from mapopt.placement.problem import Problem


@dataclass(frozen=True)
class ParametricOptions(Options):
    """Priorities, choice of units and effort; docs/mappers.md tabulates them."""

    period: int | None = option(None, "period in ticks; none: the least largest load found", ge=1, le=10**15)
    factor: float = option(
        1.0, "without a period, the multiple of that load to take, rounded up", ge=1.0, le=1e6
    )
    rank_up: float = option(
        1.5, "weight of the longest path from a node's start to the end", ge=0, le=100, tune=Tune(0.0, 2.0)
    )
    rank_down: float = option(1.2, "weight of how early a node can start", ge=0, le=100, tune=Tune(0.0, 2.0))
    time: float = option(0.0, "weight of a node's time", ge=-100, le=100, tune=Tune(-0.5, 1.0))
    class_load: float = option(
        0.0, "weight of the work per unit of a node's class", ge=-100, le=100, tune=Tune(-0.5, 0.5)
    )
    fan_out: float = option(
        -0.4, "weight of the number of a node's readers", ge=-100, le=100, tune=Tune(-0.5, 0.5)
    )
    traffic: float = option(
        -0.4, "weight of the bytes that a node reads and writes", ge=-100, le=100, tune=Tune(-0.5, 0.5)
    )
    crossbars: float = option(
        0.0, "weight of the crossbars that a node needs", ge=-100, le=100, tune=Tune(-0.5, 0.5)
    )
    late: float = option(
        3.0, "cost of making the longest path longer by a tick", ge=0, le=1000, tune=Tune(0.1, 30.0, log=True)
    )
    pushed: float = option(
        2.0,
        "cost of pushing another node by a tick to make room",
        ge=0,
        le=1000,
        tune=Tune(0.01, 10.0, log=True),
    )
    idle: float = option(
        0.2,
        "cost of a tick left idle before a node",
        ge=0,
        le=1000,
        tune=Tune(0.001, 3.0, log=True),
    )
    colocate: float = option(
        0.005,
        "cost of a tick that a node's data travel",
        ge=0,
        le=1000,
        tune=Tune(0.001, 3.0, log=True),
    )
    spread: float = option(
        0.001,
        "cost of a tick of work that a unit has already",
        ge=0,
        le=1000,
        tune=Tune(0.0001, 1.0, log=True),
    )
    examine: int = option(1, "places looked at on each unit beyond the first", ge=0, le=1000, tune=Tune(0, 8))
    tight: float = option(
        0.9,
        "a class with more work than this share of its units' time keeps its balanced loads",
        ge=0,
        le=1,
        tune=Tune(0.7, 1.0),
    )
    margin: float = option(
        1.5,
        "largest factor of travel times over links, room for waiting; smaller ones are tried too",
        ge=1,
        le=100,
        tune=Tune(1.0, 2.0),
    )
    moves: int = option(5000, "moves and exchanges tried to lower the largest load", ge=0, le=10**8)
    lists: int = option(
        12,
        "list schedules made: eight by rules, then others; over links a third for each of three margins",
        ge=1,
        le=10**8,
    )
    changes: float = option(
        5.0, "keys changed at a time, on average", ge=0, le=10**6, tune=Tune(1.0, 30.0, log=True)
    )
    reach: float = option(
        0.2,
        "change of a key at most, as a share of the span of all keys",
        ge=0,
        le=10,
        tune=Tune(0.01, 1.0, log=True),
    )


class ParametricList:
    """Balanced loads first, then elastic list schedules at that period, see :mod:`mapopt.search.elastic`."""

    name: ClassVar[str] = "parametric-list"
    summary: ClassVar[str] = "balanced loads, then lists by weighted priorities on circles that make room"
    reference: ClassVar[str] = "circles as in Rau, Iterative modulo scheduling, MICRO 1994"
    options_type: ClassVar[type[Options]] = ParametricOptions
    is_random: ClassVar[bool] = True

    def __init__(self, options: ParametricOptions) -> None:
        self.options = options

    def rejects(self, instance: Instance) -> str | None:
        """Return why the mapper does not support the instance, or ``None``; it supports all."""
        return None

    def map(self, instance: Instance, *, seed: int = 0) -> Mapping:
        """Return a time-triggered mapping whose horizon is the period, see :meth:`Mapper.map`.

        Raises
        ------
        NoMappingError
            If it finds no mapping within the period.
        InfeasibleError
            If no mapping can exist.
        """
        from mapopt.search.balancing import balanced
        from mapopt.search.elastic import Choice
        from mapopt.search.parametric import FEATURES, Parameters, parametric_list
        from mapopt.search.tables import tables_of

        options, bounds = self.options, lower_bounds(instance)
        problem = Problem(instance)
        tables = tables_of(problem)
        aim = bounds.period.ticks if options.period is None else options.period
        homes, load = balanced(problem, tables, aim, moves=options.moves, seed=seed)
        period = options.period
        if period is None:
            period = max(1, load, min(10**15, int(-(-load * options.factor // 1))))
        if load > period:
            raise NoMappingError(
                f"mapper {self.name!r}: found no mapping of {instance.name!r} within a period of {period} ticks; set a "
                "larger period, or more moves"
            )
        values = options.as_dict()
        parameters = Parameters(
            weights=tuple(float(str(values[name])) for name in FEATURES),
            choice=Choice(
                float(options.late),
                float(options.pushed),
                float(options.idle),
                float(options.colocate),
                float(options.spread),
            ),
            examine=options.examine,
            tight=options.tight,
            lists=options.lists,
            changes=float(options.changes),
            reach=float(options.reach),
            margin=float(options.margin),
        )
        found = parametric_list(
            problem, tables, period, homes, parameters, seed=seed, target=bounds.latency.ticks
        )
        return timed_mapping(self.name, options, instance, period, found, seed)
