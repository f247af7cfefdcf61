"""The sorted circle against a check of every tick."""

import random

import numpy as np

from mapopt.search.circle import earliest, insert, remove


def earliest_by_ticks(arcs: list[tuple[int, int]], period: int, ready: int, duration: int) -> int:
    """Try every start: ticks may not be shared, and a task of no time may not stand inside another."""
    busy = {(begin + tick) % period for begin, length in arcs for tick in range(length)}
    inside = {(begin + tick) % period for begin, length in arcs for tick in range(1, length)}
    points = {begin for begin, length in arcs if length == 0}
    for start in range(ready, ready + period):
        mine = {(start + tick) % period for tick in range(duration)}
        within = {(start + tick) % period for tick in range(1, duration)}
        if duration == 0 and start % period not in inside:
            return start
        if 0 < duration <= period and not mine & busy and not within & points:
            return start
    return -1


def test_earliest_is_the_first_start_of_all() -> None:
    draw = random.Random(1)
    found = 0
    for _ in range(400):
        period = draw.randint(1, 14)
        begin, length = np.zeros(20, np.int64), np.zeros(20, np.int64)
        arcs: list[tuple[int, int]] = []
        for _ in range(draw.randint(1, 12)):
            ready, duration = draw.randint(0, 40), draw.choice([0, 1, 1, 2, 3, draw.randint(0, 15)])
            expected = earliest_by_ticks(arcs, period, ready, duration)
            start = earliest(begin, length, len(arcs), period, ready, duration)[0]
            assert start == expected, (arcs, period, ready, duration)
            if start >= 0:
                insert(begin, length, len(arcs), start % period, duration)
                arcs.append((start % period, duration))
                found += 1
            if arcs and draw.random() < 0.2:
                gone = arcs.pop(draw.randrange(len(arcs)))
                remove(begin, length, len(arcs) + 1, *gone)
            assert (
                sorted(arcs)
                == [(int(at), int(ticks)) for at, ticks in zip(begin, length, strict=True)][: len(arcs)]
            )
    assert found > 1000
