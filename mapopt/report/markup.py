"""HTML in small pieces; everything that comes from outside is escaped here and nowhere else."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

import msgspec

_OPTION = re.compile(r"--[a-z]+( [A-Z]+)?\b")

PAGED_FROM = 400
"""Tables with more rows are paged by the page's script, so that a browser lays out only what is seen."""


class Link(msgspec.Struct, frozen=True, array_like=True):
    """Text that leads to an anchor of the page."""

    text: str
    anchor: str


Cell = str | Link


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, and whether it holds numbers, or sentences, or code."""

    title: str
    numeric: bool = False
    kind: Literal["short", "wide", "code"] = "short"

    @property
    def style(self) -> str:
        """The class of its cells."""
        return "number" if self.numeric else self.kind


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Parameters
    ----------
    key
        Anchor.
    caption
        What it shows.
    columns
        See :class:`Column`; the first names the row.
    rows
        Cells in the order of the columns.
    anchors
        One per row, or none at all.
    grouped
        Whether rows that begin alike belong together.
    """

    key: str
    caption: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Cell]]
    anchors: Sequence[str] = ()
    grouped: bool = False


def table(shown: Table) -> str:
    """Return a table as HTML: whole, or paged if it is long."""
    head = "".join(
        f'<th scope="col" class="{column.style}">{escape(column.title)}</th>' for column in shown.columns
    )
    caption = f"<caption>{escape(shown.caption)}</caption>"
    paged = len(shown.rows) > PAGED_FROM
    body = "" if paged else "".join(_row(shown, at) for at in range(len(shown.rows)))
    markup = (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(shown.caption)}">'
        f'<table id="{escape(shown.key)}">{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )
    return (
        f'<div class="paged" data-columns="{_kinds(shown)}">{markup}{_packed(shown)}</div>'
        if paged
        else markup
    )


def _kinds(shown: Table) -> str:
    return " ".join(column.style for column in shown.columns)


def _row(shown: Table, at: int) -> str:
    anchor = f' id="{escape(shown.anchors[at])}"' if shown.anchors else ""
    first, *others = zip(shown.rows[at], shown.columns, strict=True)
    cells = f'<th scope="row">{_cell(first[0])}</th>' + "".join(
        f'<td class="{column.style}">{_cell(cell, is_code=column.kind == "code")}</td>'
        for cell, column in others
    )
    begins = shown.grouped and at > 0 and shown.rows[at][0] != shown.rows[at - 1][0]
    group = ' class="group"' if begins else ""
    return f"<tr{anchor}{group}>{cells}</tr>\n"


def _cell(cell: Cell, *, is_code: bool = False) -> str:
    if isinstance(cell, Link):
        return f'<a href="#{escape(cell.anchor)}">{escape(cell.text)}</a>'
    return f"<code>{escape(cell)}</code>" if is_code and cell else escape(cell)


def _packed(shown: Table) -> str:
    """Return the rows for the page's script: JSON, deflated, in base 64, which holds nothing that ends a script."""
    data = msgspec.json.encode({"rows": shown.rows, "anchors": shown.anchors})
    packed = base64.b64encode(zlib.compress(data, 6)).decode()
    return (
        f'<script type="text/plain" class="rows">{packed}</script>'
        "<noscript><p>This table is long; the browser's scripts page it, and they are switched off.</p></noscript>"
    )


def paragraph(text: str) -> str:
    """Return a paragraph; options of commands stand out and are not broken."""
    marked = _OPTION.sub(r"<code>\g<0></code>", escape(text))
    return f"<p>{marked}</p>"


def details(summary: str, body: str, *, is_open: bool = False) -> str:
    """Return what opens on demand."""
    return f"<details{' open' if is_open else ''}><summary>{escape(summary)}</summary>{body}</details>"
