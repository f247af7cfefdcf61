"""Neighbourhoods of a mapping as instances with more pins, so that any formulation can search them."""

from __future__ import annotations

import msgspec

from mapopt.instance import Instance, NodeUnits
from mapopt.mapping import InstanceRef, Mapping
from mapopt.placement.problem import Problem


def pinned(problem: Problem, mapping: Mapping, free: set[int]) -> Instance:
    """Return the instance with every group but the free ones pinned to its unit in the mapping's first pattern.

    Its mappings are mappings of the problem's instance; see :func:`rebound`.
    """
    instance = problem.instance
    units = mapping.assignment(instance)[0]
    pins = tuple(
        NodeUnits(instance.nodes[members[0]].name, (instance.units[units[members[0]]].name,))
        for group, members in enumerate(problem.groups)
        if group not in free
    )
    rules = instance.side_constraints
    return msgspec.structs.replace(
        instance, side_constraints=msgspec.structs.replace(rules, pin=rules.pin + pins)
    )


def rebound(mapping: Mapping, instance: Instance) -> Mapping:
    """Return the same mapping as one of another instance with the same names."""
    return msgspec.structs.replace(mapping, instance=InstanceRef(instance.name, instance.digest))
