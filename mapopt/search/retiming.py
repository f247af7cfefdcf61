"""Retiming: one period as a problem without cycles, dispatched node by node and annealed, compiled.

Each node has a turn: how many periods after the frame's first node it runs, about. Within one period, the nodes of all
turns run once, each for another frame; nodes of one turn wait for each other, those of different turns do not. This is
a shop, and the period is what it takes until each unit can begin again. Units are chosen on the way: whatever can start
first starts first, forwards, then backwards in the order of the ends, and forwards again in the order that this leaves.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mapopt.emulator.jit import borrowing, inlined
from mapopt.instance import IntArray
from mapopt.search.elastic_rings import CAPACITY_KINDS, Frame
from mapopt.search.random_numbers import RandomState, below, uniform

FloatArray = npt.NDArray[np.float64]

TURN_MOVES, REACH, TRIALS = 0.2, 0.3, 100
"""Share of the moves that change a turn; how far apart in the order two nodes may be that become neighbours, as a share
of the makespan; and how many nodes are tried for either."""

PROMISING = 1.1
"""Schedules of more than this multiple of the current cost are not justified."""

LEAST_WEIGHT, MOST_WEIGHT = 0.5, 8.0
"""What a tick too much counts against one of latency, at the begin of a round and at its end."""

NEVER = 1 << 60
"""Ticks after everything."""


class Board(NamedTuple):
    """A schedule within the period, and working space.

    Parameters
    ----------
    turn, order
        Shape (nodes,): the turn of each node; of those that can start together the one of the largest order does.
    start, unit, end
        Shape (nodes,): ticks in the period, and the unit.
    sequence, after, latest
        Shape (nodes,): nodes as they were dispatched; the next node on the unit or -1; latest starts in the first turn.
    ready, missing, near, far, beside
        Shape (nodes,): nodes that can be dispatched; of each node how many it waits for, and when its data are there:
        on unit ``beside``, and on others.
    begin, last, free, used
        Shape (units,), the last one (units, 2): when a unit starts its first node, its last node, when it is idle, and
        what is used of its crossbars and memory.
    home, kind, idle
        Shape (groups,): the unit of each group or -1; which set of equal units it may use, -1 if they are not equal;
        of each such set the unit that is idle first.
    """

    turn: IntArray
    order: FloatArray
    start: IntArray
    unit: IntArray
    end: IntArray
    sequence: IntArray
    after: IntArray
    latest: IntArray
    ready: IntArray
    missing: IntArray
    near: IntArray
    far: IntArray
    beside: IntArray
    begin: IntArray
    last: IntArray
    free: IntArray
    used: IntArray
    home: IntArray
    kind: IntArray
    idle: IntArray


class Found(NamedTuple):
    """The current schedule's order, and the best schedule within the period.

    Parameters
    ----------
    order
        Shape (nodes,): minus the starts.
    cost
        Shape (3,): the current latency, the best one or :data:`NEVER`, and by how many ticks the current period is too
        long, in all turns together.
    turn, start, unit
        Shape (nodes,): of the best.
    """

    order: FloatArray
    cost: FloatArray
    turn: IntArray
    start: IntArray
    unit: IntArray


@borrowing
def dispatch(frame: Frame, board: Board, forward: bool) -> int:
    """Start what can start first, until all nodes are placed; return the makespan, :data:`NEVER` if a node has no room.

    Each goes to the unit where it would end first. Backwards, time runs from the end of the period and nodes wait for
    their readers.
    """
    _clear(frame, board)
    ready, makespan = 0, 0
    for node in range(frame.nodes):
        begin, end = _arcs(frame, node, not forward)
        for arc in range(begin, end):
            if board.turn[_other(frame, arc, not forward)] == board.turn[node]:
                board.missing[node] += 1
        if board.missing[node] == 0:
            board.ready[ready] = node
            ready += 1
    for number in range(frame.nodes):
        place, unit, start = _first(frame, board, ready)
        if place < 0:
            return NEVER
        node = board.ready[place]
        ready -= 1
        board.ready[place] = board.ready[ready]
        end = start + frame.duration[node, unit]
        board.start[node], board.end[node], board.unit[node] = start, end, unit
        board.sequence[number] = node
        if board.last[unit] >= 0:
            board.after[board.last[unit]] = node
        else:
            board.begin[unit] = start
        board.last[unit], board.after[node], board.free[unit] = node, -1, end
        group = frame.group[node]
        if board.kind[group] >= 0:
            _next_idle(frame, board, group)
        elif board.home[group] < 0:
            board.home[group] = unit
            for kind in range(CAPACITY_KINDS):
                board.used[unit, kind] += frame.need[group, unit, kind]
        makespan = max(makespan, end)
        begin, stop = _arcs(frame, node, forward)
        for arc in range(begin, stop):
            other = _other(frame, arc, forward)
            if board.turn[other] == board.turn[node]:
                _arrive(board, other, unit, end, end + _delay(frame, arc, forward))
                board.missing[other] -= 1
                if board.missing[other] == 0:
                    board.ready[ready] = other
                    ready += 1
    return int(makespan)


@borrowing
def _clear(frame: Frame, board: Board) -> None:
    for node in range(frame.nodes):
        board.missing[node] = board.near[node] = board.far[node] = 0
        board.beside[node] = -1
    for group in range(len(board.home)):
        board.home[group] = -1
        if board.kind[group] >= 0:
            board.idle[board.kind[group]] = frame.choice[frame.choice_offset[group]]
    for unit in range(frame.units):
        board.free[unit], board.last[unit] = 0, -1
        for kind in range(CAPACITY_KINDS):
            board.used[unit, kind] = 0


@inlined
def _arcs(frame: Frame, node: int, forward: bool) -> tuple[int, int]:
    """Return the range of the arcs to those that wait for a node; not forward, to those that it waits for."""
    if forward:
        return frame.leaving_offset[node], frame.leaving_offset[node + 1]
    return frame.entering_offset[node], frame.entering_offset[node + 1]


@inlined
def _other(frame: Frame, arc: int, forward: bool) -> int:
    """Return the node at the other end of an arc."""
    return int(frame.leaving[arc]) if forward else int(frame.entering[arc])


@inlined
def _delay(frame: Frame, arc: int, forward: bool) -> int:
    """Return the ticks of a transfer."""
    return int(frame.once[frame.leaving_tensor[arc] if forward else frame.entering_tensor[arc]])


@inlined
def _arrive(board: Board, node: int, unit: int, local: int, remote: int) -> None:
    """Note when data are there for a node: on the unit that they come from, and on others.

    ``far`` is the latest arrival anywhere, by way of ``beside``; a node on ``beside`` waits for the others' data only.
    """
    if board.beside[node] == unit:
        board.near[node] = max(board.near[node], local)
        board.far[node] = max(board.far[node], remote)
    elif remote > board.far[node]:
        board.near[node] = max(board.far[node], local)
        board.far[node], board.beside[node] = remote, unit
    else:
        board.near[node] = max(board.near[node], remote)


@inlined
def _first(frame: Frame, board: Board, ready: int) -> tuple[int, int, int]:
    """Return the place in the list, the unit and the start of the node that can start first; -1 without room."""
    place, unit, start, order = -1, -1, NEVER, 0.0
    for entry in range(ready):
        node = board.ready[entry]
        if board.near[node] > start:
            continue
        home, begin, least = -1, NEVER, NEVER
        group = frame.group[node]
        if board.kind[group] >= 0:
            home = board.idle[board.kind[group]]
            begin = max(board.free[home], _there(board, node, home))
            other = board.beside[node]
            if other >= 0 and other != home and frame.duration[node, other] >= 0:
                at = max(board.free[other], board.near[node])
                if at < begin:
                    home, begin = other, at
        elif board.home[group] >= 0:
            home = board.home[group]
            begin = max(board.free[home], _there(board, node, home))
        else:
            for choice in range(frame.choice_offset[group], frame.choice_offset[group + 1]):
                other = frame.choice[choice]
                at = max(board.free[other], _there(board, node, other))
                end = at + frame.duration[node, other]
                if end < least and _has_room(frame, board, group, other):
                    home, begin, least = other, at, end
            if home < 0:
                return -1, -1, 0
        if begin < start or (begin == start and board.order[node] > order):
            place, unit, start, order = entry, home, begin, board.order[node]
    return place, unit, start


@inlined
def _next_idle(frame: Frame, board: Board, group: int) -> None:
    """Note which unit of a group is idle first."""
    least, idle = NEVER, -1
    for choice in range(frame.choice_offset[group], frame.choice_offset[group + 1]):
        unit = frame.choice[choice]
        if board.free[unit] < least:
            least, idle = board.free[unit], unit
    board.idle[board.kind[group]] = idle


@inlined
def _there(board: Board, node: int, unit: int) -> int:
    """Return when all data of a node are on a unit."""
    return int(board.near[node] if unit == board.beside[node] else board.far[node])


@inlined
def _has_room(frame: Frame, board: Board, group: int, unit: int) -> bool:
    for kind in range(CAPACITY_KINDS):
        if board.used[unit, kind] + frame.need[group, unit, kind] > frame.capacity[unit, kind]:
            return False
    for row in range(frame.apart_offset[group], frame.apart_offset[group + 1]):
        if board.home[frame.apart[row]] == unit:
            return False
    return True


@borrowing
def justify(frame: Frame, board: Board) -> int:
    """Dispatch backwards by the ends, and forwards by what that leaves; return the makespan."""
    for node in range(frame.nodes):
        board.order[node] = board.end[node]
    makespan = dispatch(frame, board, False)
    if makespan == NEVER:
        return NEVER
    for node in range(frame.nodes):
        board.order[node] = board.end[node] - makespan
    return dispatch(frame, board, True)


@borrowing
def shortest(frame: Frame, board: Board) -> int:
    """Return the shortest period of a schedule, at least the given one: what units and data from turn to turn need."""
    period = frame.period
    for unit in range(frame.units):
        if board.last[unit] >= 0:
            period = max(period, board.free[unit] - board.begin[unit])
    for node in range(frame.nodes):
        for arc in range(frame.leaving_offset[node], frame.leaving_offset[node + 1]):
            other = frame.leaving[arc]
            turns = board.turn[other] - board.turn[node]
            if turns > 0 and board.unit[other] != board.unit[node]:
                wait = board.end[node] + frame.once[frame.leaving_tensor[arc]] - board.start[other]
                period = max(period, (wait + turns - 1) // turns)
    return int(period)


@borrowing
def first_turn(frame: Frame, board: Board) -> int:
    """Return the least turn."""
    first = board.turn[0]
    for node in range(frame.nodes):
        first = min(first, board.turn[node])
    return int(first)


@borrowing
def latency(frame: Frame, board: Board, period: int) -> int:
    """Return the time of a frame at a period, the nodes of its first turn moved as late as the others let them."""
    first, end = first_turn(frame, board), 0
    begin = NEVER
    for node in range(frame.nodes):
        ahead = (board.turn[node] - first) * period
        end = max(end, ahead + board.end[node])
        if ahead > 0:
            begin = min(begin, ahead + board.start[node])
    for number in range(frame.nodes - 1, -1, -1):
        node = board.sequence[number]
        if board.turn[node] != first:
            continue
        after = board.after[node]
        latest = min(end, board.begin[board.unit[node]] + period)
        if after >= 0:
            latest = min(latest, board.latest[after] if board.turn[after] == first else board.start[after])
        length = board.end[node] - board.start[node]
        for arc in range(frame.leaving_offset[node], frame.leaving_offset[node + 1]):
            other = frame.leaving[arc]
            at = board.latest[other] if board.turn[other] == first else board.start[other]
            at += (board.turn[other] - first) * period
            if board.unit[other] != board.unit[node]:
                at -= frame.once[frame.leaving_tensor[arc]]
            latest = min(latest, at)
        board.latest[node] = latest - length
        begin = min(begin, latest - length)
    return int(end - begin)


@borrowing
def measure(frame: Frame, board: Board) -> tuple[int, float]:
    """Return the latency at the shortest period, and the ticks by which this is too long, in all turns together."""
    period = shortest(frame, board)
    ticks = latency(frame, board, period)
    return ticks, (period - frame.period) * (ticks / period)


@borrowing
def anneal_retimed(
    frame: Frame,
    board: Board,
    found: Found,
    begin: int,
    until: int,
    total: int,
    first: float,
    last: float,
    target: int,
    random: RandomState,
) -> int:
    """Make moves number ``begin`` to ``until`` of ``total``; return the number after the last one made."""
    for move in range(begin, until):
        heat = first * (last / first) ** (move / total)
        weight = LEAST_WEIGHT * (MOST_WEIGHT / LEAST_WEIGHT) ** (move / total)
        for node in range(frame.nodes):
            board.order[node] = found.order[node]
        node, step = -1, 0
        if uniform(random) < TURN_MOVES:
            step = 1 if uniform(random) < 0.5 else -1
            node = _movable(frame, board, step, random)
            if node < 0:
                continue
            board.turn[node] += step
            board.order[node] = 1.0 if step > 0 else -float(NEVER)
        else:
            _swap(frame, board, random)
        taken = _try(frame, board, found, heat, weight, random)
        if not taken and node >= 0:
            board.turn[node] -= step
        if found.cost[1] <= target:
            return move + 1
    return until


@borrowing
def _movable(frame: Frame, board: Board, step: int, random: RandomState) -> int:
    """Return a node whose turn may change by a step, which no reader or writer forbids; -1 if none was found."""
    for _ in range(TRIALS):
        node = below(random, frame.nodes)
        turn, fits = board.turn[node] + step, True
        begin, end = _arcs(frame, node, step > 0)
        for arc in range(begin, end):
            other = board.turn[_other(frame, arc, step > 0)]
            if (other - turn) * step < 0:
                fits = False
                break
        if fits:
            return node
    return -1


@borrowing
def _swap(frame: Frame, board: Board, random: RandomState) -> None:
    """Give a node a place in the order just before or after another one that may share its units."""
    node, reach = below(random, frame.nodes), 0.0
    for each in range(frame.nodes):
        reach = min(reach, board.order[each])
    for _ in range(TRIALS):
        other = below(random, frame.nodes)
        if other == node or abs(board.order[other] - board.order[node]) > -REACH * reach:
            continue
        if not _share(frame, node, other):
            continue
        board.order[node] = board.order[other] + (0.5 if uniform(random) < 0.5 else -0.5)
        return


@borrowing
def _share(frame: Frame, node: int, other: int) -> bool:
    """Return whether a node may run on the first unit of another one."""
    first = frame.choice_offset[frame.group[other]]
    return bool(frame.duration[node, frame.choice[first]] >= 0)


@borrowing
def _try(frame: Frame, board: Board, found: Found, heat: float, weight: float, random: RandomState) -> bool:
    """Schedule the order and the turns; return whether that becomes the current schedule."""
    before = found.cost[0] + weight * found.cost[2]
    if dispatch(frame, board, True) == NEVER:
        return False
    ticks, excess = measure(frame, board)
    if before < ticks + weight * excess < PROMISING * before:
        if justify(frame, board) == NEVER:
            return False
        ticks, excess = measure(frame, board)
    worse = ticks + weight * excess - before
    if worse > 0 and uniform(random) >= np.exp(-worse / heat):
        return False
    found.cost[0], found.cost[2] = ticks, excess
    for node in range(frame.nodes):
        found.order[node] = -board.start[node]
    if excess == 0 and ticks < found.cost[1]:
        found.cost[1] = ticks
        _keep(frame, board, found)
    return True


@borrowing
def _keep(frame: Frame, board: Board, found: Found) -> None:
    """Note a schedule whose latency was computed last as the best."""
    first = first_turn(frame, board)
    for node in range(frame.nodes):
        found.turn[node], found.unit[node] = board.turn[node] - first, board.unit[node]
        found.start[node] = board.latest[node] if board.turn[node] == first else board.start[node]
