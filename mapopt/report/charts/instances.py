"""Pictures of single instances: rate against latency, loads, Gantt charts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from mapopt.errors import InputError, MapoptError
from mapopt.mapping import Mapping, Pattern
from mapopt.report.cases import Case
from mapopt.report.picture import INK, MUTED, WIDTH, Omitted, Picture, Shown, data, finished, plural, varied
from mapopt.report.runs import Run
from mapopt.report.scene import CLASSES, Scene

UNITS = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns"))

LONGEST_BAR = 2.5
"""Where pictures of loads end, as a multiple of the bound."""

MAX_METHODS_LOADS = 8
"""Most methods side by side in a picture of loads."""


@dataclass(frozen=True, slots=True)
class Found:
    """A run with its mapping."""

    run: Run
    mapping: Mapping


def best_of_each(scene: Scene, case: Case) -> tuple[Found, ...]:
    """Return the best run of every method that has a mapping."""
    runs = [case.best_run(method) for method in scene.methods if method in case.by_method]
    return tuple(Found(run, run.mapping) for run in runs if run is not None and run.mapping is not None)


def fronts(scene: Scene) -> Iterator[Shown]:
    """Yield rate against latency for every shown instance."""
    for case in scene.shown_cases:
        yield front(scene, case)


def front(scene: Scene, case: Case) -> Shown:
    """Draw the rate and latency of every run of an instance, and which of them no other beats in both."""
    import altair as alt

    title = f"Rate and latency: {case.label}"
    best: dict[tuple[str, int, int], Run] = {}
    for run in case.runs:
        period, latency = run.value("period"), run.value("latency")
        if period and latency is not None:
            best.setdefault((run.method, period, latency), run)
    if not best:
        return Omitted(title, "no run has both a period and a latency")
    divisor, unit = unit_of(max(case.ns(latency) for _, _, latency in best))
    rows: list[dict[str, Any]] = [
        {
            "method": method,
            "rate": 1e9 / case.ns(period),
            "latency": case.ns(latency) / divisor,
            "href": f"#run-{run.id}",
        }
        for (method, period, latency), run in best.items()
    ]
    edge: list[dict[str, object]] = []
    least = float("inf")
    for period, latency in sorted((period, latency) for _, period, latency in best):
        if latency < least:
            least = latency
            edge.append({"rate": 1e9 / case.ns(period), "latency": case.ns(latency) / divisor})
    proof, floor = case.bound("period"), case.bound("latency")
    limits = {
        "rate": None if proof is None or not proof.ticks else 1e9 / case.ns(proof.ticks),
        "latency": None if floor is None else case.ns(floor.ticks) / divisor,
    }
    x = alt.X(
        "rate:Q",
        title="rate (frames/s)",
        scale=alt.Scale(zero=False, padding=12),
        axis=alt.Axis(tickCount=5, format="~s"),
    )
    reach = max(row["latency"] for row in rows) / max(1e-9, min(row["latency"] for row in rows))
    y = alt.Y(
        "latency:Q",
        title=f"latency ({unit})",
        scale=alt.Scale(type="log" if 3 < reach < 1e6 else "linear", zero=False, padding=12, nice=False),
        axis=alt.Axis(tickCount=5, format=",.4~r"),
    )
    methods = [method for method in scene.methods if any(row["method"] == method for row in rows)]
    layers = [
        alt.Chart(data(edge))
        .mark_line(interpolate="step-before", strokeWidth=1, color=MUTED)
        .encode(x=x, y=y),
        alt.Chart(data(rows))
        .mark_point(size=75, strokeWidth=1.8, opacity=1)
        .encode(
            x=x,
            y=y,
            color=scene.style.color(methods),
            shape=scene.style.shape(methods),
            href="href:N",
            tooltip=[
                "method:N",
                alt.Tooltip("rate:Q", format=",.1f"),
                alt.Tooltip("latency:Q", format=",.3f"),
            ],
        ),
    ]
    rule: dict[str, Any] = {"color": INK, "strokeDash": [3, 3], "strokeWidth": 1}
    if limits["rate"] is not None:
        layers.append(alt.Chart(data([{"rate": limits["rate"]}])).mark_rule(**rule).encode(x=x))
    if limits["latency"] is not None:
        layers.append(alt.Chart(data([{"latency": limits["latency"]}])).mark_rule(**rule).encode(y=y))
    runs = sum(run.value("latency") is not None for run in case.runs)
    return Picture(
        f"front-{case.number}",
        title,
        "Right and down is better; the line joins the runs that none beats in both. Dashed: the largest rate and the "
        f"least latency that the bounds leave possible. Class: {CLASSES[case.compared]}. One instance, "
        f"{plural(runs, 'run')}.",
        finished(alt.layer(*layers).properties(width=WIDTH, height=240)),
    )


def loads(scene: Scene) -> Iterator[Shown]:
    """Yield the load of every unit and link for every shown instance."""
    for case in scene.shown_cases:
        yield load_bars(scene, case)


def load_bars(scene: Scene, case: Case) -> Shown:
    """Draw the work per frame on every unit and link under the best mapping of each method."""
    import altair as alt

    from mapopt.emulator.lower import lower

    title = f"Work per frame of units and links: {case.label}"
    instance, found = scene.instance(case), best_of_each(scene, case)
    if instance is None:
        return Omitted(title, "the instance's file is missing or damaged")
    if not found:
        return Omitted(title, "no run kept a mapping")
    rows: list[dict[str, object]] = []
    shown = _varied(found)
    names: tuple[str, ...] = ()
    largest = 0.0
    for each in shown:
        program = lower(instance, each.mapping)
        names = program.resources
        for name, ticks in zip(names, program.loads().tolist(), strict=True):
            largest = max(largest, case.ns(ticks / program.n_patterns))
            rows.append(
                {"method": each.run.method, "resource": name, "ns": case.ns(ticks / program.n_patterns)}
            )
    divisor, unit = unit_of(largest)
    methods = [each.run.method for each in shown]
    proof = case.bound("period")
    rows = [{**row, "load": float(str(row["ns"])) / divisor} for row in rows]
    for row in rows:
        row["bound"] = None if proof is None else case.ns(proof.ticks) / divisor
    width = 1000 // len(methods) - 24
    header = alt.Header(labelLimit=width, labelFontSize=11)
    base = alt.Chart(data(rows))
    end = largest / divisor if proof is None else min(largest, LONGEST_BAR * case.ns(proof.ticks)) / divisor
    bars = base.mark_bar(height=alt.RelativeBandSize(0.75), clip=True).encode(
        x=alt.X("load:Q", title=unit, scale=alt.Scale(domainMax=end), axis=alt.Axis(tickCount=3)),
        y=alt.Y("resource:N", sort=list(names), title=None, axis=alt.Axis(ticks=False, domain=False)),
        color=scene.style.color(methods, None),
        tooltip=["method:N", "resource:N", alt.Tooltip("load:Q", format=",.3f")],
    )
    rule = base.mark_rule(color=INK, strokeDash=[3, 3]).encode(x="max(bound):Q")
    chart = (
        alt.layer(bars, rule) if proof is not None else bars
    ).properties(width=min(260, width), height=alt.Step(15)).facet(
        column=alt.Column("method:N", sort=methods, title=None, header=header)
    )  # fmt: skip
    cut = "" if end == largest / divisor else f"; bars longer than {LONGEST_BAR} times the bound are cut off"
    more = f" {len(found) - len(shown)} more methods are left out." if len(found) > len(shown) else ""
    return Picture(
        f"loads-{case.number}",
        title,
        f"The longest bar is the period, in {unit}. Dashed: the best proven bound on the period. Links that carry "
        f"nothing have no bar{cut}. Class: {CLASSES[case.compared]}. One instance, {plural(len(shown), 'run')}: the "
        f"best of each method.{more}",
        finished(chart),
        wide=True,
        runs=tuple((each.run.method, each.run.id) for each in shown),
    )


def _varied(found: tuple[Found, ...]) -> tuple[Found, ...]:
    """Return as many runs as fit."""
    kept = varied([each.run.method for each in found], MAX_METHODS_LOADS)
    return tuple(each for each in found if each.run.method in kept)


def gantts(scene: Scene) -> Iterator[Shown]:
    """Yield the Gantt charts of the chosen runs, or of the best run on every shown instance.

    Raises
    ------
    InputError
        If a chosen run is none of the report's.
    """
    if not scene.chosen:
        for case in scene.shown_cases:
            found = best_of_each(scene, case)
            if not found:
                yield Omitted(f"Gantt chart: {case.label}", "no run kept a mapping")
            for each in _extremes(case, found):
                yield gantt_of(scene, case, each.run)
        return
    for chosen in scene.chosen:
        pairs = [(case, run) for case in scene.cases for run in case.runs if run.id.startswith(chosen)]
        if len(pairs) != 1:
            raise InputError(
                f"run {chosen!r}: {len(pairs)} runs of this report have an id that begins so; give the beginning of "
                "exactly one, as the report's list of runs shows it"
            )
        yield gantt_of(scene, *pairs[0])


def _extremes(case: Case, found: tuple[Found, ...]) -> tuple[Found, ...]:
    """Return the first mapper's run and the best of all, once each: what is to be compared first."""
    if not found:
        return ()
    best = min(found, key=lambda each: case.rank(each.run))
    return tuple({each.run.id: each for each in (found[0], best)}.values())


