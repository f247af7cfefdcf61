"""The rings against a plain reading of the rules: every order and precedence as an arc, longest paths by relaxation."""

import random
from collections import Counter

import numpy as np
import pytest

from mapopt.instance import Instance
from mapopt.placement.problem import Problem
from mapopt.search.annealing import annealed_list
from mapopt.search.elastic_rings import (
    CAPACITY_KINDS,
    hop_of,
    link,
    loosen,
    put_back,
    restart,
    settle,
    squeeze_in,
    unlink,
)
from mapopt.search.elastic_search import _Walk, frame_of
from mapopt.search.schedule import finish
from mapopt.search.tables import tables_of
from mapopt.transfers import Delay, Free, Links
from tests.search.cases import cases
from tests.search.test_list_search import fork

Arc = tuple[int, int, int]


def walk_on(instance: Instance, period: int, seed: int = 0) -> _Walk:
    """The rings of a list schedule."""
    schedule = annealed_list(instance, period, seed=seed, iterations=3)
    assert schedule is not None
    tables = tables_of(Problem(instance))
    return _Walk.of(instance, tables, frame_of(instance, tables, period), schedule, seed, 0)


def walks(first: int, last: int) -> list[_Walk]:
    """Those of the random instances that elastic rings can schedule."""
    return [
        walk_on(instance, period, number)
        for number, instance, period in cases(first, last)
        if isinstance(instance.transfer, (Free, Delay, Links))
    ]


def hops_needed(walk: _Walk) -> dict[int, tuple[int, int]]:
    """Resource and ticks of every hop that the units of the nodes call for."""
    frame, tables, home = walk.frame, walk.tables, walk.rings.home
    needed = {}
    for producer, consumer, tensor in walk.instance.edges:
        source, target = int(home[producer]), int(home[consumer])
        row = source * frame.units + target
        resources = tables.route[tables.route_offset[row] : tables.route_offset[row + 1]].tolist()
        for number, resource in enumerate(resources):
            task = frame.nodes + (tensor * frame.units + target) * frame.hops + number
            needed[task] = (resource, int(tables.ticks[tensor, resource]))
    return needed


def arcs(walk: _Walk) -> list[Arc]:
    """Every pair of tasks of which the second starts at least so many ticks after the first."""
    frame, tables, rings = walk.frame, walk.tables, walk.rings
    home, length = rings.home.tolist(), rings.length.tolist()
    found: list[Arc] = []
    for task in rings.active[: rings.size[0]].tolist():
        after = int(rings.next[task])
        if after != task:
            found.append((task, after, length[task] + int(rings.turn[task]) * frame.period))
    for producer, consumer, tensor in walk.instance.edges:
        source, target = home[producer], home[consumer]
        first = frame.nodes + (tensor * frame.units + target) * frame.hops
        row = source * frame.units + target
        count = int(tables.route_offset[row + 1] - tables.route_offset[row])
        before, wait = producer, length[producer]
        if source != target and not frame.linked:
            wait += int(tables.once[tensor])
        for task in range(first, first + count):
            found.append((before, task, wait))
            before, wait = task, length[task] + int(tables.latency[home[task]])
        found.append((before, consumer, wait))
    return found


def longest(least: dict[int, int], ways: list[Arc]) -> dict[int, int]:
    """The least values that keep all arcs; a cycle that grows forever fails."""
    for _ in range(len(least) + 2):
        changed = False
        for one, other, weight in ways:
            if least[one] + weight > least[other]:
                least[other], changed = least[one] + weight, True
        if not changed:
            return least
    raise AssertionError("the rings have a cycle that grows forever")


def assert_times_are_least(walk: _Walk, start: np.ndarray, tail: np.ndarray) -> None:
    """Starts and tails are the longest paths over all arcs."""
    rings = walk.rings
    tasks, ways = rings.active[: rings.size[0]].tolist(), arcs(walk)
    assert {task: int(start[task]) for task in tasks} == longest(dict.fromkeys(tasks, 0), ways)
    back = [(other, one, weight) for one, other, weight in ways]
    ends = {task: int(rings.length[task]) for task in tasks}
    assert {task: int(tail[task]) for task in tasks} == longest(ends, back)


def assert_book_is_right(walk: _Walk) -> None:
    """Every part of the book says what the units and orders say."""
    frame, rings, tables = walk.frame, walk.rings, walk.tables
    active = rings.active[: rings.size[0]].tolist()
    existing = [task for task, home in enumerate(rings.home.tolist()) if home >= 0]
    assert sorted(active) == existing
    assert rings.place[active].tolist() == list(range(len(active)))
    assert Counter(rings.place.tolist())[-1] == len(rings.place) - len(active)
    needed = hops_needed(walk)
    assert [task for task in existing if task >= frame.nodes] == sorted(needed)
    for task, expected in needed.items():
        assert (rings.home[task], rings.length[task]) == expected
    for node in range(frame.nodes):
        assert rings.length[node] == tables.duration[node, rings.home[node]] >= 0
    for resource, first in enumerate(rings.first.tolist()):
        ring: list[int] = []
        task = first
        while task >= 0 and (not ring or task != first):
            ring.append(task)
            assert rings.previous[rings.next[task]] == task
            task = int(rings.next[task])
        assert sorted(ring) == [task for task in existing if rings.home[task] == resource]
        assert rings.load[resource] == rings.length[ring].sum() <= frame.period
        assert rings.turn[ring].sum() == -bool(ring)
    homes = {int(tables.group[node]): int(rings.home[node]) for node in range(frame.nodes)}
    used = np.zeros((frame.units, CAPACITY_KINDS), dtype=np.int64)
    for group, unit in homes.items():
        used[unit] += tables.need[group, unit]
    assert rings.used.reshape(-1, CAPACITY_KINDS).tolist() == used.tolist()
    assert (used <= tables.capacity).all()
    if frame.linked:
        readers = Counter(
            tensor * frame.units + int(rings.home[consumer]) for _, consumer, tensor in walk.instance.edges
        )
        assert [readers[row] for row in range(len(rings.readers))] == rings.readers.tolist()


