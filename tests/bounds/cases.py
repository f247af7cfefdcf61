"""Random tiny instances and a brute-force oracle that shares no code with mapopt.mappers or mapopt.bounds."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

from mapopt.instance import Instance, InstanceNode, InstanceTensor, NodeUnits, SideConstraints, Unit
from mapopt.transfers import Blocking, Delay, Free, Host, Link, Links, Route, TransferModel

RATE = 10**9
"""One byte per tick of 1 ns."""


def random_instance(seed: int, *, max_nodes: int = 6, constrained: bool = True) -> Instance:
    """Up to ``max_nodes`` nodes on up to 4 units of up to 3 classes; it may have no mapping."""
    draw = random.Random(seed)
    count = draw.randint(1, max_nodes)
    classes = ("imc", "dpu", "cpu")[: draw.randint(1, 3)]
    kinds = list(classes) + [draw.choice(classes) for _ in range(draw.randint(0, 4 - len(classes)))]
    limited = constrained and draw.random() < 0.4
    units = tuple(
        Unit(
            f"u{number}",
            kind,
            crossbars=draw.choice([None, draw.randint(2, 6)]) if limited else None,
            memory_bytes=draw.choice([None, draw.randint(10, 30)]) if limited else None,
        )
        for number, kind in enumerate(kinds)
    )
    nodes = tuple(_node(draw, number, len(classes), limited) for number in range(count))
    tensors = tuple(
        InstanceTensor(f"t{number}", f"n{number}", readers, draw.randint(0, 12))
        for number in range(count)
        for readers in [tuple(f"n{other}" for other in range(number + 1, count) if draw.random() < 0.4)]
        if readers
    )
    return Instance(
        name=f"case {seed}",
        classes=classes,
        units=units,
        nodes=nodes,
        tensors=tensors,
        transfer=_transfer(draw, units),
        side_constraints=_rules(draw, count, len(units)) if constrained else SideConstraints(),
    )


def _node(draw: random.Random, number: int, width: int, limited: bool) -> InstanceNode:
    times = [draw.randint(0, 20) if draw.random() < 0.6 else None for _ in range(width)]
    times[draw.randrange(width)] = draw.randint(1, 20)
    return InstanceNode(
        f"n{number}",
        tuple(times),
        crossbars=tuple(draw.randint(0, 3) for _ in range(width)) if limited else (),
        memory_bytes=draw.randint(0, 10) if limited else 0,
    )


def _transfer(draw: random.Random, units: tuple[Unit, ...]) -> TransferModel:
    kind = draw.randrange(6)
    if kind == 0:
        return Free()
    if kind == 1:
        return Delay(RATE, draw.randint(0, 3))
    if kind == 2:
        return Blocking(RATE, draw.randint(0, 3))
    if kind == 3:
        hosts = tuple(unit.name for unit in units if draw.random() < 0.3)
        return Host(RATE, draw.randint(0, 3), hosts)
    if kind == 4:
        links = tuple(
            Link(f"{unit.name}.{way}", RATE, draw.randint(0, 2)) for unit in units for way in ("out", "in")
        )
        routes: tuple[Route, ...] = ()
        if len(units) > 1 and draw.random() < 0.5:
            routes = (Route(units[0].name, units[1].name, (f"{units[0].name}.out",)),)
        return Links(
            links,
            egress=tuple((f"{unit.name}.out",) for unit in units),
            ingress=tuple((f"{unit.name}.in",) for unit in units),
            routes=routes,
        )
    return Links(
        (Link("bus", RATE * draw.randint(1, 2)),),
        egress=tuple(("bus",) for _ in units),
        ingress=tuple(() for _ in units),
    )


def _rules(draw: random.Random, nodes: int, units: int) -> SideConstraints:
    def some_units() -> tuple[str, ...]:
        return tuple(f"u{number}" for number in sorted(draw.sample(range(units), draw.randint(1, units))))

    def some_nodes() -> tuple[str, ...]:
        return tuple(f"n{number}" for number in draw.sample(range(nodes), 2))

    return SideConstraints(
        pin=tuple(NodeUnits(f"n{draw.randrange(nodes)}", some_units()) for _ in range(draw.random() < 0.3)),
        forbid=tuple(
            NodeUnits(f"n{draw.randrange(nodes)}", (f"u{draw.randrange(units)}",))
            for _ in range(draw.random() < 0.3)
        ),
        colocate=tuple(some_nodes() for _ in range(nodes > 1 and draw.random() < 0.3)),
        separate=tuple(some_nodes() for _ in range(nodes > 1 and draw.random() < 0.3)),
    )


def assignments(instance: Instance) -> Iterator[tuple[int, ...]]:
    """Every assignment of nodes to units that keeps all rules."""
    for units in itertools.product(range(len(instance.units)), repeat=len(instance.nodes)):
        if is_feasible(instance, units):
            yield units


def is_feasible(instance: Instance, units: tuple[int, ...]) -> bool:
    """Whether one assignment keeps classes, capacities and side constraints."""
    home = {node.name: instance.units[unit] for node, unit in zip(instance.nodes, units, strict=True)}
    rules = instance.side_constraints
    for node in instance.nodes:
        if node.times[instance.classes.index(home[node.name].unit_class)] is None:
            return False
    for unit in instance.units:
        kind = instance.classes.index(unit.unit_class)
        held = [node for node in instance.nodes if home[node.name] is unit]
        crossbars = sum(node.crossbars[kind] for node in held if node.crossbars)
        memory = sum(node.memory_bytes for node in held)
        if (unit.crossbars is not None and crossbars > unit.crossbars) or (
            unit.memory_bytes is not None and memory > unit.memory_bytes
        ):
            return False
    return (
        all(home[rule.node].name in rule.units for rule in rules.pin)
        and all(home[rule.node].name not in rule.units for rule in rules.forbid)
        and all(len({home[name].name for name in group}) == 1 for group in rules.colocate)
        and all(len({home[name].name for name in group}) == len(group) for group in rules.separate)
    )


def loads(instance: Instance, units: tuple[int, ...]) -> dict[str, int]:
    """Ticks of work per frame on every unit and link."""
    home = {node.name: instance.units[unit] for node, unit in zip(instance.nodes, units, strict=True)}
    model = instance.transfer
    load = {unit.name: 0 for unit in instance.units}
    if isinstance(model, Links):
        load.update((link.name, 0) for link in model.links)
    for node in instance.nodes:
        load[home[node.name].name] += node.times[instance.classes.index(home[node.name].unit_class)] or 0
    for tensor in instance.tensors:
        source = home[tensor.producer].name
        targets = {home[name].name for name in tensor.consumers} - {source}
        if isinstance(model, Host) and targets and source not in model.host_units:
            load[source] += model.latency_ticks + tensor.size_bytes
        for target in targets:
            if isinstance(model, Host) and target not in model.host_units:
                load[target] += model.latency_ticks + tensor.size_bytes
            if isinstance(model, Blocking):
                load[source] += model.latency_ticks + tensor.size_bytes
            if isinstance(model, Links):
                for link in model.links:
                    if link.name in route(instance, source, target):
                        load[link.name] += -(-tensor.size_bytes * RATE // link.bytes_per_s)
    return load


def route(instance: Instance, source: str, target: str) -> tuple[str, ...]:
    """Names of the links from one unit to another."""
    model = instance.transfer
    assert isinstance(model, Links)
    for each in model.routes:
        if (each.source, each.target) == (source, target):
            return each.links
    at = instance.unit_index
    return model.egress[at[source]] + model.ingress[at[target]]


def path_length(instance: Instance, units: tuple[int, ...]) -> int:
    """Longest path through one frame with transfers that meet nobody: what the latency is at least."""
    home = {node.name: instance.units[unit] for node, unit in zip(instance.nodes, units, strict=True)}
    end: dict[str, int] = {}
    for node in instance.nodes:  # listed in topological order
        start = 0
        for tensor in instance.tensors:
            if node.name in tensor.consumers:
                source, target = home[tensor.producer].name, home[node.name].name
                start = max(start, end[tensor.producer] + delay(instance, tensor.size_bytes, source, target))
        end[node.name] = start + (node.times[instance.classes.index(home[node.name].unit_class)] or 0)
    return max(end.values())


def delay(instance: Instance, size: int, source: str, target: str) -> int:
    """Ticks of one transfer on an empty machine."""
    model = instance.transfer
    if source == target or isinstance(model, Free):
        return 0
    if isinstance(model, Links):
        return sum(
            -(-size * RATE // link.bytes_per_s) + link.latency_ticks
            for link in model.links
            if link.name in route(instance, source, target)
        )
    once = model.latency_ticks + size
    if isinstance(model, Host):
        return once * ((source not in model.host_units) + (target not in model.host_units))
    return once
