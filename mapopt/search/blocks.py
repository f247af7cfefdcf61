"""Blocks: chains of nodes that run on one unit without a pause, as single items of a cyclic sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mapopt.instance import Instance, IntArray
from mapopt.search.ring import BoolArray, FloatArray, Graph, Ring
from mapopt.search.ring_annealing import SHARES
from mapopt.search.tables import Tables

IDLE_ITEMS, FEWEST_IDLE = 30, 3
"""Idle items of a unit without work, and of any unit that is not full."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """The nodes of an instance in blocks, in topological order.

    Parameters
    ----------
    members
        The nodes of each block, one after the other.
    unit
        Of each block.
    timed
        Whether a block has a place in its unit's sequence.
    """

    members: tuple[tuple[int, ...], ...]
    unit: tuple[int, ...]
    timed: tuple[bool, ...]


def blocks_of(
    instance: Instance,
    units: Sequence[int],
    fused: Sequence[tuple[int, int]] = (),
    timed: Sequence[bool] = (),
) -> Blocks:
    """Join nodes to blocks.

    Parameters
    ----------
    fused
        Edges (producer, consumer) within a unit whose ends have no other reader or writer between them.
    timed
        Per unit; default is all.
    """
    after = dict(fused)
    inner = set(after.values())
    members: list[tuple[int, ...]] = []
    for node in instance.topological_order:
        if node not in inner:
            chain = [node]
            while chain[-1] in after:
                chain.append(after[chain[-1]])
            members.append(tuple(chain))
    order = _topological(instance, members)
    chains = tuple(members[at] for at in order)
    homes = tuple(units[chain[0]] for chain in chains)
    return Blocks(chains, homes, tuple(not timed or timed[home] for home in homes))


def _topological(instance: Instance, members: Sequence[Sequence[int]]) -> list[int]:
    """Order blocks so that all edges between them lead ahead, by their first nodes where there is a choice."""
    block = {node: number for number, chain in enumerate(members) for node in chain}
    before: list[set[int]] = [set() for _ in members]
    for producer, consumer, _ in instance.edges:
        if block[producer] != block[consumer]:
            before[block[consumer]].add(block[producer])
    done: list[int] = []
    placed = [False] * len(members)

    def place(number: int) -> None:
        stack = [number]
        while stack:
            missing = [other for other in sorted(before[stack[-1]]) if not placed[other]]
            if missing:
                stack.append(missing[0])
            else:
                top = stack.pop()
                if not placed[top]:
                    placed[top] = True
                    done.append(top)

    for number in range(len(members)):
        place(number)
    return done


def graph_of(
    instance: Instance, tables: Tables, blocks: Blocks, movable: Sequence[bool], period: int
) -> tuple[Graph, IntArray, Blocks]:
    """Return a graph of blocks, their lengths, and which they are.

    Blocks without a place between two others only delay: edges past them say the same with fewer nodes.

    Parameters
    ----------
    movable
        Per node: whether it may run on any unit of the class of its unit.
    """
    lags = lags_of(instance, tables, blocks)
    kept = _without_passages(blocks, lags)
    number = {old: new for new, old in enumerate(kept)}
    entering: list[list[tuple[int, int, int]]] = [[] for _ in kept]
    for one, other in sorted(lags):
        entering[number[other]].append((number[one], *lags[one, other]))
    edges = [(one, other) for other, row in enumerate(entering) for one, _, _ in row]
    leaving: list[list[tuple[int, int]]] = [[] for _ in kept]
    for link, (one, other) in enumerate(edges):
        leaving[one].append((other, link))
    blocks = Blocks(
        tuple(blocks.members[old] for old in kept),
        tuple(blocks.unit[old] for old in kept),
        tuple(blocks.timed[old] for old in kept),
    )
    length = np.zeros(len(kept), dtype=np.int64)
    need = np.zeros((len(kept), 2), dtype=np.int64)
    free = np.ones(len(kept), dtype=np.bool_)
    for block, (chain, unit) in enumerate(zip(blocks.members, blocks.unit, strict=True)):
        for node in chain:
            length[block] += tables.duration[node, unit]
            free[block] &= movable[node]
            need[block] += tables.need[tables.group[node], unit]
    ticks = np.array([edge for row in entering for edge in row], dtype=np.int64).reshape(-1, 3)
    exits = np.array([edge for row in leaving for edge in row], dtype=np.int64).reshape(-1, 2)
    peers = _peers(instance, blocks, length, free)
    kin = _kin(instance)
    graph = Graph(
        entering_offset=_offsets(entering),
        entering=ticks[:, 0].copy(),
        apart=ticks[:, 1].copy(),
        together=ticks[:, 2].copy(),
        apart_phase=ticks[:, 1] % period,
        together_phase=ticks[:, 2] % period,
        leaving_offset=_offsets(leaving),
        leaving=exits[:, 0].copy(),
        link=exits[:, 1].copy(),
        timed=np.array(blocks.timed, dtype=np.bool_),
        movable=free,
        peer_offset=_offsets(peers),
        peer=np.array([peer for row in peers for peer in row], dtype=np.int64),
        kin_offset=_offsets(kin),
        kin=np.array([unit for row in kin for unit in row], dtype=np.int64),
        need=need,
        capacity=tables.capacity,
        source=np.array([block for block, row in enumerate(entering) if not row], dtype=np.int64),
        sink=np.array([block for block, row in enumerate(leaving) if not row], dtype=np.int64),
    )
    return graph, length, blocks


Places = dict[int, tuple[int, int]]
"""Unit and start of blocks, by their first nodes."""


def expand(instance: Instance, tables: Tables, blocks: Blocks, placed: Places) -> tuple[IntArray, IntArray]:
    """Return the units and the starts of all nodes; the first start is 0.

    Parameters
    ----------
    placed
        Where blocks are; others keep their unit and start when their data are there.
    """
    units = np.zeros(len(instance.nodes), dtype=np.int64)
    times = np.zeros(len(instance.nodes), dtype=np.int64)
    ready = [0] * len(blocks.members)
    leaving: list[list[tuple[int, int]]] = [[] for _ in blocks.members]
    for (one, other), (apart, _) in lags_of(instance, tables, blocks).items():
        leaving[one].append((other, apart))
    for number, chain in enumerate(blocks.members):
        unit, start = placed.get(chain[0], (blocks.unit[number], ready[number]))
        for other, apart in leaving[number]:
            ready[other] = max(ready[other], start + apart)
        for node in chain:
            units[node], times[node] = unit, start
            start += int(tables.duration[node, unit])
    return units, times - times.min()


Lags = dict[tuple[int, int], tuple[int, int]]
"""By edge (producer, consumer): ticks from start to start on different units, and on the same."""


def lags_of(instance: Instance, tables: Tables, blocks: Blocks) -> Lags:
    """Return the edges between blocks; of several between the same two, what all of them ask for."""
    block, within = [0] * len(instance.nodes), [0] * len(instance.nodes)
    after = [0] * len(instance.nodes)
    for number, (chain, unit) in enumerate(zip(blocks.members, blocks.unit, strict=True)):
        at = 0
        for node in chain:
            block[node], within[node] = number, at
            at += int(tables.duration[node, unit])
            after[node] = at
    lags: Lags = {}
    for producer, consumer, tensor in instance.edges:
        if block[producer] != block[consumer]:
            lag = after[producer] - within[consumer]
            _demand(lags, (block[producer], block[consumer]), (lag + int(tables.once[tensor]), lag))
    return lags


def _demand(lags: Lags, edge: tuple[int, int], ticks: tuple[int, int]) -> None:
    known = lags.get(edge, ticks)
    lags[edge] = max(known[0], ticks[0]), max(known[1], ticks[1])


def _without_passages(blocks: Blocks, lags: Lags) -> list[int]:
    """Replace blocks without a place by edges from those before to those after, where that makes no more edges."""
    before: list[dict[int, None]] = [{} for _ in blocks.members]
    behind: list[dict[int, None]] = [{} for _ in blocks.members]
    for one, other in lags:
        before[other][one] = behind[one][other] = None
    kept = []
    for number, timed in enumerate(blocks.timed):
        sources, targets = before[number], behind[number]
        if timed or not sources or not targets or (len(sources) - 1) * (len(targets) - 1) > 1:
            kept.append(number)
            continue
        for source in sources:
            del behind[source][number]
            first = lags.pop((source, number))[0]
            for target in targets:
                ticks = first + lags[number, target][0]
                _demand(lags, (source, target), (ticks, ticks))
                before[target][source] = behind[source][target] = None
        for target in targets:
            del before[target][number]
            del lags[number, target]
    return kept


def _offsets(rows: Sequence[Sequence[object]]) -> IntArray:
    return np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)


def _peers(instance: Instance, blocks: Blocks, length: IntArray, free: BoolArray) -> list[list[int]]:
    """Return the timed blocks of the same length that each may change places with."""
    alike: dict[tuple[int, int, bool], list[int]] = {}
    keys = []
    for number, unit in enumerate(blocks.unit):
        where = int(instance.unit_class[unit]) if free[number] else unit
        keys.append((int(length[number]), where, bool(free[number])))
        if blocks.timed[number]:
            alike.setdefault(keys[-1], []).append(number)
    return [
        [other for other in alike.get(key, ()) if other != number] if blocks.timed[number] else []
        for number, key in enumerate(keys)
    ]


def _kin(instance: Instance) -> list[list[int]]:
    kinds = instance.unit_class.tolist()
    return [
        [other for other in range(len(kinds)) if other != unit and kinds[other] == kinds[unit]]
        for unit in range(len(kinds))
    ]


def ring_of(
    graph: Graph, blocks: Blocks, length: IntArray, period: int, offset: IntArray, *, exact: bool
) -> Ring:
    """Make the sequences.

    Parameters
    ----------
    offset
        Of each block; the sequences are in this order.
    exact
        Whether the offsets leave room for every block, and are to be kept; else idle time is spread evenly.
    """
    nodes, units = len(length), len(graph.capacity)
    rows: list[list[int]] = [[] for _ in range(units)]
    base = np.zeros(units, dtype=np.int64)
    lengths = length.tolist()
    home = list(blocks.unit)
    used = np.zeros((units, 2), dtype=np.int64)
    for number, unit in enumerate(blocks.unit):
        used[unit] += graph.need[number]
    for unit in range(units):
        mine = [number for number in range(nodes) if home[number] == unit and blocks.timed[number]]
        mine.sort(key=lambda number: (int(offset[number]), lengths[number] > 0, number))
        slack = period - sum(lengths[number] for number in mine)
        wished = 0 if slack == 0 else max(FEWEST_IDLE, min(20, slack * IDLE_ITEMS // period + FEWEST_IDLE))
        if exact and mine:
            base[unit] = offset[mine[0]]
            ahead = [*(int(offset[number]) for number in mine[1:]), int(offset[mine[0]]) + period]
            gaps = [
                until - int(offset[number]) - lengths[number]
                for number, until in zip(mine, ahead, strict=True)
            ]
        else:
            share = [slack * at // wished for at in range(wished + 1)] if wished else [0]
            gaps = [0] * len(mine)
            for at in range(wished):
                if mine:
                    gaps[at * len(mine) // wished] += share[at + 1] - share[at]
        for number, gap in zip(mine, gaps, strict=True):
            rows[unit].append(number)
            if gap > 0:
                rows[unit].append(len(lengths))
                lengths.append(gap)
                home.append(unit)
        while mine and sum(item >= nodes for item in rows[unit]) < wished:
            rows[unit].append(len(lengths))
            lengths.append(0)
            home.append(unit)
    items = len(lengths)
    row = np.zeros((units, items), dtype=np.int64)
    for unit, mine in enumerate(rows):
        row[unit, : len(mine)] = mine
    homes = np.array(home, dtype=np.int64)
    # Blocks without a place in a sequence are on no unit: every tensor to or from them travels.
    homes[:nodes][~graph.timed] = units + np.flatnonzero(~graph.timed)
    ring = Ring(
        length=np.array(lengths, dtype=np.int64),
        unit=homes,
        offset=np.zeros(items, dtype=np.int64),
        place=np.zeros(items, dtype=np.int64),
        row=row,
        filled=np.array([len(mine) for mine in rows], dtype=np.int64),
        base=base,
        used=used,
        start=np.zeros(nodes, dtype=np.int64),
        ready=np.zeros(nodes, dtype=np.int64),
        early=np.zeros(nodes, dtype=np.int64),
        stale=np.ones(nodes, dtype=np.bool_),
    )
    for unit in range(units):
        at = int(base[unit])
        for place, item in enumerate(rows[unit]):
            ring.place[item], ring.offset[item] = place, at
            at = (at + lengths[item]) % period
    return ring


def move_shares(graph: Graph, ring: Ring) -> FloatArray:
    """Return running sums of how often each kind of move is drawn; kinds that cannot do anything are left out."""
    shares = SHARES.copy()
    with_peers = np.diff(graph.peer_offset)[graph.timed] > 0
    shares[0] *= 1.0 if with_peers.mean() > 0.3 else with_peers.mean()
    if len(ring.length) == len(ring.start):
        shares[5] = 0.0
    if not graph.movable.any() or len(graph.kin) == 0:
        shares[6:] = 0.0
    running: FloatArray = np.cumsum(shares / shares.sum())
    running[-1] = 1.0
    return running