def gantt_of(scene: Scene, case: Case, run: Run) -> Shown:
    """Draw a run's schedule: its own starts, or those that make it time-triggered."""
    title = f"Gantt chart: {run.method} on {case.label}"
    instance = scene.instance(case)
    mapping = run.mapping
    if instance is None:
        return Omitted(title, "the instance's file is missing or damaged")
    if mapping is None:
        return Omitted(title, f"the run is {run.status} and has no mapping")
    from mapopt.emulator.gantt import gantt, gantt_chart
    from mapopt.emulator.schedule import schedule

    try:
        if case.compared == "time-triggered" and not mapping.is_time_triggered:
            mapping = schedule(instance, mapping)
        picture = gantt(instance, mapping)
    except MapoptError as error:
        return Omitted(title, str(error))
    stated = CLASSES[case.compared] if mapping.is_time_triggered else "a stream of frames, self-timed"
    spec = finished(gantt_chart(picture).properties(width=900))
    spec["title"] = {**spec["title"], "text": "", "subtitle": picture.subtitle}
    return Picture(
        f"gantt-{run.id[:12]}",
        title,
        f"A row per unit and link, a colour per frame; {picture.band} between the dashed lines. "
        f"Class: {stated}. One instance, one run.",
        spec,
        wide=True,
        runs=((run.method, run.id),),
    )


def bare(mapping: Mapping) -> Mapping:
    """Return the assignment alone: without starts."""
    return msgspec.structs.replace(
        mapping,
        patterns=tuple(Pattern(units=pattern.units) for pattern in mapping.patterns),
        horizon=None,
        claims=None,
    )


def unit_of(ns: float) -> tuple[float, str]:
    """Return what nanoseconds are divided by, and the unit that they then have, so that numbers are short."""
    return next((each for each in UNITS if ns >= 2 * each[0]), UNITS[-1])
