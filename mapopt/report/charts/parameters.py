"""Rate and latency against a parameter of the platform, such as the number of its units."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mapopt.report.cases import Case
from mapopt.report.picture import INK, MUTED, WIDTH, Omitted, Picture, Shown, data, finished, plural
from mapopt.report.scene import CLASSES, Scene

LEAST_VALUES = 3
"""Fewest values of a parameter that make a curve."""

_NUMERIC = re.compile(r"(?P<name>[a-z]\w*)=(?P<value>\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Point:
    """An instance of a sweep: the parameter's value, and the other parameters in words."""

    case: Case
    value: float
    others: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """Instances that differ in nothing but numeric parameters of the platform.

    Parameters
    ----------
    name
        What they have in common.
    parameter
        The one with the most values; its name.
    points
        By the other parameters, then by the value.
    """

    name: str
    parameter: str
    points: tuple[Point, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The combinations of the other parameters."""
        return tuple(dict.fromkeys(point.others for point in self.points))


def parameters(scene: Scene) -> Iterator[Shown]:
    """Yield rate and latency against a parameter, for each class and as many sweeps as instances are shown."""
    found = [(compared, sweep) for compared in scene.classes for sweep in sweeps(scene.of_class(compared))]
    if not found:
        yield Omitted(
            "Rate and latency against a parameter of the platform",
            f"no instance was run with {LEAST_VALUES} values of a parameter",
        )
    for number, (compared, sweep) in enumerate(found[: scene.detailed], start=1):
        for objective in scene.objectives(compared):
            yield curves(scene, sweep, objective, f"parameter-{number}-{objective}")


def sweeps(cases: Sequence[Case]) -> tuple[Sweep, ...]:
    """Group cases by what their labels have in common besides numbers; groups without a curve are left out."""
    grouped: dict[tuple[str, tuple[str, ...]], list[tuple[Case, dict[str, float]]]] = {}
    for case in cases:
        stem, numbers = parted(case.label)
        grouped.setdefault((stem, tuple(numbers)), []).append((case, numbers))
    found = (_sweep(stem, names, members) for (stem, names), members in grouped.items() if names)
    return tuple(sweep for sweep in found if sweep.points)


def parted(label: str) -> tuple[str, dict[str, float]]:
    """Return what a label says besides the numeric parameters of its platform, and these.

    Examples
    --------
    >>> parted("resnet18 imce:imc=4,transfer=links,dpu=2")
    ('resnet18 imce:transfer=links', {'imc': 4.0, 'dpu': 2.0})
    """
    numbers: dict[str, float] = {}
    words = []
    for word in label.split(" "):
        name, _, settings = word.partition(":")
        matches = {each: _NUMERIC.fullmatch(each) for each in settings.split(",")}
        found = {match["name"]: float(match["value"]) for match in matches.values() if match}
        kept = ",".join(each for each, match in matches.items() if not match)
        words.append((f"{name}:{kept}" if kept else name) if found else word)
        numbers |= found
    return " ".join(words), numbers


def _sweep(stem: str, names: tuple[str, ...], members: list[tuple[Case, dict[str, float]]]) -> Sweep:
    values = {name: {numbers[name] for _, numbers in members} for name in names}
    chosen = max(names, key=lambda name: len(values[name]))
    points = []
    for case, numbers in members:
        others = {name: value for name, value in numbers.items() if name != chosen}
        points.append(
            (
                tuple(others.values()),
                Point(
                    case, numbers[chosen], ", ".join(f"{name}={value:g}" for name, value in others.items())
                ),
            )
        )
    points.sort(key=lambda each: (each[0], each[1].value))
    members_of: dict[str, list[Point]] = {}
    for _, point in points:
        members_of.setdefault(point.others, []).append(point)
    curved = [group for group in members_of.values() if len(group) >= LEAST_VALUES]
    return Sweep(stem, chosen, tuple(point for group in curved for point in group))


def curves(scene: Scene, sweep: Sweep, objective: str, key: str) -> Shown:
    """Draw an objective of every mapper against the parameter, relative to what is proven at its least value."""
    import altair as alt

    figure = "rate" if objective == "period" else "latency"
    common = f", {sweep.columns[0]}" if len(sweep.columns) == 1 and sweep.columns[0] else ""
    title = f"{figure.capitalize()} against {sweep.parameter}: {sweep.name}{common}"
    first = sweep.points[0]
    one = first.case.bound(objective)
    if one is None or not one.ticks:
        return Omitted(title, "nothing is proven for the first instance, so that there is no unit")
    unit = one.ticks
    methods = _firsts(
        [method for method in scene.methods if any(point.case.made.get(method) for point in sweep.points)]
    )
    drawn = [*methods[1:], *methods[:1]]  # the first is drawn last, to be visible where values coincide
    rows = [
        row for point in sweep.points for method in drawn for row in _values(point, method, objective, unit)
    ]
    if not rows:
        return Omitted(title, f"no run has a {objective}")
    shown = [method for method in methods if any(row["method"] == method for row in rows)]
    limits = [row for point in sweep.points for row in _limit(point, objective, unit)]
    x = alt.X(
        "value:Q", title=sweep.parameter, scale=alt.Scale(zero=False, padding=10),
        axis=alt.Axis(values=sorted({point.value for point in sweep.points}), format="~g", grid=False),
    )  # fmt: skip
    streamed = objective == "latency" and first.case.compared == "time-triggered"
    at = ", ".join(filter(None, (f"{sweep.parameter}={first.value:g}", first.others)))
    relative = [f"{figure} relative to the bound", f"{'for any period ' if streamed else ''}at {at}"]
    y = alt.Y("figure:Q", title=relative, axis=alt.Axis(tickCount=6, format="~g"))
    base = alt.Chart(data([*limits, *rows]))
    runs = base.transform_filter("isValid(datum.method)")
    color = scene.style.color(shown)
    is_first = alt.FieldEqualPredicate(field="method", equal=methods[0])
    layers = [
        runs.transform_filter("datum.low < datum.high").mark_area(color=MUTED, opacity=0.13).encode(
            x=x,
            y=alt.Y("low:Q", title=relative),
            y2="high:Q",
            detail="method:N",
        ),
        base.transform_filter("!isValid(datum.method)").mark_line(color=INK, strokeDash=[3, 3], strokeWidth=1)
        .encode(x=x, y=y),
        runs.mark_line(strokeWidth=1.8).encode(x=x, y=y, color=color, strokeDash=scene.style.dash(shown)),
        runs.mark_point(strokeWidth=1.5, opacity=1).encode(
            x=x, y=y, color=color, shape=scene.style.shape(shown),
            size=alt.condition(is_first, alt.value(110), alt.value(32)),
            tooltip=["method:N", alt.Tooltip("value:Q", title=sweep.parameter), alt.Tooltip("figure:Q", format=".3f")],
        ),
    ]  # fmt: skip
    columns = sweep.columns
    width = WIDTH if len(columns) == 1 else 860 // len(columns)
    chart: Any = alt.layer(*layers).properties(width=width, height=240)
    if len(columns) > 1:
        chart = chart.facet(column=alt.Column("others:N", title=None, sort=list(columns)))
    count = sum(len(point.case.made.get(method, ())) for point in sweep.points for method in shown)
    best = "largest rate" if objective == "period" else "least latency"
    caption = (
        f"1 is the {best} that the bounds leave possible at {at}{', for any period' if streamed else ''}. Line: median "
        "over the seeds, area: all of them; dashed: what the bounds leave possible"
        f"{' at the least period' if streamed else ''}. Class: {CLASSES[first.case.compared]}. "
        f"{plural(len(sweep.points), 'instance')}, {plural(count, 'run')}."
    )
    return Picture(key, title, caption, finished(chart), wide=len(columns) > 1)


def _firsts(methods: list[str]) -> list[str]:
    """Return the first method of each mapper or solve, whatever its options."""
    found: dict[str, str] = {}
    for method in methods:
        found.setdefault(method.split()[0], method)
    return list(found.values())


def _values(point: Point, method: str, objective: str, unit: int) -> Iterator[dict[str, object]]:
    middle = point.case.typical(method, objective)
    values = [
        value
        for run in point.case.made.get(method, ())
        if (value := run.value(objective)) is not None and value > 0
    ]
    if middle and math.isfinite(middle):
        ends = sorted(_relative(value, objective, unit) for value in (min(values), max(values)))
        yield {
            "method": method, "others": point.others, "value": point.value,
            "figure": _relative(middle, objective, unit), "low": ends[0], "high": ends[1],
        }  # fmt: skip


def _limit(point: Point, objective: str, unit: int) -> Iterator[dict[str, object]]:
    proof = point.case.bound(objective, point.case.best("period"))
    if proof is not None and proof.ticks:
        figure = _relative(proof.ticks, objective, unit)
        yield {"others": point.others, "value": point.value, "figure": figure}


def _relative(ticks: float, objective: str, unit: int) -> float:
    """Return a rate or latency as a multiple of the unit's."""
    return unit / ticks if objective == "period" else ticks / unit
