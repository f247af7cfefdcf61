"""Annealing of cyclic sequences, compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mapopt.emulator.jit import borrowing, inlined
from mapopt.instance import IntArray
from mapopt.search.random_numbers import RandomState, below, uniform
from mapopt.search.ring import (
    FloatArray,
    Graph,
    Ring,
    Trail,
    latency,
    lay_out,
    propagate,
    put_items_back,
    retrace,
    spread,
    trail_of,
)
from mapopt.search.ring_exchanges import swap_across, swap_segments
from mapopt.search.ring_moves import (
    Journal,
    journal_of,
    move_segment,
    put_back,
    rotate,
    shift_idle,
    swap_equals,
    swap_neighbours,
    swap_within,
)

SHARES = np.array([0.40, 0.12, 0.22, 0.03, 0.06, 0.07, 0.05, 0.05])
"""How often each kind of move is drawn."""

STEP = 256
"""Iterations between two changes of temperature and steepness."""


class Cooling(NamedTuple):
    """How an annealing goes.

    Parameters
    ----------
    iterations
        Moves tried in all.
    first_heat, last_heat
        Temperatures in ticks, geometric in between.
    first_steepness, last_steepness
        Penalty per tick that a node starts too early, geometric in between.
    smooth
        Share of the iterations after which no node may start too early.
    """

    iterations: int
    first_heat: float
    last_heat: float
    first_steepness: float
    last_steepness: float
    smooth: float


class RingWalk(NamedTuple):
    """Where an annealing of sequences stands.

    Parameters
    ----------
    value
        Objective of the sequences as they are; least latency without penalty, infinite before there is any;
        iterations done; ticks by which nodes start too early, in all.
    start, unit
        Shape (nodes,): the schedule of least latency.
    """

    ring: Ring
    journal: Journal
    trail: Trail
    value: FloatArray
    start: IntArray
    unit: IntArray


def ring_walk_of(ring: Ring) -> RingWalk:
    """Return an annealing before its first iteration."""
    nodes = len(ring.start)
    return RingWalk(
        ring=ring,
        journal=journal_of(ring),
        trail=trail_of(ring),
        value=np.array([np.inf, np.inf, 0.0, 0.0]),
        start=ring.start.copy(),
        unit=ring.unit[:nodes].copy(),
    )


@borrowing
def anneal_ring(
    graph: Graph,
    walk: RingWalk,
    period: int,
    cooling: Cooling,
    until: int,
    target: int,
    timed: IntArray,
    shares: FloatArray,
    random: RandomState,
) -> None:
    """Go on to iteration ``until``, or until the latency is at most ``target``.

    Parameters
    ----------
    timed
        The nodes that have a place in a sequence.
    shares
        Shape (8,): running sums of how often each kind of move is drawn.
    """
    ring, journal, trail, value = walk.ring, walk.journal, walk.trail, walk.value
    start, ready = ring.start, ring.ready
    heat, steepness = 1.0, 1.0
    begun = int(value[2])
    for number in range(begun, until):
        since = number % STEP
        if number == begun or since == 0:
            share = (
                number - since
            ) / cooling.iterations  # also where a call begins in between: it changes nothing
            heat = cooling.first_heat * (cooling.last_heat / cooling.first_heat) ** share
            if share < cooling.smooth:
                slope = cooling.last_steepness / cooling.first_steepness
                steepness = cooling.first_steepness * slope ** (share / cooling.smooth)
            else:
                steepness = 1e12
            if since == 0:
                _measure(graph, walk, period, steepness)
            if value[1] <= target:
                return
        value[2] = number + 1
        node = timed[below(random, len(timed))]
        for _ in range(3):
            if start[node] != ready[node]:
                break
            node = timed[below(random, len(timed))]
        journal.size[:] = 0
        changed = _move(graph, ring, journal, period, node, shares, random)
        if changed:
            early = int(value[3]) + propagate(
                graph, ring, trail, period, steepness, _first_stale(graph, ring, journal, period)
            )
            found = latency(graph, ring) + early * (steepness + 1.0)
            if found <= value[0] or uniform(random) < np.exp((value[0] - found) / heat):
                value[0], value[3] = found, early
                if early == 0 and found < value[1]:
                    _keep(walk, found)
                continue
            retrace(ring, trail)
        put_back(graph, ring, journal)
        for at in range(journal.size[0]):
            put_items_back(ring, journal.unit[at], period)


@borrowing
def _measure(graph: Graph, walk: RingWalk, period: int, steepness: float) -> None:
    """Compute all times anew, as the penalties have changed."""
    ring, value = walk.ring, walk.value
    ring.stale[:] = True
    value[3] += propagate(graph, ring, walk.trail, period, steepness, 0)
    value[0] = latency(graph, ring) + value[3] * (steepness + 1.0)
    if value[3] == 0 and value[0] < value[1]:
        _keep(walk, value[0])


@borrowing
def _keep(walk: RingWalk, found: float) -> None:
    walk.value[1] = found
    for node in range(len(walk.unit)):
        walk.start[node], walk.unit[node] = walk.ring.start[node], walk.ring.unit[node]


@inlined
def _first_stale(graph: Graph, ring: Ring, journal: Journal, period: int) -> int:
    """Mark the nodes that a move gave another offset or unit, and their readers; return the first of them."""
    nodes, unit, row, stale = len(ring.start), ring.unit, journal.row, ring.stale
    first = nodes
    for at in range(journal.size[2]):
        node = journal.pair[at]
        first = min(first, node)
        stale[node] = True
        spread(graph, ring, node)
    for at in range(journal.size[0]):
        home = journal.unit[at]
        first = min(first, lay_out(graph, ring, home, period))
        for place in range(journal.filled[at]):
            item = row[at, place]
            if item < nodes and unit[item] != home:
                first = min(first, item)
                stale[item] = True
                spread(graph, ring, item)
    return first


@inlined
def _move(
    graph: Graph,
    ring: Ring,
    journal: Journal,
    period: int,
    node: int,
    shares: FloatArray,
    random: RandomState,
) -> bool:
    dice = uniform(random)
    if dice < shares[0]:
        return swap_equals(graph, ring, journal, period, node, random)
    if dice < shares[1]:
        return swap_neighbours(ring, journal, node, random)
    if dice < shares[2]:
        return move_segment(graph, ring, journal, period, node, random)
    if dice < shares[3]:
        return rotate(ring, journal, period, node, random)
    if dice < shares[4]:
        return swap_within(ring, journal, node, random)
    if dice < shares[5]:
        return shift_idle(ring, journal, node, period, random)
    if dice < shares[6]:
        return swap_across(graph, ring, journal, period, node, random)
    return swap_segments(graph, ring, journal, period, node, random)
