"""Moves on cyclic sequences. Each returns whether it changed anything; what it will touch it has noted before."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mapopt.emulator.jit import borrowing, inlined
from mapopt.instance import IntArray
from mapopt.search.random_numbers import RandomState, below, uniform
from mapopt.search.ring import Graph, Ring

NEAR = 0.02
"""Mean distance from the best offset at which a node is put, as a share of the period."""


class Journal(NamedTuple):
    """What has to be put back when a move is refused.

    Parameters
    ----------
    size
        Number of units, of idle items, and of nodes that changed places directly (0 or 2).
    unit, filled, base, row, used
        Of the units touched, one entry each.
    item, length
        Of the idle items touched.
    pair
        The two nodes that changed places directly.
    scratch
        Two rows to work with.
    """

    size: IntArray
    unit: IntArray
    filled: IntArray
    base: IntArray
    row: IntArray
    used: IntArray
    item: IntArray
    length: IntArray
    pair: IntArray
    scratch: IntArray


def journal_of(ring: Ring) -> Journal:
    """Return an empty journal."""
    width = ring.row.shape[1]

    def zeros(*shape: int) -> IntArray:
        return np.zeros(shape, dtype=np.int64)

    return Journal(
        size=zeros(3),
        unit=zeros(2),
        filled=zeros(2),
        base=zeros(2),
        row=zeros(2, width),
        used=zeros(2, 2),
        item=zeros(4),
        length=zeros(4),
        pair=zeros(2),
        scratch=zeros(2, width),
    )


@borrowing
def note_unit(ring: Ring, journal: Journal, unit: int) -> None:
    """Remember a unit as it is."""
    at = journal.size[0]
    for known in range(at):
        if journal.unit[known] == unit:
            return
    count, row, kept = ring.filled[unit], ring.row, journal.row
    journal.unit[at], journal.filled[at], journal.base[at] = unit, count, ring.base[unit]
    for place in range(count):
        kept[at, place] = row[unit, place]
    journal.used[at, 0], journal.used[at, 1] = ring.used[unit, 0], ring.used[unit, 1]
    journal.size[0] += 1


@borrowing
def set_length(ring: Ring, journal: Journal, item: int, length: int) -> None:
    """Change the length of an idle item."""
    at = journal.size[1]
    journal.item[at], journal.length[at] = item, ring.length[item]
    journal.size[1] += 1
    ring.length[item] = length


@inlined
def put_back(graph: Graph, ring: Ring, journal: Journal) -> None:
    """Undo a move; the offsets of the units noted have to be laid out again."""
    if journal.size[2] > 0:
        exchange(graph, ring, journal.pair[0], journal.pair[1])
    for at in range(journal.size[1] - 1, -1, -1):
        ring.length[journal.item[at]] = journal.length[at]
    row, kept, home = ring.row, journal.row, ring.unit
    for at in range(journal.size[0]):
        unit = journal.unit[at]
        ring.filled[unit], ring.base[unit] = journal.filled[at], journal.base[at]
        for place in range(journal.filled[at]):
            item = kept[at, place]
            row[unit, place] = item
            home[item] = unit
        ring.used[unit, 0], ring.used[unit, 1] = journal.used[at, 0], journal.used[at, 1]


@inlined
def exchange(graph: Graph, ring: Ring, one: int, other: int) -> None:
    """Let two nodes of one duration change places."""
    for kind in range(2):
        more = graph.need[one, kind] - graph.need[other, kind]
        ring.used[ring.unit[other], kind] += more
        ring.used[ring.unit[one], kind] -= more
    unit, place, offset = ring.unit[one], ring.place[one], ring.offset[one]
    ring.row[unit, place] = other
    ring.row[ring.unit[other], ring.place[other]] = one
    ring.unit[one], ring.place[one], ring.offset[one] = (
        ring.unit[other],
        ring.place[other],
        ring.offset[other],
    )
    ring.unit[other], ring.place[other], ring.offset[other] = unit, place, offset


@inlined
def scattered(period: int, random: RandomState) -> int:
    """Draw a distance: 0 half of the time, else exponential."""
    if uniform(random) < 0.5:
        return 0
    return int(-np.log(uniform(random) + 1e-12) * period * NEAR)


@inlined
def distance(one: int, other: int, period: int) -> int:
    """Return how far two offsets are apart on the circle."""
    ahead = (one - other) % period
    return min(ahead, period - ahead)


@inlined
def wanted(graph: Graph, ring: Ring, period: int, node: int, random: RandomState) -> int:
    """Return an offset that suits the node: just after its data, or just in time for one of its readers."""
    first, end = graph.leaving_offset[node], graph.leaving_offset[node + 1]
    if first == end or uniform(random) < 0.6:
        return int((ring.ready[node] + scattered(period, random)) % period)
    edge = first + below(random, end - first)
    reader = graph.leaving[edge]
    if not graph.timed[reader]:
        return int(ring.ready[node] % period)
    lag = graph.together if ring.unit[reader] == ring.unit[node] else graph.apart
    return int((ring.offset[reader] - lag[graph.link[edge]] - scattered(period, random)) % period)


@borrowing
def turn(ring: Ring, journal: Journal, unit: int, place: int) -> None:
    """Rewrite a sequence to begin at another of its items; no offset changes."""
    if place == 0:
        return
    count, row, scratch, places = ring.filled[unit], ring.row[unit], journal.scratch[0], ring.place
    ring.base[unit] = ring.offset[row[place]]
    for at in range(place):
        scratch[at] = row[at]
    for at in range(place, count):
        row[at - place] = row[at]
    for at in range(place):
        row[count - place + at] = scratch[at]
    for at in range(count):
        places[row[at]] = at


@borrowing
def has_room(graph: Graph, ring: Ring, one: int, other: int) -> bool:
    """Return whether capacities let two nodes of different units change units."""
    for kind in range(2):
        more = graph.need[one, kind] - graph.need[other, kind]
        home, target = ring.unit[one], ring.unit[other]
        if ring.used[target, kind] + more > graph.capacity[target, kind]:
            return False
        if ring.used[home, kind] - more > graph.capacity[home, kind]:
            return False
    return True


@borrowing
def rehouse(graph: Graph, ring: Ring, node: int, unit: int) -> None:
    """Book a node on another unit."""
    for kind in range(2):
        ring.used[ring.unit[node], kind] -= graph.need[node, kind]
        ring.used[unit, kind] += graph.need[node, kind]
    ring.unit[node] = unit


@inlined
def swap_equals(
    graph: Graph, ring: Ring, journal: Journal, period: int, node: int, random: RandomState
) -> bool:
    """Exchange the node with one of its duration, mostly with one close to where the node would suit."""
    first, end = graph.peer_offset[node], graph.peer_offset[node + 1]
    if first == end:
        return False
    other = graph.peer[first + below(random, end - first)]
    if uniform(random) < 0.8:
        target = wanted(graph, ring, period, node, random)
        forward = uniform(random) < 0.7
        peer, offset = graph.peer, ring.offset
        best = second = period
        runner_up = other
        for entry in range(first, end):
            rival = peer[entry]
            ahead = offset[rival] - target
            if not forward:
                ahead = -ahead
            if ahead < 0:
                ahead += period
            if ahead < best:
                second, runner_up = best, other
                best, other = ahead, rival
            elif ahead < second:
                second, runner_up = ahead, rival
        if second < period and uniform(random) < 0.3:
            other = runner_up
    if ring.unit[node] != ring.unit[other] and not has_room(graph, ring, node, other):
        return False
    exchange(graph, ring, node, other)
    journal.pair[0], journal.pair[1] = node, other
    journal.size[2] = 2
    return True


@borrowing
def swap_neighbours(ring: Ring, journal: Journal, node: int, random: RandomState) -> bool:
    """Exchange the node with the item before or after it."""
    unit = ring.unit[node]
    count = ring.filled[unit]
    if count < 2:
        return False
    note_unit(ring, journal, unit)
    place = ring.place[node]
    turn(ring, journal, unit, place if uniform(random) < 0.5 else (place + count - 1) % count)
    row = ring.row[unit]
    row[0], row[1] = row[1], row[0]
    return True


@borrowing
def move_segment(
    graph: Graph, ring: Ring, journal: Journal, period: int, node: int, random: RandomState
) -> bool:
    """Take the node, or a few items from it on, out of the sequence and insert it where it suits."""
    unit = ring.unit[node]
    count, row, scratch, length = ring.filled[unit], ring.row[unit], journal.scratch[1], ring.length
    if count < 3:
        return False
    note_unit(ring, journal, unit)
    size = 1 if uniform(random) < 0.6 else 2 + below(random, 3)
    if size > count - 1:
        size = 1
    target = wanted(graph, ring, period, node, random) if uniform(random) < 0.8 else below(random, period)
    offset = ring.offset[node]
    turn(ring, journal, unit, ring.place[node])
    for at in range(size):
        scratch[at] = row[at]
    ahead = (target - offset) % period
    passed = 0
    if ahead <= period // 2:
        place = size
        while place < count and passed + length[row[place]] // 2 < ahead:
            passed += length[row[place]]
            row[place - size] = row[place]
            place += 1
        for at in range(size):
            row[place - size + at] = scratch[at]
    else:
        place = count
        while place > size and passed + length[row[place - 1]] // 2 < period - ahead:
            passed += length[row[place - 1]]
            place -= 1
        behind = count - place
        for at in range(behind):
            scratch[size + at] = row[place + at]
        for at in range(place - 1, size - 1, -1):
            row[at + behind] = row[at]
        for at in range(size + behind):
            row[at] = scratch[at]
        ring.base[unit] = (offset - passed) % period
    return True


@borrowing
def rotate(ring: Ring, journal: Journal, period: int, node: int, random: RandomState) -> bool:
    """Turn the whole sequence, so that the node comes just after its data, or by a little."""
    unit = ring.unit[node]
    note_unit(ring, journal, unit)
    if uniform(random) < 0.5:
        by = ring.ready[node] - ring.offset[node]
    else:
        by = 1 + int(-np.log(uniform(random) + 1e-12) * period * 0.01)
        if uniform(random) < 0.5:
            by = -by
    ring.base[unit] = (ring.base[unit] + by) % period
    return True


@borrowing
def swap_within(ring: Ring, journal: Journal, node: int, random: RandomState) -> bool:
    """Exchange the node with another item of its unit."""
    unit = ring.unit[node]
    count, row = ring.filled[unit], ring.row[unit]
    place = ring.place[node]
    other = (place + 1 + below(random, 5)) % count if uniform(random) < 0.6 else below(random, count)
    if other == place:
        return False
    note_unit(ring, journal, unit)
    turn(ring, journal, unit, place)
    other = (other - place) % count
    row[0], row[other] = row[other], row[0]
    return True


@borrowing
def shift_idle(ring: Ring, journal: Journal, node: int, period: int, random: RandomState) -> bool:
    """Move idle time of the node's unit from one idle item to another, or an idle item elsewhere."""
    unit = ring.unit[node]
    nodes, count, row, scratch = len(ring.start), ring.filled[unit], ring.row[unit], journal.scratch[1]
    idle = 0
    for place in range(count):
        if row[place] >= nodes:
            scratch[idle] = place
            idle += 1
    if idle < 2:
        return False
    if uniform(random) < 0.6:
        giver, taker = row[scratch[below(random, idle)]], row[scratch[below(random, idle)]]
        if giver == taker or ring.length[giver] == 0:
            return False
        whole = ring.length[giver]
        wait = (ring.start[node] - ring.ready[node]) % period
        dice = uniform(random)
        if dice < 0.3 and 0 < wait <= whole:
            ticks = wait
        elif dice < 0.6:
            ticks = 1 + below(random, whole)
        else:
            ticks = min(whole, 1 + int(-np.log(uniform(random) + 1e-12) * period * 0.005))
        note_unit(ring, journal, unit)
        turn(ring, journal, unit, ring.place[giver] if uniform(random) < 0.5 else ring.place[taker])
        set_length(ring, journal, giver, whole - ticks)
        set_length(ring, journal, taker, ring.length[taker] + ticks)
        return True
    note_unit(ring, journal, unit)
    place = scratch[below(random, idle)]
    item = row[place]
    for at in range(place, count - 1):
        row[at] = row[at + 1]
    target = below(random, count)
    for at in range(count - 1, target, -1):
        row[at] = row[at - 1]
    row[target] = item
    return True
