"""Moves on cyclic sequences that exchange nodes of two units whose loads stay as they are."""

from __future__ import annotations

from mapopt.emulator.jit import borrowing
from mapopt.instance import IntArray
from mapopt.search.random_numbers import RandomState, below, uniform
from mapopt.search.ring import Graph, Ring
from mapopt.search.ring_moves import (
    Journal,
    distance,
    note_unit,
    rehouse,
    set_length,
    turn,
    wanted,
)

LONGEST = 10
"""Items in a segment that is exchanged, at most."""


@borrowing
def partner_unit(graph: Graph, ring: Ring, node: int, random: RandomState) -> int:
    """Draw another unit of the class of the node's unit; -1 if the node may not leave or there is none."""
    unit = ring.unit[node]
    first, end = graph.kin_offset[unit], graph.kin_offset[unit + 1]
    if first == end or not graph.movable[node]:
        return -1
    other = graph.kin[first + below(random, end - first)]
    return other if ring.filled[other] > 0 else -1


@borrowing
def swap_across(
    graph: Graph, ring: Ring, journal: Journal, period: int, node: int, random: RandomState
) -> bool:
    """Exchange the node with one of another unit, and balance the loads by idle time or by a second exchange."""
    unit, target = ring.unit[node], partner_unit(graph, ring, node, random)
    if target < 0:
        return False
    nodes = len(ring.start)
    other = ring.row[target, below(random, ring.filled[target])]
    if uniform(random) < 0.7:
        near = ring.offset[node] if uniform(random) < 0.5 else wanted(graph, ring, period, node, random)
        row, offset = ring.row, ring.offset
        best = 2 * period
        for place in range(ring.filled[target]):
            rival = row[target, place]
            away = distance(offset[rival], near, period) + below(random, 1 + period // 40)
            if away < best:
                best, other = away, rival
    if other < nodes and not graph.movable[other]:
        return False
    more = ring.length[node] - ring.length[other]
    if more == 0 or uniform(random) < 0.5:
        giver, taker = -1, -1
        if more != 0:
            rich, poor = (target, unit) if more > 0 else (unit, target)
            giver = _idle_item(ring, rich, abs(more), node, other, random)
            taker = _idle_item(ring, poor, 0, node, other, random)
            if giver < 0 or taker < 0:
                return False
        note_unit(ring, journal, unit)
        note_unit(ring, journal, target)
        _cross(graph, ring, node, other)
        if more != 0:
            set_length(ring, journal, giver, ring.length[giver] - abs(more))
            set_length(ring, journal, taker, ring.length[taker] + abs(more))
        return _holds(graph, ring, unit) and _holds(graph, ring, target)
    return _swap_two_pairs(graph, ring, journal, period, node, other, random)


@borrowing
def _idle_item(ring: Ring, unit: int, least: int, one: int, other: int, random: RandomState) -> int:
    """Draw an idle item of the unit with a least length, -1 if there is none; ``one`` and ``other`` are left out."""
    nodes, found, chosen, row, length = len(ring.start), 0, -1, ring.row, ring.length
    for place in range(ring.filled[unit]):
        item = row[unit, place]
        if item >= nodes and item != one and item != other and length[item] >= least:
            found += 1
            if below(random, found) == 0:
                chosen = item
    return chosen


@borrowing
def _cross(graph: Graph, ring: Ring, one: int, other: int) -> None:
    """Let two items of different units take each other's place; offsets are left to be laid out."""
    nodes = len(ring.start)
    unit, target = ring.unit[one], ring.unit[other]
    ring.row[unit, ring.place[one]] = other
    ring.row[target, ring.place[other]] = one
    ring.place[one], ring.place[other] = ring.place[other], ring.place[one]
    if one < nodes:
        rehouse(graph, ring, one, target)
    ring.unit[one] = target
    if other < nodes:
        rehouse(graph, ring, other, unit)
    ring.unit[other] = unit


@borrowing
def _swap_two_pairs(
    graph: Graph, ring: Ring, journal: Journal, period: int, node: int, other: int, random: RandomState
) -> bool:
    """Exchange the pair and the closest second pair with the opposite difference."""
    nodes = len(ring.start)
    unit, target = ring.unit[node], ring.unit[other]
    more = ring.length[node] - ring.length[other]
    noise = period * (0.05 if uniform(random) < 0.7 else 1.0)
    row, length, offset, movable = ring.row, ring.length, ring.offset, graph.movable
    best, second, second_other = 1e18, -1, -1
    for place in range(ring.filled[unit]):
        item = row[unit, place]
        if item == node or (item < nodes and not movable[item]):
            continue
        matching = length[item] + more
        for entry in range(ring.filled[target]):
            rival = row[target, entry]
            if length[rival] != matching or rival == other or (rival < nodes and not movable[rival]):
                continue
            away = (
                distance(offset[item], offset[node], period)
                + distance(offset[rival], offset[other], period)
                + uniform(random) * noise
            )
            if away < best:
                best, second, second_other = away, item, rival
    if second < 0:
        return False
    note_unit(ring, journal, unit)
    note_unit(ring, journal, target)
    ahead = (ring.offset[second] - ring.offset[node]) % period <= period // 2
    turn(ring, journal, unit, ring.place[node] if ahead else ring.place[second])
    ahead = (ring.offset[second_other] - ring.offset[other]) % period <= period // 2
    turn(ring, journal, target, ring.place[other] if ahead else ring.place[second_other])
    _cross(graph, ring, node, other)
    _cross(graph, ring, second, second_other)
    return _holds(graph, ring, unit) and _holds(graph, ring, target)


@borrowing
def swap_segments(
    graph: Graph, ring: Ring, journal: Journal, period: int, node: int, random: RandomState
) -> bool:
    """Exchange segments of two units that take the same time and begin at about the same offset."""
    unit, target = ring.unit[node], partner_unit(graph, ring, node, random)
    if target < 0:
        return False
    count, other_count = ring.filled[unit], ring.filled[target]
    if count < 3 or other_count < 3:
        return False
    row, other_row = ring.row[unit], ring.row[target]
    place, nearest, best = ring.place[node], 0, period
    offset, length = ring.offset, ring.length
    for entry in range(other_count):
        away = distance(offset[other_row[entry]], offset[node], period)
        if away < best:
            best, nearest = away, entry
    found, size, other_place, other_size = 0, 0, 0, 0
    for shift in range(-3, 4):
        begin = (nearest + shift) % other_count
        ticks = length[row[place]]
        other_ticks = length[other_row[begin]]
        one, two = 1, 1
        while True:
            if ticks == other_ticks:
                found += 1
                if below(random, found) == 0:
                    size, other_place, other_size = one, begin, two
            if ticks <= other_ticks:
                if one >= min(LONGEST, count - 1):
                    break
                ticks += length[row[(place + one) % count]]
                one += 1
            else:
                if two >= min(LONGEST, other_count - 1):
                    break
                other_ticks += length[other_row[(begin + two) % other_count]]
                two += 1
    if found == 0:
        return False
    return _exchange_segments(graph, ring, journal, node, size, target, other_place, other_size)


@borrowing
def _exchange_segments(
    graph: Graph, ring: Ring, journal: Journal, node: int, size: int, target: int, begin: int, other_size: int
) -> bool:
    nodes, unit = len(ring.start), ring.unit[node]
    note_unit(ring, journal, unit)
    note_unit(ring, journal, target)
    turn(ring, journal, unit, ring.place[node])
    turn(ring, journal, target, begin)
    row, other_row = ring.row[unit], ring.row[target]
    count, other_count = ring.filled[unit], ring.filled[target]
    mine, theirs = journal.scratch[0], journal.scratch[1]
    for at in range(size):
        mine[at] = row[at]
    for at in range(other_size):
        theirs[at] = other_row[at]
    for at in range(size):
        if mine[at] < nodes:
            if not graph.movable[mine[at]]:
                return False
            rehouse(graph, ring, mine[at], target)
        ring.unit[mine[at]] = target
    for at in range(other_size):
        if theirs[at] < nodes:
            if not graph.movable[theirs[at]]:
                return False
            rehouse(graph, ring, theirs[at], unit)
        ring.unit[theirs[at]] = unit
    _replace_head(row, count, size, theirs, other_size)
    _replace_head(other_row, other_count, other_size, mine, size)
    ring.filled[unit] += other_size - size
    ring.filled[target] += size - other_size
    return _holds(graph, ring, unit) and _holds(graph, ring, target)


@borrowing
def _holds(graph: Graph, ring: Ring, unit: int) -> bool:
    """Return whether the unit's capacities suffice."""
    used, capacity = ring.used, graph.capacity
    return bool(used[unit, 0] <= capacity[unit, 0] and used[unit, 1] <= capacity[unit, 1])


@borrowing
def _replace_head(row: IntArray, count: int, size: int, head: IntArray, other: int) -> None:
    """Put ``other`` items in the place of the first ``size`` of ``count``."""
    if other > size:
        for at in range(count - 1, size - 1, -1):
            row[at + other - size] = row[at]
    elif other < size:
        for at in range(size, count):
            row[at + other - size] = row[at]
    for at in range(other):
        row[at] = head[at]
