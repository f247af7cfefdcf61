"""Gantt pictures of a few frames in the steady state, with the period marked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mapopt.documents import write_atomic
from mapopt.emulator.explain import task_name
from mapopt.emulator.lower import lower
from mapopt.emulator.measure import measure_program
from mapopt.emulator.measurement import Dispatch
from mapopt.emulator.options import DEFAULT_WINDOW, Interval, RunOptions
from mapopt.emulator.trace import Trace, record_program
from mapopt.errors import InputError
from mapopt.instance import Instance
from mapopt.mapping import Mapping

if TYPE_CHECKING:
    import altair

PERIODS = 4
"""Periods that a picture shows."""

MAX_BARS = 20_000
"""Most bars in a picture."""

MAX_DEPTH = 64
"""Frames in flight beyond which the picture does not wait for the steady state."""

FILLING_SHOWN = 2
"""Up to so many frames in flight the picture begins with the empty machine."""

BUDGET = 10**6
"""Firings within which the period and latency that lay out the picture are measured."""

_WIDTH = 1000
_PALETTE = (
    "#4c78a8", "#f58518", "#54a24b", "#e45756", "#72b7b2", "#eeca3b", "#b279a2", "#ff9da6", "#9d755d", "#a0cbe8",
    "#bab0ac", "#86bcb6", "#ffbf79", "#88d27a", "#d6a5c9", "#439894", "#b79a20", "#d8b5a5", "#79706e", "#d37295",
)  # fmt: skip
_UNITS = ((10**9, "s"), (10**6, "ms"), (10**3, "µs"), (1, "ns"))


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: what occupies a unit or link from ``start_ns`` to ``end_ns``; ``kind`` is ``work`` or ``stall``."""

    resource: str
    name: str
    kind: str
    frame: int
    start_ns: float
    end_ns: float


@dataclass(frozen=True, slots=True)
class Gantt:
    """What a picture shows: bars clipped to ``begin_ns`` .. ``end_ns``, and a band of ``band_ns`` from ``band_at_ns``.

    The band is one period, or K of them, after which a schedule of K patterns repeats; ``band`` is its label.
    """

    title: str
    subtitle: str
    resources: tuple[str, ...]
    bars: tuple[Bar, ...]
    begin_ns: float
    end_ns: float
    band_at_ns: float
    band_ns: float
    band: str


def gantt(
    instance: Instance,
    mapping: Mapping,
    *,
    dispatch: Dispatch | None = None,
    interval: Interval = None,
    window: int = DEFAULT_WINDOW,
    periods: int = PERIODS,
) -> Gantt:
    """Collect the bars of the first frames if the pipeline fills within the picture, else of its steady state.

    The arrival is that of :func:`mapopt.emulator.trace.record`.

    Raises
    ------
    InputError
        If an option is out of range, or the picture would hold more than 20,000 bars.
    """
    program = lower(instance, mapping)
    options = RunOptions(dispatch, interval, window).paced(program)
    found = measure_program(instance, program, options, budget=BUDGET)
    period = Fraction(found.period_ticks) or Fraction(1)
    depth = min(MAX_DEPTH, int(Fraction(found.latency_ns.max) * 1000 / program.tick_ps / period) + 1)
    first = 0 if depth <= FILLING_SHOWN else 2 * depth
    trace = record_program(
        instance, program, options, frames=first + depth + max(periods, program.n_patterns + 2)
    )
    begin = Fraction(int(trace.released[first]))
    end = begin + period * max(periods, program.n_patterns + 2)
    at = begin + period * (depth if first == 0 else 1)
    scale = Fraction(program.tick_ps, 1000)
    bars = tuple(_bars(instance, trace, begin, end, scale))
    if len(bars) > MAX_BARS:
        raise InputError(f"gantt: has {len(bars)} bars; at most {MAX_BARS} are drawn; write a trace instead")
    mapper = "mapping" if mapping.mapper is None else mapping.mapper.name
    what = "period" if found.exact else "mean period (no recurrence found)"
    patterns = f", {program.n_patterns} patterns" if program.n_patterns > 1 else ""
    return Gantt(
        title=f"{instance.name}, mapped by {mapper}",
        subtitle=f"{found.dispatch}{patterns}; {what} {_duration(float(period * scale))}; {trace.arrival}",
        resources=program.resources,
        bars=bars,
        begin_ns=float(begin * scale),
        end_ns=float(end * scale),
        band_at_ns=float(at * scale),
        band_ns=float(period * scale * program.n_patterns),
        band=f"{what} {_duration(float(period * scale))}"
        if program.n_patterns == 1
        else f"{program.n_patterns} periods of {_duration(float(period * scale))}",
    )


def _bars(instance: Instance, trace: Trace, begin: Fraction, end: Fraction, scale: Fraction) -> Iterator[Bar]:
    """Yield the work and the stall of every firing within the picture, clipped to it."""
    program = trace.program
    shown = np.flatnonzero((trace.free > float(begin)) & (trace.start < float(end)))
    for index in shown.tolist():
        task, frame = int(trace.task[index]), int(trace.frame[index])
        name = task_name(instance, program, task)
        resource = program.resources[int(program.resource[task])]
        reading = program.label[task, 0] < 0 and program.resource[task] < program.n_units
        pieces = (
            ("stall" if reading else "work", int(trace.start[index]), int(trace.end[index])),
            ("stall", int(trace.end[index]), int(trace.free[index])),
        )
        for kind, start, stop in pieces:
            left, right = max(Fraction(start), begin), min(Fraction(stop), end)
            if left < right:
                yield Bar(resource, name, kind, frame, float(left * scale), float(right * scale))


