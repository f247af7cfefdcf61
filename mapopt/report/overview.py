"""The tables of a report: what was proven, methods, gaps, what did not work, where it ran, and every run."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median

from mapopt.report.cases import OBJECTIVES, Case, Proof
from mapopt.report.charts.progress import mean_integrals
from mapopt.report.gap_table import Attained, exact_ns, gap_rows, share
from mapopt.report.markup import Cell, Column, Link, Table
from mapopt.report.runs import MISSING, Run
from mapopt.report.scene import Scene
from mapopt.report.statistics import shifted_geometric_mean
from mapopt.studies.records import Record

STATUSES = ("optimal", "feasible", "infeasible", "unknown", "failed", MISSING)

MAX_ENVIRONMENTS = 2000
"""Most records that are read for the machines that made them."""

REASON_LETTERS = 300
"""Longest reason shown; the record has all of it."""


def statuses(runs: Sequence[Run]) -> dict[str, int]:
    """Count the runs of each status: the usual ones in their order, then others by name."""
    counts = Counter(run.status for run in runs)
    order = (*STATUSES, *sorted(counts.keys() - set(STATUSES)))
    return {status: counts[status] for status in order if counts[status]}


def proven(scene: Scene) -> Table:
    """Say for how many instances each objective's optimum is proven, and how far the others are from it."""
    rows = []
    for compared in scene.classes:
        cases = scene.of_class(compared)
        for objective in scene.objectives(compared):
            closed = [case for case in cases if case.proven(objective)]
            valued = [case for case in cases if case.best(objective) is not None]
            left = [gap for case in valued if case not in closed for gap in _least_gap(case, objective)]
            rows.append(
                [
                    objective,
                    compared,
                    f"{len(cases):,}",
                    f"{len(closed):,}",
                    f"{len(valued) - len(closed):,}",
                    share(median(left)) if left else "",
                    share(max(left)) if left else "",
                    f"{len(cases) - len(valued):,}",
                ]
            )
    columns = (
        Column("objective"), Column("class"), Column("instances", True), Column("optimum proven", True),
        Column("open", True), Column("median gap of the open", True), Column("largest", True), Column("no value", True),
    )  # fmt: skip
    return Table(
        "proven",
        "What was proven, by objective; the gap of an instance is the least of any run",
        columns,
        rows,
    )


def _least_gap(case: Case, objective: str) -> Iterator[float]:
    gaps = [gap for run in case.runs if (gap := case.gap(run, objective)) is not None]
    if gaps:
        yield min(gaps)


def methods(scene: Scene) -> Table:
    """Summarise every method over all instances of each class."""
    seen = [status for status in statuses(scene.runs) if status in STATUSES]
    several = len(scene.classes) > 1
    rows = [
        [method, *([compared] if several else []), *cells]
        for compared in scene.classes
        for method, cells in _methods_of(scene, compared, seen)
    ]
    columns = (
        Column("method"), *([Column("class")] if several else []), Column("runs", True),
        *(Column(status, True) for status in seen),
        *(Column(f"median {each} gap", True) for each in scene.all_objectives), Column("runtime (s)", True),
        *(Column(f"{each} integral (s)", True) for each in scene.all_objectives),
    )  # fmt: skip
    return Table(
        "methods",
        "Methods: runs by status, medians of all runs' gaps, runtime (geometric mean, shifted by 1 s) and mean primal "
        "integrals (up to the longest runtime of any method; less is better)",
        columns,
        rows,
    )


