"""Random layered graphs: nodes in layers, edges mostly from one layer to the next, as scheduling studies use them.

References
----------
T. Tobita, H. Kasahara, "A standard task graph set for fair evaluation of multiprocessor scheduling algorithms", Journal
of Scheduling 5, 2002 (its ``layrpred`` and ``layrprob`` graphs).
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log
from random import Random

from mapopt.errors import InputError
from mapopt.instance import Instance, InstanceNode, InstanceTensor
from mapopt.library.generators.parts import classes_of, one_of, share, transfer_model, units_of, whole

TIMES = ("uniform", "log-uniform", "few")

TRANSFERS = ("free", "delay", "blocking", "host", "links")

FEW = 5
"""Different times of the nodes of a class with ``times="few"``."""

MAX_NEED = 9
"""Largest number of crossbars of a node."""

MAX_NODES = 20_000


def generate(
    *,
    imcs: int = 4,
    dpus: int = 2,
    layers: int = 12,
    width: int = 4,
    edge_probability: float = 0.3,
    skip_probability: float = 0.02,
    dpu_share: float = 0.3,
    flexible: float = 0.0,
    slowdown: int = 8,
    times: str = "log-uniform",
    min_ticks: int = 10,
    max_ticks: int = 1000,
    transfer: str = "delay",
    max_bytes: int = 100,
    latency_ticks: int = 0,
    crossbar_slack: float | None = None,
    seed: int = 0,
) -> Instance:
    """Return a random layered instance.

    Parameters
    ----------
    imcs, dpus
        Units of each class; at least one of each, unless no node needs a dpu unit.
    layers, width
        So many layers of 1 to ``width`` nodes.
    edge_probability, skip_probability
        Of an edge between two nodes of consecutive layers, and of layers further apart. Every node reads from some
        node of the layer before its own.
    dpu_share
        Share of the nodes that only dpu units run; the others are imc nodes.
    flexible, slowdown
        Share of the imc nodes that dpu units run too, so many times slower.
    times
        One of :data:`TIMES`: uniform, uniform in the logarithm, or few different ones per class, as the repeated blocks
        of CNNs have.
    min_ticks, max_ticks
        Range of the times.
    transfer
        One of :data:`TRANSFERS`; a byte is sent in a tick, ``links`` are one full-duplex port per unit.
    max_bytes
        Tensors have 0 to this many bytes.
    latency_ticks
        Of a transfer, with ``links`` of each link.
    crossbar_slack
        Imc nodes need 1 to 9 crossbars, and every imc unit holds what some mapping needs at most on one, and this share
        more; ``None`` for no limit.
    seed
        Of everything random.

    Raises
    ------
    InputError
        If a parameter is out of range.

    Examples
    --------
    >>> len(generate(layers=5, width=1).nodes)
    5
    """
    one_of("times", times, TIMES)
    one_of("transfer", transfer, TRANSFERS)
    whole("imcs", imcs, 1, 1000)
    whole("dpus", dpus, 0, 1000)
    whole("layers", layers, 1, MAX_NODES)
    whole("width", width, 1, MAX_NODES // layers)
    share("edge_probability", edge_probability)
    share("skip_probability", skip_probability)
    share("dpu_share", dpu_share)
    share("flexible", flexible)
    whole("slowdown", slowdown, 1, 1000)
    whole("min_ticks", min_ticks, 0, 10**9)
    whole("max_ticks", max_ticks, max(1, min_ticks), 10**9)
    whole("max_bytes", max_bytes, 0, 10**9)
    whole("latency_ticks", latency_ticks, 0, 10**9)
    if crossbar_slack is not None:
        share("crossbar_slack", crossbar_slack, 0, 100)
    whole("seed", seed, 0, 2**63)
    if (dpu_share or flexible) and not dpus:
        raise InputError(
            f"parameter dpus: is 0 with dpu_share {dpu_share:g} and flexible {flexible:g}; "
            "make it at least 1, or both shares 0"
        )
    dice = Random(seed)
    layer_of = [layer for layer in range(layers) for _ in range(dice.randint(1, width))]
    count = len(layer_of)
    readers = _readers(dice, layer_of, edge_probability, skip_probability)
    draw = {digital: _times(dice, times, min_ticks, max_ticks) for digital in (False, True)}
    digital = [dice.random() < dpu_share for _ in range(count)]
    ticks = [draw[kind]() for kind in digital]
    also = [not kind and dice.random() < flexible for kind in digital]
    needs = [
        0 if crossbar_slack is None or kind else dice.randint(1, min(MAX_NEED, count)) for kind in digital
    ]
    room = None if crossbar_slack is None else int(_fullest(dice, needs, imcs) * (1 + crossbar_slack))
    classes, units = classes_of(imcs, dpus), units_of(imcs, dpus, room)
    return Instance(
        f"layered-{layers}x{width}-{imcs}-{dpus}-{transfer}-{seed}",
        classes=classes,
        units=units,
        nodes=tuple(
            InstanceNode(
                f"n{at}",
                times=(
                    None if digital[at] else ticks[at],
                    ticks[at] if digital[at] else slowdown * ticks[at] if also[at] else None,
                )[: len(classes)],
                crossbars=(needs[at], 0)[: len(classes)] if needs[at] else (),
            )
            for at in range(count)
        ),
        tensors=tuple(
            InstanceTensor(
                f"t{at}", f"n{at}", tuple(f"n{reader}" for reader in each), dice.randint(0, max_bytes)
            )
            for at, each in enumerate(readers)
            if each
        ),
        transfer=transfer_model(transfer, units, latency_ticks),
        source=f"mapopt.library.generators.layered: {times}, edges {edge_probability:g}, skips {skip_probability:g}",
    )


def _readers(dice: Random, layer_of: list[int], near: float, far: float) -> list[list[int]]:
    """Draw the edges; return the readers of each node, ascending."""
    readers: list[list[int]] = [[] for _ in layer_of]
    for node, layer in enumerate(layer_of):
        before = [
            other
            for other in range(node)
            if layer_of[other] < layer and dice.random() < (near if layer_of[other] == layer - 1 else far)
        ]
        if layer and not any(layer_of[other] == layer - 1 for other in before):
            before.append(dice.choice([other for other in range(node) if layer_of[other] == layer - 1]))
        for other in before:
            readers[other].append(node)
    return readers


def _times(dice: Random, kind: str, low: int, high: int) -> Callable[[], int]:
    """Return a drawer of times."""
    if kind == "uniform":
        return lambda: dice.randint(low, high)
    if kind == "log-uniform":
        span = log(max(1, low)), log(high)
        return lambda: max(low, min(high, round(exp(dice.uniform(*span)))))
    few = [_times(dice, "log-uniform", low, high)() for _ in range(FEW)]
    return lambda: dice.choice(few)


def _fullest(dice: Random, needs: list[int], units: int) -> int:
    """Spread the needs over the units at random, the largest first; return the most on one."""
    held = [0] * units
    for need in sorted(needs, reverse=True):
        least = min(held)
        held[dice.choice([unit for unit, most in enumerate(held) if most == least])] += need
    return max(held)
