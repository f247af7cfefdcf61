"""A table of references: its cases, how each is solved, and what the table shows of the records."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.tables import lines, machine
from mapopt.documents import write_atomic
from mapopt.instance import Instance
from mapopt.studies.records import Record
from mapopt.studies.runs import solve_run
from mapopt.studies.store import RunStore

ROOT = Path(__file__).parents[2]
INSTANCES = ROOT / "instances"
RESULTS = ROOT / "results" / "references"
STORE = RunStore(ROOT / "results" / "runs")


@dataclass(frozen=True, slots=True)
class Case:
    """One row: an instance, how it is solved, and what others know of it.

    Parameters
    ----------
    arguments
        Of :func:`mapopt.solvers.driver.solve`.
    known
        For the table's own use.
    """

    name: str
    load: Callable[[], Instance]
    arguments: dict[str, Any] = field(default_factory=dict)
    known: Any = None


Cell = str | int | float | None
Row = Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Table:
    """A committed table.

    Parameters
    ----------
    name
        Of its file under ``results/references``.
    title, text
        Heading, and what the table shows and in which class.
    cases
        Makes the rows' cases.
    columns
        Headings.
    row
        Turns a case and its record into cells.
    summary
        Turns all cases and records into closing lines.
    """

    name: str
    title: str
    text: str
    cases: Callable[[], Iterable[Case]]
    columns: tuple[str, ...]
    row: Callable[[Case, Record], Row]
    summary: Callable[[Sequence[tuple[Case, Record]]], Iterable[str]]

    def make(self) -> str:
        """Run what was not run yet, and return the table."""
        found: list[tuple[Case, Record]] = []
        cases = list(self.cases())
        for number, case in enumerate(cases):
            begin = time.monotonic()
            record, reused = solve_run(STORE, case.load(), **case.arguments)
            if record.interrupted:
                raise KeyboardInterrupt
            took = "reused" if reused else f"{time.monotonic() - begin:.1f} s"
            print(
                f"{self.name} {number + 1}/{len(cases)} {case.name}: {levels_of(record)} ({took})", flush=True
            )
            found.append((case, record))
        rows = [self.row(case, record) for case, record in found]
        parts = [f"# {self.title}", "", self.text, "", *self.summary(found), "", *lines(self.columns, rows)]
        return "\n".join(
            [*parts, "", f"Printed by `python -m benchmarks.references {self.name}` on {machine()}.", ""]
        )

    def write(self) -> None:
        """Make the table and keep it."""
        text = self.make()
        RESULTS.mkdir(parents=True, exist_ok=True)
        write_atomic(RESULTS / f"{self.name}.md", text.encode())


def levels_of(record: Record) -> str:
    """Return a record's levels on one line."""
    if not record.levels:
        return record.status
    return ", ".join(
        f"{level.objective} {level.value} ({'proven' if level.status == 'optimal' else f'bound {level.bound}'})"
        for level in record.levels
    )


def gap_of(record: Record, objective: str) -> float | None:
    """Return value/bound - 1 of a level; ``None`` where there is none."""
    level = record.level(objective)
    if level is None or level.value is None or level.bound is None:
        return None
    return 0.0 if level.value == level.bound else level.value / level.bound - 1 if level.bound else None


def percent(value: float | None, digits: int = 2) -> str:
    """Return a fraction as a percentage."""
    return "-" if value is None else f"{value:.{digits}%}"


def seconds(records: Iterable[Record]) -> str:
    """Return mean, median and largest runtime."""
    times = [record.runtime_s or 0.0 for record in records]
    return f"mean {statistics.mean(times):.2f} s, median {statistics.median(times):.2f} s, most {max(times):.1f} s"
