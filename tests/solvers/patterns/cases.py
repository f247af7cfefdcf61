"""Random instances whose period is a matter of packing: several classes, equal nodes and units, capacities, rules."""

from __future__ import annotations

import itertools
import random

from mapopt.instance import Instance, InstanceNode, NodeUnits, SideConstraints, Unit
from mapopt.placement.problem import Problem


def packing_instance(seed: int, *, max_nodes: int = 7, max_units: int = 4) -> Instance:
    """Up to ``max_nodes`` nodes of few kinds on 2 to ``max_units`` units; it may have no mapping."""
    draw = random.Random(seed)
    width, limited = draw.randint(1, 3), draw.random() < 0.6
    classes = tuple(f"c{number}" for number in range(width))
    scale = draw.choice([1, 1, 10, 100_003])
    kinds = [
        InstanceNode(
            "",
            tuple(
                draw.randint(0, 12) * scale if kind == 0 or draw.random() < 0.8 else None
                for kind in range(width)
            ),
            crossbars=tuple(draw.randint(0, 3) for _ in range(width)) if limited else (),
            memory_bytes=draw.randint(0, 3) if limited else 0,
        )
        for _ in range(draw.randint(1, 5))
    ]
    nodes = draw.randint(2, max_nodes)
    chosen = [draw.choice(kinds) for _ in range(nodes)]
    units = draw.randint(2, max_units)
    specs = [
        (
            draw.choice(classes),
            draw.choice([None, draw.randint(1, 6)]) if limited else None,
            draw.choice([None, draw.randint(2, 8)]) if limited else None,
        )
        for _ in range(draw.randint(1, units))
    ]
    names = [f"n{number}" for number in range(nodes)]
    return Instance(
        name=f"packing {seed}",
        classes=classes,
        units=tuple(Unit(f"u{number}", *draw.choice(specs)) for number in range(units)),
        nodes=tuple(
            InstanceNode(name, node.times, "", node.crossbars, node.memory_bytes)
            for name, node in zip(names, chosen, strict=True)
        ),
        side_constraints=_rules(draw, names, units) if draw.random() < 0.5 else SideConstraints(),
    )


def _rules(draw: random.Random, names: list[str], units: int) -> SideConstraints:
    def some() -> tuple[str, ...]:
        return tuple(f"u{unit}" for unit in sorted(draw.sample(range(units), draw.randint(1, units - 1))))

    return SideConstraints(
        pin=tuple(NodeUnits(draw.choice(names), some()) for _ in range(draw.randint(0, 2))),
        forbid=tuple(NodeUnits(draw.choice(names), some()[:1]) for _ in range(draw.randint(0, 2))),
        colocate=tuple(tuple(draw.sample(names, 2)) for _ in range(draw.randint(0, 1))),
    )


def machines(seed: int, jobs: int, units: int, low: int, high: int) -> str:
    """An R||Cmax file with times drawn uniformly."""
    draw = random.Random(seed)
    rows = [[draw.randint(low, high) for _ in range(units)] for _ in range(jobs)]
    return f"{jobs}\n{units}\n" + "\n".join("\t".join(map(str, row)) for row in rows)


def least_period(instance: Instance) -> int | None:
    """The smallest period of all assignments, by enumeration with plain integers; ``None`` if there is no mapping."""
    problem = Problem(instance)
    best: int | None = None
    for homes in itertools.product(*(sorted(units) for units in problem.allowed)):
        sums = [[0, 0, 0] for _ in instance.units]
        for group, unit in enumerate(homes):
            kind = problem.unit_class[unit]
            for each, take in enumerate(
                (problem.time[kind][group], problem.crossbars[kind][group], problem.memory_bytes[group])
            ):
                sums[unit][each] += take
        fits = all(
            (unit.crossbars is None or used[1] <= unit.crossbars)
            and (unit.memory_bytes is None or used[2] <= unit.memory_bytes)
            for unit, used in zip(instance.units, sums, strict=True)
        )
        period = max(used[0] for used in sums)
        if fits and (best is None or period < best):
            best = period
    return best