def assert_desk_is_clear(walk: _Walk) -> None:
    assert not walk.desk.flag.any()
    assert not walk.desk.mark.any()


def test_rings_of_schedules_say_what_these_say() -> None:
    tried = Counter[str]()
    for walk in walks(0, 300):
        assert_book_is_right(walk)
        assert_times_are_least(walk, walk.rings.start, walk.rings.tail)
        assert_desk_is_clear(walk)
        tried[type(walk.instance.transfer).__name__] += 1
    assert min(tried.values()) > 20
    assert set(tried) == {"Free", "Delay", "Links"}


def test_a_late_schedule_is_pulled_to_the_least_starts_of_its_orders() -> None:
    """n0 feeds n1 and n2, these n3; transfers take 2 ticks; n0 and n2 share a unit, n1 and n3 the other."""
    instance = fork((2, 5, 4, 3), 2)
    late = finish(instance, 9, np.array([0, 1, 0, 1]), np.array([0, 4, 3, 10]), {})
    assert late.latency == 13
    tables = tables_of(Problem(instance))
    walk = _Walk.of(instance, tables, frame_of(instance, tables, 9), late, 0, 0)
    assert walk.rings.start.tolist()[:4] == [0, 4, 2, 9]
    assert walk.rings.tail.tolist()[:4] == [12, 8, 9, 3]
    assert walk.latency == 12
    assert walk.schedule().starts == (0, 4, 2, 9)


def test_what_is_taken_out_lets_others_fall_back_and_what_is_put_in_pushes() -> None:
    moved = 0
    for walk in walks(0, 300):
        frame, rings, desk = walk.frame, walk.rings, walk.desk
        draw = random.Random(len(rings.book))
        before = rings.book.copy()
        for _ in range(6):
            task = int(rings.active[draw.randrange(rings.size[0])])
            home, length = int(rings.home[task]), int(rings.length[task])
            left, turn = int(rings.previous[task]), int(rings.turn[rings.previous[task]])
            rings.noted[0] = 0
            rings.trial_start[:], rings.trial_tail[:] = rings.start, rings.tail
            loosen(frame, rings, desk, np.array([task], dtype=np.int64), 1)
            unlink(rings, task)
            assert settle(frame, rings, desk)
            assert_times_are_least(walk, rings.trial_start, rings.trial_tail)
            moved += bool((rings.trial_start < rings.start).any())
            link(rings, task, home, length, -1 if left == task else left, turn)
            assert squeeze_in(frame, rings, desk, task, np.inf)
            assert_book_is_right(walk)
            assert_times_are_least(walk, rings.trial_start, rings.trial_tail)
            put_back(rings)
            assert (rings.book == before).all()
            assert_desk_is_clear(walk)
    assert moved > 100


def test_a_push_in_a_circle_is_given_up() -> None:
    """A task that comes both before and after its neighbour of the same turn."""
    walk = walk_on(fork((2, 5, 4, 3), 1), 14)
    frame, rings, desk = walk.frame, walk.rings, walk.desk
    rings.noted[0] = 0
    before = rings.book.copy()
    loosen(frame, rings, desk, np.array([3], dtype=np.int64), 1)
    unlink(rings, 3)
    assert settle(frame, rings, desk)
    link(rings, 3, 0, 3, 0, 0)  # right after n0, though it reads n1 and n2, which follow in the same turn
    assert not squeeze_in(frame, rings, desk, 3, np.inf)
    put_back(rings)
    assert (rings.book == before).all()


@pytest.mark.parametrize("excess", [0, 1])
def test_a_path_that_is_too_long_ends_a_push(excess: int) -> None:
    walk = walk_on(fork((2, 5, 4, 3), 1), 14)
    frame, rings, desk = walk.frame, walk.rings, walk.desk
    restart(frame, rings, desk)
    assert squeeze_in(frame, rings, desk, 3, float(walk.latency - excess)) == (excess == 0)


def test_hops_are_numbered_by_tensor_then_unit() -> None:
    walk = next(walk for walk in walks(0, 60) if walk.frame.linked and walk.frame.units > 1)
    frame = walk.frame
    numbers = [
        hop_of(frame, tensor, unit) for tensor in range(len(frame.producer)) for unit in range(frame.units)
    ]
    assert numbers == list(range(frame.nodes, len(walk.rings.next), frame.hops))
