"""What is asked of a search by patterns, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

from mapopt.bounds.pattern_duals import PatternDuals


@dataclass(frozen=True, slots=True)
class Ingredients:
    """Which parts of the search take part; together they are the strongest."""

    relaxation: bool = True
    dives: bool = True
    integer_program: bool = True
    branching: bool = True


@dataclass(frozen=True, slots=True)
class Wanted:
    """When the search may end early.

    Parameters
    ----------
    below
        Only periods below this are of interest.
    any_of_them
        Whether the first such period will do.
    """

    below: int | None = None
    any_of_them: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What the search found.

    Parameters
    ----------
    units
        Unit of each group in the best mapping; ``None`` if none was found.
    value
        Its period in ticks.
    bound
        No mapping has a shorter period.
    duals
        For the longest period refuted by duals; ``None`` if there is none.
    infeasible
        Whether it was proven that no mapping keeps all capacities.
    """

    units: tuple[int, ...] | None
    value: int | None
    bound: int
    duals: PatternDuals | None
    infeasible: bool
