"""Leaving loose classes out: their nodes only delay, and are placed around the others once those have their times."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from mapopt.instance import Instance, NodeUnits, Unit
from mapopt.mapping import InstanceRef, Mapping, Pattern
from mapopt.placement.problem import Problem
from mapopt.search.blocks import blocks_of, expand
from mapopt.search.fitting import fit
from mapopt.search.fusion import fuse
from mapopt.search.schedule import Schedule, finish
from mapopt.search.tables import Tables, tables_of

LOOSE = 0.6
"""A class whose units work less than this share of the period on average is loose."""


def movable_nodes(problem: Problem) -> list[bool]:
    """Return for each node whether it may run alone on any unit of each class that it may use."""
    found = []
    for group in problem.group_of:
        units = {unit for kind in problem.classes[group] for unit in problem.units_of[kind]}
        alone = len(problem.groups[group]) == 1 and not problem.apart[group]
        found.append(alone and units == problem.allowed[group])
    return found


def tight_units(
    problem: Problem, tables: Tables, units: Sequence[int], movable: Sequence[bool], period: int
) -> list[bool]:
    """Return for each unit whether its class is tight; all are if none is, or if nodes are bound or choose.

    Parameters
    ----------
    units
        Of each node.
    """
    load = np.zeros(len(tables.capacity))
    np.add.at(load, list(units), tables.duration[np.arange(len(units)), list(units)])
    kinds = problem.instance.unit_class
    mean = [load[kinds == kind].mean() if (kinds == kind).any() else 0.0 for kind in range(max(kinds) + 1)]
    tight = [mean[kind] >= LOOSE * period for kind in kinds]
    can_part = all(movable) and all(len(kinds) == 1 for kinds in problem.classes)
    return tight if any(tight) and can_part else [True] * len(tight)


class Relaxation:
    """An instance in which every chain of a loose class has a unit of its own.

    Parameters
    ----------
    problem
        Of an instance with free transfers or delays.
    units
        An assignment with loads within the period.

    Attributes
    ----------
    instance
        The relaxed one, or ``None`` where no class is loose.
    """

    def __init__(self, problem: Problem, units: Sequence[int], period: int, seed: int) -> None:
        self.original, self.period, self.seed = problem.instance, period, seed
        self.tables = tables_of(problem)
        self.instance: Instance | None = None
        movable = movable_nodes(problem)
        tight = tight_units(problem, self.tables, units, movable, period)
        fusion = None if all(tight) else fuse(self.original, self.tables, units, movable, period, seed)
        if fusion is None:
            return
        joined = [edge for edge in fusion.edges if not tight[fusion.units[edge[0]]]]
        self.blocks = blocks_of(self.original, fusion.units, joined, tight)
        own, pins = [], []
        for number, (chain, unit) in enumerate(zip(self.blocks.members, self.blocks.unit, strict=True)):
            if not tight[unit]:
                name = f"{self.original.units[unit].name} for block {number}"
                own.append(Unit(name, self.original.units[unit].unit_class))
                pins += [NodeUnits(self.original.nodes[node].name, (name,)) for node in chain]
        rules = self.original.side_constraints
        self.instance = msgspec.structs.replace(
            self.original,
            units=(*self.original.units, *own),
            side_constraints=msgspec.structs.replace(rules, pin=(*rules.pin, *pins)),
        )
        self.homes = {pin.node: pin.units[0] for pin in pins}

    def relaxed(self, mapping: Mapping) -> Mapping:
        """Return a mapping of the original instance as one of the relaxed; it may have to wait here and there."""
        assert self.instance is not None
        pattern = mapping.patterns[0]
        moved = tuple(
            self.homes.get(node, unit) for node, unit in zip(mapping.nodes, pattern.units, strict=True)
        )
        return msgspec.structs.replace(
            mapping,
            patterns=(Pattern(moved, pattern.starts),),
            instance=InstanceRef(self.instance.name, self.instance.digest),
            claims=None,
        )

    def fitted(self, mapping: Mapping) -> Schedule | None:
        """Return a schedule of the original instance with the latency of a relaxed one, if a place is found for all."""
        assert self.instance is not None
        units, pattern = mapping.assignment(self.instance)[0], mapping.patterns[0]
        starts = [(pattern.starts or ())[at] for at in mapping.positions(self.instance)]
        ends = [
            start + int(self.instance.times[node, self.instance.unit_class[units[node]]])
            for node, start in enumerate(starts)
        ]
        first = min(starts)
        placed = {
            chain[0]: (units[chain[0]], starts[chain[0]] - first)
            for chain, timed in zip(self.blocks.members, self.blocks.timed, strict=True)
            if timed
        }
        places = fit(
            self.original, self.tables, self.blocks, placed, range(max(ends) - first), self.period, self.seed
        )
        if places is None:
            return None
        return finish(
            self.original, self.period, *expand(self.original, self.tables, self.blocks, places), {}
        )
