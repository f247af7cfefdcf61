"""Printing: a table for people, or JSON for machines."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any, Self

import msgspec

from mapopt.documents import Document


def print_json(value: Any) -> None:
    """Print indented JSON on standard output; documents come with their schema."""
    data = value.to_json() if isinstance(value, Document) else msgspec.json.encode(value)
    print(msgspec.json.format(data, indent=2).decode())


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numeric: Sequence[str] = (),
    title: str | None = None,
) -> None:
    """Print a table of plain text; ``numeric`` columns are aligned to the right.

    A table with numbers is never cropped: on a narrow terminal its lines run on. Other tables fold their cells.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in columns:
        is_number = column in numeric
        table.add_column(
            Text(column), justify="right" if is_number else "left", overflow="fold", no_wrap=is_number
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console()
    if numeric or not console.is_terminal:
        console = Console(width=Console(width=100_000).measure(table).maximum)
    if title is not None:
        print(title)
    console.print(table)


class StatusLine:
    """A line on standard error that says how far a long command is, if somebody is looking."""

    def __init__(self, message: str, *, quiet: bool) -> None:
        from rich.console import Console

        console = Console(stderr=True)
        self._status = None if quiet or not console.is_terminal else console.status(message)

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def show(self, message: str) -> None:
        """Replace the line."""
        if self._status is not None:
            from rich.text import Text

            self._status.update(Text(message))


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
