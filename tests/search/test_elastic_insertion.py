from collections import Counter
from math import log

import numpy as np
import pytest

from mapopt.library import Library
from mapopt.search.elastic_insertion import MOST_NODES, Pass, _draw
from mapopt.search.elastic_search import _Walk
from mapopt.search.random_numbers import random_state
from tests.search.test_elastic_rings import (
    assert_book_is_right,
    assert_desk_is_clear,
    assert_times_are_least,
    walk_on,
    walks,
)


def assert_moves_keep_the_rings(walk: _Walk, moves: int, heat: float, every: int) -> tuple[int, int]:
    """Make moves; return how many were taken, and how many were given up. The taken ones are looked at now and then."""
    rings, taken = walk.rings, 0
    for number in range(moves):
        before = [each.copy() for each in (rings.book, rings.start, rings.tail)]
        walk.advance(number, number + 1, moves, (heat, heat / 20), 0)
        assert rings.noted[0] < len(rings.at)
        assert_desk_is_clear(walk)
        if rings.noted[0] == 0:
            after = (rings.book, rings.start, rings.tail)
            assert all((one == other).all() for one, other in zip(before, after, strict=True))
            continue
        taken += 1
        if taken % every == 0:
            assert_book_is_right(walk)
            assert_times_are_least(walk, rings.start, rings.tail)
            assert (np.diff(rings.start[rings.active[: rings.size[0]]]) >= 0).all()
    assert_book_is_right(walk)
    assert_times_are_least(walk, rings.start, rings.tail)
    return taken, moves - taken


def test_random_instances() -> None:
    counts = np.zeros(2, dtype=np.int64)
    for walk in walks(0, 300):
        counts += assert_moves_keep_the_rings(walk, 120, 0.05 * walk.latency, 3)
    assert counts.min() > 2000


@pytest.mark.parametrize("network", ["squeezenet1_1", "resnet8"])
def test_networks_over_links(network: str) -> None:
    [member] = Library.open("instances").select(only=[f"networks/{network}-imce-4+2"])
    instance = member.make().instance
    walk = walk_on(instance, int(instance.times.max(axis=1).sum()))
    taken, refused = assert_moves_keep_the_rings(walk, 1000, 0.002 * walk.latency, 40)
    assert min(taken, refused) > 50


def test_units_change_and_rules_hold_them() -> None:
    """Nodes of larger groups stay, others come around; nodes that are to be apart never meet."""
    moved = 0
    for walk in walks(0, 300):
        frame, rings = walk.frame, walk.rings
        begun = rings.home[: frame.nodes].copy()
        walk.advance(0, 300, 300, (0.05 * walk.latency, 0.05 * walk.latency), 0)
        now = rings.home[: frame.nodes]
        changed = now != begun
        assert not changed[~frame.alone].any()
        moved += int(changed.sum())
        homes = {int(frame.group[node]): int(now[node]) for node in range(frame.nodes)}
        for group, unit in homes.items():
            first, end = frame.apart_offset[group], frame.apart_offset[group + 1]
            assert unit not in [homes[other] for other in frame.apart[first:end].tolist()]
            first, end = frame.choice_offset[group], frame.choice_offset[group + 1]
            assert unit in frame.choice[first:end].tolist()
    assert moved > 200


def test_a_target_ends_it_before_the_next_move() -> None:
    walk = next(walk for walk in walks(0, 20) if walk.latency > 0)
    assert walk.advance(3, 10, 10, (1.0, 1.0), walk.latency) == 3
    assert walk.advance(3, 10, 10, (1.0, 1.0), 0) == 10


@pytest.mark.parametrize(("heat", "shares"), [(10.0, (4 / 7, 2 / 7, 1 / 7)), (0.01, (1.0, 0.0, 0.0))])
def test_places_are_drawn_by_boltzmann_weights(heat: float, shares: tuple[float, ...]) -> None:
    """Each place is one half as likely as the one before at temperature 10."""
    draws, none = 7000, np.zeros(3, dtype=np.int64)
    path = 50 + 10 * log(2) * np.arange(3.0)
    way = Pass(none, none, none, path, np.zeros(MOST_NODES + 1, dtype=np.int64), none, none)
    random = random_state(1, 0)
    drawn = Counter(_draw(way, 3, heat, random) for _ in range(draws))
    assert [drawn[place] / draws for place in range(3)] == pytest.approx(shares, abs=0.02)