def _methods_of(scene: Scene, compared: str, seen: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the methods of a class with the cells of each."""
    gaps: dict[tuple[str, str], list[float]] = {}
    by_method: dict[str, list[Run]] = {method: [] for method in scene.methods}
    for case in scene.of_class(compared):
        for run in case.runs:
            by_method[run.method].append(run)
            for objective in scene.all_objectives:
                gap = case.gap(run, objective)
                if gap is not None:
                    gaps.setdefault((run.method, objective), []).append(gap)
    integrals = {
        (method, objective): mean
        for objective in scene.all_objectives
        for method, mean in mean_integrals(scene, compared, objective).items()
    }
    for method, runs in by_method.items():
        counts = statuses(runs)
        times = [run.runtime_s for run in runs if run.runtime_s is not None]
        if runs:
            yield (
                method,
                [
                    f"{len(runs):,}",
                    *(f"{counts[status]:,}" if status in counts else "" for status in seen),
                    *(
                        share(median(gaps[key])) if (key := (method, each)) in gaps else ""
                        for each in scene.all_objectives
                    ),
                    f"{shifted_geometric_mean(times, 1.0):,.3f}" if times else "",
                    *(
                        f"{integrals[key]:,.3f}" if (key := (method, each)) in integrals else ""
                        for each in scene.all_objectives
                    ),
                ],
            )


def troubles(scene: Scene) -> Table | None:
    """Gather the runs without a mapping, and those with a remark, by status and reason."""
    found: dict[tuple[str, str], list[Run]] = {}
    for run in scene.runs:
        if run.status not in ("optimal", "feasible") or run.reason:
            found.setdefault((run.status, run.reason or "no record: the run was not made yet"), []).append(
                run
            )
    if not found:
        return None
    rows: list[list[Cell]] = [
        [
            status,
            f"{len(runs):,}",
            shortened(reason),
            ", ".join(dict.fromkeys(run.method for run in runs)),
            Link(runs[0].id[:8], f"run-{runs[0].id}"),
        ]
        for (status, reason), runs in found.items()
    ]
    columns = (
        Column("status"),
        Column("runs", True),
        Column("reason", kind="wide"),
        Column("methods", kind="wide"),
        Column("first run"),
    )
    return Table("troubles", "Runs without a mapping or with a remark, by reason", columns, rows)


def contradictions(scene: Scene) -> Table | None:
    """List the runs whose value is below a bound that is said to hold for them: either is wrong."""
    rows: list[list[Cell]] = []
    for case in scene.cases:
        for run in case.runs:
            for objective in OBJECTIVES:
                gap = case.gap(run, objective)
                if gap is not None and gap < 0 and (proof := case.proof(run, objective)) is not None:
                    found = _attained_cells(case, run, objective, proof)
                    rows.append([case.label, run.method, objective, *found])
    if not rows:
        return None
    columns = (
        Column("instance"), Column("method"), Column("objective"), Column("value (ns)", True),
        Column("bound (ns)", True), Column("proved by"),
    )  # fmt: skip
    return Table(
        "contradictions", "Values below a bound that is said to hold: one of the two is wrong", columns, rows
    )


def _attained_cells(case: Case, run: Run, objective: str, proof: Proof) -> list[Cell]:
    value = grouped(exact_ns(run.value(objective) or 0, case.tick_ps))
    bound = grouped(exact_ns(proof.ticks, case.tick_ps))
    return [Link(value, f"run-{run.id}"), Link(bound, f"run-{proof.run}") if proof.run else bound, proof.by]


def shortened(text: str) -> str:
    """Return a text, its end cut off if it is long."""
    return text if len(text) <= REASON_LETTERS else text[: REASON_LETTERS - 1] + "…"


def machines(scene: Scene) -> Table:
    """Say with which versions and on which machines the runs were made."""
    made = [run for run in scene.runs if run.row is not None]
    read = made[:: max(1, math.ceil(len(made) / MAX_ENVIRONMENTS))]
    found = Counter(_where(run.record) for run in read if run.record is not None)
    rows = [[*key, f"{count:,}"] for key, count in sorted(found.items())]
    columns = (Column("machine"), Column("software"), Column("solvers"), Column("runs", True))
    note = "" if len(read) == len(made) else f" ({len(read):,} of {len(made):,}, evenly spaced)"
    return Table("machines", f"Where and with what the runs were made{note}", columns, rows)


def _where(record: Record) -> tuple[str, str, str]:
    """Return the machine, the software and the solvers of a run."""
    where = record.environment
    machine = f"{where.get('system', '?')} {where.get('machine', '?')}, {where.get('cpus', '?')} CPUs"
    software = f"mapopt {where.get('mapopt', '?')}, Python {where.get('python', '?')}"
    return (
        machine,
        software,
        ", ".join(f"{name} {version}" for name, version in sorted(record.key.versions.items())),
    )


def gaps(scene: Scene) -> Table:
    """Return the gap table; every number leads to its run, every bound to the run that proved it."""
    rows: list[list[Cell]] = []
    for row in gap_rows(scene):
        own = f"run-{row.run.id}"
        cells: list[Cell] = [row.case.label, row.method, f"{row.runs:,}", row.run.status]
        for objective in scene.all_objectives:
            cells += _figures(row.attained[objective], own)
        runtime = row.run.runtime_s
        rows.append([*cells, "" if runtime is None else Link(f"{runtime:,.3f}", own)])
    columns = (
        Column("instance"), Column("method"), Column("runs", True), Column("status"),
        *(
            column
            for each in scene.all_objectives
            for column in (
                Column(f"{each} (ns)", True), Column("bound (ns)", True), Column("gap", True), Column("proved by")
            )
        ),
        Column("time (s)", True),
    )  # fmt: skip
    return Table(
        "gap-table", "Every instance and method: the run with the median period", columns, rows, grouped=True
    )


def _figures(found: Attained, own: str) -> list[Cell]:
    value: Cell = Link(grouped(found.value_ns), own) if found.value_ns else ""
    gap: Cell = Link(share(found.gap), own) if found.gap is not None else ""
    if found.proof is None:
        return [value, "", gap, ""]
    proof = found.proof
    bound = grouped(found.bound_ns)
    return [value, Link(bound, f"run-{proof.run}") if proof.run else bound, gap, proof.by]


def grouped(decimal: str) -> str:
    """Return an exact decimal with thousands separators.

    Examples
    --------
    >>> grouped("1234567.25"), grouped("12")
    ('1,234,567.25', '12')
    """
    whole, point, fraction = decimal.partition(".")
    return f"{int(whole):,}{point}{fraction}"


def run_list(scene: Scene) -> Table:
    """List every run with the command that repeats it."""
    rows: list[list[Cell]] = []
    anchors: dict[str, None] = {}
    for case in scene.cases:
        for run in case.runs:
            if f"run-{run.id}" in anchors:
                continue
            anchors[f"run-{run.id}"] = None
            cells: list[Cell] = [run.id[:12], case.label, run.method, str(run.plan.seed), run.status]
            for objective in OBJECTIVES:
                value = run.value(objective)
                cells.append("" if value is None else grouped(exact_ns(value, case.tick_ps)))
            seconds = "" if run.runtime_s is None else f"{run.runtime_s:,.3f}"
            rows.append([*cells, seconds, shortened(run.reason), run.plan.command])
    columns = (
        Column("run"), Column("instance"), Column("method"), Column("seed", True), Column("status"),
        Column("period (ns)", True), Column("latency (ns)", True), Column("time (s)", True),
        Column("reason", kind="wide"), Column("command that repeats it", kind="code"),
    )  # fmt: skip
    return Table("run-list", "Every run, and the command that repeats it", columns, rows, tuple(anchors))
