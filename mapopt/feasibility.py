"""What a mapping must satisfy, whatever the time: classes, capacities and side constraints.

Written from the instance alone and shared with no mapper, so that it can judge them.
"""

from __future__ import annotations

from collections.abc import Iterator

from mapopt.errors import InfeasibleError, InputError
from mapopt.instance import Instance
from mapopt.mapping import Mapping, Violation


def check(instance: Instance, mapping: Mapping) -> tuple[Violation, ...]:
    """Return every rule of the instance that the mapping breaks; times are checked by ``mapopt.verification``.

    Weights and activations are resident: a unit must hold the nodes of all patterns that use it.

    Raises
    ------
    InputError
        If the mapping is of another instance, or names what the instance does not have.
    """
    assignment = mapping.assignment(instance)
    found: list[Violation] = []
    for number, units in enumerate(assignment):
        found += _check_pattern(instance, units, number)
    found += _check_capacities(instance, assignment)
    return tuple(found)


def _check_pattern(instance: Instance, units: tuple[int, ...], number: int) -> Iterator[Violation]:
    rules, at = instance.side_constraints, instance.node_index
    name_of = [unit.name for unit in instance.units]
    for node, unit in zip(instance.nodes, units, strict=True):
        kind = instance.units[unit].unit_class
        if node.times[instance.classes.index(kind)] is None:
            yield Violation(
                "class",
                f"node {node.name!r} is on unit {name_of[unit]!r}, but class {kind!r} cannot run it",
                number,
            )
    for rule in rules.pin:
        unit_name = name_of[units[at[rule.node]]]
        if unit_name not in rule.units:
            allowed = ", ".join(rule.units)
            yield Violation(
                "pin", f"node {rule.node!r} is on unit {unit_name!r}, but is pinned to {allowed}", number
            )
    for rule in rules.forbid:
        unit_name = name_of[units[at[rule.node]]]
        if unit_name in rule.units:
            yield Violation(
                "forbid", f"node {rule.node!r} is on unit {unit_name!r}, which is forbidden", number
            )
    for group in rules.colocate:
        homes = {name: name_of[units[at[name]]] for name in group}
        if len(set(homes.values())) > 1:
            spread = ", ".join(f"{node!r} on {unit!r}" for node, unit in homes.items())
            yield Violation("colocate", f"nodes that must share a unit are apart: {spread}", number)
    for group in rules.separate:
        first: dict[int, str] = {}
        for name in group:
            other = first.setdefault(units[at[name]], name)
            if other != name:
                where = name_of[units[at[name]]]
                yield Violation("separate", f"nodes {other!r} and {name!r} share unit {where!r}", number)


def _check_capacities(instance: Instance, assignment: tuple[tuple[int, ...], ...]) -> Iterator[Violation]:
    residents: list[set[int]] = [set() for _ in instance.units]
    for homes in assignment:
        for node, home in enumerate(homes):
            residents[home].add(node)
    for unit, nodes in zip(instance.units, residents, strict=True):
        kind = instance.classes.index(unit.unit_class)
        crossbars = sum(
            instance.nodes[node].crossbars[kind] for node in nodes if instance.nodes[node].crossbars
        )
        memory = sum(instance.nodes[node].memory_bytes for node in nodes)
        if unit.crossbars is not None and crossbars > unit.crossbars:
            yield Violation(
                "crossbars", f"unit {unit.name!r}: needs {crossbars} crossbars and has {unit.crossbars}"
            )
        if unit.memory_bytes is not None and memory > unit.memory_bytes:
            yield Violation("memory", f"unit {unit.name!r}: needs {memory} bytes and has {unit.memory_bytes}")


def require(instance: Instance, mapping: Mapping) -> None:
    """Refuse a mapping that breaks a rule of the instance.

    Raises
    ------
    InputError
        With every rule that :func:`check` found broken.
    """
    broken = check(instance, mapping)
    if broken:
        shown = "; ".join(f"{violation.rule}: {violation.message}" for violation in broken[:5])
        more = f"; and {len(broken) - 5} more" if len(broken) > 5 else ""
        raise InputError(f"mapping of {instance.name!r} is not feasible: {shown}{more}")


