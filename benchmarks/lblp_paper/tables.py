"""The tables of the page on the LBLP paper, each as lines of Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from benchmarks.lblp_paper.records import (
    BEST,
    GREEDY,
    OPTIONS,
    PAPER,
    STUDIES,
    alone,
    at_least_period,
    attained,
    best_at_least_period,
    families,
    figures,
    gap,
    name,
    percent,
    scene,
    typical_period,
    units,
    worst,
)
from benchmarks.tables import lines


def runs_made() -> Iterator[str]:
    rows: list[list[object]] = []
    for study in STUDIES:
        of = scene(study)
        proven = {
            objective: f"{sum(each.proven(objective) for each in of.cases)} of {len(of.cases)}"
            for objective in of.all_objectives
            if of.references
        }
        made = sum(run.row is not None for run in of.runs)
        cells = [proven.get(objective, "") for objective in ("period", "latency")]
        rows.append([f"[{study}](../{study}/study.toml)", len(of.cases), made, *cells])
    yield from lines(["study", "instances", "runs", "period proven", "latency proven"], rows)


def rates() -> Iterator[str]:
    methods = (*PAPER, *GREEDY, BEST)
    rows = []
    for family, cases in families().items():
        cells = []
        for method in methods:
            value, at = worst(cases, lambda of, method=method: gap(of, method))  # type: ignore[misc]
            cells.append(f"{percent(value)} ({units(at)})" if value else "0")
        rows.append([family, *cells])
    yield from lines(["", *map(name, methods)], rows)


def latencies() -> Iterator[str]:
    rows = []
    for family, cases in families().items():
        mine = [(found, of) for of in cases if (found := at_least_period(of, "lblp")) is not None]
        best = [best_at_least_period(of) for of in cases]
        value, at = max(mine, key=lambda each: each[0])
        rows.append(
            [
                family,
                f"{len(mine)} of {len(cases)}",
                percent(median(each for each, _ in mine)),
                f"{percent(value)} ({units(at)})" if value else "0",
                f"{sum(each == 0 for each in best)} of {len(cases)}",
                percent(max(best)),
            ]
        )
    columns = [
        "", "LBLP at the least period", "its latency: median", "largest", "best run: proven", "largest gap",
    ]  # fmt: skip
    yield from lines(columns, rows)


def latencies_alone() -> Iterator[str]:
    methods = (*PAPER, "heft", "cpop", BEST)
    rows = []
    for family, cases in families().items():
        cells = []
        for method in methods:
            value, at = worst(cases, lambda of, method=method: alone(of, method))  # type: ignore[misc]
            cells.append(f"{percent(value)} ({units(at)})" if value else "0")
        rows.append([family, *cells])
    yield from lines(["", *map(name, methods)], rows)


def choices() -> Iterator[str]:
    found: dict[str, list[list[float]]] = {}
    for each in scene(OPTIONS).cases:
        default, *others = each.runs
        base = figures(default)
        for run in others:
            changes = [value / against - 1 for value, against in zip(figures(run), base, strict=True)]
            found.setdefault(run.method.removeprefix("lblp "), []).append(changes)
    rows = []
    for setting, everywhere in found.items():
        cells = [f"`{setting}`"]
        for objective in range(3):
            changes = [each[objective] for each in everywhere]
            lower, higher = sum(change < 0 for change in changes), sum(change > 0 for change in changes)
            spread = f"{100 * min(changes):+.1f} to {100 * max(changes):+.1f}% ({lower}, {higher})"
            cells.append(spread if lower or higher else "none")
        rows.append(cells)
    yield from lines(["choice", "period", "latency at its period", "latency of a frame alone"], rows)


def ratios() -> Iterator[str]:
    rows = []
    for family, cases in families().items():
        row = [family]
        for method in ("wb", "rr", "rd"):
            found = [(typical_period(of, method) / typical_period(of, "lblp"), of) for of in cases]
            low, high = min(found, key=lambda each: each[0]), max(found, key=lambda each: each[0])
            row.append(f"{low[0]:.2f} to {high[0]:.2f} ({units(high[1])})")
        rows.append(row)
    yield from lines(["", "over WB", "over RR", "over RD"], rows)


def self_timed() -> Iterator[str]:
    rows = []
    for family, cases in families().items():
        cells = []
        for method in ("lblp", "wb", "rr", BEST):
            value, at = min(((attained(of.label, method)[0], of) for of in cases), key=lambda each: each[0])
            cells.append("100%" if value == 1 else f"{100 * value:.1f}% ({units(at)})")
        measured = [attained(of.label, BEST)[1] / attained(of.label, "lblp")[1] for of in cases]
        rows.append([family, *cells, f"{100 * min(measured):.1f} to {100 * max(measured):.1f}%"])
    columns = [
        "",
        *map(name, ("lblp", "wb", "rr")),
        "solve",
        "rate of LBLP over that of the solve",
    ]
    yield from lines(columns, rows)


def image(file: str, title: str, width: int = 420) -> str:
    return f'<img src="figures/{file}.svg" alt="{title}" width="{width}">'


def gallery() -> Iterator[str]:
    rows = [
        [
            image(f"{family.replace(' ', '-')}-{what}", f"{what} against imc: {family}")
            for what in ("rate", "latency")
        ]
        for family in families()
    ]
    yield from lines(["rate", "latency at that rate"], rows)
