"""The latencies that witnesses prove."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mapopt.bounds.witnesses import Path, Window
from mapopt.evidence.facts import NEVER, Facts, IntArray, RejectedError


def path(facts: Facts, witness: Path) -> int:
    """Return the least end of the last of some nodes, each after those of them before it."""
    nodes = set(facts.nodes(witness.nodes))
    until = _until(facts, nodes)
    return max(int(until[node].min()) for node in nodes)


def window(facts: Facts, witness: Window) -> int:
    """Return the mean load between the shortest way to the first node and that from the last."""
    units, nodes = facts.inside(witness)
    everything = set(range(len(facts.times)))
    before, after = _until(facts, everything), _after(facts, everything)
    start = min(int((before[node] - _duration(facts, node)).min()) for node in nodes)
    rest = min(int((after[node] - _duration(facts, node)).min()) for node in nodes)
    work = sum(facts.sizes(nodes, facts.charges(())))
    return start + -(-work // len(units)) + rest


def _duration(facts: Facts, node: int) -> IntArray:
    """Return the time of a node on each unit; 0 where it cannot run."""
    return np.array(
        [
            facts.times[node][kind] if unit in facts.allowed[node] else 0
            for unit, kind in enumerate(facts.unit_class)
        ],
        dtype=np.int64,
    )


def _until(facts: Facts, nodes: set[int]) -> dict[int, IntArray]:
    """Return for each node and unit the least end after those of ``nodes`` before it."""
    order = [node for node in facts.instance.topological_order if node in nodes]
    return _longest(facts, order, facts.instance.entering, outwards=False)


def _after(facts: Facts, nodes: set[int]) -> dict[int, IntArray]:
    """Return for each node and unit the least time from its start to the last output."""
    order = [node for node in reversed(facts.instance.topological_order) if node in nodes]
    return _longest(facts, order, facts.instance.leaving, outwards=True)


def _longest(
    facts: Facts, order: Sequence[int], neighbours: Sequence[Sequence[tuple[int, int]]], *, outwards: bool
) -> dict[int, IntArray]:
    found: dict[int, IntArray] = {}
    for node in order:
        ready = np.zeros(facts.n_units, np.int64)
        for other, tensor in neighbours[node]:
            if other in found:
                hop = facts.delay(facts.instance.tensors[tensor].size_bytes)
                hop = hop.T.copy() if outwards else hop.copy()
                if facts.apart(other, node):
                    np.fill_diagonal(hop, NEVER)
                ready = np.maximum(ready, (found[other][:, None] + hop).min(axis=0))
        ends = np.minimum(ready + _duration(facts, node), NEVER)
        ends[[unit for unit in range(facts.n_units) if unit not in facts.allowed[node]]] = NEVER
        if ends.min() >= NEVER:
            raise RejectedError("its paths are too long to be checked")
        found[node] = ends
    return found
