"""The gap table: what each method attained on each instance, and what was proven, as CSV, LaTeX or Markdown."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
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
    cells = [_short(row) for row in rows]
    return _latex(cells) if form == "latex" else _markdown(cells)


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
        seconds = "" if run.runtime_s is None else f"{run.runtime_s:.6f}"
        writer.writerow(
            [
                row.case.label, row.case.compared, row.run.plan.method, row.runs, run.status, *numbers, seconds, run.id,
                run.reason, run.plan.command,
            ]
        )  # fmt: skip
    return out.getvalue()


_SHORT = ("instance", "method", "status", "period (ns)", "gap", "latency (ns)", "gap", "time (s)")
_NUMERIC = (False, False, False, True, True, True, True, True)


def _short(row: GapRow) -> list[str]:
    period, latency = (row.attained[each] for each in OBJECTIVES)
    seconds = "" if row.run.runtime_s is None else f"{row.run.runtime_s:.2f}"
    return [
        row.case.label, row.method, row.run.status, period.value_ns, share(period.gap), latency.value_ns,
        share(latency.gap), seconds,
    ]  # fmt: skip


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


def _latex(rows: Iterable[Sequence[str]]) -> str:
    columns = "".join("r" if numeric else "l" for numeric in _NUMERIC)
    lines = [
        "% needs \\usepackage{booktabs,longtable}, and the T1 font encoding for quotation marks",
        rf"\begin{{longtable}}{{{columns}}}",
        r"\toprule",
        " & ".join(map(_latex_cell, _SHORT)) + r" \\",
        r"\midrule",
        r"\endhead",
        *(" & ".join(map(_latex_cell, row)) + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{longtable}",
    ]
    return "\n".join(lines) + "\n"


def _latex_cell(text: str) -> str:
    return "".join(_LATEX.get(sign, sign) for sign in _one_line(text))


def _markdown(rows: Iterable[Sequence[str]]) -> str:
    lines = [
        _markdown_row(_SHORT),
        "|" + "|".join(" ---: " if numeric else " --- " for numeric in _NUMERIC) + "|",
        *map(_markdown_row, rows),
    ]
    return "\n".join(lines) + "\n"


def _markdown_row(cells: Sequence[str]) -> str:
    escaped = (re.sub(r"([\\|`*_<>\[\]&])", r"\\\1", _one_line(cell)) for cell in cells)
    return "| " + " | ".join(escaped) + " |"


def _one_line(text: str) -> str:
    return " ".join(text.split())
