"""Tables of a README that hold LBLP against the optimum, compared with what can be computed again without a solver."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec

from mapopt.bounds.every import lower_bounds
from mapopt.emulator.analysis import max_load
from mapopt.emulator.lower import lower
from mapopt.emulator.schedule import schedule
from mapopt.instance import Instance, NodeUnits, SideConstraints
from mapopt.library.folder import Family, Member
from mapopt.library.origins import wrong_bound
from mapopt.library.readme import text_of
from mapopt.mappers import registry as mappers
from mapopt.mapping import Mapping
from mapopt.solvers.model import Status

COLUMNS = (
    "instance",
    "nodes",
    "units",
    "LBLP's period",
    "LBLP's units",
    "optimum",
    "ratio",
    "proven by",
    "`mapopt schedule`",
)
"""Of the tables that are compared, in this order; further ones may follow."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of such a table; times in ticks.

    Parameters
    ----------
    instance
        Its name begins with the objective.
    nodes, units
        How many it has.
    period
        LBLP's largest load.
    lblp
        The least that LBLP's units allow: of the period, or of the latency at a period of at most ``period``.
    optimum
        The least of all mappings.
    ratio
        As it is written.
    proven_by
        The bound or formulation that proves the optimum.
    scheduled
        What ``mapopt schedule`` makes of LBLP's units.
    """

    instance: str
    nodes: int
    units: int
    period: int
    lblp: int
    optimum: int
    ratio: str
    proven_by: str
    scheduled: int


def wrong_ratios(family: Family) -> Iterator[str]:
    """Yield what is wrong in the tables of ratios in a family's README; nothing if it has none.

    The least latencies themselves rest on a search: they must lie between what bounds and schedules allow.

    Raises
    ------
    InputError
        If the README cannot be read.
    """
    members = {member.entry.name: member for member in family.members}
    for cells in _lines(text_of(family)):
        row = _row(cells)
        where = f"README.md: ratio of {cells[0]}"
        if row is None:
            yield f"{where}: is no line of numbers; make the table again"
        elif row.instance not in members:
            yield f"{where}: is of no instance in the manifest; make the table again"
        else:
            yield from (
                f"{where}: {problem}; make the table again" for problem in _wrong(row, members[row.instance])
            )


def _wrong(row: Row, member: Member) -> Iterator[str]:
    """Yield what is wrong with a line."""
    instance, reference = member.make().instance, member.reference()
    if reference is not None and reference.digest != instance.digest:
        reference = None
    mapping = mappers.get("lblp").map(instance)
    expected = {
        "nodes": (row.nodes, len(instance.nodes)),
        "units": (row.units, len(instance.units)),
        "LBLP's period": (row.period, int(max_load(lower(instance, mapping)).ticks)),
        "ratio": (row.ratio, f"{row.lblp / row.optimum:.3f}" if row.optimum else "none"),
    }
    bounds = lower_bounds(instance)
    objective: Literal["period", "latency"] = "period" if row.instance.startswith("period") else "latency"
    problem = wrong_bound(objective, row.optimum, row.proven_by, bounds)
    if problem is not None:
        yield f"optimum {row.optimum}: {problem}"
    if objective == "period":
        proven = reference is not None and reference.period.status is Status.OPTIMAL
        expected["LBLP's units"] = row.lblp, row.period
        expected["mapopt schedule"] = row.scheduled, row.period
        if reference is not None and proven:
            expected["optimum"] = row.optimum, reference.period.value or 0
        low, least, longest = bounds.period.ticks, row.period, row.period
    else:
        least = lower_bounds(_pinned(instance, mapping)).latency.ticks
        claims = schedule(instance, mapping).claims
        longest = row.scheduled if claims is None or claims.latency_ticks is None else claims.latency_ticks
        expected["mapopt schedule"] = row.scheduled, longest
        low = bounds.latency.ticks
        known = (
            None
            if reference is None or (reference.period.value or 0) > row.period
            else reference.latency.value
        )
        if known is not None and row.optimum > known:
            yield f"optimum is {row.optimum}, but a schedule with latency {known} is known"
    for column, (stated, actual) in expected.items():
        if stated != actual:
            yield f"{column} is {stated}, but it is {actual} when it is made again"
    if not low <= row.optimum <= row.lblp:
        yield f"optimum is {row.optimum}; it must be from {low}, a lower bound, to LBLP's {row.lblp}"
    if not least <= row.lblp <= longest:
        yield f"LBLP's units is {row.lblp}; it must be from {least}, a lower bound, to {longest}, a schedule"


def _pinned(instance: Instance, mapping: Mapping) -> Instance:
    """Return the instance with every node on its unit."""
    units = mapping.patterns[0].units
    pins = tuple(NodeUnits(node, (unit,)) for node, unit in zip(mapping.nodes, units, strict=True))
    return msgspec.structs.replace(instance, side_constraints=SideConstraints(pin=pins))


def _lines(text: str) -> Iterator[list[str]]:
    """Yield the cells of every line below a head with :data:`COLUMNS`."""
    inside = False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if tuple(cells[: len(COLUMNS)]) == COLUMNS:
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and set(cells[0]) != {"-"}:
            yield cells


def _row(cells: list[str]) -> Row | None:
    """Return a line as numbers, or ``None`` if it has none."""
    if len(cells) < len(COLUMNS):
        return None
    name, proven_by, ratio = cells[0].strip("`"), cells[7], cells[6]
    try:
        nodes, units, period, lblp, optimum, scheduled = (
            int(cells[at].replace(",", "")) for at in (1, 2, 3, 4, 5, 8)
        )
    except ValueError:
        return None
    return Row(name, nodes, units, period, lblp, optimum, ratio, proven_by, scheduled)
