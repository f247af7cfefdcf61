"""Annealing of elastic rings by taking tasks out and putting each where it does well, compiled.

A move takes a task out of its ring, or a few nodes with their transfers off their units. What is left is settled, and
every place of a task is known by the longest path through it: its data, the task before it and the one after it say
all. One of the places is drawn, better ones more often, as at a temperature (a heat bath); the next task follows. The
new schedule is given up as soon as a path is longer than the temperature lets pass.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mapopt.emulator.jit import borrowing
from mapopt.instance import IntArray
from mapopt.search.elastic_rings import (
    CAPACITY_KINDS,
    HOME,
    LENGTH,
    READERS,
    USED,
    Desk,
    Frame,
    Rings,
    appear,
    clear_flags,
    hop_of,
    hops_between,
    link,
    loosen,
    put_back,
    settle,
    sort_active,
    squeeze_in,
    unlink,
    vanish,
    write,
)
from mapopt.search.random_numbers import RandomState, below, uniform
from mapopt.search.ring import FloatArray

MOST_NODES = 5
"""Nodes that are taken out together at most."""

BESIDE = 0.3
"""What the path through a task counts beside the longest path of all, so that ties are broken."""

SEVERAL = 0.9
"""How often several nodes are taken out."""

IN_PLACE, IN_PLACE_LINKED = 0.1, 0.2
"""How often a task only changes its place in its ring, without links and with them."""

TRIES, UNLIKELY = 12, 8.0
"""Tasks looked at for one on a longest path; the temperatures above the best place beyond which none is drawn."""


class Pass(NamedTuple):
    """Working space of a move.

    Parameters
    ----------
    place, turn, unit, path
        Places for a task: the task before it, the turns to this, the unit, and the longest path.
    node, leaving
        Nodes that are taken out, and all tasks that leave their rings.
    origin
        Shape (nodes,): the unit that a node was taken from.
    """

    place: IntArray
    turn: IntArray
    unit: IntArray
    path: FloatArray
    node: IntArray
    leaving: IntArray
    origin: IntArray


class Best(NamedTuple):
    """The best schedule.

    Parameters
    ----------
    latency
        Shape (2,): of the schedule as it is, and of the best one.
    start, home
        Shape (tasks,): of the best one.
    """

    latency: IntArray
    start: IntArray
    home: IntArray


@borrowing
def anneal_elastic(
    frame: Frame,
    rings: Rings,
    desk: Desk,
    way: Pass,
    best: Best,
    begin: int,
    until: int,
    total: int,
    first_heat: float,
    last_heat: float,
    target: int,
    random: RandomState,
) -> int:
    """Go on from move ``begin`` to move ``until`` of ``total``, or until the latency is at most ``target``.

    Temperatures are in ticks and fall geometrically. Returns the number of moves made since the first.
    """
    for number in range(begin, until):
        if best.latency[1] <= target:
            return number
        heat = first_heat * (last_heat / first_heat) ** (number / total)
        now = best.latency[0]
        most = now - heat * np.log(uniform(random) + 1e-300)
        rings.noted[0] = 0
        for place in range(rings.size[0]):
            task = rings.active[place]
            rings.trial_start[task], rings.trial_tail[task] = rings.start[task], rings.tail[task]
        task = _late_task(frame, rings, now - heat, random)
        if uniform(random) < (IN_PLACE_LINKED if frame.linked else IN_PLACE):
            done = _move_in_place(frame, rings, desk, way, task, heat, most, random)
        else:
            done = _move_nodes(
                frame, rings, desk, way, _node_of(frame, rings, task, random), heat, most, random
            )
        if not done:
            clear_flags(rings, desk)
            put_back(rings)
            clear_flags(rings, desk)
            continue
        latency = 0
        for place in range(rings.size[0]):
            task = rings.active[place]
            rings.start[task], rings.tail[task] = rings.trial_start[task], rings.trial_tail[task]
            if task < frame.nodes:
                latency = max(latency, rings.start[task] + rings.length[task])
        sort_active(rings)
        best.latency[0] = latency
        if latency < best.latency[1]:
            best.latency[1] = latency
            for task in range(len(best.start)):
                best.start[task], best.home[task] = rings.start[task], rings.home[task]
    return until


@borrowing
def _late_task(frame: Frame, rings: Rings, path: float, random: RandomState) -> int:
    """Draw a task with a path as long as that through it, if a few tries find one; or the one right before it."""
    task = rings.active[below(random, rings.size[0])]
    for _ in range(TRIES):
        if rings.start[task] + rings.tail[task] >= path:
            break
        task = rings.active[below(random, rings.size[0])]
    left = rings.previous[task]
    free = rings.start[left] + rings.length[left] + rings.turn[left] * frame.period
    return int(left if uniform(random) < 0.25 and free == rings.start[task] else task)


@borrowing
def _node_of(frame: Frame, rings: Rings, task: int, random: RandomState) -> int:
    """Return a node, or the writer or a reader of the transfer that a hop belongs to."""
    if task < frame.nodes:
        return task
    row = (task - frame.nodes) // frame.hops
    tensor, unit = row // frame.units, row % frame.units
    chosen = frame.producer[tensor]
    if uniform(random) < 0.5:
        return int(chosen)
    first, end, seen = frame.leaving_offset[chosen], frame.leaving_offset[chosen + 1], 0
    for arc in range(first, end):
        reader = frame.leaving[arc]
        if frame.leaving_tensor[arc] == tensor and rings.home[reader] == unit:
            seen += 1
            if below(random, seen) == 0:
                chosen = reader
    return int(chosen)


@borrowing
def _move_in_place(
    frame: Frame,
    rings: Rings,
    desk: Desk,
    way: Pass,
    task: int,
    heat: float,
    most: float,
    random: RandomState,
) -> bool:
    """Give a task another place in its ring; its transfers stay."""
    way.leaving[0] = task
    loosen(frame, rings, desk, way.leaving, 1)
    home, length = rings.home[task], rings.length[task]
    unlink(rings, task)
    if not settle(frame, rings, desk):
        return False
    ready, tail = rings.trial_start[task], rings.trial_tail[task] - length
    return _insert(frame, rings, desk, way, task, home, ready, length, tail, heat, most, random)


@borrowing
def _move_nodes(
    frame: Frame,
    rings: Rings,
    desk: Desk,
    way: Pass,
    node: int,
    heat: float,
    most: float,
    random: RandomState,
) -> bool:
    """Take a node, mostly with some others, off its unit, and put them back one after another."""
    nodes = way.node
    nodes[0] = node
    count = 1
    if uniform(random) < SEVERAL:
        wanted = 2 + int(uniform(random) * uniform(random) * (MOST_NODES - 1))
        kind = below(random, 4)
        while count < wanted:
            other = _companion(frame, rings, way, count, kind, random)
            if other < 0:
                break
            nodes[count] = other
            count += 1
    _take_away(frame, rings, desk, way, count)
    if not settle(frame, rings, desk):
        return False
    for entry in range(count - 1):
        other = entry + below(random, count - entry)
        nodes[entry], nodes[other] = nodes[other], nodes[entry]
    done = True
    for entry in range(count):
        done = done and _insert_node(frame, rings, desk, way, nodes[entry], heat, most, random)
    return done


@borrowing
def _companion(frame: Frame, rings: Rings, way: Pass, count: int, kind: int, random: RandomState) -> int:
    """Return another node to take out: a reader of the last one, the next on its unit, or one of the first's units.

    Of these, one that starts at about the same time of the period, or any. -1 if there is none.
    """
    nodes, chosen = way.node, -1
    last, node = nodes[count - 1], nodes[0]
    if kind == 0:
        first, end = frame.leaving_offset[last], frame.leaving_offset[last + 1]
        if end > first:
            chosen = frame.leaving[first + below(random, end - first)]
    elif kind == 1:
        chosen = rings.next[last]
    else:
        group = frame.group[node]
        first, end = frame.choice_offset[group], frame.choice_offset[group + 1]
        begin = rings.first[frame.choice[first + below(random, end - first)]]
        nearest, seen, half = np.inf, 0, frame.period // 2
        other = begin
        while other >= 0:
            if kind == 2:
                apart = abs((rings.start[other] - rings.start[node] + half) % frame.period - half)
                distance = apart * (0.5 + uniform(random))
                if distance < nearest and other != node:
                    nearest, chosen = distance, other
            else:
                seen += 1
                if below(random, seen) == 0:
                    chosen = other
            other = rings.next[other]
            if other == begin:
                break
    for entry in range(count):
        if nodes[entry] == chosen:
            return -1
    return chosen


@borrowing
def _take_away(frame: Frame, rings: Rings, desk: Desk, way: Pass, count: int) -> None:
    """Take nodes off their units, with the transfers that they write, and those that only they read there."""
    leaving, home = way.leaving, rings.home
    gone = count
    for entry in range(count):
        node = leaving[entry] = way.node[entry]
        unit = way.origin[node] = home[node]
        if frame.linked:
            for row in range(frame.outgoing_offset[node], frame.outgoing_offset[node + 1]):
                for target in range(frame.units):
                    gone = _list_hops(frame, rings, desk, way, frame.outgoing[row], target, gone)
            for arc in range(frame.entering_offset[node], frame.entering_offset[node + 1]):
                row = frame.entering_tensor[arc] * frame.units + unit
                write(rings, READERS, row, rings.readers[row] - 1)
                if rings.readers[row] == 0:
                    gone = _list_hops(frame, rings, desk, way, frame.entering_tensor[arc], unit, gone)
    loosen(frame, rings, desk, leaving, gone)  # which clears the marks, too
    for entry in range(gone):
        task = leaving[entry]
        if task < frame.nodes and frame.alone[task]:
            group, unit = frame.group[task], home[task]
            for kind in range(CAPACITY_KINDS):
                row = unit * CAPACITY_KINDS + kind
                write(rings, USED, row, rings.used[row] - frame.need[group, unit, kind])
        unlink(rings, task)
        vanish(rings, task)


@borrowing
def _list_hops(frame: Frame, rings: Rings, desk: Desk, way: Pass, tensor: int, unit: int, gone: int) -> int:
    """Add the hops of a transfer to the tasks that leave, once."""
    first = hop_of(frame, tensor, unit)
    for hop in range(first, first + frame.hops):
        if rings.home[hop] >= 0 and desk.mark[hop] == 0:
            desk.mark[hop] = 1
            way.leaving[gone] = hop
            gone += 1
    return gone


@borrowing
def _insert_node(
    frame: Frame,
    rings: Rings,
    desk: Desk,
    way: Pass,
    node: int,
    heat: float,
    most: float,
    random: RandomState,
) -> bool:
    """Draw a unit and a place for a node, and places for its transfers."""
    group, longest, count = frame.group[node], _longest(rings), 0
    for row in range(frame.choice_offset[group], frame.choice_offset[group + 1]):
        unit = frame.choice[row]
        if _has_room(frame, rings, way, node, unit):
            ready, tail = _ready(frame, rings, node, unit), _rest(frame, rings, node, unit)
            length = frame.duration[node, unit]
            count = _list_places(frame, rings, way, count, unit, ready, length, tail, longest)
    if count == 0:
        return False
    chosen = _draw(way, count, heat, random)
    unit = way.unit[chosen]
    length = frame.duration[node, unit]
    if frame.alone[node]:
        for kind in range(CAPACITY_KINDS):
            row = unit * CAPACITY_KINDS + kind
            write(rings, USED, row, rings.used[row] + frame.need[group, unit, kind])
    if not frame.linked:
        link(rings, node, unit, length, way.place[chosen], way.turn[chosen])
        appear(rings, node)
        return squeeze_in(frame, rings, desk, node, most)
    write(rings, HOME, node, unit)  # so that its data know where to go
    write(rings, LENGTH, node, length)
    appear(rings, node)
    if not squeeze_in(frame, rings, desk, node, most):
        return False
    tail = _rest(frame, rings, node, unit)
    for arc in range(frame.entering_offset[node], frame.entering_offset[node + 1]):
        tensor, source = frame.entering_tensor[arc], rings.home[frame.entering[arc]]
        row = tensor * frame.units + unit
        write(rings, READERS, row, rings.readers[row] + 1)
        if _travels(frame, rings, tensor, source, unit) and not _insert_hops(
            frame, rings, desk, way, tensor, source, unit, length + tail, heat, most, random
        ):
            return False
    ready = rings.trial_start[node]
    if not _insert(frame, rings, desk, way, node, unit, ready, length, tail, heat, most, random):
        return False
    for arc in range(frame.leaving_offset[node], frame.leaving_offset[node + 1]):
        tensor, target = frame.leaving_tensor[arc], rings.home[frame.leaving[arc]]
        if not _travels(frame, rings, tensor, unit, target):
            continue
        tail = 0
        for row in range(frame.leaving_offset[node], frame.leaving_offset[node + 1]):
            reader = frame.leaving[row]
            if frame.leaving_tensor[row] == tensor and rings.home[reader] == target:
                tail = max(tail, rings.trial_tail[reader])
        if not _insert_hops(frame, rings, desk, way, tensor, unit, target, tail, heat, most, random):
            return False
    return True


@borrowing
def _insert_hops(
    frame: Frame,
    rings: Rings,
    desk: Desk,
    way: Pass,
    tensor: int,
    source: int,
    target: int,
    tail: int,
    heat: float,
    most: float,
    random: RandomState,
) -> bool:
    """Draw places for the hops of a transfer, ``tail`` being the longest path from its arrival."""
    first, number = frame.route_offset[source * frame.units + target], hops_between(frame, source, target)
    writer = frame.producer[tensor]
    ready = rings.trial_start[writer] + rings.length[writer]
    tail += _travel(frame, tensor, source, target)
    for hop in range(number):
        resource = frame.route[first + hop]
        length, task = frame.ticks[tensor, resource], hop_of(frame, tensor, target) + hop
        if rings.load[resource] + length > frame.period:
            return False
        tail -= length
        if not _insert(frame, rings, desk, way, task, resource, ready, length, tail, heat, most, random):
            return False
        tail -= frame.lag[resource]
        ready = rings.trial_start[task] + length + frame.lag[resource]
    return True


@borrowing
def _insert(
    frame: Frame,
    rings: Rings,
    desk: Desk,
    way: Pass,
    task: int,
    home: int,
    ready: int,
    length: int,
    tail: int,
    heat: float,
    most: float,
    random: RandomState,
) -> bool:
    """Draw a place in a ring for a task that can start at ``ready``, with a path of ``tail`` from its end."""
    count = _list_places(frame, rings, way, 0, home, ready, length, tail, _longest(rings))
    chosen = _draw(way, count, heat, random)
    link(rings, task, home, length, way.place[chosen], way.turn[chosen])
    if rings.place[task] < 0:
        appear(rings, task)
    return squeeze_in(frame, rings, desk, task, most)


@borrowing
def _list_places(
    frame: Frame,
    rings: Rings,
    way: Pass,
    count: int,
    home: int,
    ready: int,
    length: int,
    tail: int,
    longest: int,
) -> int:
    """Add the places in a ring to those listed, with the longest path that each makes; return how many there are.

    Between two tasks there are two: in the last turn in which the first one ends before ``ready``, and in the next.
    """
    period, begin = frame.period, rings.first[home]
    if begin < 0:
        way.unit[count], way.place[count], way.turn[count] = home, -1, -1
        way.path[count] = _weighed(ready + length + tail, longest)
        return count + 1
    left = begin
    while True:
        right, turns = rings.next[left], rings.turn[left]
        free = rings.trial_start[left] + rings.length[left]
        turn = (ready - free) // period
        for _ in range(2):
            start = max(ready, free + turn * period)
            path = start + length + max(tail, (turns - turn) * period + rings.trial_tail[right])
            way.unit[count], way.place[count], way.turn[count] = home, left, turn
            way.path[count] = _weighed(path, longest)
            count += 1
            turn += 1
        left = right
        if left == begin:
            return count


@borrowing
def _weighed(path: int, longest: int) -> float:
    return max(longest, path) + BESIDE * path


@borrowing
def _draw(way: Pass, count: int, heat: float, random: RandomState) -> int:
    """Draw one of the places listed by the Boltzmann weights of their paths."""
    least = way.path[0]
    for entry in range(1, count):
        least = min(least, way.path[entry])
    whole = 0.0
    for entry in range(count):
        if way.path[entry] < least + UNLIKELY * heat:
            whole += np.exp((least - way.path[entry]) / heat)
    rest, chosen = uniform(random) * whole, 0
    for entry in range(count):
        if way.path[entry] < least + UNLIKELY * heat:
            chosen = entry
            rest -= np.exp((least - way.path[entry]) / heat)
            if rest < 0.0:
                break
    return chosen


@borrowing
def _longest(rings: Rings) -> int:
    """Return the longest path of all tasks."""
    longest = 0
    for place in range(rings.size[0]):
        task = rings.active[place]
        longest = max(longest, rings.trial_start[task] + rings.trial_tail[task])
    return longest


@borrowing
def _has_room(frame: Frame, rings: Rings, way: Pass, node: int, unit: int) -> bool:
    """Return whether a node that was taken away may come to a unit; one of a larger group only goes back."""
    if rings.load[unit] + frame.duration[node, unit] > frame.period:
        return False
    if not frame.alone[node]:
        return bool(unit == way.origin[node])
    group = frame.group[node]
    for kind in range(CAPACITY_KINDS):
        used = rings.used[unit * CAPACITY_KINDS + kind] + frame.need[group, unit, kind]
        if used > frame.capacity[unit, kind]:
            return False
    for row in range(frame.apart_offset[group], frame.apart_offset[group + 1]):
        if rings.home[frame.member[frame.apart[row]]] == unit:
            return False
    return True


@borrowing
def _travels(frame: Frame, rings: Rings, tensor: int, source: int, target: int) -> bool:
    """Return whether a tensor needs hops that it has not, both nodes being placed."""
    if source < 0 or target < 0 or source == target or hops_between(frame, source, target) == 0:
        return False
    return bool(rings.home[hop_of(frame, tensor, target)] < 0)


@borrowing
def _travel(frame: Frame, tensor: int, source: int, target: int) -> int:
    """Return the ticks that a tensor travels if it never waits."""
    if source == target:
        return 0
    if not frame.linked:
        return int(frame.once[tensor])
    row, ticks = source * frame.units + target, 0
    for entry in range(frame.route_offset[row], frame.route_offset[row + 1]):
        ticks += frame.ticks[tensor, frame.route[entry]] + frame.lag[frame.route[entry]]
    return ticks


@borrowing
def _ready(frame: Frame, rings: Rings, node: int, unit: int) -> int:
    """Return when the data of a node would be on a unit, as transfers that are not there yet never wait."""
    ready = frame.head[node]
    for arc in range(frame.entering_offset[node], frame.entering_offset[node + 1]):
        writer, tensor = frame.entering[arc], frame.entering_tensor[arc]
        source = rings.home[writer]
        if source < 0:
            continue
        last = hop_of(frame, tensor, unit) + hops_between(frame, source, unit) - 1 if frame.linked else -1
        if last >= 0 and source != unit and rings.home[hop_of(frame, tensor, unit)] >= 0:
            there = rings.trial_start[last] + rings.length[last] + frame.lag[rings.home[last]]
        else:
            there = rings.trial_start[writer] + rings.length[writer] + _travel(frame, tensor, source, unit)
        ready = max(ready, there)
    return int(ready)


@borrowing
def _rest(frame: Frame, rings: Rings, node: int, unit: int) -> int:
    """Return the longest path from the end of a node on a unit, as its transfers never wait."""
    rest = frame.tail[node]
    for arc in range(frame.leaving_offset[node], frame.leaving_offset[node + 1]):
        target = rings.home[frame.leaving[arc]]
        if target >= 0:
            travel = _travel(frame, frame.leaving_tensor[arc], unit, target)
            rest = max(rest, travel + rings.trial_tail[frame.leaving[arc]])
    return int(rest)
