"""Random tiny instances for exact models: all transfer models, classes, side constraints, capacities and zero times."""

from __future__ import annotations

import random

from mapopt.instance import Instance, InstanceNode, InstanceTensor, NodeUnits, SideConstraints, Unit
from mapopt.solvers.model import PeriodRange
from tests.bounds.cases import assignments, loads
from tests.emulator.cases import MODELS, random_model

__all__ = ["MODELS", "least_period", "random_period", "tiny_instance"]


def tiny_instance(seed: int, kind: str | None = None, *, max_nodes: int = 5, max_units: int = 3) -> Instance:
    """An instance of up to ``max_nodes`` nodes on 2 to ``max_units`` units that has a mapping.

    ``kind`` is one of ``MODELS``; without it the seed decides. Times are short, and 0 now and then.
    """
    draw = random.Random(f"{seed} {kind}")
    kind = draw.choice(MODELS) if kind is None else kind
    while True:
        instance = _instance(draw, f"tiny {kind} {seed}", kind, max_nodes, max_units)
        if next(assignments(instance), None) is not None:
            return instance


def least_period(instance: Instance) -> int:
    """The smallest period of any mapping, by enumeration."""
    return max(1, min(max(loads(instance, units).values()) for units in assignments(instance)))


def random_period(seed: int, instance: Instance) -> PeriodRange:
    """A period near the smallest possible; now and then a range of some."""
    draw = random.Random(f"period {seed}")
    low = least_period(instance) + draw.choice([0, 0, 0, 1, 2, 4])
    return PeriodRange(low, low + draw.choice([0, 0, 0, 1, 2]))


def _instance(draw: random.Random, name: str, kind: str, max_nodes: int, max_units: int) -> Instance:
    nodes, units = draw.randint(2, max_nodes), draw.randint(2, max_units)
    classes = ("imc", "dpu")[: draw.randint(1, 2)]
    limited = draw.random() < 0.25
    alike = draw.random() < 0.4
    return Instance(
        name=name,
        classes=classes,
        units=tuple(
            Unit(
                f"u{number}",
                classes[0] if alike else draw.choice(classes),
                crossbars=draw.choice([None, draw.randint(1, 5)]) if limited else None,
                memory_bytes=draw.choice([None, draw.randint(3, 9)]) if limited else None,
            )
            for number in range(units)
        ),
        nodes=_nodes(draw, nodes, len(classes), limited),
        tensors=tuple(_tensors(draw, nodes, latest=2 if kind in ("host", "links") else 3)),
        transfer=random_model(draw, kind, units),
        side_constraints=_rules(draw, nodes, units) if draw.random() < 0.4 else SideConstraints(),
    )


def _nodes(draw: random.Random, count: int, width: int, limited: bool) -> tuple[InstanceNode, ...]:
    low, high = draw.choice([(0, 1), (0, 3), (1, 3), (1, 4)])
    return tuple(
        InstanceNode(
            f"n{number}",
            tuple(
                draw.randint(low, high) if kind == number % width or draw.random() < 0.7 else None
                for kind in range(width)
            ),
            crossbars=tuple(draw.randint(0, 2) for _ in range(width)) if limited else (),
            memory_bytes=draw.randint(0, 3) if limited else 0,
        )
        for number in range(count)
    )


def _tensors(draw: random.Random, nodes: int, latest: int) -> list[InstanceTensor]:
    """Tensors in mixed order; a node may write two, and two consumers may read one."""
    found = []
    for producer in range(nodes - 1):
        for number in range(draw.choice([0, 1, 1, 1, 2])):
            later = range(producer + 1, nodes)
            consumers = draw.sample(later, min(len(later), draw.choice([1, 1, 2, latest])))
            found.append(
                InstanceTensor(
                    f"t{producer}.{number}",
                    f"n{producer}",
                    tuple(f"n{each}" for each in consumers),
                    draw.choice([0, 1, 1, 2, 3]),
                )
            )
    draw.shuffle(found)
    return found


def _rules(draw: random.Random, nodes: int, units: int) -> SideConstraints:
    def node() -> str:
        return f"n{draw.randrange(nodes)}"

    def pair() -> tuple[str, ...]:
        return tuple(f"n{number}" for number in draw.sample(range(nodes), 2))

    return SideConstraints(
        pin=tuple(
            NodeUnits(
                node(), tuple(f"u{each}" for each in draw.sample(range(units), draw.randint(1, units - 1)))
            )
            for _ in range(draw.random() < 0.3)
        ),
        forbid=tuple(NodeUnits(node(), (f"u{draw.randrange(units)}",)) for _ in range(draw.random() < 0.3)),
        colocate=tuple(pair() for _ in range(draw.random() < 0.4)),
        separate=tuple(pair() for _ in range(draw.random() < 0.4)),
    )
