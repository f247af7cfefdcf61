"""How good methods are beside each other: gaps, performance profiles, pairwise wins."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from statistics import median
from typing import TypeVar

from mapopt.report.gap_table import share
from mapopt.report.picture import INK, WIDTH, Omitted, Picture, Shown, data, finished, varied
from mapopt.report.scene import Scene
from mapopt.report.statistics import Steps, pairwise_wins, performance_profiles

MAX_STEPS = 300
"""Most steps of a curve that are drawn; beyond, every n-th is."""

MAX_CURVES = 12
"""Most curves in a picture."""

MAX_NARROW = 10
"""Most methods in a picture of pairs that shares its row with another."""

Item = TypeVar("Item")

LARGEST_FACTOR = 10.0
"""Where the axis of a performance profile ends at the latest."""


def quality(scene: Scene) -> Iterator[Shown]:
    """Yield the pictures of solution quality for each class and objective."""
    for compared in scene.classes:
        for objective in scene.objectives(compared):
            yield gaps(scene, compared, objective)
        for objective in scene.objectives(compared):
            yield profiles(scene, compared, objective)
        for objective in scene.objectives(compared):
            yield wins(scene, compared, objective)


def gaps(scene: Scene, compared: str, objective: str) -> Shown:
    """Draw every run's gap, a tick each, and each method's median."""
    import altair as alt

    title = f"Gap of the {objective} to the best proven bound"
    found: dict[str, list[float]] = {}
    for case in scene.of_class(compared):
        for run in case.runs:
            gap = case.gap(run, objective)
            if gap is not None:
                found.setdefault(run.method, []).append(gap)
    if not found:
        return Omitted(title, "no run has both a value and a bound that holds for it")
    methods = [method for method in scene.methods if method in found]
    rows = [
        {"method": method, "gap": gap}
        for method in methods
        for gap in thinned(sorted(found[method]), MAX_STEPS)
    ]
    middles = [
        {"method": method, "gap": middle, "label": share(middle)}
        for method in methods
        for middle in [median(found[method])]
    ]
    wide = max(map(max, found.values())) > 1
    scale = alt.Scale(type="sqrt" if wide else "linear", zero=True)
    y = alt.Y(
        "method:N", sort=methods, title=None, axis=alt.Axis(ticks=False, domain=False, grid=True, offset=8)
    )
    x = alt.X("gap:Q", title=f"gap of the {objective}", axis=alt.Axis(format="~%", tickCount=6), scale=scale)
    ticks = (
        alt.Chart(data(rows)).mark_tick(thickness=1.2, opacity=0.75, size=12)
        .encode(x=x, y=y, color=scene.style.color(methods, None))
    )  # fmt: skip
    marks = (
        alt.Chart(data(middles)).mark_point(shape="diamond", size=60, filled=True, color=INK, opacity=1)
        .encode(x=x, y=y, tooltip=["method:N", alt.Tooltip("gap:Q", format=".2%")])
    )  # fmt: skip
    labels = (
        alt.Chart(data(middles)).mark_text(align="right", dx=54, fontSize=10, color=INK)
        .encode(x=alt.value(WIDTH), y=y, text="label:N")
    )  # fmt: skip
    spec = finished(alt.layer(ticks, marks, labels).properties(width=WIDTH, height=alt.Step(24)))
    count = sum(map(len, found.values()))
    return Picture(
        f"gaps-{objective}-{compared}",
        title,
        f"One tick per run ({count:,} with a value and a bound), diamond and number: median. Gap = value / best bound "
        f"that holds for the run - 1{', on a square-root axis' if wide else ''}. "
        f"{scene.context(compared, scene.of_class(compared), methods)}",
        spec,
    )


def profiles(scene: Scene, compared: str, objective: str) -> Shown:
    """Draw performance profiles of a class."""
    import altair as alt

    title = f"Performance profiles of the {objective}"
    costs, cases = scene.typical(compared, objective)
    if len(costs) < 2:
        return Omitted(title, "fewer than two methods were run on the same instances")
    everyone = performance_profiles(costs)
    shown = varied(list(costs), MAX_CURVES)
    curves = {method: everyone[method] for method in shown}
    largest = max((steps[-1][0] for steps in curves.values() if steps), default=1.0)
    end = min(LARGEST_FACTOR, max(1.02, largest * 1.02))
    rows = [
        {"method": method, "factor": factor, "share": reached}
        for method, steps in curves.items()
        for factor, reached in drawn(steps, 1.0, end)
    ]
    cut = "" if largest <= end else f" The axis ends at {end:g}; the largest factor is {largest:.3g}."
    chart = alt.Chart(data(rows)).mark_line(interpolate="step-after", strokeWidth=2, clip=True).encode(
        x=alt.X(
            "factor:Q",
            title=f"at most this factor from the best method's {objective}",
            scale=alt.Scale(type="log", domain=[1, end], nice=False),
            axis=alt.Axis(format="~g", tickCount=6),
        ),
        y=alt.Y("share:Q", title="share of instances", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="~%")),
        color=scene.style.color(shown),
        strokeDash=scene.style.dash(shown),
    )  # fmt: skip
    return Picture(
        f"profiles-{objective}-{compared}",
        title,
        "Left end: how often a method is the best; higher and further left is better. Random methods count with "
        f"the median over their seeds.{some_of(shown, costs)}{cut} "
        f"{scene.context(compared, cases, list(costs))}{scene.left_out(compared, costs)}",
        finished(chart.properties(width=WIDTH, height=260)),
    )


def wins(scene: Scene, compared: str, objective: str) -> Shown:
    """Draw how often each method beats each other one."""
    import altair as alt

    title = f"Pairwise wins in {objective}"
    costs, cases = scene.typical(compared, objective)
    if len(costs) < 2:
        return Omitted(title, "fewer than two methods were run on the same instances")
    rows = [
        {"winner": one, "loser": other, "wins": won, "share": won / count, "text": f"{won / count:.0%}"}
        for (one, other), (won, count) in pairwise_wins(costs).items()
        if count
    ]
    names = list(costs)
    axis = alt.Axis(orient="top", labelAngle=-45, labelOverlap=False, ticks=False, domain=False)
    base = alt.Chart(data(rows)).encode(
        x=alt.X("loser:N", sort=names, title=None, axis=axis),
        y=alt.Y("winner:N", sort=names, title=None, axis=alt.Axis(ticks=False, domain=False)),
    )  # fmt: skip
    cells = base.mark_rect().encode(
        color=alt.Color(
            "share:Q", scale=alt.Scale(domain=[0, 1], range=["#e8f0f6", "#00639c"]), legend=None
        ),
        tooltip=["winner:N", "loser:N", "wins:Q"],
    )  # fmt: skip
    texts = base.mark_text(fontSize=10).encode(
        text="text:N",
        color=alt.condition("datum.share > 0.5", alt.value("#ffffff"), alt.value("#1f2329")),
    )
    step = alt.Step(34)
    return Picture(
        f"wins-{objective}-{compared}",
        title,
        f"Share of instances on which the row's {objective} is strictly below the column's; the rest up to 100% of a "
        f"pair are ties. {scene.context(compared, cases, names)}{scene.left_out(compared, names)}",
        finished(alt.layer(cells, texts).properties(width=step, height=alt.Step(24))),
        wide=len(names) > MAX_NARROW,
    )


def some_of(shown: Sequence[str], methods: Collection[str]) -> str:
    """Return a sentence for captions if not all methods are drawn."""
    if len(shown) == len(methods):
        return ""
    return f" Drawn are {len(shown)} of {len(methods)} methods, one of each mapper first."


def drawn(steps: Steps, begin: float, end: float) -> Iterator[tuple[float, float]]:
    """Yield the points of a step function between two ends, both included, and not too many."""
    before = max((reached for at, reached in steps if at <= begin), default=0.0)
    inside = [(at, reached) for at, reached in steps if begin < at <= end]
    last = inside[-1][1] if inside else before
    return chain([(begin, before)], thinned(inside, MAX_STEPS), [(end, last)])


def thinned(items: list[Item], most: int) -> list[Item]:
    """Return at most about ``most`` items: evenly spaced ones, the last included."""
    every = max(1, math.ceil(len(items) / most))
    return items[::-1][::every][::-1]
