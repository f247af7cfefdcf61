"""Compiling the searches before the clock runs: once after an installation, for a minute or two."""

from __future__ import annotations

from functools import cache

from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.search.annealing import annealed_cyclic, annealed_elastic, annealed_list, annealed_retimed
from mapopt.solvers.link_annealing import annealed_links
from mapopt.transfers import Blocking, Delay, Free, Host, Link, Links, TransferModel

TIMES = (3, 5, 3, 5, 6, 2)
"""Of the nodes of a chain, which fill two units in 12 ticks."""

PERIOD, ITERATIONS = 13, 2

BYTES_PER_S = 10**9


@cache
def compile_searches(kind: type[TransferModel]) -> None:
    """Run the searches for a transfer model for a moment, which compiles them unless they are in Numba's cache."""
    instance = _chain(_model(kind))
    annealed_list(instance, PERIOD, iterations=ITERATIONS)
    if kind in (Free, Delay):
        annealed_cyclic(instance, PERIOD, iterations=ITERATIONS)
        annealed_retimed(instance, PERIOD, iterations=ITERATIONS)
    if kind is Links:
        annealed_links(instance, PERIOD, iterations=ITERATIONS)
    if kind in (Free, Delay, Links):
        annealed_elastic(instance, PERIOD, iterations=ITERATIONS)


def _model(kind: type[TransferModel]) -> TransferModel:
    if kind is Links:
        links = tuple(Link(name, BYTES_PER_S) for name in ("u0.out", "u1.out", "u0.in", "u1.in"))
        return Links(links, egress=(("u0.out",), ("u1.out",)), ingress=(("u0.in",), ("u1.in",)))
    if kind is Blocking:
        return Blocking(BYTES_PER_S)
    if kind is Host:
        return Host(BYTES_PER_S)
    return Delay(BYTES_PER_S) if kind is Delay else Free()


def _chain(transfer: TransferModel) -> Instance:
    names = [f"n{number}" for number in range(len(TIMES))]
    return Instance(
        "chain",
        classes=("c",),
        units=(Unit("u0", "c"), Unit("u1", "c")),
        nodes=tuple(InstanceNode(name, (time,)) for name, time in zip(names, TIMES, strict=True)),
        tensors=tuple(
            InstanceTensor(f"t{number}", name, (names[number + 1],), 1)
            for number, name in enumerate(names[:-1])
        ),
        transfer=transfer,
    )
