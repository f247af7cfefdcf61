"""Rounds keep to their limits, and their temperatures to what they begin with."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import pytest

from mapopt.search.effort import Effort, never
from mapopt.search.rounds import Heats, advance_within, heats_of, moves_within


@dataclass
class Countdown:
    """A round whose latency falls by one with every move, and which notes what it was asked."""

    latency: int = 1000
    move_s: float = 0.0
    asked: list[tuple[int, int, int, Heats, int]] = field(default_factory=list)

    def advance(self, begin: int, until: int, total: int, heats: Heats, target: int) -> int:
        self.asked.append((begin, until, total, heats, target))
        done = min(until, begin + max(0, self.latency - target))
        time.sleep(self.move_s * (done - begin))
        self.latency -= done - begin
        return done


HEATS = Heats(2.0, 0.5)


def effort(iterations: int | None = None, seconds: float | None = None) -> Effort:
    return Effort(iterations, seconds, never, time.perf_counter())


@pytest.mark.parametrize(
    ("left", "share", "moves"),
    [(None, 1.0, 300), (1000, 1.0, 300), (100, 1.0, 100), (100, 0.75, 75), (1, 0.1, 1)],
)
def test_counted_moves_are_the_usual_or_a_share_of_what_is_left(
    left: int | None, share: float, moves: int
) -> None:
    trials: list[Countdown] = []

    def trial() -> Countdown:
        trials.append(Countdown())
        return trials[-1]

    assert moves_within(effort(left), 300, trial, share) == moves
    assert not trials


def test_timed_moves_follow_the_speed_of_a_trial() -> None:
    slow = moves_within(effort(seconds=0.5), 10**9, lambda: Countdown(move_s=0.0005))
    assert 50 < slow < 1001  # 0.5 s of moves that take half a millisecond or more
    assert 10 < moves_within(effort(seconds=0.5), 10**9, lambda: Countdown(move_s=0.0005), 0.25) < 251
    assert moves_within(effort(seconds=0.5), 40, lambda: Countdown(move_s=0.0005)) == 40
    assert moves_within(effort(seconds=0.0), 40, Countdown) == 1


def test_a_round_makes_all_its_moves_in_chunks_and_counts_them() -> None:
    walk, limits = Countdown(), effort(500)
    advance_within(walk, limits, 200, HEATS, 0)
    assert walk.latency == 800
    assert limits.iterations == 300
    assert [ask[0] for ask in walk.asked] == [0, *(ask[1] for ask in walk.asked)][:-1]
    assert walk.asked[-1][1] == 200
    assert {ask[2:] for ask in walk.asked} == {(200, HEATS, 0)}


def test_limits_and_the_target_end_a_round() -> None:
    walk = Countdown()
    advance_within(walk, effort(50), 200, HEATS, 0)
    assert walk.latency == 950
    advance_within(walk, effort(500), 200, HEATS, 940)
    assert walk.latency == 940
    advance_within(walk, effort(500), 200, HEATS, 940)
    assert walk.latency == 940
    calls = len(walk.asked)
    advance_within(walk, Effort(None, None, lambda: True, time.perf_counter()), 200, HEATS, 0)
    assert len(walk.asked) == calls


def test_temperatures_are_shares_of_the_latency() -> None:
    assert heats_of(1000, Heats(0.01, 0.002), 1.0) == pytest.approx((10, 2))
    assert heats_of(1000, Heats(0.01, 0.002), 0.5, 40) == pytest.approx((20, 1))
    cold = heats_of(1000, Heats(0.01, 0.002), 0.0)
    assert 0 < cold.last == cold.first < 1e-6
