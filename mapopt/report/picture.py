"""Pictures: a chart with what it shows, and the look that all charts share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import altair

Rows = Sequence[Mapping[str, object]]

INK = "#1f2328"
MUTED = "#57606a"
GRID = "#e4e7eb"

PALETTE = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#5b2c83",
)  # fmt: skip
"""The colours of Okabe and Ito that stand out on white, grey and violet; they stay apart under colour blindness."""

DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])
SHAPES = (
    "circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-left", "triangle-right",
)  # fmt: skip
PLUS = "M0,-1V1M-1,0H1"
"""The shape of references, as an SVG path."""

WIDTH = 420
"""Pixels of the plotting area of a picture that shares its row with another."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart and its words.

    Parameters
    ----------
    key
        Anchor and file name.
    title
        What it shows.
    caption
        In which class, of how many instances and runs, and how to read it.
    spec
        Vega-Lite.
    wide
        Whether it needs a row of its own.
    runs
        The methods and ids of the runs whose figures it shows, where these are few.
    """

    key: str
    title: str
    caption: str
    spec: dict[str, Any]
    wide: bool = False
    runs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Omitted:
    """A picture that there is nothing to draw for, and why."""

    title: str
    why: str


Shown = Picture | Omitted


@dataclass(frozen=True)
class Style:
    """The colour, dash and shape of every method, the same in all pictures.

    Parameters
    ----------
    methods
        In order.
    references
        Those drawn in the colour of text.
    """

    methods: tuple[str, ...]
    references: frozenset[str]

    def color(self, shown: Iterable[str], title: str | None = "method") -> altair.Color:
        """Return the encoding of methods by colour."""
        import altair as alt

        names = self._ordered(shown)
        legend = (
            None if title is None else alt.Legend(title=title, symbolType="stroke", symbolStrokeWidth=2.5)
        )
        return alt.Color(
            "method:N",
            scale=alt.Scale(domain=names, range=[self._color(name) for name in names]),
            legend=legend,
        )

    def dash(self, shown: Iterable[str], title: str = "method") -> altair.StrokeDash:
        """Return the encoding of methods by dashes; it shares its legend with the colours."""
        import altair as alt

        names = self._ordered(shown)
        return alt.StrokeDash(
            "method:N",
            scale=alt.Scale(domain=names, range=[self._dash(name) for name in names]),
            legend=alt.Legend(title=title, symbolType="stroke"),
        )

    def shape(self, shown: Iterable[str]) -> altair.Shape:
        """Return the encoding of methods by shape."""
        import altair as alt

        names = self._ordered(shown)
        return alt.Shape(
            "method:N", scale=alt.Scale(domain=names, range=[self._shape(name) for name in names])
        )

    def _ordered(self, shown: Iterable[str]) -> list[str]:
        wanted = frozenset(shown)
        return [method for method in self.methods if method in wanted]

    def _rank(self, method: str) -> int:
        """Return the position of a method among those of its role."""
        mine = method in self.references
        return [each for each in self.methods if (each in self.references) == mine].index(method)

    def _color(self, method: str) -> str:
        return INK if method in self.references else PALETTE[self._rank(method) % len(PALETTE)]

    def _dash(self, method: str) -> list[int]:
        turn = 1 if method in self.references else len(PALETTE)
        return DASHES[self._rank(method) // turn % len(DASHES)]

    def _shape(self, method: str) -> str:
        rank = self._rank(method)  # colours come again after a while, then with other shapes
        return PLUS if method in self.references else SHAPES[(rank + rank // len(PALETTE)) % len(SHAPES)]


def data(rows: Rows) -> Any:
    """Return rows as data that stand in the chart itself: as text, which Altair does not validate row by row."""
    import altair

    untyped: Any = altair
    return untyped.Data(
        values=msgspec.json.encode(list(rows)).decode(), format=untyped.DataFormat(type="json")
    )


def finished(chart: Any) -> dict[str, Any]:
    """Return a chart's Vega-Lite with the common look."""
    font = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"
    words = {
        "labelColor": MUTED,
        "titleColor": INK,
        "titleFontWeight": 500,
        "labelFontSize": 11,
        "titleFontSize": 11,
    }
    spec: dict[str, Any] = chart.to_dict(validate=False)  # a fifth of a report's time; tests draw every chart
    given = spec.pop("config", {})
    look = {
        "background": None,
        "padding": {"left": 6, "right": 24, "top": 6, "bottom": 6},
        "font": font,
        "axis": {**words, "gridColor": GRID, "domainColor": MUTED, "tickColor": MUTED, "labelLimit": 190},
        "axisY": {"titlePadding": 10},
        "axisX": {"labelOverlap": True, "labelSeparation": 8},
        "legend": {**words, "labelColor": INK, "labelLimit": 200},
        "header": {"labelColor": INK, "titleColor": INK, "labelFontSize": 12, "labelFontWeight": 500},
        "title": {"color": INK, "subtitleColor": MUTED, "anchor": "start"},
        "view": {"stroke": None},
    }
    spec["config"] = {**look, **{key: value for key, value in given.items() if key not in look}}
    return spec


def varied(methods: Sequence[str], most: int) -> list[str]:
    """Return at most so many methods, in order: first one of each mapper, whatever its options; the last one stays.

    Examples
    --------
    >>> varied(["a", "a x=1", "a x=2", "b", "solve"], 4)
    ['a', 'a x=1', 'b', 'solve']
    """
    firsts = {method.split()[0]: method for method in reversed(methods)}
    order = sorted(methods, key=lambda method: firsts[method.split()[0]] != method)
    if methods[-1:] and methods[-1] in order[most:]:
        order.insert(most - 1, methods[-1])
    kept = order[:most]
    return [method for method in methods if method in kept]


def plural(count: int, what: str) -> str:
    """Return e.g. ``1 run`` or ``1,200 runs``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
