"""Annealing of an assignment until no resource has more work per frame than the period, compiled."""

from __future__ import annotations

import numpy as np

from mapopt.emulator.jit import compiled
from mapopt.instance import IntArray
from mapopt.search.random_numbers import RandomState, below, uniform
from mapopt.search.tables import ROUTED, SENT, UPLOADED, Tables

PATIENCE = 0.2
"""Final temperature as a share of the first one is this to the power of 10."""


@compiled
def excess(tables: Tables, period: int, home: IntArray) -> float:
    """Return the ticks beyond the period, summed over resources, plus a period for every broken rule and unit of it.

    Parameters
    ----------
    home
        Shape (groups,): the unit of each group, one that it may use.
    """
    load = np.zeros(len(tables.latency), np.int64)
    total = float(add_up(tables, home, load)) * period
    for resource in range(len(load)):
        total += max(0, load[resource] - period)
    return total


@compiled
def add_up(tables: Tables, home: IntArray, load: IntArray) -> int:
    """Add the work per frame to the load of each resource; return the broken rules, and units of capacity lacking."""
    used = np.zeros(tables.capacity.shape, np.int64)
    broken = 0
    for group in range(len(home)):
        unit = home[group]
        for kind in range(2):
            used[unit, kind] += tables.need[group, unit, kind]
        for entry in range(tables.apart_offset[group], tables.apart_offset[group + 1]):
            if home[tables.apart[entry]] == unit:
                broken += 1
    seen = np.full(len(tables.capacity), -1, np.int64)
    for node in range(len(tables.group)):
        unit = home[tables.group[node]]
        load[unit] += tables.duration[node, unit]
        uploaded = -1
        for edge in range(tables.leaving_offset[node], tables.leaving_offset[node + 1]):
            tensor = tables.leaving_tensor[edge]
            target = home[tables.group[tables.leaving_node[edge]]]
            if target == unit or seen[target] == tensor:
                continue
            seen[target] = tensor
            if tables.travel == SENT:
                load[unit] += tables.once[tensor]
            elif tables.travel == UPLOADED:
                if uploaded != tensor and not tables.at_host[unit]:
                    load[unit] += tables.once[tensor]
                uploaded = tensor
                if not tables.at_host[target]:
                    load[target] += tables.once[tensor]
            elif tables.travel == ROUTED:
                row = unit * len(tables.capacity) + target
                for entry in range(tables.route_offset[row], tables.route_offset[row + 1]):
                    load[tables.route[entry]] += tables.ticks[tensor, tables.route[entry]]
    for unit in range(len(used)):
        for kind in range(2):
            broken += max(0, used[unit, kind] - tables.capacity[unit, kind])
    return broken


@compiled
def relieve(tables: Tables, period: int, home: IntArray, iterations: int, random: RandomState) -> float:
    """Move and exchange groups, ``home`` becoming the assignment of least excess; return that excess."""
    groups = len(home)
    present = home.copy()
    value = best = excess(tables, period, present)
    first_heat = 0.05 * period
    for number in range(iterations):
        if best == 0.0:
            break
        group, other = below(random, groups), below(random, groups)
        one, two = present[group], present[other]
        if uniform(random) < 0.5:
            other = group
            first = tables.choice_offset[group]
            two = tables.choice[first + below(random, tables.choice_offset[group + 1] - first)]
        if one == two or not (may_use(tables, group, two) and may_use(tables, other, one)):
            continue
        present[other] = one
        present[group] = two
        found = excess(tables, period, present)
        heat = first_heat * PATIENCE ** (10.0 * number / iterations)
        if found <= value or uniform(random) < np.exp((value - found) / heat):
            value = found
            if value < best:
                best = value
                home[:] = present
        else:
            present[group] = one
            if other != group:
                present[other] = two
    return best


@compiled
def may_use(tables: Tables, group: int, unit: int) -> bool:
    """Return whether a unit is among those of the group."""
    for entry in range(tables.choice_offset[group], tables.choice_offset[group + 1]):
        if tables.choice[entry] == unit:
            return True
    return False
