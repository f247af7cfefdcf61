"""What the studies of the LBLP paper found, as figures of single instances."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from statistics import median_low

from mapopt import measure
from mapopt.emulator.lower import lower
from mapopt.report.cases import Case
from mapopt.report.charts.instances import bare
from mapopt.report.report import read
from mapopt.report.runs import Run
from mapopt.report.scene import Scene

RESULTS = Path(__file__).parents[2] / "results"
MAIN, ALONE, DPUS, OPTIONS = "lblp-paper", "lblp-paper-latency", "lblp-paper-dpus", "lblp-paper-options"
STUDIES = (MAIN, ALONE, DPUS, OPTIONS)

PAPER = ("lblp", "wb", "rr", "rd")
GREEDY = ("lpt", "heft-tp", "cpop-tp", "maxtp")
BEST = "solve period,latency"
NAMES = {"heft-tp": "HEFT-Tp", "cpop-tp": "CPOP-Tp", "maxtp": "MaxTp", BEST: "best run"}

WINDOW, FIRINGS = 16, 10**5
"""Frames in flight of a self-timed run, and how long it may run until its state recurs."""


@cache
def scene(study: str) -> Scene:
    return read([RESULTS / study], detailed=100)


@cache
def case(study: str, label: str) -> Case:
    return next(each for each in scene(study).cases if each.label == label)


def families(study: str = MAIN) -> dict[str, list[Case]]:
    """Cases by network and platform, in order: ``{"resnet8 imce": [...], ...}``."""
    found: dict[str, list[Case]] = {}
    for each in scene(study).cases:
        found.setdefault(each.label.partition(":")[0], []).append(each)
    return found


def name(method: str) -> str:
    return NAMES.get(method, method.upper())


def units(of: Case) -> int:
    return int(of.label.partition("imc=")[2].partition(",")[0])


def percent(value: float) -> str:
    return f"{100 * value:.1f}%" if value else "0"


def gap(of: Case, method: str) -> float:
    """Gap of a method's median period to the proven bound, or of the best run's period."""
    proof = of.bound("period")
    typical = of.best("period") if method == BEST else of.typical(method, "period")
    assert proof is not None
    assert typical is not None
    return typical / proof.ticks - 1


def worst(cases: Sequence[Case], figure: Callable[[Case], float]) -> tuple[float, Case]:
    found = max(cases, key=figure)
    return figure(found), found


def run_of(of: Case, method: str) -> Run:
    """The best run of a method."""
    found = of.best_run(method)
    assert found is not None
    return found


def alone(of: Case, method: str) -> float:
    """Latency of a frame alone under a method, over the least that is proven possible, minus 1."""
    same = case(ALONE, of.label)
    proof = same.bound("latency")
    assert proof is not None
    if method == BEST:
        value = same.best("latency")
    elif method in same.made:
        value = run_of(same, method).value("latency")
    else:
        mappings = [run.mapping for run in of.made[method]]
        claims = [mapping.claims for mapping in mappings if mapping is not None]
        value = median_low(
            each.latency_single_ticks for each in claims if each and each.latency_single_ticks is not None
        )
    assert value is not None
    return value / proof.ticks - 1


def best_at_least_period(of: Case) -> float:
    """The least such gap of any run, see :func:`at_least_period`."""
    gaps = [of.gap(run, "latency") for run in of.runs if run.value("period") == of.best("period")]
    return min(each for each in gaps if each is not None)


def at_least_period(of: Case, method: str) -> float | None:
    """Latency over the proven bound minus 1, if the method has the least period."""
    run = run_of(of, method)
    return of.gap(run, "latency") if run.value("period") == of.best("period") else None


def figures(run: Run) -> tuple[float, float, float]:
    """Period, latency at it, and latency of a frame alone, in ticks."""
    mapping = run.mapping
    period, latency = run.value("period"), run.value("latency")
    assert mapping is not None
    assert mapping.claims is not None
    single = mapping.claims.latency_single_ticks
    assert period
    assert latency
    assert single
    return period, latency, single


def typical_period(of: Case, method: str) -> float:
    """Median period over the seeds in ticks."""
    found = of.typical(method, "period")
    assert found
    return found


@cache
def attained(label: str, method: str) -> tuple[float, float]:
    """Self-timed rate over 1 / largest load, and the period in ns."""
    of = case(MAIN, label)
    instance, mapping = scene(MAIN).instance(of), run_of(of, method).mapping
    assert instance is not None
    assert mapping is not None
    found = measure(instance, bare(mapping), interval="saturated", window=WINDOW, budget=FIRINGS)
    return float(found.max_load_ns / found.period_ns), float(found.period_ns)


def optional_gap(of: Case, setting: str) -> float:
    """Gap of LBLP's period with another choice, on an instance of the main study."""
    proof, value = of.bound("period"), run_of(case(OPTIONS, of.label), f"lblp {setting}").value("period")
    assert proof is not None
    assert value is not None
    return value / proof.ticks - 1


def digital_share(of: Case) -> float:
    """Share of LBLP's period for which the busiest DPU computes, in the study of DPUs."""
    instance, run = scene(DPUS).instance(of), run_of(of, "lblp")
    assert instance is not None
    assert run.mapping is not None
    loads = lower(instance, run.mapping).loads()[: len(instance.units)]
    digital = max(load for unit, load in zip(instance.units, loads, strict=True) if unit.unit_class == "dpu")
    return float(digital / typical_period(of, "lblp"))
