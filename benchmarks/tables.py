"""Markdown tables, and the line that says where and when a benchmark ran."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import date


def heading(title: str, text: str) -> None:
    print(f"\n## {title}\n\n{text}\n", flush=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    print("| " + " | ".join(columns) + " |")
    print("| " + " | ".join("---" for _ in columns) + " |")
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |", flush=True)


def machine() -> str:
    chip = f"{os.cpu_count()} cores ({platform.machine()})"
    return f"{date.today().isoformat()}, {chip}, Python {platform.python_version()}"
