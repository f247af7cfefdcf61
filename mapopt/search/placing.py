"""List scheduling on circles, compiled: nodes by priority, each where it ends first, transfers with them.

Forward, a node is placed after those it reads from, and its tensors are fetched to its unit. In reverse the same is
done from the end of the frame: all arcs are turned round, and what comes out is read backwards. Where sending
occupies the sender or the reader (``blocking``, ``host``), all units have to be chosen before, and only forward works.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mapopt.emulator.jit import compiled
from mapopt.instance import IntArray
from mapopt.search.circle import earliest, insert, remove
from mapopt.search.tables import DELAYED, ROUTED, SENT, UPLOADED, Tables


class Board(NamedTuple):
    """What has been placed so far; -1 where nothing is.

    Parameters
    ----------
    start, unit, hold, end
        Shape (nodes,).
    home
        Shape (groups,).
    arrival, lead
        Shape (tensors, units): when a tensor is there, and ticks after its producer's end at which it sets out.
    hop
        Shape (tensors, units, longest route): when it enters each resource on the way.
    begin, length, filled
        Shape (resources, arcs), the same, and (resources,): the circles.
    used
        Shape (units, 2): crossbars and memory.
    ready, waiting
        Shape (nodes,): nodes that can be placed next, and the number of edges that each still waits for.
    trail
        Shape (entries, 4): resource, place, tensor and unit of transfers since the last decision; entry 0 counts them.
    """

    start: IntArray
    unit: IntArray
    hold: IntArray
    end: IntArray
    home: IntArray
    arrival: IntArray
    lead: IntArray
    hop: IntArray
    begin: IntArray
    length: IntArray
    filled: IntArray
    used: IntArray
    ready: IntArray
    waiting: IntArray
    trail: IntArray


def board_of(tables: Tables) -> Board:
    """Return an empty board."""
    nodes, units = tables.duration.shape
    tensors, resources = len(tables.once), len(tables.latency)
    has_routes = len(tables.route) > 0
    longest = int(np.diff(tables.route_offset).max(initial=0))
    edges = len(tables.entering_node)
    arcs = nodes + 1 + (edges if has_routes else 0)

    def empty(*shape: int) -> IntArray:
        return np.full(shape, -1, dtype=np.int64)

    return Board(
        start=empty(nodes),
        unit=empty(nodes),
        hold=empty(nodes),
        end=empty(nodes),
        home=empty(len(tables.need)),
        arrival=empty(tensors if has_routes else 0, units),
        lead=empty(tensors if tables.travel in (SENT, UPLOADED) else 0, units),
        hop=empty(tensors if has_routes else 0, units, longest),
        begin=empty(resources, arcs),
        length=empty(resources, arcs),
        filled=np.zeros(resources, dtype=np.int64),
        used=np.zeros((units, 2), dtype=np.int64),
        ready=empty(nodes),
        waiting=empty(nodes),
        trail=empty(edges * (longest + 1) + 1, 4),
    )


@compiled
def place_nodes(
    tables: Tables,
    period: int,
    key: npt.NDArray[np.float64],
    chosen: IntArray,
    fixed: IntArray,
    snug: float,
    backward: bool,
    board: Board,
) -> tuple[int, int]:
    """Place all nodes.

    Parameters
    ----------
    key
        Shape (nodes,): among the nodes whose predecessors are placed, the smallest is next.
    chosen
        Shape (groups,): the unit of each group, -1 where it is open.
    fixed
        Shape (nodes,): the offset modulo the period that a node must have, -1 where it is open. Nodes with one have a
        unit chosen, on which all nodes have one, and these do not overlap.
    snug
        How many ticks later a node may end per tick that it leaves idle at its tighter side.
    backward
        Whether time runs from the end of the frame to its start.

    Returns
    -------
    tuple
        The latency, and the number of nodes without a place; with any of these the board is of no use.
    """
    nodes = len(tables.group)
    first, other = tables.entering_offset, tables.entering_node
    after_first, after = tables.leaving_offset, tables.leaving_node
    if backward:
        first, other, after_first, after = after_first, after, first, other
    _clear(board)
    ready = 0
    for node in range(nodes):
        board.waiting[node] = first[node + 1] - first[node]
        if board.waiting[node] == 0:
            board.ready[ready] = node
            ready += 1
    latency = placed = 0
    while ready > 0:
        at = 0
        for rival in range(1, ready):
            if key[board.ready[rival]] < key[board.ready[at]]:
                at = rival
        node = board.ready[at]
        ready -= 1
        board.ready[at] = board.ready[ready]
        unit = _best_unit(tables, period, chosen, fixed, snug, backward, node, board)
        if unit < 0:
            return latency, nodes - placed
        start = _try_unit(tables, period, chosen, fixed, backward, node, unit, board)[0]
        if start < 0:
            return latency, nodes - placed
        _settle(tables, period, node, unit, start, board)
        placed += 1
        latency = max(latency, board.end[node])
        for edge in range(after_first[node], after_first[node + 1]):
            target = after[edge]
            board.waiting[target] -= 1
            if board.waiting[target] == 0:
                board.ready[ready] = target
                ready += 1
    return latency, 0


@compiled
def _clear(board: Board) -> None:
    board.home[:] = -1
    board.filled[:] = 0
    board.used[:] = 0
    board.arrival[:] = -1


@compiled
def _settle(tables: Tables, period: int, node: int, unit: int, start: int, board: Board) -> None:
    """Put a node on a unit, transfers to it having been placed."""
    duration = tables.duration[node, unit]
    busy = duration + board.hold[node]
    insert(board.begin[unit], board.length[unit], board.filled[unit], start % period, busy)
    board.filled[unit] += 1
    board.start[node] = start
    board.end[node] = start + duration
    board.unit[node] = unit
    group = tables.group[node]
    if board.home[group] < 0:
        board.home[group] = unit
        board.used[unit] += tables.need[group, unit]


@compiled
def _best_unit(
    tables: Tables,
    period: int,
    chosen: IntArray,
    fixed: IntArray,
    snug: float,
    backward: bool,
    node: int,
    board: Board,
) -> int:
    """Return the unit on which the node ends first, corrected for idle ticks; -1 if none takes it."""
    group = tables.group[node]
    if board.home[group] >= 0:
        return int(board.home[group])
    if chosen[group] >= 0:
        return int(chosen[group]) if _takes(tables, group, chosen[group], board) else -1
    best, value = -1, 0.0
    for entry in range(tables.choice_offset[group], tables.choice_offset[group + 1]):
        unit = tables.choice[entry]
        twin = tables.twin[unit]
        if twin < unit and board.filled[unit] == 0 and board.filled[twin] == 0:
            continue
        if not _takes(tables, group, unit, board):
            continue
        start, idle = _try_unit(tables, period, chosen, fixed, backward, node, unit, board)
        _undo(tables, board)
        if start >= 0:
            cost = start + tables.duration[node, unit] + snug * idle
            if best < 0 or cost < value:
                best, value = unit, cost
    return best


@compiled
def _takes(tables: Tables, group: int, unit: int, board: Board) -> bool:
    """Return whether capacities and separations let the group come to the unit."""
    for kind in range(2):
        if board.used[unit, kind] + tables.need[group, unit, kind] > tables.capacity[unit, kind]:
            return False
    for entry in range(tables.apart_offset[group], tables.apart_offset[group + 1]):
        if board.home[tables.apart[entry]] == unit:
            return False
    return True


@compiled
def _try_unit(
    tables: Tables,
    period: int,
    chosen: IntArray,
    fixed: IntArray,
    backward: bool,
    node: int,
    unit: int,
    board: Board,
) -> tuple[int, int]:
    """Fetch the node's data to the unit and find its start there; -1 if there is no room."""
    board.trail[0, 0] = 0
    board.hold[node] = 0
    if tables.travel == SENT:
        board.hold[node] = _send(tables, chosen, node, unit, board)
    elif tables.travel == UPLOADED:
        board.hold[node] = _upload(tables, chosen, node, unit, board)
    if backward:
        ready = _release_backward(tables, period, node, unit, board)
    else:
        ready = _release(tables, period, node, unit, board)
    if ready < 0:
        return -1, 0
    if fixed[node] >= 0:
        return ready + (fixed[node] - ready) % period, 0
    return earliest(
        board.begin[unit],
        board.length[unit],
        board.filled[unit],
        period,
        ready,
        tables.duration[node, unit] + board.hold[node],
    )


