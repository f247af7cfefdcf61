"""Who can have given a value or a bound: bounds and constructions of the instance, mappers, formulations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mapopt.bounds.model import Bounds
from mapopt.documents import unknown
from mapopt.library.making import Construction
from mapopt.library.references import GIVEN, Finding, Reference
from mapopt.mappers import registry as mappers
from mapopt.solvers import registry as formulations

IMPORTED = "before "
"""How the version of a finding begins that was brought from elsewhere; what gave it is then the name of a file."""

PARTITIONS, CONSTRUCTION = "partitions", "construction"
"""What gives values beside mappers and formulations: a solve's search for partitions, and the construction of the
instance."""

_SIMPLER = (" without transfers", " without contention")
"""The simpler problem that a formulation solved for a bound."""


def wrong_origins(reference: Reference, bounds: Bounds, known: Construction | None) -> Iterator[str]:
    """Yield what is wrong with who is said to have given the values and bounds of a reference.

    Parameters
    ----------
    bounds
        Of the instance.
    known
        What its construction proves.
    """
    made = () if known is None else (CONSTRUCTION,)
    finders = (*mappers.names(), *formulations.names(), PARTITIONS, GIVEN, *made)
    for objective, level in reference.levels:
        for finding in level.values:
            if finding.by not in finders and not is_imported(finding):
                wrong = unknown("mapper or formulation", finding.by, finders)
                yield f"{objective}: value {finding.ticks} of {finding.date}: {wrong}"
        for finding in level.bounds:
            if finding.by not in made and not is_imported(finding):
                problem = wrong_bound(objective, finding.ticks, finding.by, bounds)
                if problem is not None:
                    yield f"{objective}: bound {finding.ticks} of {finding.date}: {problem}"


def wrong_bound(objective: Literal["period", "latency"], ticks: int, by: str, bounds: Bounds) -> str | None:
    """Return what is wrong with who is said to prove a bound, or ``None``.

    A bound that needs no solver is computed again; formulations, which may be joined by ``or``, must exist.
    """
    given = {bound.name: bound.ticks for bound in reversed(bounds.of(objective))}
    if by in given:
        return f"is by {by!r}, which gives {given[by]}" if ticks > given[by] else None
    known = (*given, *formulations.names(), PARTITIONS)
    for each in by.split(", or "):
        if _formulation(each) not in known:
            return str(unknown("bound or formulation", each, known))
    return None


def _formulation(by: str) -> str:
    for simpler in _SIMPLER:
        by = by.removesuffix(simpler)
    return by


def is_imported(finding: Finding) -> bool:
    """Return whether a finding was brought from elsewhere."""
    return finding.version.startswith(IMPORTED)
