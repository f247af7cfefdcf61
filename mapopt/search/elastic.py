"""Elastic list scheduling, compiled: nodes by priority, each put between two others on a circle, which make room.

A unit's nodes stand on a circle of one period. A node that comes between two of them may push the second one, that one
the next, and so on, and whatever is pushed pushes its readers, or sends them into the next turn where that is the
better. So idle time that lies about in pieces is joined where a node needs it, and most lists of periods without slack
end with all nodes placed; not all do, as pushes are cut off. Transfers are delays; nodes take time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mapopt.emulator.jit import compiled
from mapopt.instance import IntArray

FloatArray = npt.NDArray[np.float64]

PUSHES, LAST_RESORT = 2, 16
"""A candidate is refused after this many pushes per node, as they may go round in circles; so many times more are
allowed to one whose readers wait for the next turn while there is no other candidate."""


class Net(NamedTuple):
    """Nodes and arcs in the direction of scheduling.

    Parameters
    ----------
    period
        Ticks.
    duration
        Shape (nodes, units): -1 where a node may not run, else above 0.
    before_offset, before, before_tensor, after_offset, after, after_tensor
        Arcs by node, as rows.
    delay
        Shape (tensors, units, units): ticks between the unit of the node placed first and that of the other.
    tail
        Shape (nodes,): the longest path from a node's end.
    choice_offset, choice
        Units of each node, as rows.
    kind
        Shape (nodes,): nodes that can change places have the same number, from 0 on.
    slot
        Shape (kinds, units): how many nodes of a kind a unit may take.
    twin
        Shape (units,): the lowest unit that an empty unit can be exchanged with.
    """

    period: int
    duration: IntArray
    before_offset: IntArray
    before: IntArray
    before_tensor: IntArray
    after_offset: IntArray
    after: IntArray
    after_tensor: IntArray
    delay: IntArray
    tail: IntArray
    choice_offset: IntArray
    choice: IntArray
    kind: IntArray
    slot: IntArray
    twin: IntArray


class Choice(NamedTuple):
    """What a place costs a node beside its end, in ticks per tick.

    Parameters
    ----------
    late
        By which the longest path through a node that starts or is pushed exceeds that through all before.
    pushed
        By which other nodes are pushed.
    idle
        Left idle right before the node.
    fetched
        That its data travel.
    loaded
        Of the unit's work before it.
    """

    late: float
    pushed: float
    idle: float
    fetched: float
    loaded: float


class Circles(NamedTuple):
    """What has been placed.

    Parameters
    ----------
    start, unit, next, turn
        Shape (nodes,); the unit is -1 before a node is placed. On its unit a node is followed by ``next``, which starts
        ``turn`` periods after its own start.
    first, work
        Shape (units,): a node of the unit or -1, and its ticks of work.
    free
        Shape (kinds, units): slots that are left.
    ready, waiting, queue, queued
        Working space, shape (nodes,).
    trial, trial_turn, kept, kept_turn
        Starts and turns of the candidate at hand, and of the best one.
    """

    start: IntArray
    unit: IntArray
    next: IntArray
    turn: IntArray
    first: IntArray
    work: IntArray
    free: IntArray
    ready: IntArray
    waiting: IntArray
    queue: IntArray
    queued: IntArray
    trial: IntArray
    trial_turn: IntArray
    kept: IntArray
    kept_turn: IntArray


def circles_of(net: Net) -> Circles:
    """Return empty circles."""
    nodes, units = net.duration.shape

    def empty(count: int) -> IntArray:
        return np.full(count, -1, dtype=np.int64)

    return Circles(
        start=empty(nodes),
        unit=empty(nodes),
        next=empty(nodes),
        turn=empty(nodes),
        first=empty(units),
        work=empty(units),
        free=net.slot.copy(),
        ready=empty(nodes),
        waiting=empty(nodes),
        queue=empty(nodes),
        queued=empty(nodes),
        trial=empty(nodes),
        trial_turn=empty(nodes),
        kept=empty(nodes),
        kept_turn=empty(nodes),
    )


@compiled
def place_elastic(net: Net, key: FloatArray, choice: Choice, examine: int, circles: Circles) -> int:
    """Place all nodes, the smallest key among those whose data are known first.

    Parameters
    ----------
    key
        Shape (nodes,).
    examine
        How many places on each unit are looked at beyond the first, from where the node's data are there.

    Returns
    -------
    int
        The latency; -1 if a node has no unit left.
    """
    nodes = len(key)
    circles.unit[:] = -1
    circles.first[:] = -1
    circles.work[:] = 0
    circles.free[:] = net.slot
    count = 0
    for node in range(nodes):
        circles.waiting[node] = net.before_offset[node + 1] - net.before_offset[node]
        if circles.waiting[node] == 0:
            circles.ready[count] = node
            count += 1
    critical = 0
    while count > 0:
        at = 0
        for rival in range(1, count):
            if key[circles.ready[rival]] < key[circles.ready[at]]:
                at = rival
        node = circles.ready[at]
        count -= 1
        circles.ready[at] = circles.ready[count]
        critical = _place(net, node, choice, examine, critical, circles)
        if critical < 0:
            return -1
        for edge in range(net.after_offset[node], net.after_offset[node + 1]):
            reader = net.after[edge]
            circles.waiting[reader] -= 1
            if circles.waiting[reader] == 0:
                circles.ready[count] = reader
                count += 1
    return _tighten(net, circles)


@compiled
def _place(net: Net, node: int, choice: Choice, examine: int, critical: int, circles: Circles) -> int:
    """Put a node where it costs least; return the longest path through all placed nodes, -1 if it fits nowhere."""
    period, start, turn, following = net.period, circles.start, circles.turn, circles.next
    best_cost, best_unit, best_after, best_at, best_critical = 0.0, -1, -1, 0, 0
    best_pushes = False
    for entry in range(net.choice_offset[node], net.choice_offset[node + 1]):
        unit = net.choice[entry]
        length = net.duration[node, unit]
        if circles.free[net.kind[node], unit] == 0 or circles.work[unit] + length > period:
            continue
        twin = net.twin[unit]
        if twin < unit and circles.first[unit] < 0 and circles.first[twin] < 0:
            continue
        ready, fetched = 0, 0
        for edge in range(net.before_offset[node], net.before_offset[node + 1]):
            source = net.before[edge]
            delay = net.delay[net.before_tensor[edge], circles.unit[source], unit]
            fetched += delay
            ready = max(ready, start[source] + net.duration[source, circles.unit[source]] + delay)
        base = choice.fetched * fetched + choice.loaded * circles.work[unit]
        behind = circles.first[unit]
        if behind < 0:
            end = ready + length
            path = max(critical, end + net.tail[node])
            cost = end + base + choice.late * (path - critical)
            if best_unit < 0 or cost < best_cost:
                best_cost, best_unit, best_after, best_at, best_critical = cost, unit, -1, ready, path
                best_pushes = False
            continue
        # The place in whose arc or gap the data arrive, and the turn in which that is.
        shift = 0
        while True:
            ahead = following[behind]
            shift = _floor(ready - start[behind], period) * period
            if ready - start[behind] - shift < start[ahead] + turn[behind] * period - start[behind]:
                break
            behind = ahead
        for _ in range(examine + 1):
            ahead = following[behind]
            since = start[behind] + net.duration[behind, unit] + shift
            until = start[ahead] + turn[behind] * period + shift
            at = max(ready, since)
            overlap = at + length - until
            end = at + length
            if overlap <= 0:
                path = max(critical, end + net.tail[node])
                cost = end + base + choice.idle * (at - since) + choice.late * (path - critical)
                if best_unit < 0 or cost < best_cost:
                    best_cost, best_unit, best_after, best_at, best_critical = cost, unit, behind, at, path
                    best_pushes = False
                break
            if best_unit < 0 or end + base < best_cost:
                for jumps in (False, True):
                    more = base + choice.idle * (at - since)
                    most = best_cost - more if best_unit >= 0 else np.inf
                    cost, path = _push(net, node, unit, behind, at, jumps, critical, choice, most, circles)
                    cost += more
                    if cost < np.inf and (best_unit < 0 or cost < best_cost):
                        best_cost, best_unit, best_after, best_at = cost, unit, behind, at
                        best_critical = path
                        best_pushes = True
                        circles.kept[:] = circles.trial
                        circles.kept_turn[:] = circles.trial_turn
            shift += turn[behind] * period
            behind = ahead
    if best_unit < 0:
        return -1
    _link(net, node, best_unit, best_after, best_at, start, turn)
    following[node] = node
    if best_after >= 0:
        following[node] = following[best_after]
        following[best_after] = node
    if best_pushes:
        start[:] = circles.kept
        turn[:] = circles.kept_turn
    circles.unit[node] = best_unit
    circles.first[best_unit] = node
    circles.work[best_unit] += net.duration[node, best_unit]
    circles.free[net.kind[node], best_unit] -= 1
    return best_critical


@compiled
def _floor(ticks: int, period: int) -> int:
    return ticks // period


@compiled
def _link(net: Net, node: int, unit: int, behind: int, at: int, start: IntArray, turn: IntArray) -> None:
    """Set the start of a node after another one, and the turns of both."""
    start[node] = at
    if behind < 0:
        turn[node] = 1
        return
    # The first turn in which the node comes after the one before it.
    turns = -((at - start[behind] - net.duration[behind, unit]) // net.period)
    turn[node] = turn[behind] - turns
    turn[behind] = turns


@compiled
def _push(
    net: Net,
    node: int,
    unit: int,
    behind: int,
    at: int,
    jumps: bool,
    critical: int,
    choice: Choice,
    most: float,
    circles: Circles,
) -> tuple[float, int]:
    """Put a node on trial where it pushes others.

    Parameters
    ----------
    jumps
        Whether readers whose data come late wait for the next turn, or else are pushed themselves.
    most
        A cost that is of no interest.

    Returns
    -------
    tuple
        The cost of the node's end, of pushes and of longer paths, infinite if it is at least ``most`` or pushes have no
        end; and the longest path through all placed nodes.
    """
    period, start, turn = net.period, circles.trial, circles.trial_turn
    start[:] = circles.start
    turn[:] = circles.turn
    ahead = circles.next[behind]
    _link(net, node, unit, behind, at, start, turn)
    path = critical
    pushed = 0
    circles.queue[0] = node
    circles.queued[:] = 0
    circles.queued[node] = 1
    head, count, limit = 0, 1, PUSHES * len(start)
    if jumps and most == np.inf:
        limit *= LAST_RESORT
    while count > 0:
        limit -= 1
        cost = (
            start[node] + net.duration[node, unit] + choice.late * (path - critical) + choice.pushed * pushed
        )
        if limit < 0 or cost >= most:
            return np.inf, 0
        here = circles.queue[head]
        head = (head + 1) % len(start)
        count -= 1
        circles.queued[here] = 0
        home = unit if here == node else circles.unit[here]
        end = start[here] + net.duration[here, home]
        path = max(path, end + net.tail[here])
        follower = node if here == behind else (ahead if here == node else circles.next[here])
        least = end - turn[here] * period
        if start[follower] < least:
            pushed += least - start[follower]
            start[follower] = least
            if circles.queued[follower] == 0:
                circles.queued[follower] = 1
                circles.queue[(head + count) % len(start)] = follower
                count += 1
        for edge in range(net.after_offset[here], net.after_offset[here + 1]):
            reader = net.after[edge]
            there = unit if reader == node else circles.unit[reader]
            if there < 0:
                continue
            least = end + net.delay[net.after_tensor[edge], home, there]
            if start[reader] >= least:
                continue
            if jumps:
                turns = -((start[reader] - least) // period)
                _jump(net, reader, turns, node, unit, behind, start, turn, circles)
                pushed += turns * period
            else:
                pushed += least - start[reader]
                start[reader] = least
            if circles.queued[reader] == 0:
                circles.queued[reader] = 1
                circles.queue[(head + count) % len(start)] = reader
                count += 1
    cost = start[node] + net.duration[node, unit] + choice.late * (path - critical) + choice.pushed * pushed
    return cost, path


@compiled
def _jump(
    net: Net,
    reader: int,
    turns: int,
    node: int,
    unit: int,
    behind: int,
    start: IntArray,
    turn: IntArray,
    circles: Circles,
) -> None:
    """Move a placed node some turns later, its place on the circle being kept."""
    start[reader] += turns * net.period
    turn[reader] += turns
    last = circles.next[reader]
    if reader == node:
        last = behind
    elif circles.unit[reader] == unit:
        last = node if reader == behind else last
        while True:
            ahead = circles.next[behind] if last == node else (node if last == behind else circles.next[last])
            if ahead == reader:
                break
            last = ahead
    else:
        while circles.next[last] != reader:
            last = circles.next[last]
    turn[last] -= turns


@compiled
def _tighten(net: Net, circles: Circles) -> int:
    """Start every node as early as the circles let it; return the latency."""
    period, start = net.period, circles.start
    order = np.argsort(start)
    start[:] = 0
    changed = True
    while changed:
        changed = False
        for node in order:
            unit = circles.unit[node]
            end = start[node] + net.duration[node, unit]
            least = end - circles.turn[node] * period
            follower = circles.next[node]
            if start[follower] < least:
                start[follower] = least
                changed = True
            for edge in range(net.after_offset[node], net.after_offset[node + 1]):
                reader = net.after[edge]
                least = end + net.delay[net.after_tensor[edge], unit, circles.unit[reader]]
                if start[reader] < least:
                    start[reader] = least
                    changed = True
    latency = 0
    for node in range(len(start)):
        latency = max(latency, start[node] + net.duration[node, circles.unit[node]])
    return latency
