"""Mappings as ``node,unit`` tables, which other compilers read and write."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from mapopt.documents import read_bytes, write_atomic
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
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8 text; a mapping table is a CSV file") from None
    reader = csv.DictReader(io.StringIO(text))
    if not {"node", "unit"} <= set(reader.fieldnames or ()):
        raise InputError(f"{path}: has the columns {list(reader.fieldnames or ())}; it needs node and unit")
    patterns: dict[int, dict[str, str]] = {}
    try:
        for row in reader:
            where = f"{path}, line {reader.line_num}"
            node, unit, number = row["node"] or "", row["unit"] or "", row.get("pattern") or "0"
            if not (node and unit and number.isdecimal()):
                raise InputError(
                    f"{where}: needs a node, a unit and a pattern number; one of them is missing"
                )
            homes = patterns.setdefault(int(number), {})
            if node in homes:
                raise InputError(
                    f"{where}: node {node!r} appears twice; give every node one unit per pattern"
                )
            homes[node] = unit
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: not valid CSV ({error})") from None
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
