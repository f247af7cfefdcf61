"""The gap table: what each method attained on each instance, and what was proven, as CSV, LaTeX or Markdown."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from mapopt.report.cases import OBJECTIVES, Case, Proof
from mapopt.report.runs import Run
from mapopt.report.scene import Scene

Format = Literal["csv", "latex", "md"]


@dataclass(frozen=True, slots=True)
class Attained:
    """One objective of a row: value and bound in ns as exact decimals, the gap, and what the bound was proved by."""

    value_ns: str = ""
    bound_ns: str = ""
    gap: float | None = None
    proof: Proof | None = None


@dataclass(frozen=True, slots=True)
class GapRow:
    """A method on an instance: its run with the median period.

    Parameters
    ----------
    case
        The instance and the class.
    method
        What ran.
    runs
        How many runs it has there.
    run
        The one that the row shows.
    attained
        By objective.
    """

    case: Case
    method: str
    runs: int
    run: Run
    attained: dict[str, Attained]


def gap_rows(scene: Scene) -> tuple[GapRow, ...]:
    """Return a row per instance, class and method, in the order of the plans."""
    return tuple(
        _gap_row(case, method) for case in scene.cases for method in scene.methods if method in case.by_method
    )


def _gap_row(case: Case, method: str) -> GapRow:
    run = case.typical_run(method)
    attained = {each: _attained(case, run, each) for each in OBJECTIVES}
    return GapRow(case, method, len(case.by_method[method]), run, attained)


def _attained(case: Case, run: Run, objective: str) -> Attained:
    value, proof = run.value(objective), case.proof(run, objective)
    return Attained(
        "" if value is None else exact_ns(value, case.tick_ps),
        "" if proof is None else exact_ns(proof.ticks, case.tick_ps),
        case.gap(run, objective),
        proof,
    )


def exact_ns(ticks: int, tick_ps: int) -> str:
    """Return whole ticks in ns: an exact decimal, as a tick is a whole number of ps.

    Examples
    --------
    >>> exact_ns(3, 250), exact_ns(3, 1000), exact_ns(3, 7)
    ('0.75', '3', '0.021')
    """
    whole, thousandths = divmod(ticks * tick_ps, 1000)
    return f"{whole}.{thousandths:03}".rstrip("0").rstrip(".") if thousandths else str(whole)


def gap_table(scene: Scene, form: Format) -> str:
    """Return the gap table as text that is the same for the same records.

    Parameters
    ----------
    form
        ``csv``: every column, exact; ``latex``: a longtable for booktabs; ``md``: Markdown.
    """
    rows = gap_rows(scene)
    if form == "csv":
        return _csv(rows)
    several = len(scene.classes) > 1
    columns = [column for column in _SHORT if several or column.title != "class"]
    cells = [[column.of(row) for column in columns] for row in rows]
    return _latex(columns, cells) if form == "latex" else _markdown(columns, cells)


def _csv(rows: Iterable[GapRow]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    figures = [f"{each}_{what}" for each in OBJECTIVES for what in ("ns", "bound_ns", "gap", "bound_by")]
    writer.writerow(
        ["instance", "class", "method", "runs", "status", *figures, "runtime_s", "run", "reason", "command"]
    )
    for row in rows:
        run = row.run
        numbers: list[str] = []
        for each in OBJECTIVES:
            found = row.attained[each]
            gap = "" if found.gap is None else f"{found.gap:.9g}"
            numbers += [found.value_ns, found.bound_ns, gap, "" if found.proof is None else found.proof.by]
        runtime_s = "" if run.runtime_s is None else f"{run.runtime_s:.6f}"
        writer.writerow(
            [
                row.case.label, row.case.compared, row.run.plan.method, row.runs, run.status, *numbers, runtime_s,
                run.id, run.reason, run.plan.command,
            ]
        )  # fmt: skip
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of a short table: its title, its cell in a row, and whether this is a number."""

    title: str
    of: Callable[[GapRow], str]
    numeric: bool = False


_SHORT = (
    _Column("instance", lambda row: row.case.label),
    _Column("class", lambda row: row.case.compared),
    _Column("method", lambda row: row.method),
    _Column("status", lambda row: row.run.status),
    _Column("period (ns)", lambda row: row.attained["period"].value_ns, True),
    _Column("gap", lambda row: share(row.attained["period"].gap), True),
    _Column("latency (ns)", lambda row: row.attained["latency"].value_ns, True),
    _Column("gap", lambda row: share(row.attained["latency"].gap), True),
    _Column("time (s)", lambda row: seconds(row.run.runtime_s), True),
)


def seconds(value: float | None) -> str:
    """Return seconds with three decimals; what is not zero never looks like it.

    Examples
    --------
    >>> seconds(None), seconds(0.00017), seconds(1234.5)
    ('', '<0.001', '1234.500')
    """
    if value is None:
        return ""
    return "<0.001" if 0 < value < 0.0005 else f"{value:.3f}"


def share(value: float | None) -> str:
    """Return a gap as a percentage; what is not zero never looks like it."""
    if value is None:
        return ""
    return f"{'<' if 0 < value < 0.00005 else ''}{max(value, 0.0001) if 0 < value < 0.00005 else value:.2%}"


_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}",
}  # fmt: skip


def _latex(columns: Sequence[_Column], rows: Iterable[Sequence[str]]) -> str:
    aligned = "".join("r" if column.numeric else "l" for column in columns)
    lines = [
        "% needs \\usepackage{booktabs,longtable}, and the T1 font encoding for quotation marks",
        rf"\begin{{longtable}}{{{aligned}}}",
        r"\toprule",
        " & ".join(_latex_cell(column.title) for column in columns) + r" \\",
        r"\midrule",
        r"\endhead",
        *(" & ".join(map(_latex_cell, row)) + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{longtable}",
    ]
    return "\n".join(lines) + "\n"


def _latex_cell(text: str) -> str:
    return "".join(_LATEX.get(sign, sign) for sign in _one_line(text))


def _markdown(columns: Sequence[_Column], rows: Iterable[Sequence[str]]) -> str:
    lines = [
        _markdown_row([column.title for column in columns]),
        "|" + "|".join(" ---: " if column.numeric else " --- " for column in columns) + "|",
        *map(_markdown_row, rows),
    ]
    return "\n".join(lines) + "\n"


def _markdown_row(cells: Sequence[str]) -> str:
    escaped = (re.sub(r"([\\|`*_<>\[\]&])", r"\\\1", _one_line(cell)) for cell in cells)
    return "| " + " | ".join(escaped) + " |"


def _one_line(text: str) -> str:
    return " ".join(text.split())
