"""Annealed elastic rings as a mapper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mapopt.instance import Instance
from mapopt.mappers.annealed_cyclic import AnnealedCyclic, CyclicOptions
from mapopt.options import Options, option

if TYPE_CHECKING:
    from mapopt.search.annealing import Schedule


@dataclass(frozen=True)
class ElasticOptions(CyclicOptions):
    """Effort and period of annealed rings."""

    iterations: int = option(1000, "moves tried per node", ge=1, le=10**9)


class AnnealedElastic(AnnealedCyclic):
    """Time-triggered schedules for periods with some slack, by :func:`mapopt.search.annealing.annealed_elastic`."""

    name: ClassVar[str] = "annealed-elastic"
    summary: ClassVar[str] = (
        "units and cyclic orders of nodes and transfers annealed together for the latency at a period"
    )
    reference: ClassVar[str] = "insertion as in Mastrolilli & Gambardella, Journal of Scheduling 3, 2000"
    options_type: ClassVar[type[Options]] = ElasticOptions

    def _search(self) -> tuple[Callable[..., Schedule | None], Callable[[Instance], str | None]]:
        from mapopt.search.elastic_search import annealed_elastic, rejection

        return annealed_elastic, rejection
