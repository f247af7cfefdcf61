"""Annealed retiming as a mapper."""

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
class RetimedOptions(CyclicOptions):
    """Effort and period of annealed retiming."""

    iterations: int = option(2000, "moves tried per node", ge=1, le=10**9)


class AnnealedRetimed(AnnealedCyclic):
    """Time-triggered schedules by turns and list schedules, by :func:`mapopt.search.annealing.annealed_retimed`."""

    name: ClassVar[str] = "annealed-retimed"
    summary: ClassVar[str] = (
        "turns of nodes and their order within a period annealed for the latency at a period, then elastic rings"
    )
    reference: ClassVar[str] = (
        "retiming as in Calland, Darte & Robert, IEEE Transactions on Parallel and Distributed Systems 9, 1998"
    )
    options_type: ClassVar[type[Options]] = RetimedOptions

    def _search(self) -> tuple[Callable[..., Schedule | None], Callable[[Instance], str | None]]:
        from mapopt.search.cyclic_search import rejection
        from mapopt.search.retimed_search import annealed_retimed

        return annealed_retimed, rejection