@compiled
def _send(tables: Tables, chosen: IntArray, node: int, unit: int, board: Board) -> int:
    """Set out the blocking sends of a node, by unit, then by tensor; return how long they take."""
    total = 0
    for target in range(len(tables.capacity)):
        for entry in range(tables.outgoing_offset[node], tables.outgoing_offset[node + 1]):
            tensor = tables.outgoing[entry]
            if target != unit and _reads(tables, chosen, node, tensor, target):
                total += tables.once[tensor]
                board.lead[tensor, target] = total
    return total


@compiled
def _upload(tables: Tables, chosen: IntArray, node: int, unit: int, board: Board) -> int:
    """Set out the uploads of a node, by tensor; return how long they take."""
    total = 0
    for entry in range(tables.outgoing_offset[node], tables.outgoing_offset[node + 1]):
        tensor = tables.outgoing[entry]
        for target in range(len(tables.capacity)):
            if target != unit and _reads(tables, chosen, node, tensor, target):
                if not tables.at_host[unit]:
                    total += tables.once[tensor]
                board.lead[tensor, :] = total
                break
    return total


@compiled
def _reads(tables: Tables, chosen: IntArray, node: int, tensor: int, unit: int) -> bool:
    """Return whether a reader of the node's tensor has chosen the unit."""
    for edge in range(tables.leaving_offset[node], tables.leaving_offset[node + 1]):
        if tables.leaving_tensor[edge] == tensor:
            reader = tables.leaving_node[edge]
            if chosen[tables.group[reader]] == unit:
                return True
    return False


