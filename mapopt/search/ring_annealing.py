"""Annealing of cyclic sequences, compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mapopt.emulator.jit import compiled, inlined
from mapopt.instance import IntArray
from mapopt.search.random_numbers import RandomState, below, uniform
from mapopt.search.ring import FloatArray, Graph, Ring, latency, lay_out, propagate
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
        iterations done.
    start, unit
        Shape (nodes,): the schedule of least latency.
    old_start, old_ready, old_penalty
        The sequences' times before the move that is tried.
    """

    ring: Ring
    journal: Journal
    value: FloatArray
    start: IntArray
    unit: IntArray
    old_start: IntArray
    old_ready: IntArray
    old_penalty: FloatArray


def ring_walk_of(ring: Ring) -> RingWalk:
    """Return an annealing before its first iteration."""
    nodes = len(ring.start)
    return RingWalk(
        ring=ring,
        journal=journal_of(ring),
        value=np.array([np.inf, np.inf, 0.0]),
        start=ring.start.copy(),
        unit=ring.unit[:nodes].copy(),
        old_start=ring.start.copy(),
        old_ready=ring.ready.copy(),
        old_penalty=ring.penalty.copy(),
    )


@compiled
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
    ring, journal, value = walk.ring, walk.journal, walk.value
    start, ready, penalty = ring.start, ring.ready, ring.penalty
    old_start, old_ready, old_penalty = walk.old_start, walk.old_ready, walk.old_penalty
    nodes = len(start)
    heat, steepness = 1.0, 1.0
    begun = int(value[2])
    for number in range(begun, until):
        if number == begun or number % STEP == 0:
            share = number / cooling.iterations
            heat = cooling.first_heat * (cooling.last_heat / cooling.first_heat) ** share
            if share < cooling.smooth:
                slope = cooling.last_steepness / cooling.first_steepness
                steepness = cooling.first_steepness * slope ** (share / cooling.smooth)
            else:
                steepness = 1e12
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
        first = nodes
        if journal.size[2] > 0:
            first = min(journal.pair[0], journal.pair[1])
        for at in range(journal.size[0]):
            first = min(first, lay_out(ring, journal.unit[at], period, nodes))
        if changed:
            first = _first_rehoused(ring, journal, first)
            propagate(graph, ring, period, steepness, first)
            found = latency(graph, ring) + penalty[nodes]
            if found <= value[0] or uniform(random) < np.exp((value[0] - found) / heat):
                value[0] = found
                for at in range(first, nodes):
                    old_start[at], old_ready[at] = start[at], ready[at]
                    old_penalty[at + 1] = penalty[at + 1]
                if penalty[nodes] == 0.0 and found < value[1]:
                    _keep(walk, found)
                continue
        put_back(graph, ring, journal)
        for at in range(journal.size[0]):
            lay_out(ring, journal.unit[at], period, nodes)
        for at in range(first, nodes):
            start[at], ready[at] = old_start[at], old_ready[at]
            penalty[at + 1] = old_penalty[at + 1]
            if not graph.timed[at]:
                ring.offset[at] = start[at] % period


@compiled
def _measure(graph: Graph, walk: RingWalk, period: int, steepness: float) -> None:
    """Compute all times anew, as the penalties have changed."""
    ring = walk.ring
    propagate(graph, ring, period, steepness, 0)
    walk.old_start[:], walk.old_ready[:] = ring.start, ring.ready
    walk.old_penalty[:] = ring.penalty
    penalty = ring.penalty[len(ring.start)]
    walk.value[0] = latency(graph, ring) + penalty
    if penalty == 0.0 and walk.value[0] < walk.value[1]:
        _keep(walk, walk.value[0])


@compiled
def _keep(walk: RingWalk, found: float) -> None:
    walk.value[1] = found
    walk.start[:] = walk.ring.start
    for node in range(len(walk.unit)):
        walk.unit[node] = walk.ring.unit[node]


@inlined
def _first_rehoused(ring: Ring, journal: Journal, first: int) -> int:
    """Return the least of ``first`` and the nodes that were on a unit noted and are no longer."""
    nodes = len(ring.start)
    for at in range(journal.size[0]):
        row, unit, home = journal.row, ring.unit, journal.unit[at]
        for place in range(journal.filled[at]):
            item = row[at, place]
            if item < nodes and unit[item] != home:
                first = min(first, item)
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
