"""Assignments that keep as many chain edges as possible within a unit, by an integer program over kinds of chains.

Chains of nodes of one class (each the only reader of the node before, and that the only one it reads) are cut into
pieces, each piece runs on one unit without a pause, and the pieces on a unit fill at most one period. Chains with the
same times are counted, not told apart.

Sets and variables: kinds s of chains, cuts c of each kind, piece lengths d, units p; z[s, c] chains of kind s are cut
by c, y[d, p] pieces of length d are on unit p.

    maximise  sum over s, c of (edges that c keeps) * z[s, c]
    sum over c of z[s, c] = (chains of kind s)                       for every s
    sum over p of y[d, p] = (pieces of length d that the cuts make)  for every d
    sum over d of d * y[d, p] <= period - (fixed work of p)          for every p
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mapopt.instance import Instance
from mapopt.search.small_models import solve_small
from mapopt.search.tables import Tables

LONGEST = 6
"""Nodes in a chain; longer ones are cut first, as the number of ways to cut doubles with every node."""

EFFORT = 4.0
"""Deterministic time of the integer program per class."""


@dataclass(frozen=True, slots=True)
class Fusion:
    """Units of all nodes, and the edges (producer, consumer) along which nodes are joined."""

    units: tuple[int, ...]
    edges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class _Cut:
    """One way to cut chains of one kind: pieces as positions, and the variable that counts such chains."""

    pieces: tuple[tuple[int, ...], ...]
    count: Any


def fuse(
    instance: Instance, tables: Tables, units: Sequence[int], movable: Sequence[bool], period: int, seed: int
) -> Fusion | None:
    """Reassign movable nodes within their class so that chains stay together.

    Parameters
    ----------
    units
        An assignment with loads within the period.

    Returns
    -------
    Fusion or None
        ``None`` if the integer program finds nothing in time.
    """
    chosen = list(units)
    edges: list[tuple[int, int]] = []
    random = np.random.default_rng(seed)
    for kind in range(len(instance.classes)):
        homes = [unit for unit in range(len(instance.units)) if instance.unit_class[unit] == kind]
        nodes = [node for node in instance.topological_order if units[node] in homes and movable[node]]
        if not nodes:
            continue
        fixed = dict.fromkeys(homes, 0)
        for node, unit in enumerate(units):
            if unit in fixed and not movable[node]:
                fixed[unit] += int(tables.duration[node, unit])
        ticks = {node: int(tables.duration[node, units[node]]) for node in nodes}
        rooms = {unit: period - work for unit, work in fixed.items()}
        found = _fuse_class(_chains(instance, nodes), ticks, rooms, period, random, seed)
        if found is None:
            return None
        for piece, unit in found:
            edges += itertools.pairwise(piece)
            for node in piece:
                chosen[node] = unit
    return Fusion(tuple(chosen), tuple(edges))


def _chains(instance: Instance, nodes: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the maximal chains among nodes, cut to the longest length allowed."""
    inside = set(nodes)
    after = {
        node: instance.successors[node][0]
        for node in nodes
        if len(instance.successors[node]) == 1
        and instance.successors[node][0] in inside
        and len(instance.predecessors[instance.successors[node][0]]) == 1
    }
    inner = set(after.values())
    chains = []
    for node in nodes:
        if node not in inner:
            chain = [node]
            while chain[-1] in after:
                chain.append(after[chain[-1]])
            chains += [tuple(chain[at : at + LONGEST]) for at in range(0, len(chain), LONGEST)]
    return chains


def _fuse_class(
    chains: Sequence[tuple[int, ...]],
    ticks: dict[int, int],
    rooms: dict[int, int],
    period: int,
    random: np.random.Generator,
    seed: int,
) -> list[tuple[tuple[int, ...], int]] | None:
    """Return the pieces of one class and the unit of each."""
    from ortools.sat.python import cp_model

    kinds: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
    for chain in chains:
        kinds.setdefault(tuple(ticks[node] for node in chain), []).append(chain)
    model = cp_model.CpModel()
    cuts: dict[tuple[int, ...], list[_Cut]] = {}
    made: dict[int, list[Any]] = {}
    kept = []
    for lengths, members in kinds.items():
        cuts[lengths] = []
        for pieces in _ways_to_cut(len(lengths)):
            sums = [sum(lengths[at] for at in piece) for piece in pieces]
            if max(sums) > period:
                continue
            count = model.new_int_var(0, len(members), "")
            cuts[lengths].append(_Cut(pieces, count))
            for length in sums:
                made.setdefault(length, []).append(count)
            kept.append((len(lengths) - len(pieces)) * count)
        model.add(sum(cut.count for cut in cuts[lengths]) == len(members))
    limit = sum(map(len, chains))
    on = {(length, unit): model.new_int_var(0, limit, "") for length in made for unit in rooms}
    for length, counts in made.items():
        model.add(sum(on[length, unit] for unit in rooms) == sum(counts))
    for unit, room in rooms.items():
        model.add(sum(length * on[length, unit] for length in made) <= room)
    model.maximize(sum(kept))
    solver = solve_small(model, seed=seed, effort=EFFORT)
    if solver is None:
        return None
    pool = {
        length: random.permutation(
            [unit for unit in rooms for _ in range(solver.value(on[length, unit]))]
        ).tolist()
        for length in made
    }
    found = []
    for lengths, members in kinds.items():
        shuffled = iter(random.permutation(len(members)).tolist())
        for cut in cuts[lengths]:
            for _ in range(solver.value(cut.count)):
                chain = members[next(shuffled)]
                for piece in cut.pieces:
                    unit = pool[sum(lengths[at] for at in piece)].pop()
                    found.append((tuple(chain[at] for at in piece), unit))
    return found


def _ways_to_cut(count: int) -> list[tuple[tuple[int, ...], ...]]:
    ways = []
    for cut in itertools.product((False, True), repeat=count - 1):
        pieces = [[0]]
        for at, here in enumerate(cut, start=1):
            if here:
                pieces.append([at])
            else:
                pieces[-1].append(at)
        ways.append(tuple(tuple(piece) for piece in pieces))
    return ways
