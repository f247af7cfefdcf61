"""The page on the LBLP paper: its text is ``page.md``, its numbers and tables come from the records."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median

from benchmarks.lblp_paper import tables
from benchmarks.lblp_paper.records import (
    BEST,
    DPUS,
    FIRINGS,
    GREEDY,
    MAIN,
    OPTIONS,
    PAPER,
    WINDOW,
    alone,
    at_least_period,
    best_at_least_period,
    digital_share,
    families,
    figures,
    gap,
    optional_gap,
    percent,
    run_of,
    scene,
    typical_period,
    units,
    worst,
)
from mapopt.report.cases import Case
from mapopt.report.charts.parameters import parameters
from mapopt.report.picture import Picture

TEXT = Path(__file__).with_name("page.md")


def page() -> str:
    """The findings as Markdown."""
    made = {
        each.__name__: "\n".join(each())
        for each in (
            tables.runs_made, tables.gallery, tables.rates, tables.latencies, tables.latencies_alone, tables.choices,
            tables.ratios, tables.self_timed,
        )
    }  # fmt: skip
    return TEXT.read_text("utf-8").format(
        **made, **_runs(), **_rates(), **_latencies(), **_choices(), **_dpus(), **_ratios()
    )


def pictures() -> dict[str, Picture]:
    """The figures of the page by file name."""
    found = {}
    for study in (MAIN, DPUS):
        for shown in parameters(scene(study)):
            if isinstance(shown, Picture):
                what, _, family = shown.title.removesuffix(", dpu=2").partition(" against imc: ")
                kind = "-dpus" if study == DPUS else ""
                found[f"{family.replace(' ', '-')}{kind}-{what.lower()}"] = shown
    return found


def _runs() -> dict[str, object]:
    cases = scene(MAIN).cases
    solves = [run.record for run in scene(MAIN).runs if run.method == BEST and run.record]
    (limit,) = {str(record.key.limits["time_s"]) for record in solves}
    versions = {f"{name} {version}" for record in solves for name, version in record.key.versions.items()}
    return {
        "instances": len(cases),
        "seeds": len(cases[0].made["rd"]),
        "limit": limit.removesuffix(".0"),
        "versions": ", ".join(sorted(versions)),
        "window": WINDOW,
        "firings": f"{FIRINGS:,}",
    }


def _rates() -> dict[str, object]:
    cases = scene(MAIN).cases
    gaps = sorted(cases, key=lambda of: gap(of, "lblp"), reverse=True)
    found: dict[str, object] = {
        "attains": sum(gap(of, "lblp") == 0 for of in cases),
        "furthest": _at(gap(gaps[0], "lblp"), gaps[0]),
        "second": _at(gap(gaps[1], "lblp"), gaps[1]),
        "merged": percent(max(optional_gap(of, "path_order=merged") for of in cases)),
    }
    for method in PAPER:
        found[f"median_{method}"] = percent(median(gap(of, method) for of in cases))
    for method in ("wb", *GREEDY):
        pairs = [(typical_period(of, method), typical_period(of, "lblp")) for of in cases]
        found[f"better_{method.removesuffix('-tp')}"] = sum(one < other for one, other in pairs)
        found[f"worse_{method.removesuffix('-tp')}"] = sum(one > other for one, other in pairs)
    return found


def _latencies() -> dict[str, object]:
    cases = scene(MAIN).cases
    found = [(value, of) for of in cases if (value := at_least_period(of, "lblp")) is not None]
    longest, at = max(found, key=lambda each: each[0])
    alones = [(alone(of, "lblp"), alone(of, "wb")) for of in cases]
    by_units = [sorted(each, key=units) for each in families().values()]

    def middle(what: str, ends: Iterable[Case]) -> str:
        gaps = [value for of in ends if (value := at_least_period(of, "lblp")) is not None]
        return f"{percent(median(gaps))} with the {what} units ({len(gaps)} families)"

    return {
        "fewest": middle("fewest", (each[0] for each in by_units)),
        "most": middle("most", (each[-1] for each in by_units)),
        "longest": _at(longest, at),
        "one_unit": percent(next(value for value, of in found if units(of) == 1)),
        "known": percent(best_at_least_period(at)),
        "single": _at(*worst(cases, lambda of: alone(of, "lblp"))),
        "lower": sum(one < other for one, other in alones),
        "higher": sum(one > other for one, other in alones),
    }


def _choices() -> dict[str, object]:
    cases = scene(OPTIONS).cases

    def change(of: Case, setting: str) -> float:
        return figures(run_of(of, f"lblp {setting}"))[0] / figures(run_of(of, "lblp"))[0] - 1

    def counts(setting: str, figure: int) -> str:
        pairs = [
            (figures(run_of(of, f"lblp {setting}"))[figure], figures(run_of(of, "lblp"))[figure])
            for of in cases
        ]
        return f"{sum(one < other for one, other in pairs)} and {sum(one > other for one, other in pairs)}"

    small = ("scope=fork-join", "scope=incomparable", "ties=index", "transfers=true")
    return {
        "options_instances": len(cases),
        "path_cost": percent(max(change(of, "path_order=path") for of in cases)),
        "small": percent(max(abs(change(of, setting)) for of in cases for setting in small)),
        **{
            f"{short}_{figure}": counts(setting, at)
            for short, setting in (("hard", "avoid=hard"), ("slack", "slack=0.2"))
            for at, figure in enumerate(("period", "latency", "single"))
        },
    }


def _dpus() -> dict[str, object]:
    cases = scene(DPUS).cases
    sweeps: dict[str, list[Case]] = {}
    for of in cases:
        sweeps.setdefault(of.label.partition(",")[0], []).append(of)
    periods = [
        {typical_period(of, method) for of in sweep} for sweep in sweeps.values() for method in ("lblp", BEST)
    ]

    def spread(figure: Callable[[Case], float]) -> str:
        return percent(
            max(max(map(figure, sweep)) / min(map(figure, sweep)) - 1 for sweep in sweeps.values())
        )

    found: dict[str, object] = {
        "dpu_changes": sum(len(each) > 1 for each in periods),
        "dpu_sweeps": len(periods),
        "dpu_share": percent(max(digital_share(of) for of in cases if of.label.endswith("dpu=1"))),
        "dpu_single": spread(lambda of: figures(run_of(of, "lblp"))[2]),
        "dpu_timed": spread(lambda of: figures(run_of(of, "lblp"))[1]),
    }
    for family in families(DPUS):
        network, platform = family.split()
        title = f"latency against imc for 1 to 4 DPUs: {family}"
        found[f"dpus_{platform}"] = tables.image(f"{network}-{platform}-dpus-latency", title, 900)
    return found


def _ratios() -> dict[str, object]:
    return {
        f"{method}_{platform}": f"{max(_ratio(of, method) for of in families()[f'resnet18 {platform}']):.2f}"
        for method in ("rr", "rd")
        for platform in ("imce", "imc")
    }


def _ratio(of: Case, method: str) -> float:
    return typical_period(of, method) / typical_period(of, "lblp")


def _at(value: float, of: Case) -> str:
    return f"`{of.label}` ({percent(value)})"
