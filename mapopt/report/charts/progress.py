"""How fast methods get there: time to targets, and the gap against time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from mapopt.report.cases import Case
from mapopt.report.charts.quality import MAX_CURVES, MAX_STEPS, drawn, some_of, thinned
from mapopt.report.picture import WIDTH, Omitted, Picture, Shown, data, finished, varied
from mapopt.report.runs import Run, Steps
from mapopt.report.scene import Scene
from mapopt.report.statistics import ecdf, primal_gap, primal_integral

TARGETS = (0.01, 0.1)
"""Gaps to reach."""

MAX_TRACES = 5000
"""Most records whose traces are read."""

Traced = dict[str, list[tuple[int, Steps, float]]]
"""For each method, of every run: the best known value of its instance, when the run improved, and its seconds."""

LEAST_SECONDS = 1e-5
"""Where logarithmic time axes begin at the earliest."""


def progress(scene: Scene) -> Iterator[Shown]:
    """Yield the pictures of quality over time for each class and objective."""
    for compared in scene.classes:
        for objective in scene.objectives(compared):
            yield time_to_target(scene, compared, objective)
        for objective in scene.objectives(compared):
            yield gap_over_time(scene, compared, objective)


def seconds_to(case: Case, run: Run, objective: str, targets: Sequence[float]) -> list[float]:
    """Return for each target the seconds after which a run's gap was at most this; infinite if it never was."""
    proof = case.proof(run, objective)
    if proof is None:
        return [math.inf] * len(targets)
    steps = run.improvements(objective)
    limits = (proof.ticks * (1 + target) for target in targets)
    return [next((seconds for seconds, value in steps if value <= limit), math.inf) for limit in limits]


def time_to_target(scene: Scene, compared: str, objective: str) -> Shown:
    """Draw which share of the runs had reached a target gap after a time."""
    import altair as alt

    title = f"Time until the {objective} is within a target of the best bound"
    cases, sample = sampled(scene, compared)
    rows: list[dict[str, object]] = []
    times: list[float] = []
    curves = []
    methods_run = [method for method in scene.methods if any(case.made.get(method) for case in cases)]
    methods_shown = varied(methods_run, MAX_CURVES)
    for method in methods_shown:
        reached = [
            seconds_to(case, run, objective, TARGETS)
            for case in cases
            for run in case.made.get(method, ())
            if run.says_when(objective)
        ]
        for target, seconds in zip(TARGETS, zip(*reached, strict=True), strict=False):
            steps = ecdf([max(LEAST_SECONDS, each) for each in seconds])
            if steps:
                curves.append((method, target, steps))
                times += [steps[0][0], steps[-1][0]]
    if not curves:
        return Omitted(title, f"no run with a known runtime came within {max(TARGETS):.0%} of a bound")
    begin, end = _decades(times)
    rows = [
        {"method": method, "target": f"gap ≤ {target:.0%}", "seconds": seconds, "share": share}
        for method, target, steps in curves
        for seconds, share in drawn(steps, begin, end)
    ]
    methods = list(dict.fromkeys(method for method, _, _ in curves))
    chart = (
        alt.Chart(data(rows))
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=_seconds(begin, end),
            y=alt.Y(
                "share:Q", title="share of runs", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="~%")
            ),
            color=scene.style.color(methods),
            strokeDash=scene.style.dash(methods),
        )
        .properties(width=WIDTH * 0.45, height=220)
        .facet(column=alt.Column("target:N", title=None, sort=[f"gap ≤ {target:.0%}" for target in TARGETS]))
    )
    return Picture(
        f"target-{objective}-{compared}",
        title,
        "Empirical distribution of the seconds until a run's gap was at most the target; runs that never came so far, "
        f"failed ones included, keep a curve below 100%.{some_of(methods_shown, methods_run)}{sample} "
        f"{scene.context(compared, cases, methods)}",
        finished(chart),
    )


def sampled(scene: Scene, compared: str) -> tuple[tuple[Case, ...], str]:
    """Return the cases whose traces are read, and a sentence for captions if these are not all."""
    cases = scene.of_class(compared)
    references = sum(run.plan.role == "reference" for case in cases for run in case.runs)
    every = max(1, math.ceil(references / MAX_TRACES))
    note = (
        "" if every == 1 else f" Every {every}th instance, so that at most {MAX_TRACES:,} records are read."
    )
    return cases[::every], note