@compiled
def _release(tables: Tables, period: int, node: int, unit: int, board: Board) -> int:
    """Return when all that the node reads is on the unit, -1 if a transfer finds no room."""
    ready = 0
    for edge in range(tables.entering_offset[node], tables.entering_offset[node + 1]):
        before, tensor = tables.entering_node[edge], tables.entering_tensor[edge]
        source = board.unit[before]
        here = board.end[before]
        if source != unit:
            if tables.travel == DELAYED:
                here += tables.once[tensor]
            elif tables.travel != ROUTED:
                lead = board.lead[tensor, unit]
                # What follows a task of no time waits for its sends, or it might stand before them.
                here += lead if board.start[before] < here else max(lead, board.hold[before])
            if len(tables.route) > 0:
                if board.arrival[tensor, unit] < 0:
                    board.arrival[tensor, unit] = _travel(
                        tables, period, tensor, source, unit, here, False, board
                    )
                here = board.arrival[tensor, unit]
                if here < 0:
                    return -1
        ready = max(ready, here)
    return ready


@compiled
def _release_backward(tables: Tables, period: int, node: int, unit: int, board: Board) -> int:
    """Return when all that the node writes has left, time running backwards; -1 if a transfer finds no room."""
    ready = 0
    for edge in range(tables.leaving_offset[node], tables.leaving_offset[node + 1]):
        after, tensor = tables.leaving_node[edge], tables.leaving_tensor[edge]
        target = board.unit[after]
        here = board.end[after]
        if target != unit:
            if tables.travel == DELAYED:
                here += tables.once[tensor]
            elif len(tables.route) > 0:
                if board.arrival[tensor, target] < 0:
                    for other in range(tables.leaving_offset[node], tables.leaving_offset[node + 1]):
                        reader = tables.leaving_node[other]
                        if tables.leaving_tensor[other] == tensor and board.unit[reader] == target:
                            here = max(here, board.end[reader])
                    board.arrival[tensor, target] = _travel(
                        tables, period, tensor, unit, target, here, True, board
                    )
                here = board.arrival[tensor, target]
                if here < 0:
                    return -1
        ready = max(ready, here)
    return ready


@compiled
def _travel(
    tables: Tables,
    period: int,
    tensor: int,
    source: int,
    target: int,
    ready: int,
    backward: bool,
    board: Board,
) -> int:
    """Send a tensor over its route, last resource first if backwards; return its arrival, -1 if there is no room."""
    row = source * len(tables.capacity) + target
    first, hops = tables.route_offset[row], tables.route_offset[row + 1] - tables.route_offset[row]
    _note(board, -1, 0, tensor, target)
    for step in range(hops):
        hop = hops - 1 - step if backward else step
        resource = tables.route[first + hop]
        ticks = tables.ticks[tensor, resource]
        if backward:
            ready += tables.latency[resource]
        start = earliest(
            board.begin[resource], board.length[resource], board.filled[resource], period, ready, ticks
        )[0]
        if start < 0:
            return -1
        insert(board.begin[resource], board.length[resource], board.filled[resource], start % period, ticks)
        board.filled[resource] += 1
        board.hop[tensor, target, hop] = start
        _note(board, resource, start % period, tensor, target)
        ready = start + ticks
        if not backward:
            ready += tables.latency[resource]
    return ready


@compiled
def _note(board: Board, resource: int, place: int, tensor: int, unit: int) -> None:
    """Remember a transfer, or a task of it, so that it can be taken back."""
    board.trail[0, 0] += 1
    entry = board.trail[board.trail[0, 0]]
    entry[0], entry[1], entry[2], entry[3] = resource, place, tensor, unit


@compiled
def _undo(tables: Tables, board: Board) -> None:
    """Take back the transfers of the last trial."""
    for number in range(board.trail[0, 0], 0, -1):
        resource, tensor = board.trail[number, 0], board.trail[number, 2]
        board.arrival[tensor, board.trail[number, 3]] = -1
        if resource >= 0:
            remove(
                board.begin[resource],
                board.length[resource],
                board.filled[resource],
                board.trail[number, 1],
                tables.ticks[tensor, resource],
            )
            board.filled[resource] -= 1
    board.trail[0, 0] = 0
