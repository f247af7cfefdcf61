import numpy as np

from mapopt.placement.problem import Problem
from mapopt.search.blocks import blocks_of, graph_of, move_shares, ring_of
from mapopt.search.random_numbers import random_state
from mapopt.search.ring import latency
from mapopt.search.ring_annealing import Cooling, _measure, anneal_ring, ring_walk_of
from mapopt.search.tables import tables_of
from tests.search.test_cyclic_search import chain

PERIOD, MOVES = 18, 400


def test_times_kept_from_move_to_move_are_those_computed_anew() -> None:
    """Also where moves are refused, and nodes start too early for a penalty."""
    instance = chain([5, 3, 4, 6, 2, 4, 3, 1, 2, 5], 2)
    problem = Problem(instance)
    tables = tables_of(problem)
    blocks = blocks_of(instance, [0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    graph, length, _ = graph_of(instance, tables, blocks, [True] * 10, PERIOD)
    ring = ring_of(graph, blocks, length, PERIOD, np.zeros(10, dtype=np.int64), exact=False)
    walk = ring_walk_of(ring)
    cooling, random = Cooling(MOVES, 5.0, 0.5, 2.0, 2.0, 1.0), random_state(7)
    shares, timed = move_shares(graph, ring), np.arange(10)
    early = 0
    for until in range(1, MOVES):
        anneal_ring(graph, walk, PERIOD, cooling, until, 0, timed, shares, random)
        kept = [each.copy() for each in (ring.start, ring.ready, ring.early, ring.offset, walk.value)]
        early += bool(ring.early.any())
        _measure(graph, walk, PERIOD, 2.0)
        for before, after in zip(
            kept, (ring.start, ring.ready, ring.early, ring.offset, walk.value), strict=True
        ):
            assert (before == after).all(), until
        assert walk.value[0] == latency(graph, ring) + 3.0 * ring.early.sum()
    assert 0 < early < MOVES - 1