def traced(scene: Scene, compared: str, objective: str) -> Traced:
    """Return for each method when its runs that say so improved; runs that found nothing never did."""
    cases = [case for case in sampled(scene, compared)[0] if case.best(objective) is not None]
    found = {
        method: [
            (case.best(objective) or 0, run.improvements(objective), run.runtime_s or 0.0)
            for case in cases
            for run in case.made.get(method, ())
            if run.says_when(objective)
        ]
        for method in scene.methods
    }
    return {method: runs for method, runs in found.items() if any(steps for _, steps, _ in runs)}


def longest(found: Traced) -> float:
    """Return the seconds of the longest run, at least a little."""
    return max(LEAST_SECONDS * 10, *(seconds for runs in found.values() for _, _, seconds in runs))


def mean_integrals(scene: Scene, compared: str, objective: str) -> dict[str, float]:
    """Return for each method the mean primal integral in seconds, up to the longest runtime of all."""
    found = traced(scene, compared, objective)
    if not found:
        return {}
    end = longest(found)
    return {
        method: math.fsum(primal_integral(steps, best, end) for best, steps, _ in runs) / len(runs)
        for method, runs in found.items()
    }


def gap_over_time(scene: Scene, compared: str, objective: str) -> Shown:
    """Draw the mean primal gap of methods against time."""
    import altair as alt

    title = f"Primal gap of the {objective} against time"
    found = traced(scene, compared, objective)
    cases, sample = sampled(scene, compared)
    if not found:
        return Omitted(title, "no record says when its values were found")
    firsts = [steps[0][0] for runs in found.values() for _, steps, _ in runs if steps]
    begin, end = _decades([max(LEAST_SECONDS, min(firsts)), longest(found)])
    shown = varied(list(found), MAX_CURVES)
    rows = [
        {"method": method, "seconds": seconds, "gap": gap}
        for method in shown
        for seconds, gap in _mean_gap(found[method], begin, end)
    ]
    chart = alt.Chart(data(rows)).mark_line(interpolate="step-after", strokeWidth=2).encode(
        x=_seconds(begin, end),
        y=alt.Y("gap:Q", title="mean primal gap", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="~%")),
        color=scene.style.color(shown),
        strokeDash=scene.style.dash(shown),
    )  # fmt: skip
    return Picture(
        f"time-{objective}-{compared}",
        title,
        "Primal gap = |value - best known| / max(|value|, |best known|), 100% before the first value; mean over the "
        f"runs; the overview lists the integrals.{some_of(shown, found)}{sample} "
        f"{scene.context(compared, cases, shown)}",
        finished(chart.properties(width=WIDTH, height=260)),
    )


def _mean_gap(
    runs: Sequence[tuple[int, Steps, float]], begin: float, end: float
) -> Iterator[tuple[float, float]]:
    """Yield the mean primal gap after each time at which that of some run changes."""
    changes: list[tuple[float, float]] = []
    for best, found, _ in runs:
        before = 1.0
        for seconds, value in found:
            after = primal_gap(value, best)
            changes.append((seconds, (after - before) / len(runs)))
            before = after
    gap, steps = 1.0, {begin: 1.0}
    for seconds, change in sorted(changes):
        gap += change
        if seconds <= end:
            steps[max(begin, seconds)] = max(0.0, gap)
    points = list(steps.items())
    yield from thinned(points, MAX_STEPS)
    yield end, points[-1][1]


def _decades(times: Sequence[float]) -> tuple[float, float]:
    """Return where a logarithmic time axis begins and ends."""
    least, most = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)))
    return 10.0**least, 10.0 ** max(most, least + 1)


def _seconds(begin: float, end: float) -> object:
    import altair as alt

    return alt.X(
        "seconds:Q",
        title="seconds",
        scale=alt.Scale(type="log", domain=[begin, end], nice=False),
        axis=alt.Axis(format="~g", values=[10.0**power for power in range(-5, 9)]),
    )
