"""Elastic rings: the cyclic order of tasks on units and links, and the least starts that keep it, compiled.

Tasks are the nodes of a frame and, over links, the hops of its transfers. Those on one resource follow each other in a
ring: each task ends before the next one starts, which is of a frame so many turns away. The starts are the least that
keep the rings and the precedences. A task that is put between two others therefore pushes what follows, on its resource
and along its data, and what followed a task that is taken away falls back. Only what changes is computed anew: starts,
and tails, which are the longest paths from a start to the end of the frame.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mapopt.emulator.jit import borrowing, inlined
from mapopt.instance import IntArray

FlagArray = npt.NDArray[np.int8]

PASSES = 40
"""Passes over the tasks after which a push is given up; pushes that never end go round in circles."""

NEXT, PREVIOUS, TURN, HOME, LENGTH, FIRST, LOAD, USED, READERS, ACTIVE, PLACE, SIZE = range(12)
"""Parts of :attr:`Rings.book`."""

CAPACITY_KINDS = 2
"""Crossbars and memory."""

FALLS, RISES = 1, 2
"""Bits of :attr:`Desk.mark`."""


class Frame(NamedTuple):
    """What does not change.

    A node v is task v; hop k of the tensor t to unit p is task nodes + (t * units + p) * hops + k.

    Parameters
    ----------
    nodes, units, hops, period
        Numbers; the hops of the longest route, at least 1; ticks.
    linked
        Whether transfers are hops; else they are delays.
    duration
        Shape (nodes, units): -1 where a node may not run.
    entering_offset, entering, entering_tensor, leaving_offset, leaving, leaving_tensor
        Arcs by node, as rows: the node at the other end, and the tensor.
    outgoing_offset, outgoing, producer
        Tensors by the node that writes them, as rows, and the other way round.
    once
        Shape (tensors,): ticks of a delay.
    route_offset, route, ticks, lag
        Resources from unit a to unit b, as row a * units + b; shape (tensors, resources); ticks after a resource.
    choice_offset, choice, group, alone
        Units of each group, as rows; the group of each node; whether it has no other node.
    need, capacity
        Shape (groups, units, 2) and (units, 2): crossbars and memory.
    apart_offset, apart, member
        Groups that must be on other units, as rows; a node of each group.
    head, tail
        Shape (nodes,): shortest times before the start of each node, and after its end.
    """

    nodes: int
    units: int
    hops: int
    period: int
    linked: bool
    duration: IntArray
    entering_offset: IntArray
    entering: IntArray
    entering_tensor: IntArray
    leaving_offset: IntArray
    leaving: IntArray
    leaving_tensor: IntArray
    outgoing_offset: IntArray
    outgoing: IntArray
    producer: IntArray
    once: IntArray
    route_offset: IntArray
    route: IntArray
    ticks: IntArray
    lag: IntArray
    choice_offset: IntArray
    choice: IntArray
    group: IntArray
    alone: npt.NDArray[np.bool_]
    need: IntArray
    capacity: IntArray
    apart_offset: IntArray
    apart: IntArray
    member: IntArray
    head: IntArray
    tail: IntArray


class Rings(NamedTuple):
    """What changes. The arrays from ``next`` to ``size`` are parts of ``book``, written by :func:`write` alone.

    Parameters
    ----------
    book, part
        All that a move may have to put back, and where each part begins.
    next, previous, turn, home, length
        Shape (tasks,): neighbours in the ring; a task's next starts at least ``turn`` periods after its own end;
        the resource, -1 while it has none; ticks.
    first, load
        Shape (resources,): a task or -1, and ticks of work.
    used
        Shape (units * 2,): crossbars and memory.
    readers
        Shape (tensors * units,): nodes on the unit that read the tensor.
    active, place, size
        Tasks that exist, about in the order of their starts; the place of each; how many there are, shape (1,).
    start, tail, trial_start, trial_tail
        Shape (tasks,): before a move, and during it.
    at, kept, noted
        The journal: entries of ``book``, what they were before, and how many, shape (1,).
    """

    book: IntArray
    part: IntArray
    next: IntArray
    previous: IntArray
    turn: IntArray
    home: IntArray
    length: IntArray
    first: IntArray
    load: IntArray
    used: IntArray
    readers: IntArray
    active: IntArray
    place: IntArray
    size: IntArray
    start: IntArray
    tail: IntArray
    trial_start: IntArray
    trial_tail: IntArray
    at: IntArray
    kept: IntArray
    noted: IntArray


class Desk(NamedTuple):
    """Working space.

    Parameters
    ----------
    flag, mark
        Shape (tasks,): tasks whose change has to be passed on; tasks that may fall back.
    other, weight
        Neighbours of a task and ticks between the two starts.
    stack, falling, rising, counts
        Tasks; those whose start and whose tail may fall, and how many of each, shape (2,).
    """

    flag: FlagArray
    mark: FlagArray
    other: IntArray
    weight: IntArray
    stack: IntArray
    falling: IntArray
    rising: IntArray
    counts: IntArray


@inlined
def write(rings: Rings, part: int, index: int, value: int) -> None:
    """Change an entry of a part of the book, and remember what it was."""
    entry, count = rings.part[part] + index, rings.noted[0]
    rings.at[count], rings.kept[count] = entry, rings.book[entry]
    rings.noted[0] = count + 1
    rings.book[entry] = value


@borrowing
def put_back(rings: Rings) -> None:
    """Undo all that was written since the journal was empty."""
    for entry in range(rings.noted[0] - 1, -1, -1):
        rings.book[rings.at[entry]] = rings.kept[entry]
    rings.noted[0] = 0


@borrowing
def unlink(rings: Rings, task: int) -> None:
    """Take a task out of its ring; it keeps its resource and its data, and is its own neighbour."""
    home, before, after = rings.home[task], rings.previous[task], rings.next[task]
    if after == task:
        write(rings, FIRST, home, -1)
    else:
        write(rings, TURN, before, rings.turn[before] + rings.turn[task])
        write(rings, NEXT, before, after)
        write(rings, PREVIOUS, after, before)
        if rings.first[home] == task:
            write(rings, FIRST, home, after)
        write(rings, NEXT, task, task)
        write(rings, PREVIOUS, task, task)
    write(rings, LOAD, home, rings.load[home] - rings.length[task])


@borrowing
def link(rings: Rings, task: int, home: int, length: int, before: int, turn: int) -> None:
    """Put a task into a ring after another one, so many turns away; ``before`` is -1 in an empty ring."""
    write(rings, HOME, task, home)
    write(rings, LENGTH, task, length)
    write(rings, LOAD, home, rings.load[home] + length)
    if before < 0:
        write(rings, NEXT, task, task)
        write(rings, PREVIOUS, task, task)
        write(rings, TURN, task, -1)
        write(rings, FIRST, home, task)
        return
    after, turns = rings.next[before], rings.turn[before]
    write(rings, NEXT, before, task)
    write(rings, PREVIOUS, task, before)
    write(rings, TURN, before, turn)
    write(rings, NEXT, task, after)
    write(rings, PREVIOUS, after, task)
    write(rings, TURN, task, turns - turn)


@borrowing
def appear(rings: Rings, task: int) -> None:
    """Add a task to those that exist."""
    size = rings.size[0]
    write(rings, ACTIVE, size, task)
    write(rings, PLACE, task, size)
    write(rings, SIZE, 0, size + 1)


@borrowing
def vanish(rings: Rings, task: int) -> None:
    """Remove a task, which has left its ring, from those that exist."""
    last, place = rings.size[0] - 1, rings.place[task]
    moved = rings.active[last]
    write(rings, ACTIVE, place, moved)
    write(rings, PLACE, moved, place)
    write(rings, SIZE, 0, last)
    write(rings, PLACE, task, -1)
    write(rings, HOME, task, -1)


@inlined
def hop_of(frame: Frame, tensor: int, unit: int) -> int:
    """Return the first hop of a tensor to a unit."""
    return frame.nodes + (tensor * frame.units + unit) * frame.hops


@inlined
def hops_between(frame: Frame, source: int, target: int) -> int:
    """Return the number of hops from a unit to another."""
    row = source * frame.units + target
    return int(frame.route_offset[row + 1] - frame.route_offset[row])


@inlined
def successors(frame: Frame, rings: Rings, desk: Desk, task: int) -> int:
    """List the tasks that wait for a task, and by how many ticks; return how many."""
    other, weight, home = desk.other, desk.weight, rings.home
    count, length = 0, rings.length[task]
    if rings.next[task] != task:
        other[count], weight[count] = rings.next[task], length + rings.turn[task] * frame.period
        count += 1
    if task < frame.nodes:
        unit = home[task]
        for arc in range(frame.leaving_offset[task], frame.leaving_offset[task + 1]):
            reader, tensor = frame.leaving[arc], frame.leaving_tensor[arc]
            target = home[reader]
            if target < 0:
                continue
            other[count], weight[count] = reader, length
            if target != unit:
                if not frame.linked:
                    weight[count] += frame.once[tensor]
                elif hops_between(frame, unit, target) > 0:
                    other[count] = hop_of(frame, tensor, target)
                    if home[other[count]] < 0:
                        continue
            count += 1
        return count
    row = (task - frame.nodes) // frame.hops
    tensor, target = row // frame.units, row % frame.units
    source = frame.producer[tensor]
    length += frame.lag[home[task]]
    number = task - hop_of(frame, tensor, target)
    if home[source] >= 0 and number + 1 < hops_between(frame, home[source], target):
        if home[task + 1] >= 0:
            other[count], weight[count] = task + 1, length
            count += 1
        return count
    for arc in range(frame.leaving_offset[source], frame.leaving_offset[source + 1]):
        reader = frame.leaving[arc]
        if frame.leaving_tensor[arc] == tensor and home[reader] == target:
            other[count], weight[count] = reader, length
            count += 1
    return count


@inlined
def predecessors(frame: Frame, rings: Rings, desk: Desk, task: int) -> int:
    """List the tasks that a task waits for, and by how many ticks; return how many."""
    other, weight, home, length = desk.other, desk.weight, rings.home, rings.length
    count, left = 0, rings.previous[task]
    if left != task:
        other[count], weight[count] = left, length[left] + rings.turn[left] * frame.period
        count += 1
    if task < frame.nodes:
        unit = home[task]
        for arc in range(frame.entering_offset[task], frame.entering_offset[task + 1]):
            writer, tensor = frame.entering[arc], frame.entering_tensor[arc]
            source = home[writer]
            if source < 0:
                continue
            other[count], weight[count] = writer, length[writer]
            if source != unit:
                if not frame.linked:
                    weight[count] += frame.once[tensor]
                else:
                    hops = hops_between(frame, source, unit)
                    if hops > 0:
                        last = hop_of(frame, tensor, unit) + hops - 1
                        if home[last] < 0:
                            continue
                        other[count], weight[count] = last, length[last] + frame.lag[home[last]]
            count += 1
        return count
    if (task - frame.nodes) % frame.hops > 0:
        other[count], weight[count] = task - 1, length[task - 1] + frame.lag[home[task - 1]]
        return int(count + (home[task - 1] >= 0))
    source = frame.producer[(task - frame.nodes) // (frame.hops * frame.units)]
    other[count], weight[count] = source, length[source]
    return int(count + (home[source] >= 0))


@inlined
def head_of(frame: Frame, task: int) -> int:
    """Return the least start of a task."""
    return frame.head[task] if task < frame.nodes else 0


@inlined
def tail_of(frame: Frame, rings: Rings, task: int) -> int:
    """Return the least tail of a task."""
    return int(rings.length[task] + (frame.tail[task] if task < frame.nodes else 0))


@borrowing
def push_starts(frame: Frame, rings: Rings, desk: Desk, most: float) -> bool:
    """Pass on the starts of flagged tasks; ``False`` if a path becomes longer than ``most``."""
    start, tail, flag = rings.trial_start, rings.trial_tail, desk.flag
    for _ in range(PASSES):
        again = False
        for place in range(rings.size[0]):
            task = rings.active[place]
            if flag[task] == 0:
                continue
            flag[task] = 0
            for entry in range(successors(frame, rings, desk, task)):
                other, least = desk.other[entry], start[task] + desk.weight[entry]
                if least > start[other]:
                    start[other] = least
                    if least + tail[other] > most:
                        return False
                    flag[other] = 1
                    again |= rings.place[other] <= place
        if not again:
            return True
    return False


@borrowing
def push_tails(frame: Frame, rings: Rings, desk: Desk, most: float) -> bool:
    """Pass on the tails of flagged tasks; ``False`` if a path becomes longer than ``most``."""
    start, tail, flag = rings.trial_start, rings.trial_tail, desk.flag
    for _ in range(PASSES):
        again = False
        for place in range(rings.size[0] - 1, -1, -1):
            task = rings.active[place]
            if flag[task] == 0:
                continue
            flag[task] = 0
            for entry in range(predecessors(frame, rings, desk, task)):
                other, least = desk.other[entry], tail[task] + desk.weight[entry]
                if least > tail[other]:
                    tail[other] = least
                    if least + start[other] > most:
                        return False
                    flag[other] = 1
                    again |= rings.place[other] >= place
        if not again:
            return True
    return False


@borrowing
def loosen(frame: Frame, rings: Rings, desk: Desk, tasks: IntArray, count: int) -> None:
    """Collect the tasks whose starts, and those whose tails, hang on some tasks; these come first."""
    start, tail, mark, stack = rings.trial_start, rings.trial_tail, desk.mark, desk.stack
    falling, rising = 0, 0
    top = count
    for entry in range(count):
        stack[entry] = desk.falling[entry] = tasks[entry]
        mark[tasks[entry]] = FALLS
    falling = count
    while top > 0:
        top -= 1
        task = stack[top]
        for entry in range(successors(frame, rings, desk, task)):
            other = desk.other[entry]
            if start[task] + desk.weight[entry] == start[other] and mark[other] & FALLS == 0:
                mark[other] |= FALLS
                desk.falling[falling] = stack[top] = other
                falling += 1
                top += 1
    top = count
    for entry in range(count):
        stack[entry] = desk.rising[entry] = tasks[entry]
        mark[tasks[entry]] |= RISES
    rising = count
    while top > 0:
        top -= 1
        task = stack[top]
        for entry in range(predecessors(frame, rings, desk, task)):
            other = desk.other[entry]
            if tail[task] + desk.weight[entry] == tail[other] and mark[other] & RISES == 0:
                mark[other] |= RISES
                desk.rising[rising] = stack[top] = other
                rising += 1
                top += 1
    for entry in range(falling):
        mark[desk.falling[entry]] = 0
    for entry in range(rising):
        mark[desk.rising[entry]] = 0
    desk.counts[0], desk.counts[1] = falling, rising


@borrowing
def settle(frame: Frame, rings: Rings, desk: Desk) -> bool:
    """Compute the starts and tails of the tasks collected anew, after others have left their rings."""
    start, tail = rings.trial_start, rings.trial_tail
    for entry in range(desk.counts[0]):
        start[desk.falling[entry]] = head_of(frame, desk.falling[entry])
    for entry in range(desk.counts[0]):
        if rings.home[desk.falling[entry]] >= 0:
            _pull_start(frame, rings, desk, desk.falling[entry])
            desk.flag[desk.falling[entry]] = 1
    settled = push_starts(frame, rings, desk, np.inf)
    for entry in range(desk.counts[1]):
        tail[desk.rising[entry]] = tail_of(frame, rings, desk.rising[entry])
    for entry in range(desk.counts[1]):
        if rings.home[desk.rising[entry]] >= 0:
            _pull_tail(frame, rings, desk, desk.rising[entry])
            desk.flag[desk.rising[entry]] = 1
    return push_tails(frame, rings, desk, np.inf) and settled


@borrowing
def squeeze_in(frame: Frame, rings: Rings, desk: Desk, task: int, most: float) -> bool:
    """Compute what a task that was linked pushes; ``False`` if a path becomes longer than ``most``."""
    rings.trial_start[task] = head_of(frame, task)
    rings.trial_tail[task] = tail_of(frame, rings, task)
    _pull_start(frame, rings, desk, task)
    _pull_tail(frame, rings, desk, task)
    if rings.trial_start[task] + rings.trial_tail[task] > most:
        return False
    desk.flag[task] = 1
    if not push_starts(frame, rings, desk, most):
        return False
    desk.flag[task] = 1
    return push_tails(frame, rings, desk, most)


@borrowing
def _pull_start(frame: Frame, rings: Rings, desk: Desk, task: int) -> None:
    start = rings.trial_start
    for entry in range(predecessors(frame, rings, desk, task)):
        start[task] = max(start[task], start[desk.other[entry]] + desk.weight[entry])


@borrowing
def _pull_tail(frame: Frame, rings: Rings, desk: Desk, task: int) -> None:
    tail = rings.trial_tail
    for entry in range(successors(frame, rings, desk, task)):
        tail[task] = max(tail[task], tail[desk.other[entry]] + desk.weight[entry])


@borrowing
def restart(frame: Frame, rings: Rings, desk: Desk) -> None:
    """Compute all starts and tails from nothing; the rings keep some schedule, so pushes end."""
    for place in range(rings.size[0]):
        task = rings.active[place]
        rings.trial_start[task], rings.trial_tail[task] = head_of(frame, task), tail_of(frame, rings, task)
        desk.flag[task] = 1
    while not push_starts(frame, rings, desk, np.inf):
        pass
    for place in range(rings.size[0]):
        desk.flag[rings.active[place]] = 1
    while not push_tails(frame, rings, desk, np.inf):
        pass


@borrowing
def clear_flags(rings: Rings, desk: Desk) -> None:
    """Forget what a push that was given up had still to pass on."""
    for place in range(rings.size[0]):
        desk.flag[rings.active[place]] = 0


@borrowing
def sort_active(rings: Rings) -> None:
    """Sort the tasks that exist by their starts; they are nearly sorted."""
    active, place, start = rings.active, rings.place, rings.start
    for first in range(1, rings.size[0]):
        task = active[first]
        at = first
        while at > 0 and start[active[at - 1]] > start[task]:
            active[at] = active[at - 1]
            place[active[at]] = at
            at -= 1
        active[at] = task
        place[task] = at
