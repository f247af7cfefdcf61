"""The search for instances on which LBLP does badly: annealing of instances that carry a mapping of their own.

The score of a candidate is the logarithm of how many times worse LBLP's mapping is than its own, less a price for each
node. As the optimum is no worse than the candidate's own mapping, the score never overstates LBLP's ratio to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from random import Random
from typing import Protocol, TypeVar

import numpy as np

from mapopt.emulator import timetriggered
from mapopt.emulator.analysis import earliest_ends, max_load
from mapopt.emulator.lower import lower
from mapopt.emulator.paths import longest_tails
from mapopt.emulator.program import Program
from mapopt.emulator.schedule import schedule_program
from mapopt.errors import MapoptError, NoMappingError
from mapopt.instance import Instance
from mapopt.mappers.lblp import Lblp, LblpOptions
from mapopt.mapping import Mapping
from mapopt.transfers import Delay, Free

LBLP = Lblp(LblpOptions())
"""With its default options."""

HOT, COLD = 0.05, 0.001
"""First and last temperature, of the logarithm of the ratio."""

NODE_COST = 1e-4
"""What a node costs of the logarithm of the ratio, so that small instances win among equals."""

C = TypeVar("C")


class Space(Protocol[C]):
    """Random candidates, and random changes of them."""

    dice: Random

    def first(self) -> C:
        """Return where a search begins."""

    def neighbour(self, candidate: C) -> C:
        """Return a changed candidate."""

    def instance(self, candidate: C) -> Instance:
        """Return the candidate's instance."""

    def units(self, candidate: C) -> tuple[int, ...]:
        """Return the unit of each of the instance's nodes in the candidate's own mapping, which is feasible."""


def anneal(space: Space[C], objective: str, steps: int) -> tuple[float, C]:
    """Return the highest score of one search, and its candidate."""
    now = space.first()
    reached = score(space.instance(now), space.units(now), objective)
    best = reached, now
    for step in range(steps):
        temperature = HOT * (COLD / HOT) ** (step / steps)
        other = space.neighbour(now)
        found = reached if other == now else score(space.instance(other), space.units(other), objective)
        if found >= reached or space.dice.random() < exp((found - reached) / temperature):
            now, reached = other, found
            if reached > best[0]:
                best = reached, now
    return best


def score(instance: Instance, units: Sequence[int], objective: str) -> float:
    """Return the logarithm of the ratio of LBLP's mapping to the one on ``units``, less the price of the nodes."""
    try:
        mapping = LBLP.map(instance)
    except NoMappingError:
        return -1.0
    period = _load(instance, mapping.assignment(instance)[0])
    ratio = period / _load(instance, units)
    if objective == "latency" and ratio >= 1:
        own = lower(instance, Mapping.of(instance, units))
        ratio = _least_latency(lower(instance, mapping)) / latency(own, period)
    return log(ratio) - NODE_COST * len(units)


def latency(program: Program, period: int) -> int:
    """Return the latency of a schedule of the program with this period."""
    judged = timetriggered.judge(schedule_program(program, period))
    if isinstance(judged, timetriggered.Conflict):
        raise MapoptError("the schedule made for a candidate is infeasible")
    return int(np.max(judged.latencies))


def _load(instance: Instance, units: Sequence[int]) -> int:
    """Return the largest load of units and links."""
    if not isinstance(instance.transfer, (Free, Delay)):
        return int(max_load(lower(instance, Mapping.of(instance, units))).ticks)
    load = [0] * len(instance.units)
    for unit, times in zip(units, instance.times.tolist(), strict=True):
        load[unit] += times[instance.unit_class[unit]]
    return max(load)


def _least_latency(program: Program) -> int:
    """Return a lower bound of the latency of a program whose tasks all take time.

    The longest path; and on each resource the work between the paths before and after it, but for the longest hold,
    as nothing need follow the last one.
    """
    ends = earliest_ends(program)
    order = np.argsort(ends, kind="stable")
    tails = longest_tails(order, program.arc_offset, program.arc_target, program.arc_delay, program.duration)
    head, rest = ends - program.duration, tails - program.duration
    busy = program.duration + program.hold
    bound = int(ends.max())
    for resource in range(len(program.resources)):
        tasks = np.flatnonzero(program.resource == resource)
        for start in np.unique(head[tasks]):
            late = tasks[head[tasks] >= start]
            for after in np.unique(rest[late]):
                between = late[rest[late] >= after]
                work = busy[between].sum() - program.hold[between].max()
                bound = max(bound, int(start + work + after))
    return bound
