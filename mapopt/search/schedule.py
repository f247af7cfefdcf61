"""What a search returns: one time-triggered pattern, judged."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from mapopt.emulator import timetriggered
from mapopt.emulator.explain import explain
from mapopt.emulator.lower import lower
from mapopt.errors import MapoptError
from mapopt.feasibility import check
from mapopt.instance import Instance, IntArray
from mapopt.mapping import Claims, InstanceRef, Mapping, Pattern, TransferStart
from mapopt.search.tables import Tables


@dataclass(frozen=True, slots=True)
class Schedule:
    """One pattern that repeats every period.

    Parameters
    ----------
    units, starts
        Of each node, in the order of the instance.
    latency
        Ticks from the frame's release at 0 to its last end.
    mapping
        The same as a time-triggered mapping whose horizon is the period, transfer starts included.
    """

    units: tuple[int, ...]
    starts: tuple[int, ...]
    latency: int
    mapping: Mapping


Hops = dict[tuple[int, int], tuple[int, ...]]
"""Starts of the tasks of each transfer, by tensor and destination unit."""


def hops_of(instance: Instance, tables: Tables, units: IntArray, hop: IntArray) -> Hops:
    """Collect the starts of those transfers that occupy resources; ``hop`` has shape (tensors, units, hops)."""
    found: Hops = {}
    if len(tables.route) == 0:
        return found
    width = len(tables.capacity)
    for producer, consumer, tensor in instance.edges:
        source, target = int(units[producer]), int(units[consumer])
        row = source * width + target
        count = int(tables.route_offset[row + 1] - tables.route_offset[row])
        if count:
            found[tensor, target] = tuple(hop[tensor, target, :count].tolist())
    return found


def hops_in(instance: Instance, mapping: Mapping) -> Hops:
    """Collect the starts of the transfers in a time-triggered mapping of one pattern."""
    units = {unit.name: index for index, unit in enumerate(instance.units)}
    tensors = {tensor.name: index for index, tensor in enumerate(instance.tensors)}
    return {(tensors[each.tensor], units[each.unit]): each.starts for each in mapping.patterns[0].transfers}


def as_given(instance: Instance, mapping: Mapping, period: int) -> Schedule:
    """Return the schedule of a time-triggered mapping of one pattern, measured."""
    starts = mapping.patterns[0].starts or ()
    ordered = np.array([starts[at] for at in mapping.positions(instance)], dtype=np.int64)
    units = np.array(mapping.assignment(instance)[0], dtype=np.int64)
    return finish(instance, period, units, ordered, hops_in(instance, mapping))


def backwards(
    tables: Tables, latency: int, units: IntArray, starts: IntArray, hops: Hops
) -> tuple[IntArray, Hops]:
    """Turn the starts of a schedule made from the end of the frame into those of the frame."""
    duration = tables.duration[np.arange(len(units)), units]
    producer = np.repeat(np.arange(len(units)), np.diff(tables.outgoing_offset))
    source = dict(zip(tables.outgoing.tolist(), units[producer].tolist(), strict=True))
    width = len(tables.capacity)
    turned: Hops = {}
    for (tensor, target), times in hops.items():
        first = int(tables.route_offset[source[tensor] * width + target])
        links = tables.route[first : first + len(times)]
        turned[tensor, target] = tuple((latency - np.array(times) - tables.ticks[tensor, links]).tolist())
    return latency - starts - duration, turned


def finish(instance: Instance, period: int, units: IntArray, starts: IntArray, hops: Hops) -> Schedule:
    """Make the mapping, measure it, and return both.

    Raises
    ------
    MapoptError
        If the schedule breaks a rule, which is a fault of the search.
    """
    names = [unit.name for unit in instance.units]
    duration = instance.times[np.arange(len(units)), instance.unit_class[units]]
    latency = int((starts + duration).max())
    mapping = Mapping(
        nodes=tuple(node.name for node in instance.nodes),
        patterns=(
            Pattern(
                units=tuple(names[unit] for unit in units.tolist()),
                starts=tuple(starts.tolist()),
                transfers=tuple(
                    TransferStart(instance.tensors[tensor].name, names[unit], times)
                    for (tensor, unit), times in sorted(hops.items())
                ),
            ),
        ),
        horizon=period,
        instance=InstanceRef(instance.name, instance.digest),
        claims=Claims(period_ticks=str(Fraction(period)), latency_ticks=latency),
    )
    broken = check(instance, mapping)
    if broken:
        raise MapoptError(f"the mapping found for {instance.name!r} is not feasible: {broken[0].message}")
    program = lower(instance, mapping)
    outcome = timetriggered.judge(program)
    if isinstance(outcome, timetriggered.Conflict):
        raise MapoptError(
            f"the schedule found for {instance.name!r} is infeasible: {explain(instance, program, outcome)}"
        )
    measured = int(outcome.latencies.max())
    return Schedule(tuple(units.tolist()), tuple(starts.tolist()), measured, mapping)
