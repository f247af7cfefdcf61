"""Annealed list scheduling as a mapper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import msgspec

from mapopt.bounds.every import lower_bounds
from mapopt.errors import NoMappingError
from mapopt.instance import Instance
from mapopt.mapping import MapperRef, Mapping
from mapopt.options import Options, Tune, option

if TYPE_CHECKING:
    from mapopt.search.annealing import Schedule


@dataclass(frozen=True)
class AnnealedOptions(Options):
    """Effort and period of an annealed schedule."""

    iterations: int = option(1000, "list schedules tried", ge=1, le=10**9)
    period: int | None = option(
        None, "period in ticks; none: the least largest load that cheap mappers find", ge=1, le=10**15
    )
    factor: float = option(
        1.0, "without a period, the multiple of that load to take, rounded up", ge=1.0, le=1e6
    )

    def period_for(self, instance: Instance, seed: int) -> int:
        """Return the period in ticks.

        Raises
        ------
        NoMappingError, InfeasibleError
            If no mapping is found to take the load of.
        """
        if self.period is not None:
            return self.period
        from mapopt.search.assignment import least_load

        load = least_load(instance, seed)
        return max(load, min(10**15, int(-(-load * self.factor // 1))))


@dataclass(frozen=True)
class ListOptions(AnnealedOptions):
    """How list schedules are annealed."""

    temperature: float = option(
        1.0, "factor of the first temperatures", ge=0.0, le=1e6, tune=Tune(0.05, 20.0, log=True)
    )
    restart: int = option(
        1000,
        "schedules tried before it starts again; doubled after two starts each way",
        ge=1,
        le=10**6,
        tune=Tune(100, 10_000, log=True),
    )
    shift: float = option(0.5, "share of changes to one priority", ge=0.0, le=1.0, tune=Tune(0.1, 0.8))
    exchange: float = option(0.1, "share of exchanges of two priorities", ge=0.0, le=1.0, tune=Tune(0.0, 0.4))
    choose: float = option(
        0.25,
        "share of changes of a unit; of what is left to 1 each lets the schedule choose the unit",
        ge=0.0,
        le=1.0,
        tune=Tune(0.0, 0.6),
    )


def timed_mapping(
    name: str, options: Options, instance: Instance, period: int, schedule: Schedule | None, seed: int
) -> Mapping:
    """Return a schedule's mapping under a mapper's name.

    Raises
    ------
    NoMappingError
        If there is no schedule.
    """
    if schedule is None:
        raise NoMappingError(
            f"mapper {name!r}: found no mapping of {instance.name!r} within a period of {period} ticks; set a larger "
            "period"
        )
    return msgspec.structs.replace(schedule.mapping, mapper=MapperRef(name, dict(options.as_dict()), seed))


class AnnealedList:
    """Time-triggered schedules of little latency at a period, by :func:`mapopt.search.annealing.annealed_list`."""

    name: ClassVar[str] = "annealed-list"
    summary: ClassVar[str] = "priorities and units of list schedules annealed for the latency at a period"
    reference: ClassVar[str] = "circles as in Rau, Iterative modulo scheduling, MICRO 1994"
    options_type: ClassVar[type[Options]] = ListOptions
    is_random: ClassVar[bool] = True
    is_search: ClassVar[bool] = True

    def __init__(self, options: ListOptions) -> None:
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
        from mapopt.search.annealing import Shares, Tactics, annealed_list

        options = self.options
        period = options.period_for(instance, seed)
        found = annealed_list(
            instance,
            period,
            seed=seed,
            iterations=options.iterations,
            target=lower_bounds(instance).latency.ticks,
            tactics=Tactics(
                options.temperature, options.restart, Shares(options.shift, options.exchange, options.choose)
            ),
        )
        return timed_mapping(self.name, options, instance, period, found, seed)
