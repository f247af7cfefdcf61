"""Units that can be exchanged without changing when anything starts."""

from __future__ import annotations

from mapopt.placement.problem import Problem
from mapopt.placement.symmetry import interchangeable_units
from mapopt.transfers import Blocking, Links


def exchangeable_units(problem: Problem) -> list[tuple[int, ...]]:
    """Partition the units: exchanging two of one part leaves every latency as it is.

    Under ``blocking`` the order of units counts, under ``links`` the latency of their ports.
    """
    model = problem.instance.transfer
    latency = {link.name: link.latency_ticks for link in model.links} if isinstance(model, Links) else {}
    found: dict[object, list[int]] = {}
    for number, part in enumerate(interchangeable_units(problem)):
        for unit in part:
            ports = (*model.egress[unit], *model.ingress[unit]) if isinstance(model, Links) else ()
            alone = unit if isinstance(model, Blocking) else -1
            found.setdefault((number, alone, tuple(latency[name] for name in ports)), []).append(unit)
    return [tuple(units) for units in found.values()]