def require_feasible(instance: Instance) -> None:
    """Refuse an instance that simple reasons show to have no mapping.

    Raises
    ------
    InfeasibleError
        With every reason found; passing proves nothing.
    """
    reasons = obstacles(instance)
    if reasons:
        shown = "; ".join(reasons[:5])
        more = f"; and {len(reasons) - 5} more" if len(reasons) > 5 else ""
        raise InfeasibleError(f"instance {instance.name!r} has no mapping: {shown}{more}")


def obstacles(instance: Instance) -> tuple[str, ...]:
    """Return reasons why no mapping can exist: empty choices, contradictions, and capacities too small in total."""
    groups = _colocated_groups(instance)
    allowed = _allowed_units(instance)
    reasons = list(_group_obstacles(instance, groups, allowed))
    reasons += _separation_obstacles(instance, groups, allowed)
    if not reasons:
        reasons += _total_obstacles(instance, allowed)
    return tuple(reasons)


def _allowed_units(instance: Instance) -> list[frozenset[int]]:
    """Units each node may use by class, pin and forbid; equal sets are shared."""
    by_classes: dict[tuple[bool, ...], frozenset[int]] = {}
    allowed = []
    for node in instance.nodes:
        key = tuple(time is not None for time in node.times)
        if key not in by_classes:
            runnable = {name for name, can in zip(instance.classes, key, strict=True) if can}
            by_classes[key] = frozenset(
                index for index, unit in enumerate(instance.units) if unit.unit_class in runnable
            )
        allowed.append(by_classes[key])
    for rule in instance.side_constraints.pin:
        allowed[instance.node_index[rule.node]] &= {instance.unit_index[name] for name in rule.units}
    for rule in instance.side_constraints.forbid:
        allowed[instance.node_index[rule.node]] -= {instance.unit_index[name] for name in rule.units}
    return allowed


def _colocated_groups(instance: Instance) -> list[list[int]]:
    """Partition of the nodes into groups that must share a unit."""
    if not instance.side_constraints.colocate:
        return [[node] for node in range(len(instance.nodes))]
    import networkx as nx

    graph = nx.Graph()
    graph.add_nodes_from(range(len(instance.nodes)))
    for names in instance.side_constraints.colocate:
        nx.add_path(graph, [instance.node_index[name] for name in names])
    return sorted(sorted(component) for component in nx.connected_components(graph))


def _needs(instance: Instance, nodes: list[int], unit: int) -> tuple[int, int]:
    kind = instance.unit_class[unit]
    crossbars = sum(int(instance.crossbars[node, kind]) for node in nodes)
    return crossbars, sum(int(instance.memory_bytes[node]) for node in nodes)


def _fits(instance: Instance, nodes: list[int], unit: int) -> bool:
    crossbars, memory = _needs(instance, nodes, unit)
    spec = instance.units[unit]
    return (spec.crossbars is None or crossbars <= spec.crossbars) and (
        spec.memory_bytes is None or memory <= spec.memory_bytes
    )


def _group_obstacles(
    instance: Instance, groups: list[list[int]], allowed: list[frozenset[int]]
) -> Iterator[str]:
    """Find groups that no unit can take; those with the same reason are named together."""
    found: dict[str, list[str]] = {}
    unlimited = all(unit.crossbars is None and unit.memory_bytes is None for unit in instance.units)
    for group in groups:
        common = frozenset.intersection(*(allowed[node] for node in group))
        if not common:
            why = (
                f"no unit is left by {_classes_of(instance, group)}, pin and forbid; relax them or add a unit"
            )
        elif not unlimited and not any(_fits(instance, group, unit) for unit in sorted(common)):
            why = f"{_shortage(instance, group, sorted(common))}; use larger units"
        else:
            continue
        names = ", ".join(repr(instance.nodes[node].name) for node in group)
        found.setdefault(why, []).append(
            f"node {names}" if len(group) == 1 else f"the colocated nodes {names}"
        )
    for why, who in found.items():
        yield f"{who[0]}{f' and {len(who) - 1} more' if len(who) > 1 else ''}: {why}"


