"""Mappings as ``node,unit`` tables, which other compilers read and write."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from mapopt.documents import read_csv, unknown, write_atomic
from mapopt.errors import InputError
from mapopt.mapping import Mapping, Pattern


def write_table(path: str | Path, mapping: Mapping) -> None:
    """Write the columns ``node,unit``, with ``pattern`` if there are several and ``priority`` if there are any.

    Start times are left out.
    """
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    several, priorities = len(mapping.patterns) > 1, mapping.priorities
    table.writerow(["pattern"] * several + ["node", "unit"] + ["priority"] * (priorities is not None))
    for number, pattern in enumerate(mapping.patterns):
        for index, (node, unit) in enumerate(zip(mapping.nodes, pattern.units, strict=True)):
            priority = [] if priorities is None else [priorities[index]]
            table.writerow([number] * several + [node, unit, *priority])
    write_atomic(path, stream.getvalue().encode())


def read_table(path: str | Path) -> Mapping:
    """Read what :func:`write_table` wrote; the mapping fits any instance that has these nodes and units.

    Raises
    ------
    InputError
        If a column is missing or unknown, a node appears twice in a pattern, a pattern misses a node, or a node has
        two priorities.
    """
    patterns: dict[int, dict[str, str]] = {}
    priority: dict[str, int] = {}
    for where, row in read_csv(path, ("node", "unit")):
        for column in row:
            if column not in ("pattern", "node", "unit", "priority"):
                raise unknown(f"{path}: column", column, ("pattern", "node", "unit", "priority"))
        node, unit, pattern = row["node"], row["unit"], row.get("pattern", "0")
        if not (node and unit and pattern.isdecimal() and len(pattern) < 10):
            raise InputError(f"{where}: needs a node, a unit and a pattern number; one of them is missing")
        homes = patterns.setdefault(int(pattern), {})
        if node in homes:
            raise InputError(f"{where}: node {node!r} appears twice; give every node one unit per pattern")
        homes[node] = unit
        if "priority" in row:
            value = _integer(row["priority"], where)
            if priority.setdefault(node, value) != value:
                raise InputError(
                    f"{where}: node {node!r} has two priorities; give it the same in every pattern"
                )
    if sorted(patterns) != list(range(len(patterns))):
        raise InputError(
            f"{path}: has the patterns {sorted(patterns)}; they must be numbered from 0 without a gap"
        )
    nodes = tuple(patterns[0])
    for number, homes in patterns.items():
        if homes.keys() != patterns[0].keys():
            raise InputError(
                f"{path}: pattern {number} maps other nodes than pattern 0; map every node in each"
            )
    return Mapping(
        nodes=nodes,
        patterns=tuple(
            Pattern(tuple(patterns[number][node] for node in nodes)) for number in sorted(patterns)
        ),
        priorities=tuple(priority[node] for node in nodes) if priority else None,
    )


def _integer(text: str, where: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise InputError(f"{where}: priority is {text!r}; it must be a whole number") from None
    if abs(value) > 2**62:
        raise InputError(f"{where}: priority is {value}; it must be at most 2**62 in size")
    return value
