"""Printing: a table for people, or JSON for machines."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec


def print_json(value: Any) -> None:
    """Print indented JSON on standard output."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numeric: Sequence[str] = (),
    title: str | None = None,
) -> None:
    """Print a table; ``numeric`` columns are aligned to the right. Text is printed as it is, never as markup."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=None if title is None else Text(title), title_justify="left", box=None, pad_edge=False
    )
    for column in columns:
        table.add_column(
            Text(column),
            justify="right" if column in numeric else "left",
            overflow="fold",
            no_wrap=column in numeric,
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console()
    if not console.is_terminal:
        wide = Console(width=10_000)
        console = Console(width=wide.measure(table).maximum + 1)
    console.print(table)


def note(message: str) -> None:
    """Print a remark on standard error, where it does not disturb what is piped."""
    print(message, file=sys.stderr)


def grouped(value: float | int | None, digits: int = 0) -> str:
    """Return a number with thousands separators, or a dash for None."""
    return "-" if value is None else f"{value:,.{digits}f}"


def exact(value: float) -> str:
    """Return a number with thousands separators, and three decimals unless they are zeros or hide the number."""
    text = f"{value:,.3f}".rstrip("0").rstrip(".")
    return text if text != "0" else f"{value:g}"


def percent(value: float | None, digits: int = 1) -> str:
    """Return a fraction as a percentage, or a dash for None."""
    return "-" if value is None else f"{100 * value:.{digits}f}%"