def _classes_of(instance: Instance, nodes: list[int]) -> str:
    """Name the classes that can run all these nodes, with their numbers of units."""
    counts = [
        f"{name}: {sum(unit.unit_class == name for unit in instance.units)} units"
        for index, name in enumerate(instance.classes)
        if all(instance.nodes[node].times[index] is not None for node in nodes)
    ]
    return f"its classes ({', '.join(counts) or 'none in common'})"


def _shortage(instance: Instance, nodes: list[int], units: list[int]) -> str:
    """Say what each of the units lacks for the nodes; the first of each kind of shortage stands for all."""
    found: dict[str, str] = {}
    for unit in units:
        crossbars, memory = _needs(instance, nodes, unit)
        spec = instance.units[unit]
        if spec.crossbars is not None and crossbars > spec.crossbars:
            found.setdefault(
                "crossbars", f"needs {crossbars} crossbars and {spec.name!r} has {spec.crossbars}"
            )
        elif spec.memory_bytes is not None and memory > spec.memory_bytes:
            found.setdefault(
                "memory", f"needs {memory} bytes of memory and {spec.name!r} has {spec.memory_bytes}"
            )
    return ", ".join(found.values())


def _separation_obstacles(
    instance: Instance, groups: list[list[int]], allowed: list[frozenset[int]]
) -> Iterator[str]:
    group_of = {node: number for number, group in enumerate(groups) for node in group}
    for names in instance.side_constraints.separate:
        nodes = [instance.node_index[name] for name in names]
        seen: dict[int, str] = {}
        for name, node in zip(names, nodes, strict=True):
            other = seen.setdefault(group_of[node], name)
            if other != name:
                yield f"nodes {other!r} and {name!r} must be both together (colocate) and apart (separate); drop one"
        units = frozenset[int]().union(*(allowed[node] for node in nodes))
        if len(units) < len(nodes):
            yield (
                f"{len(nodes)} nodes from {names[0]!r} on must be on different units, but only {len(units)} are allowed"
            )


def _total_obstacles(instance: Instance, allowed: list[frozenset[int]]) -> Iterator[str]:
    """Nodes with the same choice of limited units need more in total than those units have."""
    demand: dict[frozenset[int], list[int]] = {}
    for node, units in enumerate(allowed):
        demand.setdefault(units, []).append(node)
    for units, nodes in demand.items():
        inside = [node for other, members in demand.items() if other <= units for node in members]
        specs = [instance.units[unit] for unit in sorted(units)]
        kinds = sorted({int(instance.unit_class[unit]) for unit in units})
        if all(spec.crossbars is not None for spec in specs):
            have = sum(spec.crossbars or 0 for spec in specs)
            need = sum(min(int(instance.crossbars[node, kind]) for kind in kinds) for node in inside)
            if need > have:
                yield _too_small(instance, nodes, f"{need} crossbars", f"{have}", len(specs))
        if all(spec.memory_bytes is not None for spec in specs):
            have = sum(spec.memory_bytes or 0 for spec in specs)
            need = sum(int(instance.memory_bytes[node]) for node in inside)
            if need > have:
                yield _too_small(instance, nodes, f"{need} bytes of memory", f"{have}", len(specs))


def _too_small(instance: Instance, nodes: list[int], need: str, have: str, units: int) -> str:
    first = instance.nodes[nodes[0]].name
    return (
        f"node {first!r} and those with the same choice of units need {need}, but their {units} units together "
        f"have {have}; add units or use larger ones"
    )
