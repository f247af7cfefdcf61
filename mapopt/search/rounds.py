"""Rounds of an annealing: how many moves one has within the limits, and making them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from mapopt.search.effort import Effort

COLDEST = 1e-9
"""Ticks above a temperature that is 0: only ties and improvements are taken then."""

CALIBRATION = 64
"""Moves by which the speed is measured."""


class Heats(NamedTuple):
    """First and last temperature of a round, in ticks or as shares of a latency; it falls geometrically."""

    first: float
    last: float


class Round(Protocol):
    """An annealing under way."""

    @property
    def latency(self) -> int:
        """The least latency so far."""

    def advance(self, begin: int, until: int, total: int, heats: Heats, target: int) -> int:
        """Go on from one move to another of so many in total; return the number made since the first."""


def moves_within(effort: Effort, usual: int, trial: Callable[[], Round], share: float = 1.0) -> int:
    """Return how many moves a round makes: the usual number, or as many as a share of what is left allows.

    Parameters
    ----------
    effort
        What is left; where it is time, the speed of a trial tells how many moves that is.
    usual
        Moves of a round without limits.
    trial
        Begins an annealing that is thrown away.
    share
        Part of what is left that is for the round.
    """
    if effort.iterations is not None:
        return max(1, min(usual, int(share * effort.iterations)))
    if effort.seconds is None:
        return usual
    walk, pace = trial(), 1.0
    for begin, moves in ((0, 1), (1, CALIBRATION)):
        clock = time.perf_counter()
        walk.advance(begin, moves, moves, Heats(1.0, 1.0), 0)
        pace = (moves - begin) / (time.perf_counter() - clock)
    return max(1, min(usual, int(share * pace * (effort.seconds - (clock - effort.began)))))


def heats_of(latency: float, shares: Heats, temperature: float, least: float = 0.0) -> Heats:
    """Return temperatures as shares of a latency, the first at least so many ticks, times a factor."""
    first = max(least, shares.first * latency)
    return Heats(COLDEST + temperature * first, COLDEST + temperature * shares.last * latency)


def advance_within(walk: Round, effort: Effort, moves: int, heats: Heats, target: int) -> None:
    """Make so many moves, fewer if the limits or the target end them."""
    done = 0
    while done < moves and not effort.is_spent and walk.latency > target:
        clock, until = time.perf_counter(), min(moves, done + effort.chunk())
        reached = walk.advance(done, until, moves, heats, target)
        effort.book(reached - done, time.perf_counter() - clock)
        done = reached
