"""What a lower bound says, of which mappings, and why."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from mapopt.bounds.witnesses import Witness


@dataclass(frozen=True, slots=True)
class Bound:
    """A lower bound.

    Parameters
    ----------
    name
        Kind of bound, e.g. ``"load"``.
    objective
        ``"period"``, a bound on the work per frame of the busiest unit or link and so on every period; or
        ``"latency"``, a bound on the latency of every frame.
    ticks
        The bound for mappings of one pattern (K = 1, every frame alike), under any dispatch but stealing.
    any_pattern
        The bound for any number of patterns, for weights held on several units, and for stealing; ``None`` if
        this bound says nothing about these.
    explanation
        One sentence with names and numbers.
    binds
        Names of the units, links or nodes that the bound is about.
    witness
        From which :mod:`mapopt.evidence` derives ``ticks`` again.
    """

    name: str
    objective: Literal["period", "latency"]
    ticks: int
    any_pattern: Fraction | None
    explanation: str
    binds: tuple[str, ...]
    witness: Witness | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """All bounds that were computed, each objective's best first.

    Parameters
    ----------
    all
        Every bound.
    """

    all: tuple[Bound, ...]

    @property
    def period(self) -> Bound:
        """The bound that binds the period of mappings with one pattern."""
        return self.of("period")[0]

    @property
    def latency(self) -> Bound:
        """The bound that binds the latency of mappings with one pattern."""
        return self.of("latency")[0]

    @property
    def period_any_pattern(self) -> Bound:
        """The bound that binds the period of mappings with any number of patterns."""
        return max(
            (bound for bound in self.of("period") if bound.any_pattern is not None),
            key=lambda bound: bound.any_pattern or 0,
        )

    def of(self, objective: Literal["period", "latency"]) -> tuple[Bound, ...]:
        """Return the bounds of one objective, the best for one pattern first."""
        mine = [bound for bound in self.all if bound.objective == objective]
        return tuple(sorted(mine, key=lambda bound: -bound.ticks))


def gap(ticks: Fraction | float, bound: Fraction | float) -> float | None:
    """Return ``ticks / bound - 1``, or ``None`` where the bound is 0.

    Examples
    --------
    >>> gap(105, 100)
    0.05
    """
    return float((Fraction(ticks) - Fraction(bound)) / Fraction(bound)) if bound else None
