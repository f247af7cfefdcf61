"""What depends on what: LBLP's options, and times that turn out other than planned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from statistics import median

import numpy as np

from mapopt.instance import Instance, IntArray
from mapopt.mappers import registry
from mapopt.mapping import Mapping as MappingDocument
from mapopt.report.cases import Case
from mapopt.report.charts.instances import bare, best_of_each
from mapopt.report.picture import INK, WIDTH, Omitted, Picture, Shown, data, finished, plural
from mapopt.report.runs import Run
from mapopt.report.scene import CLASSES, Scene

MAPPER = "lblp"
"""The mapper whose options are looked at."""

JITTER = (0.05, 0.1, 0.2)
"""Largest relative errors of a node's time."""

SAMPLES = 40
"""Instances with other times per error."""

SEED = 1
"""Of the other times."""


def sensitivity(scene: Scene) -> Iterator[Shown]:
    """Yield the pictures of LBLP's options for each class and objective, then those of jitter."""
    for compared in scene.classes:
        for objective in scene.objectives(compared):
            yield options(scene, compared, objective)
        yield jitter(scene, compared)


def changed(run: Run, default: Mapping[str, object]) -> str | None:
    """Return how a run's options differ from the default, or ``None`` if it is of another mapper."""
    if run.mapper != MAPPER:
        return None
    return " ".join(
        f"{name}={str(value).lower() if isinstance(value, bool) else value}"
        for name, value in run.parameters.items()
        if default.get(name, value) != value
    )


def options(scene: Scene, compared: str, objective: str) -> Shown:
    """Draw for each setting of LBLP that differs from the default how the objective changes on every instance."""
    import altair as alt

    title = f"LBLP's options: change of the {objective} against the default"
    default = dict(registry.get(MAPPER).options.as_dict())
    found: dict[str, list[float]] = {}
    cases: dict[int, Case] = {}
    runs = 0
    for case in scene.of_class(compared):
        values = {
            setting: value
            for run in case.runs
            if (setting := changed(run, default)) is not None and (value := run.value(objective)) is not None
        }
        if not values.get(""):
            continue
        for setting, value in values.items():
            if setting:
                found.setdefault(setting, []).append(value / values[""] - 1)
                cases[case.number] = case
        runs += len(values)
    if not found:
        return Omitted(title, "no instance has runs of lblp both with its default options and with others")
    names = sorted(found)
    rows = [{"setting": name, "change": change} for name in names for change in found[name]]
    middles = [{"setting": name, "change": median(found[name])} for name in names]
    x = alt.X("change:Q", title=f"change of the {objective}", axis=alt.Axis(format="+~%", tickCount=6))
    y = alt.Y("setting:N", sort=names, title=None, axis=alt.Axis(ticks=False, domain=False, grid=True))
    zero = alt.Chart(data([{"change": 0}])).mark_rule(color=INK, strokeWidth=1).encode(x=x)
    ticks = (
        alt.Chart(data(rows)).mark_tick(color="#0072b2", opacity=0.6, thickness=1.5, size=12).encode(x=x, y=y)
    )
    marks = (
        alt.Chart(data(middles))
        .mark_point(shape="diamond", size=60, filled=True, color=INK, opacity=1)
        .encode(x=x, y=y)
    )
    return Picture(
        f"options-{objective}-{compared}",
        title,
        "One tick per instance, diamond: median; left of zero is better than the default. "
        f"Class: {CLASSES[compared]}. {plural(len(cases), 'instance')}, {plural(runs, 'run')}.",
        finished(alt.layer(zero, ticks, marks).properties(width=WIDTH, height=alt.Step(24))),
    )


def jitter(scene: Scene, compared: str) -> Shown:
    """Draw how the largest load and the latency of a frame alone grow when times are other than planned."""
    import altair as alt

    title = "Sensitivity of mappings to errors in the times"
    grown: dict[tuple[str, float, str], list[float]] = {}
    cases: dict[int, Case] = {}
    runs = 0
    for case in scene.shown_cases:
        instance = scene.instance(case)
        found = best_of_each(scene, case) if case.compared == compared else ()
        for each in found if instance is not None else ():
            assert instance is not None
            cases[case.number] = case
            runs += 1
            for share in JITTER:
                for name, ratios in growth(instance, each.mapping, share).items():
                    grown.setdefault((each.run.method, share, name), []).extend(ratios)
    if not grown:
        return Omitted(title, "no run kept a mapping")
    methods = [method for method in scene.methods if any(method == key[0] for key in grown)]
    rows = [
        {
            "method": method,
            "error": f"±{share:.0%}",
            "what": name,
            "low": float(np.quantile(ratios, 0.05)) - 1,
            "middle": float(np.median(ratios)) - 1,
            "high": float(np.quantile(ratios, 0.95)) - 1,
        }
        for (method, share, name), ratios in grown.items()
    ]
    base = alt.Chart(data(rows))
    axis = alt.Axis(format="+~%", tickCount=5)
    y = alt.Y("method:N", sort=methods, title=None, axis=alt.Axis(ticks=False, domain=False, grid=True))
    errors = [f"±{share:.0%}" for share in JITTER]
    offset = alt.YOffset("error:N", sort=errors)
    scale = alt.Scale(domain=errors, range=["#56b4e9", "#0072b2", "#d55e00"])
    color = alt.Color("error:N", sort=errors, title="error of a time", scale=scale)
    lines = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title="growth", axis=axis), x2="high:Q", y=y, yOffset=offset, color=color
    )
    dots = base.mark_point(filled=True, size=36).encode(x="middle:Q", y=y, yOffset=offset, color=color)
    chart = (
        alt.layer(lines, dots)
        .properties(width=330, height=alt.Step(8))
        .facet(column=alt.Column("what:N", title=None, sort=["largest load", "latency of a frame alone"]))
        .resolve_scale(x="independent")
    )
    return Picture(
        f"jitter-{compared}",
        title,
        "Every node's time is multiplied by a random factor within the error, the mapping kept, and emulated again: "
        f"{SAMPLES} times per error, the same factors for all methods. Dot: median, line: 5% to 95%, against the "
        f"planned times. Class: one pattern, self-timed. {plural(len(cases), 'instance')}, {plural(runs, 'run')}: the "
        "best of each method.",
        finished(chart),
        wide=True,
    )


def growth(instance: Instance, mapping: MappingDocument, share: float) -> dict[str, list[float]]:
    """Return the largest load and the latency of a frame alone under other times, relative to the planned ones.

    Parameters
    ----------
    share
        Largest relative error of a node's time.

    Returns
    -------
    dict
        Ratios of ``SAMPLES`` samples; transfers take the planned times.
    """
    from mapopt.emulator.lower import lower
    from mapopt.emulator.program import Program
    from mapopt.emulator.stream import run_single

    program = lower(instance, bare(mapping))
    node = program.label[:, 0]
    works = node >= 0

    def figures(of: Program) -> tuple[float, float]:
        return float(of.loads().max()), float(max(run_single(of)))

    planned = figures(program)
    random = np.random.default_rng([SEED, round(share * 1000)])
    found: dict[str, list[float]] = {"largest load": [], "latency of a frame alone": []}
    for _ in range(SAMPLES):
        factor = random.uniform(1 - share, 1 + share, len(instance.nodes))
        duration: IntArray = program.duration.copy()
        duration[works] = np.rint(program.duration[works] * factor[node[works]]).astype(np.int64)
        for ratios, now, before in zip(
            found.values(), figures(replace(program, duration=duration)), planned, strict=True
        ):
            ratios.append(now / before if before else 1.0)
    return found
