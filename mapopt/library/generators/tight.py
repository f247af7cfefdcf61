"""Tight instances: one class of units has almost no idle time at the least period, and the graph is nearly a chain.

The imc units are cut into times that fill them, so that a perfect packing exists; times are drawn again until
longest-time-first and LBLP both miss it, unless that is not asked for. Then all nodes are put into a random order, and
each reads from the one before, but for a few that stand beside it. Imc nodes run on imc units only.

*Proof of the period T.* At load 1 the times of the imc nodes add up to (units x T). At a lower load one node alone
takes T ticks.
"""

from __future__ import annotations

from itertools import pairwise
from random import Random

from mapopt.emulator.analysis import max_load
from mapopt.emulator.lower import lower
from mapopt.emulator.schedule import schedule
from mapopt.errors import InputError
from mapopt.instance import Instance, InstanceNode, InstanceTensor
from mapopt.library.generators.parts import classes_of, one_of, share, transfer_model, units_of, whole
from mapopt.library.generators.planted import Planted
from mapopt.mappers.registry import get
from mapopt.mapping import Mapping

TRANSFERS = ("free", "delay")

MISSED_BY = ("lpt", "lblp")
"""Mappers that do not find the packing."""

DRAWS = 100
"""How often times are drawn again."""

MAX_NODES = 5000


def generate(
    *,
    imcs: int = 4,
    dpus: int = 1,
    nodes_per_unit: int = 5,
    period_ticks: int = 1000,
    load: float = 1.0,
    dpu_load: float = 0.5,
    branch: float = 0.1,
    transfer: str = "delay",
    send_ticks: int = 50,
    latency_ticks: int = 0,
    missed: bool = True,
    seed: int = 0,
) -> Planted:
    """Return an instance with a known least period, by default one that longest-time-first and LBLP miss.

    Parameters
    ----------
    imcs
        Units of the tight class, at least 2; at least 3 with a load below 1.
    dpus
        Units of the other class; may be 0.
    nodes_per_unit
        Nodes on each unit, at least 3, for fewer are packed well by decreasing time.
    period_ticks
        The least period T, at least 10 ticks per node of a unit.
    load
        Share of (imc units x T) that the imc nodes take, 0.9 to 1.
    dpu_load
        The same for dpu units, 0 to 0.9.
    branch
        Probability that a node stands beside the one before it in the chain.
    transfer
        One of :data:`TRANSFERS`.
    send_ticks
        A tensor is sent in 1 to this many ticks.
    latency_ticks
        Of a transfer.
    missed
        Whether longest-time-first and LBLP have to miss the packing; without, any draw will do, also of many short
        times, where only the latency is hard.
    seed
        Of everything random.

    Raises
    ------
    InputError
        If a parameter is out of range, or longest-time-first and LBLP find all packings that were drawn.

    Examples
    --------
    >>> planted = generate(load=0.99, seed=3)
    >>> planted.period_ticks, planted.mapping.claims.period_ticks
    (1000, '1000')
    """
    one_of("transfer", transfer, TRANSFERS)
    share("load", load, 0.9, 1.0)
    whole("imcs", imcs, 2 if load == 1 else 3, 1000)
    whole("dpus", dpus, 0, 1000)
    whole("nodes_per_unit", nodes_per_unit, 3, MAX_NODES // (imcs + dpus))
    whole("period_ticks", period_ticks, 10 * nodes_per_unit, 10**9)
    share("dpu_load", dpu_load, 0.0, 0.9)
    share("branch", branch)
    whole("send_ticks", send_ticks, 1, 10**9)
    whole("latency_ticks", latency_ticks, 0, 10**9)
    whole("seed", seed, 0, 2**63)
    units = units_of(imcs, dpus)
    dice = Random(seed)
    for _ in range(DRAWS):
        packing = [
            *_packing(dice, imcs, nodes_per_unit, period_ticks, load),
            *(_cut(dice, nodes_per_unit, round(dpu_load * period_ticks)) for _ in range(dpus)),
        ]
        placed = [(ticks, unit) for unit, times in enumerate(packing) for ticks in times]
        dice.shuffle(placed)
        instance = Instance(
            f"tight-{imcs}-{dpus}-{nodes_per_unit}-{load:g}-{transfer}-{seed}",
            classes=classes_of(imcs, dpus),
            units=units,
            nodes=tuple(
                InstanceNode(f"n{at}", ((ticks, None) if unit < imcs else (None, ticks))[: 2 if dpus else 1])
                for at, (ticks, unit) in enumerate(placed)
            ),
            tensors=tuple(
                InstanceTensor(
                    f"t{at}", f"n{at}", tuple(f"n{reader}" for reader in each), dice.randint(1, send_ticks)
                )
                for at, each in enumerate(_readers(dice, len(placed), branch))
                if each
            ),
            transfer=transfer_model(transfer, units, latency_ticks),
            source=f"mapopt.library.generators.tight: load {load:g}, branches {branch:g}",
        )
        if not missed or all(_load(instance, mapper) > period_ticks for mapper in MISSED_BY):
            mapping = schedule(instance, Mapping.of(instance, [unit for _, unit in placed]))
            return Planted(instance, mapping, period_ticks, None)
    raise InputError(
        f"parameter nodes_per_unit: is {nodes_per_unit}, and {' or '.join(MISSED_BY)} packed {DRAWS} draws of times "
        "perfectly; use fewer nodes per unit, more ticks per period, a load closer to 1, or missed=False"
    )


def _packing(dice: Random, units: int, per_unit: int, period: int, load: float) -> list[list[int]]:
    """Return the times on each unit: all full, or the first full with one node and idle time on the others."""
    idle = units * period - round(load * units * period)
    if not idle:
        return [_cut(dice, per_unit, period) for _ in range(units)]
    others = units - 1
    return [
        [period],
        *(_cut(dice, per_unit, period - idle // others - (unit < idle % others)) for unit in range(others)),
    ]


def _cut(dice: Random, pieces: int, ticks: int) -> list[int]:
    """Cut a time into pieces, the longest about three times the shortest; pieces without time are left out."""
    weights = [dice.randint(50, 150) for _ in range(pieces)]
    whole_weight, marks = sum(weights), [0]
    for weight in weights:
        marks.append(marks[-1] + weight)
    ends = [mark * ticks // whole_weight for mark in marks]
    return [end - start for start, end in pairwise(ends) if end > start]


def _readers(dice: Random, count: int, branch: float) -> list[list[int]]:
    """Return the readers of each node of a chain in which some nodes stand beside the one before."""
    readers: list[list[int]] = [[] for _ in range(count)]
    ends = [0]
    before = [0]
    for node in range(1, count):
        if len(ends) == 1 and node > 1 and dice.random() < branch:
            ends.append(node)
            sources = before
        else:
            sources, before, ends = ends, ends, [node]
        for source in sources:
            readers[source].append(node)
    return readers


def _load(instance: Instance, mapper: str) -> int:
    return int(max_load(lower(instance, get(mapper).map(instance))).ticks)
