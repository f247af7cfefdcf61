"""Markdown tables, and the line that says where and when a benchmark ran."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from datetime import date


def heading(title: str, text: str) -> None:
    print(f"\n## {title}\n\n{text}\n", flush=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    for line in lines(columns, rows):
        print(line, flush=True)


def lines(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    yield "| " + " | ".join(columns) + " |"
    yield "| " + " | ".join("---" for _ in columns) + " |"
    for row in rows:
        yield "| " + " | ".join(map(str, row)) + " |"


def machine() -> str:
    chip = f"{os.cpu_count()} cores ({platform.machine()})"
    return f"{date.today().isoformat()}, {chip}, Python {platform.python_version()}"
