"""Cyclic sequences: each unit repeats its nodes and some idle items in a fixed order, one turn per period.

The items of a unit fill the period exactly, so the offset of each is the rotation of its unit plus the items before it.
A node starts at the first tick of its offset modulo the period at which its data are there; one pass over the nodes in
topological order therefore gives all starts. As nodes wait for their turns, most changes die out after a few nodes: the
pass looks only at those marked stale. Where ``steepness`` is finite a node that misses its turn by a little may start
too early instead, for a penalty: the number of turns no longer jumps, and a search can pass through.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mapopt.emulator.jit import inlined
from mapopt.instance import IntArray

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


class Graph(NamedTuple):
    """Nodes in topological order and what they are bound to.

    Parameters
    ----------
    entering_offset, entering, apart, together
        Edges by the node they enter, as rows: the other node, and the ticks from its start to the reader's on another
        unit or on the same.
    apart_phase, together_phase
        The same ticks modulo the period.
    leaving_offset, leaving, link
        Edges by the node they leave: the reader, and the edge's row among those that enter.
    timed
        Shape (nodes,): whether a node has a place in a sequence; others start when their data are there.
    movable
        Shape (nodes,): whether a node may come to any unit of the class of its unit.
    peer_offset, peer
        For each node the timed nodes of its duration with which it can change places.
    kin_offset, kin
        For each unit the others of its class.
    need, capacity
        Shape (nodes, 2) and (units, 2): crossbars and memory.
    source, sink
        The nodes without data, and those without readers.
    """

    entering_offset: IntArray
    entering: IntArray
    apart: IntArray
    together: IntArray
    apart_phase: IntArray
    together_phase: IntArray
    leaving_offset: IntArray
    leaving: IntArray
    link: IntArray
    timed: BoolArray
    movable: BoolArray
    peer_offset: IntArray
    peer: IntArray
    kin_offset: IntArray
    kin: IntArray
    need: IntArray
    capacity: IntArray
    source: IntArray
    sink: IntArray


class Ring(NamedTuple):
    """The sequences. Items are the nodes, then the idle items.

    Parameters
    ----------
    length, unit, offset, place
        Shape (items,): ticks, unit, offset, and place in the unit's sequence.
    row, filled, base
        Shapes (units, items), (units,), (units,): the sequence of each unit, its length, and its first offset.
    used
        Shape (units, 2): crossbars and memory.
    start, ready, early
        Shape (nodes,): the start, when the data are there, and by how many ticks the start is before that.
    stale
        Shape (nodes,): whether the times of a node have to be computed anew.
    """

    length: IntArray
    unit: IntArray
    offset: IntArray
    place: IntArray
    row: IntArray
    filled: IntArray
    base: IntArray
    used: IntArray
    start: IntArray
    ready: IntArray
    early: IntArray
    stale: BoolArray


class Trail(NamedTuple):
    """What nodes were before their times were computed anew; ``size[0]`` entries each."""

    size: IntArray
    node: IntArray
    start: IntArray
    ready: IntArray
    early: IntArray
    offset: IntArray


def trail_of(ring: Ring) -> Trail:
    """Return an empty trail."""
    nodes = len(ring.start)
    return Trail(np.zeros(1, dtype=np.int64), *(np.zeros(nodes, dtype=np.int64) for _ in range(5)))


@inlined
def spread(graph: Graph, ring: Ring, node: int) -> None:
    """Mark the readers of a node stale."""
    leaving, stale = graph.leaving, ring.stale
    for edge in range(graph.leaving_offset[node], graph.leaving_offset[node + 1]):
        stale[leaving[edge]] = True


@inlined
def lay_out(graph: Graph, ring: Ring, unit: int, period: int) -> int:
    """Recompute the offsets of a unit's items; mark the nodes that moved, and return the first of them."""
    offset, length, places, row, stale = ring.offset, ring.length, ring.place, ring.row, ring.stale
    nodes = len(ring.start)
    at = ring.base[unit]
    first = nodes
    for place in range(ring.filled[unit]):
        item = row[unit, place]
        places[item] = place
        if offset[item] != at:
            offset[item] = at
            if item < nodes:
                first = min(first, item)
                stale[item] = True
                spread(graph, ring, item)
        at += length[item]
        if at >= period:
            at -= period
    return first


@inlined
def put_items_back(ring: Ring, unit: int, period: int) -> None:
    """Recompute the offsets of a unit whose items are again where they were."""
    offset, length, places, row = ring.offset, ring.length, ring.place, ring.row
    at = ring.base[unit]
    for place in range(ring.filled[unit]):
        item = row[unit, place]
        places[item], offset[item] = place, at
        at += length[item]
        if at >= period:
            at -= period


@inlined
def propagate(graph: Graph, ring: Ring, trail: Trail, period: int, steepness: float, first: int) -> int:
    """Recompute the times of stale nodes, of which ``first`` is the first; return the change of all early ticks."""
    unit, offset, start, ready, early = ring.unit, ring.offset, ring.start, ring.ready, ring.early
    rows, entering, timed, stale = graph.entering_offset, graph.entering, graph.timed, ring.stale
    apart, together = graph.apart, graph.together
    apart_phase, together_phase = graph.apart_phase, graph.together_phase
    count, change = 0, 0
    for node in range(first, len(start)):
        if not stale[node]:
            continue
        stale[node] = False
        trail.node[count], trail.start[count], trail.ready[count] = node, start[node], ready[node]
        trail.early[count], trail.offset[count] = early[node], offset[node]
        count += 1
        begin, end = rows[node], rows[node + 1]
        missed, here = 0, offset[node]
        if begin == end:
            if not timed[node]:
                here = 0
            latest = at = here
        else:
            # The offset of the latest datum comes from the offsets alone, without a division of its time.
            home, latest, phase = unit[node], -1, 0
            for edge in range(begin, end):
                before = entering[edge]
                same = unit[before] == home
                arrival = start[before] + (together[edge] if same else apart[edge])
                if arrival > latest:
                    latest = arrival
                    phase = offset[before] + (together_phase[edge] if same else apart_phase[edge])
            if phase >= period:
                phase -= period
            at = latest
            if timed[node]:
                wait = here - phase
                if wait < 0:
                    wait += period
                if (period - wait) * steepness < wait:
                    missed = period - wait
                    wait -= period
                at = latest + wait
            else:
                here = phase
        change += missed - early[node]
        ready[node], early[node] = latest, missed
        if start[node] != at or offset[node] != here:
            start[node], offset[node] = at, here
            spread(graph, ring, node)
    trail.size[0] = count
    return change


@inlined
def retrace(ring: Ring, trail: Trail) -> None:
    """Put the times back that the last pass changed."""
    start, ready, early, timed_offset = ring.start, ring.ready, ring.early, ring.offset
    for at in range(trail.size[0]):
        node = trail.node[at]
        start[node], ready[node], early[node] = trail.start[at], trail.ready[at], trail.early[at]
        timed_offset[node] = trail.offset[at]


@inlined
def latency(graph: Graph, ring: Ring) -> int:
    """Return the ticks from the first start to the last end."""
    start, length = ring.start, ring.length
    first, last = start[graph.source[0]], 0
    for node in graph.source:
        first = min(first, start[node])
    for node in graph.sink:
        last = max(last, start[node] + length[node])
    return int(last - first)