def draw_gantt(
    path: str | Path,
    instance: Instance,
    mapping: Mapping,
    *,
    dispatch: Dispatch | None = None,
    interval: Interval = None,
    window: int = DEFAULT_WINDOW,
    periods: int = PERIODS,
) -> None:
    """Draw :func:`gantt` to an SVG or PNG file, by its ending. Needs no network.

    Raises
    ------
    InputError
        If the file's name ends otherwise, and as for :func:`gantt`.
    """
    kind = Path(path).suffix.lower()
    if kind not in (".svg", ".png"):
        raise InputError(
            f"{path}: a Gantt chart is written as .svg or .png; give the file one of these endings"
        )
    picture = gantt(instance, mapping, dispatch=dispatch, interval=interval, window=window, periods=periods)
    import vl_convert

    spec = gantt_chart(picture).to_dict()
    if kind == ".svg":
        write_atomic(path, vl_convert.vegalite_to_svg(spec).encode())
    else:
        write_atomic(path, vl_convert.vegalite_to_png(spec, scale=2))


def gantt_chart(picture: Gantt) -> altair.LayerChart:
    """Build the chart: a row per unit, then per link; colour by frame; the band shaded between two rules."""
    import altair as alt

    span = picture.end_ns - picture.begin_ns
    divisor, unit = _unit(span)
    frames = sorted({bar.frame for bar in picture.bars})
    colours = [_PALETTE[frame % len(_PALETTE)] for frame in frames]
    rows = [_row(bar, divisor, span) for bar in picture.bars]
    limits = [picture.begin_ns / divisor, picture.end_ns / divisor]
    x = alt.X(
        "start:Q",
        title=f"time ({unit})",
        scale=alt.Scale(domain=limits, nice=False, zero=False),
        axis=alt.Axis(grid=False),
    )
    y = alt.Y(
        "resource:N",
        sort=list(picture.resources),
        title=None,
        scale=alt.Scale(domain=list(picture.resources), paddingInner=0.15),
        axis=alt.Axis(labelLimit=160, ticks=False, domain=False),
    )
    edges = [picture.band_at_ns / divisor, (picture.band_at_ns + picture.band_ns) / divisor]
    band = _inline([{"start": edges[0], "end": edges[1]}])
    rules = _inline([{"start": edge} for edge in edges])
    shade = alt.Chart(band).mark_rect(color="#000000", opacity=0.07).encode(x=x, x2="end:Q")
    bars = (
        alt.Chart(_inline(rows))
        .mark_bar(stroke="white")
        .encode(
            x=x,
            x2="end:Q",
            y=y,
            color=alt.Color(
                "frame:O",
                scale=alt.Scale(domain=frames, range=colours),
                legend=alt.Legend(title="frame", columns=1 + len(frames) // 16, symbolLimit=64),
            ),
            strokeWidth=alt.StrokeWidth("edge:Q", scale=None, legend=None),
            opacity=alt.Opacity(
                "kind:N",
                scale=alt.Scale(domain=["work", "stall"], range=[1.0, 0.35]),
                legend=alt.Legend(title="occupied by")
                if any(bar.kind == "stall" for bar in picture.bars)
                else None,
            ),
        )
    )
    names = (
        alt.Chart(_inline([row for row in rows if row["text"]]))
        .mark_text(fontSize=9, color="#111111", clip=True)
        .encode(x=alt.X("middle:Q"), y=y, text="text:N")
    )
    lines = alt.Chart(rules).mark_rule(color="#222222", strokeDash=[5, 3], strokeWidth=1.3).encode(x=x)
    mark = (
        alt.Chart(band)
        .mark_text(align="left", baseline="bottom", dx=3, dy=-3, fontSize=11, color="#222222")
        .encode(x=x, y=alt.value(0), text=alt.value(picture.band))
    )
    title = alt.TitleParams(picture.title, subtitle=picture.subtitle, anchor="start", offset=22, fontSize=15)
    chart: altair.LayerChart = (
        alt.layer(shade, bars, names, lines, mark)
        .properties(width=_WIDTH, height=alt.Step(22), title=title)
        .configure_view(stroke="#dddddd")
    )
    return chart


def _inline(rows: list[dict[str, Any]]) -> Any:
    import altair

    untyped: Any = altair
    return untyped.Data(values=rows)


def _duration(ns: float) -> str:
    divisor, unit = _unit(ns)
    return f"{ns / divisor:,.6g} {unit}"


def _unit(ns: float) -> tuple[int, str]:
    return next((each for each in _UNITS if ns >= 2 * each[0]), _UNITS[-1])


def _row(bar: Bar, divisor: int, span: float) -> dict[str, Any]:
    """Return a bar's data: at least a pixel wide, with its name or the end of it where that fits."""
    name = bar.name.split("'")[1] if "'" in bar.name else bar.name
    pixel = span / _WIDTH
    room = int(((bar.end_ns - bar.start_ns) / pixel - 4) / 5.5)
    text = name if len(name) <= room else "…" + name[1 - room :] if room >= 6 else ""
    return {
        "resource": bar.resource,
        "frame": bar.frame,
        "kind": bar.kind,
        "start": bar.start_ns / divisor,
        "end": max(bar.end_ns, bar.start_ns + pixel) / divisor,
        "middle": (bar.start_ns + bar.end_ns) / 2 / divisor,
        "edge": 0.4 if bar.end_ns - bar.start_ns > 4 * pixel else 0.0,
        "text": text if bar.kind == "work" else "",
    }
