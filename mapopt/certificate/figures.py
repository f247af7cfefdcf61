"""Figures of a mapping, measured by the slow emulator."""

from __future__ import annotations

import msgspec

from mapopt.errors import InputError
from mapopt.instance import Instance
from mapopt.mapping import Claims, Mapping
from mapopt.solvers.model import Objective
from mapopt.verification import verify


class BrokenError(InputError):
    """The mapping breaks a rule of its instance or its own schedule."""


def measured(instance: Instance, mapping: Mapping) -> dict[Objective, int]:
    """Return the objectives' values, times as the slow emulator measures them."""
    timed = Claims(period_ticks="0", latency_ticks=0) if mapping.is_time_triggered else Claims()
    asked = msgspec.structs.replace(timed, max_load_ticks="0", latency_single_ticks=0)
    verdict = verify(instance, msgspec.structs.replace(mapping, claims=asked))
    if verdict.violations:
        raise BrokenError(f"the mapping breaks a rule: {verdict.violations[0].message}")
    ticks = {check.name: int(check.measured) for check in verdict.claims}
    latency = "latency_ticks" if mapping.is_time_triggered else "latency_single_ticks"
    (units,) = mapping.assignment(instance)
    at = instance.node_index
    found = {
        Objective.PERIOD: ticks["max_load_ticks"],
        Objective.LATENCY: ticks[latency],
        Objective.TRAFFIC: sum(
            tensor.size_bytes
            * len({units[at[name]] for name in tensor.consumers} - {units[at[tensor.producer]]})
            for tensor in instance.tensors
        ),
    }
    if instance.energy is not None:
        found[Objective.ENERGY] = sum(
            int(instance.energy[node, instance.unit_class[unit]]) for node, unit in enumerate(units)
        )
    return found
