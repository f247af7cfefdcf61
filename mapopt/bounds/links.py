"""Bounds on the period from the traffic that links have to carry."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Literal, TypeAlias

from mapopt.bounds.loads import describe, unit_names
from mapopt.bounds.model import Bound
from mapopt.bounds.unavoidable import Departure, Unavoidable
from mapopt.bounds.witnesses import ForcedTransfer, LinkLoad
from mapopt.transfers import Links

Moves: TypeAlias = tuple[Departure, tuple[int, ...]]
"""A departure and those of its readers that are meant."""


def link_bounds(unavoidable: Unavoidable) -> Iterator[Bound]:
    """Yield, for every set of units that unavoidable transfers leave or enter, the mean load of their ports.

    Each transfer out of a set of units uses the first link of a route of one of them, each transfer into it
    the last link; so the busiest of these links carries at least the mean.
    """
    if not isinstance(unavoidable.problem.instance.transfer, Links):
        return
    leaving: dict[frozenset[int], list[Moves]] = {}
    entering: dict[frozenset[int], list[Moves]] = {}
    allowed = unavoidable.problem.allowed
    for departure in unavoidable.departures:
        leaving.setdefault(allowed[departure.producer], []).append((departure, departure.readers))
        for reader in departure.readers:
            entering.setdefault(allowed[reader], []).append((departure, (reader,)))
    for outwards, by_units in ((True, leaving), (False, entering)):
        for units in by_units:
            transfers = [each for inside, found in by_units.items() if inside <= units for each in found]
            bound = _port_bound(unavoidable, units, transfers, outwards)
            if bound is not None:
                yield bound


def _port_bound(
    unavoidable: Unavoidable, units: frozenset[int], transfers: list[Moves], outwards: bool
) -> Bound | None:
    ports = _ports(unavoidable, units, outwards)
    if not ports:
        return None
    ticks = [
        (unavoidable.link_ticks(departure.tensor, ports), len(readers)) for departure, readers in transfers
    ]
    work = sum(each * count for each, count in ticks)
    model = unavoidable.problem.instance.transfer
    names = tuple(link.name for link in model.links) if isinstance(model, Links) else ()
    way: Literal["leave", "enter"] = "leave" if outwards else "enter"
    bound = max(-(-work // len(ports)), max(each for each, _ in ticks))
    return Bound(
        "link load",
        "period",
        bound,
        Fraction(work, len(ports)),
        f"transfers that have to {way} {describe(unavoidable.problem, units)} take at least {work} ticks on "
        f"{len(ports)} link{'s' * (len(ports) > 1)}",
        tuple(names[port] for port in ports),
        LinkLoad(bound, unit_names(unavoidable.problem, units), way, _forced(unavoidable, transfers)),
    )


def _forced(unavoidable: Unavoidable, transfers: list[Moves]) -> tuple[ForcedTransfer, ...]:
    """Return every departure once, to all those of its readers that count."""
    readers: dict[Departure, tuple[int, ...]] = {}
    for departure, some in transfers:
        readers[departure] = readers.get(departure, ()) + some
    return tuple(unavoidable.forced(departure, groups) for departure, groups in readers.items())


def _ports(unavoidable: Unavoidable, units: frozenset[int], outwards: bool) -> list[int]:
    """Return the first (or last) links of all routes that leave (or enter) the units; [] if some route has none."""
    model = unavoidable.problem.instance.transfer
    if not isinstance(model, Links):
        return []
    paths = model.egress if outwards else model.ingress
    if any(not paths[unit] for unit in units):
        return []
    number = {link.name: index for index, link in enumerate(model.links)}
    found = {number[paths[unit][0 if outwards else -1]] for unit in units}
    at = unavoidable.problem.instance.unit_index
    for route in model.routes:
        if at[route.source if outwards else route.target] in units:
            if not route.links:
                return []
            found.add(number[route.links[0 if outwards else -1]])
    return sorted(found)
