"""Annealed elastic rings as a mapper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mapopt.bounds.every import lower_bounds
from mapopt.errors import UnsupportedError
from mapopt.instance import Instance
from mapopt.mappers.annealed_list import AnnealedOptions, timed_mapping
from mapopt.mapping import Mapping
from mapopt.options import Options, Tune, option


@dataclass(frozen=True)
class ElasticOptions(AnnealedOptions):
    """Effort and period of annealed rings."""

    iterations: int = option(1000, "moves tried per node", ge=1, le=10**9)
    temperature: float = option(
        1.0, "factor of all temperatures", ge=0.0, le=1e6, tune=Tune(0.1, 10.0, log=True)
    )


class AnnealedElastic:
    """Time-triggered schedules for periods with some slack, by :func:`mapopt.search.annealing.annealed_elastic`."""

    name: ClassVar[str] = "annealed-elastic"
    summary: ClassVar[str] = (
        "units and cyclic orders of nodes and transfers annealed together for the latency at a period"
    )
    reference: ClassVar[str] = "insertion as in Mastrolilli & Gambardella, Journal of Scheduling 3, 2000"
    options_type: ClassVar[type[Options]] = ElasticOptions
    is_random: ClassVar[bool] = True
    is_search: ClassVar[bool] = True

    def __init__(self, options: ElasticOptions) -> None:
        self.options = options

    def rejects(self, instance: Instance) -> str | None:
        """Refuse instances whose transfers occupy units."""
        from mapopt.search.elastic_search import rejection

        return rejection(instance)

    def map(self, instance: Instance, *, seed: int = 0) -> Mapping:
        """Return a time-triggered mapping whose horizon is the period, see :meth:`Mapper.map`.

        Raises
        ------
        UnsupportedError
            If :meth:`rejects` gives a reason.
        NoMappingError
            If it finds no mapping within the period.
        InfeasibleError
            If no mapping can exist.
        """
        reason = self.rejects(instance)
        if reason is not None:
            raise UnsupportedError(f"mapper {self.name!r}: {reason}")
        from mapopt.search.annealing import annealed_elastic

        period = self.options.period_for(instance, seed)
        target = lower_bounds(instance).latency.ticks
        found = annealed_elastic(
            instance,
            period,
            seed=seed,
            iterations=self.options.iterations * len(instance.nodes),
            target=target,
            temperature=self.options.temperature,
        )
        return timed_mapping(self.name, self.options, instance, period, found, seed)
