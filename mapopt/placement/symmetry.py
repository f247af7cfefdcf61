"""Units and groups that can be exchanged without changing the work on any unit or link but by renaming."""

from __future__ import annotations

from collections.abc import Sequence

from mapopt.placement.problem import Problem
from mapopt.transfers import Host, Links


def interchangeable_units(problem: Problem) -> list[tuple[int, ...]]:
    """Partition the units: exchanging two units of a part turns mappings into mappings with the same largest load.

    Such units have the same class, capacities and allowed groups, and the same place in the interconnect: under
    ``links`` the same shared links, and links of their own with the same rates; units with a named route stand alone.

    Returns
    -------
    list of tuple of int
        Units ascending in each part; the parts are ordered by their first unit.
    """
    instance = problem.instance
    choices = list(dict.fromkeys(problem.allowed))
    hosts = instance.transfer.host_units if isinstance(instance.transfer, Host) else ()
    ports = _ports(problem)
    parts: dict[object, list[int]] = {}
    for unit, spec in enumerate(instance.units):
        key = (
            problem.unit_class[unit],
            spec.crossbars,
            spec.memory_bytes,
            tuple(unit in units for units in choices),
            spec.name in hosts,
            ports[unit],
        )
        parts.setdefault(key, []).append(unit)
    return [tuple(units) for units in parts.values()]


def interchangeable_groups(problem: Problem) -> list[tuple[int, ...]]:
    """Partition the groups into types: equal times, needs and allowed units; what must be apart stands alone.

    Transfers are not looked at, and needs only where an allowed unit limits them.

    Returns
    -------
    list of tuple of int
        Groups in topological order in each type; the longest type first.
    """
    instance = problem.instance
    held = [unit.crossbars is not None for unit in instance.units]
    kept = [unit.memory_bytes is not None for unit in instance.units]
    limits = {
        units: (any(held[unit] for unit in units), any(kept[unit] for unit in units))
        for units in dict.fromkeys(problem.allowed)
    }
    parts: dict[object, list[int]] = {}
    seen = [False] * len(problem.groups)
    for node in instance.topological_order:
        group = problem.group_of[node]
        if seen[group]:
            continue
        seen[group] = True
        kinds, units = problem.classes[group], problem.allowed[group]
        crossbars, memory = limits[units]
        key = (
            units,
            tuple(problem.time[kind][group] for kind in kinds),
            tuple(problem.crossbars[kind][group] for kind in kinds) if crossbars else (),
            problem.memory_bytes[group] if memory else 0,
            group if problem.apart[group] else -1,
        )
        parts.setdefault(key, []).append(group)
    own = problem.own_time
    return sorted(map(tuple, parts.values()), key=lambda groups: (-own[groups[0]], groups[0]))


def relabelled(unit_of: Sequence[int], order: Sequence[int], parts: Sequence[Sequence[int]]) -> list[int]:
    """Rename interchangeable units so that each part's units are first used in ascending order.

    Parameters
    ----------
    unit_of
        Unit of each group.
    order
        Groups in the order in which their units count as used.
    parts
        As of :func:`interchangeable_units`.
    """
    unused = {unit: names for part in parts for names in [iter(part)] for unit in part}
    name: dict[int, int] = {}
    for group in order:
        unit = unit_of[group]
        if unit not in name:
            name[unit] = next(unused[unit])
    return [name[unit] for unit in unit_of]


def _ports(problem: Problem) -> list[object]:
    """Return for each unit what tells its place among the links from others'."""
    instance = problem.instance
    model = instance.transfer
    if not isinstance(model, Links):
        return [None] * len(instance.units)
    users: dict[str, set[int]] = {}
    for unit, (out, into) in enumerate(zip(model.egress, model.ingress, strict=True)):
        for name in (*out, *into):
            users.setdefault(name, set()).add(unit)
    routed = {name for route in model.routes for name in (route.source, route.target)}
    on_routes = {name for route in model.routes for name in route.links}
    rate = {link.name: link.bytes_per_s for link in model.links}
    found: list[object] = []
    for unit, (out, into) in enumerate(zip(model.egress, model.ingress, strict=True)):
        number: dict[str, int] = {}
        place: list[object] = []
        for name in (*out, *into):
            own = len(users[name]) == 1 and name not in on_routes
            place.append((number.setdefault(name, len(number)), rate[name]) if own else name)
        alone = unit if instance.units[unit].name in routed else -1
        found.append((alone, len(out), tuple(place)))
    return found
