"""Pictures of tuning studies: what tuning gains on instances it has not seen, and how it got there."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from mapopt.documents import read_bytes
from mapopt.report.picture import (
    MUTED,
    PALETTE,
    WIDTH,
    Omitted,
    Picture,
    Shown,
    data,
    finished,
    plural,
)
from mapopt.report.scene import CLASSES, Scene
from mapopt.studies.folder import Folder
from mapopt.tuning.findings import Findings, findings_file
from mapopt.tuning.statistics import MIN_INSTANCES

SLICES = 6
"""Most parameters whose slices are drawn: the most important ones."""

FEW = f"(none below {MIN_INSTANCES} instances)"
GAPS = {"period": "gap of the period", "latency": "gap of the latency"}


def tuning(scene: Scene) -> Iterator[Shown]:
    """Yield the pictures of every tuning study among the folders; nothing where there is none."""
    for folder in scene.results.folders:
        file = findings_file(Folder(folder))
        if file.exists():
            yield from _pictures(Findings.from_json(read_bytes(file), str(file)))


def _pictures(findings: Findings) -> Iterator[Shown]:
    yield _held_out(findings)
    yield _paired(findings)
    yield _convergence(findings)
    yield _importances(findings)
    yield _slices(findings)


def _context(findings: Findings) -> str:
    counts = {each.split: each.instances for each in findings.summaries}
    told = ", ".join(f"{split} {count}" for split, count in counts.items())
    excluded = len(findings.excluded)
    left = f" {plural(excluded, 'instance')} on which there is little to gain left out." if excluded else ""
    kind = CLASSES.get(findings.schedule_class, findings.schedule_class)
    proven = "; ".join(
        f"{split} {periods} periods and {latencies} latencies"
        for split, (_, periods, latencies) in findings.proven().items()
    )
    return f"Class: {kind}. Instances: {told}. Proven references: {proven}.{left}"


def _held_out(findings: Findings) -> Shown:
    """Draw the mean gaps of every method on every split with their intervals."""
    import altair as alt

    rows = [
        {
            "method": each.method,
            "split": each.split,
            "gap": GAPS[objective],
            "value": value,
            "low": None if inside is None else inside[0],
            "high": None if inside is None else inside[1],
        }
        for each in findings.summaries
        for objective, value, inside in (
            ("period", each.period_gap, each.period_interval),
            ("latency", each.latency_gap, each.latency_interval),
        )
    ]
    order = list(findings.methods)
    base = alt.Chart(data(rows)).encode(y=alt.Y("method:N", sort=order, title=None))
    color = alt.condition(alt.datum.method == findings.tuned, alt.value(PALETTE[0]), alt.value(MUTED))
    axis = alt.Axis(format="~%", title=None)
    shares = [alt.Tooltip(f"{name}:Q", format=".3%") for name in ("value", "low", "high")]
    measured = "isValid(datum.low)"
    bars = (
        base.transform_filter(measured)
        .mark_rule(strokeWidth=2)
        .encode(x=alt.X("low:Q", axis=axis), x2=alt.X2("high:Q"), color=color)
    )
    dots = base.mark_point(filled=True, size=60, opacity=1).encode(
        x=alt.X("value:Q", axis=axis),
        color=color,
        tooltip=["method:N", "split:N", "gap:N", *shares],
    )
    splits = list(dict.fromkeys(each.split for each in findings.summaries))
    chart = (
        (bars + dots)
        .properties(width=210, height=24 * len(order))
        .facet(
            column=alt.Column("split:N", sort=splits, title=None),
            row=alt.Row("gap:N", sort=list(GAPS.values()), title=None, header=alt.Header(labelPadding=30)),
        )
        .resolve_scale(x="independent")
    )
    warning = f" Over-fitted: {findings.overfitting}." if findings.overfitting else ""
    caption = (
        "Shifted geometric means (shifts 0.1% and 1%) of the gaps of the period to its lower bound, and of the latency "
        f"to the best known; 95% bootstrap intervals over instances {FEW}; further left is better. Tuned on "
        f"train, chosen on validation, judged on test.{warning} {_context(findings)}"
    )
    return Picture(
        f"tuning-{findings.study}-gaps",
        f"{findings.study}: tuned against default and others",
        caption,
        finished(chart),
        wide=True,
    )


def _paired(findings: Findings) -> Shown:
    """Draw the difference of scores on the test split between the tuned mapper and each other."""
    import altair as alt

    contrasts = [each for each in findings.contrasts if each.split == "test"]
    rows = [
        {
            "against": each.against,
            "difference": each.difference,
            "low": None if each.interval is None else each.interval[0],
            "high": None if each.interval is None else each.interval[1],
            "p": each.p_value,
            "better": each.wins,
            "worse": each.losses,
            "equal": each.ties,
        }
        for each in contrasts
    ]
    base = alt.Chart(data(rows)).encode(
        y=alt.Y("against:N", sort=[each.against for each in contrasts], title=None)
    )
    zero = alt.Chart(data([{"zero": 0}])).mark_rule(color=MUTED, strokeDash=[4, 3]).encode(x="zero:Q")
    title = "score of the tuned mapper less the other's"
    rules = (
        base.transform_filter("isValid(datum.low)")
        .mark_rule(strokeWidth=2, color=PALETTE[0])
        .encode(x=alt.X("low:Q", title=title), x2=alt.X2("high:Q"))
    )
    dots = base.mark_point(filled=True, size=60, color=PALETTE[0], opacity=1).encode(
        x=alt.X("difference:Q", title=title),
        tooltip=["against:N", "difference:Q", "low:Q", "high:Q", "p:Q", "better:Q", "worse:Q", "equal:Q"],
    )
    told = "; ".join(
        f"{each.against}: better on {each.wins}, worse on {each.losses}, equal on {each.ties}, p = {each.p_value:.3g}"
        for each in contrasts
    )
    caption = (
        f"Paired differences on the test split with 95% bootstrap intervals {FEW}; left of 0 the tuned mapper is "
        f"better. Score: gap of the period to its bound + {findings.latency_weight:g} x g / (1 + g) for the gap g of "
        f"the latency. Two-sided exchange test of this difference. {told}. {_context(findings)}"
    )
    chart = (zero + rules + dots).properties(width=WIDTH, height=30 * max(1, len(contrasts)))
    return Picture(
        f"tuning-{findings.study}-paired",
        f"{findings.study}: is the tuned mapper better on held-out instances?",
        caption,
        finished(chart),
    )


def _convergence(findings: Findings) -> Shown:
    """Draw the score of every trial and the best so far."""
    import altair as alt

    title = f"{findings.study}: convergence"
    completed = [(each.number, each.score) for each in findings.trials if each.score is not None]
    if not completed:
        return Omitted(title, "no trial was completed")
    best = list(accumulate((score for _, score in completed), min))
    rows = [
        {"trial": number, "score": score, "best": least}
        for (number, score), least in zip(completed, best, strict=True)
    ]
    base = alt.Chart(data(rows))
    scale = alt.Scale(type="symlog", constant=1e-4, zero=False)
    dots = base.mark_point(filled=True, size=22, color=MUTED, opacity=0.6).encode(
        x=alt.X("trial:Q", title="trial"),
        y=alt.Y("score:Q", scale=scale, title="score on train"),
        tooltip=["trial:Q", "score:Q"],
    )
    line = base.mark_line(interpolate="step-after", color=PALETTE[0], strokeWidth=2.5).encode(
        x="trial:Q", y=alt.Y("best:Q", scale=scale)
    )
    given_up = sum(each.state == "pruned" for each in findings.trials)
    caption = (
        f"Every completed trial and the best so far; {plural(given_up, 'trial')} given up early are not drawn. Sampler "
        f"{findings.sampler}, pruner {findings.pruner}. {_context(findings)}"
    )
    return Picture(
        f"tuning-{findings.study}-convergence",
        title,
        caption,
        finished((dots + line).properties(width=WIDTH, height=220)),
    )


def _importances(findings: Findings) -> Shown:
    """Draw how much each parameter matters."""
    import altair as alt

    title = f"{findings.study}: importance of parameters"
    if not findings.importances:
        return Omitted(title, "too few trials were completed, or all have the same score")
    rows = [{"parameter": name, "importance": value} for name, value in findings.importances.items()]
    chart = (
        alt.Chart(data(rows))
        .mark_bar(color=PALETTE[0])
        .encode(
            y=alt.Y("parameter:N", sort=list(findings.importances), title=None),
            x=alt.X("importance:Q", axis=alt.Axis(format="~%"), title="share"),
            tooltip=["parameter:N", alt.Tooltip("importance:Q", format=".1%")],
        )
        .properties(width=WIDTH, height=22 * len(rows))
    )
    caption = (
        "Share of each parameter in what tells good trials from others, by PED-ANOVA, over parameters that all "
        f"completed trials have. {_context(findings)}"
    )
    return Picture(f"tuning-{findings.study}-importances", title, caption, finished(chart))


def _slices(findings: Findings) -> Shown:
    """Draw the score against each of the most important parameters."""
    import altair as alt

    title = f"{findings.study}: slices"
    completed = [each for each in findings.trials if each.score is not None]
    named = dict.fromkeys([*findings.importances, *(name for each in completed for name in each.parameters)])
    names = list(named)[:SLICES]
    if not completed or not names:
        return Omitted(title, "no trial was completed")
    panels = []
    for name in names:
        rows = [
            {"value": each.parameters[name], "score": each.score, "trial": each.number}
            for each in completed
            if name in each.parameters
        ]
        numbers = all(
            isinstance(row["value"], int | float) and not isinstance(row["value"], bool) for row in rows
        )
        shown = rows if numbers else [{**row, "value": str(row["value"]).lower()} for row in rows]
        kind = "value:Q" if numbers else "value:N"
        panels.append(
            alt.Chart(data(shown))
            .mark_point(filled=True, size=22, color=PALETTE[0], opacity=0.5)
            .encode(
                x=alt.X(kind, title=name, scale=alt.Scale(zero=False) if numbers else alt.Undefined),
                y=alt.Y(
                    "score:Q",
                    scale=alt.Scale(type="symlog", constant=1e-4, zero=False),
                    title="score on train",
                ),
                tooltip=["trial:Q", kind, "score:Q"],
            )
            .properties(width=190, height=150)
        )
    caption = (
        f"The score of every completed trial against {plural(len(names), 'parameter')}, the most important first; what "
        f"is chosen is in the parameter file. {_context(findings)}"
    )
    chart = alt.concat(*panels, columns=3)
    return Picture(f"tuning-{findings.study}-slices", title, caption, finished(chart), wide=True)
