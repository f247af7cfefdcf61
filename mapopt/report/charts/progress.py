"""How fast methods get there: time to targets, and the gap against time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import chain

from mapopt.report.cases import Case
from mapopt.report.charts.quality import MAX_STEPS, drawn, thinned
from mapopt.report.picture import WIDTH, Omitted, Picture, Shown, data, finished
from mapopt.report.runs import Run
from mapopt.report.scene import Scene
from mapopt.report.statistics import ecdf, primal_gap, primal_integral

TARGETS = (0.01, 0.1)
"""Gaps to reach."""

MAX_TRACES = 5000
"""Most records whose traces are read."""

LEAST_SECONDS = 1e-5
"""Where logarithmic time axes begin at the earliest."""


def progress(scene: Scene) -> Iterator[Shown]:
    """Yield the pictures of quality over time for each class and objective."""
    for compared in scene.classes:
        for objective in scene.objectives(compared):
            yield time_to_target(scene, compared, objective)
        for objective in scene.objectives(compared):
            yield gap_over_time(scene, compared, objective)


def improvements(run: Run, objective: str) -> tuple[tuple[float, float], ...]:
    """Return ``(seconds, value)`` whenever a run's value improved, as its trace says.

    A run without a trace has its value when it ends.
    """
    found: list[tuple[float, float]] = []
    for entry in run.trace:
        if (
            entry.objective == objective
            and entry.value is not None
            and (not found or entry.value < found[-1][1])
        ):
            found.append((entry.time_s, float(entry.value)))
    value = run.value(objective)
    if value is not None and run.runtime_s is not None and (not found or value < found[-1][1]):
        found.append((run.runtime_s, float(value)))
    return tuple(found)


def says_when(run: Run, objective: str) -> bool:
    """Return whether it is known when a run found its value, if it found one."""
    return run.value(objective) is None or bool(improvements(run, objective))


def seconds_to(case: Case, run: Run, objective: str, target: float) -> float:
    """Return the seconds after which a run's gap was at most ``target``; infinite if it never was."""
    proof = case.proof(run, objective)
    if proof is None:
        return math.inf
    limit = proof.ticks * (1 + target)
    return next((seconds for seconds, value in improvements(run, objective) if value <= limit), math.inf)


def time_to_target(scene: Scene, compared: str, objective: str) -> Shown:
    """Draw which share of the runs had reached a target gap after a time."""
    import altair as alt

    title = f"Time until the {objective} is within a target of the best bound"
    cases, sample = sampled(scene, compared)
    rows: list[dict[str, object]] = []
    times: list[float] = []
    curves = []
    for method in scene.methods:
        made = [
            (case, run) for case in cases for run in case.made.get(method, ()) if says_when(run, objective)
        ]
        for target in TARGETS:
            steps = ecdf([max(LEAST_SECONDS, seconds_to(case, run, objective, target)) for case, run in made])
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
        f"failed ones included, keep a curve below 100%.{sample} {scene.context(compared, cases, methods)}",
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


def traced(scene: Scene, compared: str, objective: str) -> dict[str, list[tuple[Case, Run]]]:
    """Return for each method the runs that say when they found their values, and those that found none."""
    cases = [case for case in sampled(scene, compared)[0] if case.best(objective) is not None]
    found = {
        method: [
            (case, run) for case in cases for run in case.made.get(method, ()) if says_when(run, objective)
        ]
        for method in scene.methods
    }
    return {
        method: runs for method, runs in found.items() if any(improvements(run, objective) for _, run in runs)
    }


def longest(runs: Sequence[tuple[Case, Run]]) -> float:
    """Return the seconds of the longest run, at least a little."""
    return max(LEAST_SECONDS * 10, *(run.runtime_s or 0.0 for _, run in runs))


def mean_integrals(scene: Scene, compared: str, objective: str) -> dict[str, float]:
    """Return for each method the mean primal integral in seconds, up to the longest runtime of all."""
    found = traced(scene, compared, objective)
    if not found:
        return {}
    end = longest(list(chain.from_iterable(found.values())))
    return {
        method: math.fsum(
            primal_integral(improvements(run, objective), case.best(objective) or 0, end)
            for case, run in runs
        )
        / len(runs)
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
    runs_found = list(chain.from_iterable(found.values()))
    times = [max(LEAST_SECONDS, at) for _, run in runs_found for at, _ in improvements(run, objective)[:1]]
    begin, end = _decades([*times, longest(runs_found)])
    rows = [
        {"method": method, "seconds": seconds, "gap": gap}
        for method, runs in found.items()
        for seconds, gap in _mean_gap(runs, objective, begin, end)
    ]
    chart = alt.Chart(data(rows)).mark_line(interpolate="step-after", strokeWidth=2).encode(
        x=_seconds(begin, end),
        y=alt.Y("gap:Q", title="mean primal gap", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="~%")),
        color=scene.style.color(found),
        strokeDash=scene.style.dash(found),
    )  # fmt: skip
    return Picture(
        f"time-{objective}-{compared}",
        title,
        "Primal gap = |value - best known| / max(|value|, |best known|), 100% before the first value; mean over the "
        f"runs; the overview lists the integrals.{sample} {scene.context(compared, cases, list(found))}",
        finished(chart.properties(width=WIDTH, height=260)),
    )


def _mean_gap(
    runs: Sequence[tuple[Case, Run]], objective: str, begin: float, end: float
) -> Iterator[tuple[float, float]]:
    """Yield the mean primal gap after each time at which that of some run changes."""
    changes: list[tuple[float, float]] = []
    for case, run in runs:
        best, before = case.best(objective) or 0, 1.0
        for seconds, value in improvements(run, objective):
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
