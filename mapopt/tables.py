"""Mappings as ``node,unit`` tables, which other compilers read and write."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from mapopt.documents import read_csv, write_atomic
from mapopt.errors import InputError
from mapopt.mapping import Mapping, Pattern


def write_table(path: str | Path, mapping: Mapping) -> None:
    """Write the columns ``node,unit``, and ``pattern`` in front if there are several; starts are left out."""
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    several = len(mapping.patterns) > 1
    table.writerow(["pattern", "node", "unit"] if several else ["node", "unit"])
    for number, pattern in enumerate(mapping.patterns):
        for node, unit in zip(mapping.nodes, pattern.units, strict=True):
            table.writerow([number, node, unit] if several else [node, unit])
    write_atomic(path, stream.getvalue().encode())


def read_table(path: str | Path) -> Mapping:
    """Read what :func:`write_table` wrote; the mapping fits any instance that has these nodes and units.

    Raises
    ------
    InputError
        If a column is missing, a node appears twice in a pattern, or a pattern misses a node.
    """
    patterns: dict[int, dict[str, str]] = {}
    for where, row in read_csv(path, ("node", "unit")):
        node, unit, pattern = row["node"], row["unit"], row.get("pattern", "0")
        if not (node and unit and pattern.isdecimal() and len(pattern) < 10):
            raise InputError(f"{where}: needs a node, a unit and a pattern number; one of them is missing")
        homes = patterns.setdefault(int(pattern), {})
        if node in homes:
            raise InputError(f"{where}: node {node!r} appears twice; give every node one unit per pattern")
        homes[node] = unit
    if sorted(patterns) != list(range(len(patterns))) or not patterns:
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
    )
