"""Cyclic sequences: each unit repeats its nodes and some idle items in a fixed order, one turn per period.

The items of a unit fill the period exactly, so the offset of each is the rotation of its unit plus the items before it.
A node starts at the first tick of its offset modulo the period at which its data are there; one pass over the nodes in
topological order therefore gives all starts. Where ``steepness`` is finite a node that misses its turn by a little may
start too early instead, for a penalty: the number of turns no longer jumps, and a search can pass through.
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
    leaving_offset, leaving, delay
        Edges by the node they leave: the reader, and the ticks of the transfer.
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
    """

    entering_offset: IntArray
    entering: IntArray
    apart: IntArray
    together: IntArray
    apart_phase: IntArray
    together_phase: IntArray
    leaving_offset: IntArray
    leaving: IntArray
    delay: IntArray
    timed: BoolArray
    movable: BoolArray
    peer_offset: IntArray
    peer: IntArray
    kin_offset: IntArray
    kin: IntArray
    need: IntArray
    capacity: IntArray


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
    start, ready
        Shape (nodes,).
    penalty
        Shape (nodes + 1,): sum over the nodes before.
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
    penalty: FloatArray


@inlined
def lay_out(ring: Ring, unit: int, period: int, nodes: int) -> int:
    """Recompute the offsets of a unit's items; return the first node that got another one, else ``nodes``."""
    offset, length, places, row = ring.offset, ring.length, ring.place, ring.row
    at = ring.base[unit]
    first = nodes
    for place in range(ring.filled[unit]):
        item = row[unit, place]
        places[item] = place
        if offset[item] != at:
            offset[item] = at
            first = min(first, item)
        at += length[item]
        if at >= period:
            at -= period
    return first


@inlined
def propagate(graph: Graph, ring: Ring, period: int, steepness: float, first: int) -> None:
    """Recompute the starts from node ``first`` on."""
    unit, offset, start, ready, penalty = ring.unit, ring.offset, ring.start, ring.ready, ring.penalty
    rows, entering, timed = graph.entering_offset, graph.entering, graph.timed
    apart, together = graph.apart, graph.together
    apart_phase, together_phase = graph.apart_phase, graph.together_phase
    end = rows[first]
    for node in range(first, len(start)):
        begin, end = end, rows[node + 1]
        fee = 0.0
        if begin == end:
            ready[node] = start[node] = offset[node] if timed[node] else 0
        else:
            # The offset of the latest datum comes from the offsets alone, without a division of its time.
            here, latest, phase = unit[node], -1, 0
            for edge in range(begin, end):
                before = entering[edge]
                same = unit[before] == here
                arrival = start[before] + (together[edge] if same else apart[edge])
                if arrival > latest:
                    latest = arrival
                    phase = offset[before] + (together_phase[edge] if same else apart_phase[edge])
            ready[node] = latest
            if phase >= period:
                phase -= period
            if timed[node]:
                wait = offset[node] - phase
                if wait < 0:
                    wait += period
                missed = period - wait
                if missed * steepness < wait:
                    fee = missed * (steepness + 1.0)
                    wait -= period
                start[node] = latest + wait
            else:
                start[node] = latest
                offset[node] = phase
        penalty[node + 1] = penalty[node] + fee


@inlined
def latency(graph: Graph, ring: Ring) -> int:
    """Return the ticks from the first start to the last end."""
    start, length, entering, leaving = ring.start, ring.length, graph.entering_offset, graph.leaving_offset
    first, last = start[0], 0
    for node in range(len(start)):
        if entering[node] == entering[node + 1]:
            first = min(first, start[node])
        if leaving[node] == leaving[node + 1]:
            last = max(last, start[node] + length[node])
    return int(last - first)
