"""Time of LBLP with default options on large graphs, reading the instance and importing excluded.

    python -m benchmarks.mappers.lblp_scaling [--repeat 3]

Two families: a chain of residual and inception blocks as in CNNs, and a random layered graph. The time is that of
``Mapper.map``: from the instance object to the mapping object.
"""

from __future__ import annotations

import argparse
import random
import time

from benchmarks.tables import heading, table
from mapopt.costs import build_instance
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.mappers import registry
from mapopt.network.library import load_network
from mapopt.platform.library import load_platform


def block_graph(count: int) -> list[tuple[int, ...]]:
    """Producers of each node of a chain of blocks with 1 to 4 branches of 1 to 3 nodes that join in one node."""
    draw = random.Random(1)
    producers: list[tuple[int, ...]] = [()]
    while len(producers) < count:
        fork, ends = len(producers) - 1, []
        for _ in range(draw.randint(1, 4)):
            before = fork
            for _ in range(draw.randint(1, 3)):
                producers.append((before,))
                before = len(producers) - 1
            ends.append(before)
        producers.append((*ends, fork) if draw.random() < 0.5 else tuple(ends))
    return producers[:count]


def layered_graph(count: int, width: int = 500) -> list[tuple[int, ...]]:
    """Producers of each node of a random graph in layers: 1 to 3 nodes of the layer before."""
    draw = random.Random(2)
    return [
        ()
        if node < width
        else tuple(
            sorted({(node // width - 1) * width + draw.randrange(width) for _ in range(draw.randint(1, 3))})
        )
        for node in range(count)
    ]


def instance_of(name: str, producers: list[tuple[int, ...]], units: int) -> Instance:
    """Give the nodes times of 1,000 to 100,000 ticks, 80% on ``imc`` and 20% on ``dpu`` units."""
    draw = random.Random(3)
    readers: list[list[int]] = [[] for _ in producers]
    for node, before in enumerate(producers):
        for producer in before:
            readers[producer].append(node)
    digital = units // 5
    return Instance(
        name=name,
        classes=("imc", "dpu"),
        units=tuple(Unit(f"u{number}", "dpu" if number < digital else "imc") for number in range(units)),
        nodes=tuple(
            InstanceNode(
                f"n{node}",
                times=(draw.randint(1000, 100_000), None)
                if draw.random() < 0.8
                else (None, draw.randint(1000, 20_000)),
            )
            for node in range(len(producers))
        ),
        tensors=tuple(
            InstanceTensor(f"t{node}", f"n{node}", tuple(f"n{reader}" for reader in found), 1000)
            for node, found in enumerate(readers)
            if found
        ),
    )


def seconds(instance: Instance, repeat: int) -> float:
    """Least time of several runs."""
    mapper = registry.get("lblp")
    best = float("inf")
    for _ in range(repeat):
        start = time.perf_counter()
        mapper.map(instance)
        best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    cases = [
        ("resnet50, imce 8+2", build_instance(load_network("resnet50"), load_platform("imce:imc=8,dpu=2")))
    ]
    for count, units in ((10_000, 100), (100_000, 100), (100_000, 1000)):
        cases.append((f"blocks {count:,} x {units}", instance_of("blocks", block_graph(count), units)))
        cases.append((f"layers {count:,} x {units}", instance_of("layers", layered_graph(count), units)))
    heading(
        "LBLP with default options",
        "Seconds from the instance object to the mapping object, least of several runs; limits: 2 s for 100,000 nodes "
        "on 1,000 units, 10 ms for ResNet-50.",
    )
    table(
        ("instance", "seconds"),
        ((name, f"{seconds(instance, arguments.repeat):.4f}") for name, instance in cases),
    )


if __name__ == "__main__":
    main()
