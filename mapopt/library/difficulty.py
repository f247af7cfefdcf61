"""How hard an instance is: a rule over its reference, so that nobody has to say it."""

from __future__ import annotations

from enum import StrEnum

from mapopt.library.references import Reference
from mapopt.solvers.model import Status

TOY_NODES = 10
"""An instance of so many nodes can be solved on paper."""

TOY_S, EASY_S, MEDIUM_S = 0.1, 1.0, 10.0
"""The longest time that one solve takes to prove period and latency."""


class Difficulty(StrEnum):
    """Classes of instances, the easiest first."""

    TOY = "toy"
    """Proven, and of at most :data:`TOY_NODES` nodes or within :data:`TOY_S`: bounds and heuristics meet at once."""

    EASY = "easy"
    """Proven by one solve within :data:`EASY_S`."""

    MEDIUM = "medium"
    """Proven by one solve within :data:`MEDIUM_S`."""

    HARD = "hard"
    """Proven, but by a longer solve, by several together, or by the construction of the instance alone."""

    OPEN = "open"
    """Period or latency is not proven."""


def difficulty(reference: Reference) -> Difficulty:
    """Return the class of an instance."""
    if reference.status is not Status.OPTIMAL:
        return Difficulty.OPEN
    if reference.nodes <= TOY_NODES:
        return Difficulty.TOY
    limits = {Difficulty.TOY: TOY_S, Difficulty.EASY: EASY_S, Difficulty.MEDIUM: MEDIUM_S}
    for kind, limit_s in limits.items():
        if reference.solved_s is not None and reference.solved_s <= limit_s:
            return kind
    return Difficulty.HARD
