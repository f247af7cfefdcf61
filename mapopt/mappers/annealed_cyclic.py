"""Annealed cyclic sequences as a mapper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mapopt.bounds.every import lower_bounds
from mapopt.errors import UnsupportedError
from mapopt.instance import Instance
from mapopt.mappers.annealed_list import AnnealedOptions, timed_mapping
from mapopt.mapping import Mapping
from mapopt.options import Options, Tune, option

if TYPE_CHECKING:
    from mapopt.search.annealing import Schedule


@dataclass(frozen=True)
class CyclicOptions(AnnealedOptions):
    """Effort and period of annealed sequences."""

    iterations: int = option(2000, "moves tried per node", ge=1, le=10**9)
    temperature: float = option(
        1.0, "factor of all temperatures", ge=0.0, le=1e6, tune=Tune(0.1, 10.0, log=True)
    )


class AnnealedCyclic:
    """Time-triggered schedules for periods without slack, by :func:`mapopt.search.annealing.annealed_cyclic`."""

    name: ClassVar[str] = "annealed-cyclic"
    summary: ClassVar[str] = (
        "cyclic order of nodes on their units annealed for the latency at a period without slack"
    )
    reference: ClassVar[str] = "cyclic scheduling: Hanen & Munier, Discrete Applied Mathematics 57, 1995"
    options_type: ClassVar[type[Options]] = CyclicOptions
    is_random: ClassVar[bool] = True
    is_search: ClassVar[bool] = True

    def __init__(self, options: CyclicOptions) -> None:
        self.options = options

    def rejects(self, instance: Instance) -> str | None:
        """Refuse instances whose transfers occupy what the search does not schedule."""
        return self._search()[1](instance)

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
        period = self.options.period_for(instance, seed)
        found = self._search()[0](
            instance,
            period,
            seed=seed,
            iterations=self.options.iterations * len(instance.nodes),
            target=lower_bounds(instance).latency.ticks,
            temperature=self.options.temperature,
        )
        return timed_mapping(self.name, self.options, instance, period, found, seed)

    def _search(self) -> tuple[Callable[..., Schedule | None], Callable[[Instance], str | None]]:
        """Return the search, and what says which instances it does not support."""
        from mapopt.search.cyclic_search import annealed_cyclic, rejection

        return annealed_cyclic, rejection
