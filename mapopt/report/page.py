"""The page: one HTML file that needs nothing but itself."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from html import escape
from importlib.resources import files

from mapopt.report import overview
from mapopt.report.markup import details, paragraph, table
from mapopt.report.picture import Omitted, Picture, Shown, plural
from mapopt.report.render import inline_svg
from mapopt.report.scene import CLASSES, Scene

MAX_WARNINGS = 50
"""Most warnings listed one by one."""

Section = tuple[str, str, str, Sequence[Shown]]
"""Anchor, heading, introduction and pictures."""

Drawings = dict[str, Future[str]]
"""SVG by the key of the picture."""


def page(scene: Scene, sections: Iterable[Section]) -> str:
    """Return the report as HTML; pictures are drawn while other parts are made."""
    studies = ", ".join(dict.fromkeys(plan.name for plan in scene.results.plans))
    kept: list[Section] = []
    drawings: Drawings = {}
    with ThreadPoolExecutor(1) as converter:
        for section in sections:
            kept.append(section)
            for each in section[3]:
                if isinstance(each, Picture):
                    drawings[each.key] = converter.submit(inline_svg, each)
        overall, gaps, runs = _overview(scene, studies), _gaps(scene), _runs(scene)
        body = "\n".join(
            (
                overall,
                _section("gaps", "Gaps", gaps),
                *(
                    _section(key, heading, paragraph(text) + _pictures(shown, drawings))
                    for key, heading, text, shown in kept
                ),
                _section("runs", "Runs", runs),
            )
        )
    drawn = [(key, heading) for key, heading, _, _ in kept]
    headings = [("overview", "Overview"), ("gaps", "Gaps"), *drawn, ("runs", "Runs")]
    return _document(f"mapopt report: {studies}", headings, body)


def _document(title: str, headings: Iterable[tuple[str, str]], body: str) -> str:
    style = _resource("page.css")
    script = _resource("page.js")
    fingerprint = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{fingerprint}'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    links = "".join(f'<a href="#{key}">{escape(heading)}</a>' for key, heading in headings)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{escape(title)}</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header class="bar"><nav aria-label="Sections">{links}</nav>
<button type="button" id="theme" hidden title="Switch between light and dark">Dark</button></header>
<main id="content" tabindex="-1">
{body}
</main>
<script>{script}</script>
</body>
</html>
"""


def _resource(name: str) -> str:
    return files("mapopt.report").joinpath(name).read_text("utf-8")


def _section(key: str, heading: str, body: str) -> str:
    return f'<section aria-labelledby="{key}"><h2 id="{key}">{escape(heading)}</h2>{body}</section>'


def _overview(scene: Scene, studies: str) -> str:
    runs, cases = scene.runs, scene.cases
    tiles = "".join(
        f"<li><b>{count:,}</b><span>{escape(status)}</span></li>"
        for status, count in overview.statuses(runs).items()
    )
    classes = "; ".join(f"{name}: {CLASSES[name]}" for name in scene.classes)
    troubles, wrong = overview.troubles(scene), overview.contradictions(scene)
    parts = [
        f'<section aria-labelledby="overview"><h1 id="overview">{escape(studies)}</h1>',
        f'<p class="lead">{plural(len(runs), "run")} of {plural(len(scene.methods), "method")} on '
        f"{plural(len(cases), 'instance')}.</p>",
        f'<ul class="tiles" aria-label="Runs by status">{tiles}</ul>',
        paragraph(
            "Optimal: value and proven bound are equal, in the class of schedules of the run. Feasible: a mapping, not "
            "known to be the best. Infeasible: proven that there is none. Unknown: nothing found and nothing proven. "
            "Every value is the emulator's measurement of the mapping."
        ),
        paragraph(f"Gaps are taken within one class of schedules only. {classes}."),
        _warnings(scene.results.warnings),
        "" if wrong is None else f'<div class="warnings">{table(wrong)}</div>',
        table(overview.proven(scene)),
        table(overview.methods(scene)),
        "" if troubles is None else table(troubles),
        table(overview.machines(scene)),
        "</section>",
    ]
    return "\n".join(parts)


def _warnings(warnings: Sequence[str]) -> str:
    if not warnings:
        return ""
    items = "".join(f"<li>{escape(warning)}</li>" for warning in warnings[:MAX_WARNINGS])
    more = len(warnings) - MAX_WARNINGS
    rest = f"<li>and {more:,} more</li>" if more > 0 else ""
    heading = f"{plural(len(warnings), 'file')} passed over; the rest is in this report."
    return f'<div class="warnings"><p>{heading}</p><ul>{items}{rest}</ul></div>'


def _gaps(scene: Scene) -> str:
    text = (
        "Gap = value / bound - 1. The bound on a period is the best that any run on the instance proved in the class. "
        "A bound on a latency counts only for the periods that it was proved for, since the least latency is not "
        "monotone in the period; where none applies, the bound follows from the structure of the instance. Numbers "
        "lead to their runs, bounds to the run that proved them; a bound without a link follows from the instance, or "
        "is the instance library's where it says so."
    )
    shown = overview.gaps(scene)
    return paragraph(text) + details(plural(len(shown.rows), "row"), table(shown), is_open=True)


def _runs(scene: Scene) -> str:
    shown = overview.run_list(scene)
    return details(plural(len(shown.rows), "run"), table(shown), is_open=len(shown.rows) <= 60)


def _pictures(shown: Sequence[Shown], drawings: Drawings) -> str:
    drawn = "".join(_figure(each, drawings[each.key].result()) for each in shown if isinstance(each, Picture))
    left_out = "".join(
        f"<li>{escape(each.title)}: {escape(each.why)}.</li>" for each in shown if isinstance(each, Omitted)
    )
    pictures = f'<div class="pictures">{drawn}</div>' if drawn else ""
    return pictures + (f'<div class="omitted"><p>Not drawn:</p><ul>{left_out}</ul></div>' if left_out else "")


def _figure(picture: Picture, svg: str) -> str:
    drawing = svg.replace("<svg ", f'<svg role="img" aria-label="{escape(picture.title)}" ', 1)
    return (
        f'<figure id="{escape(picture.key)}"{" class=wide" if picture.wide else ""}><h3>{escape(picture.title)}</h3>'
        f'<div class="drawing">{drawing}</div><figcaption>{escape(picture.caption)}{_links(picture)}'
        "</figcaption></figure>\n"
    )


def _links(picture: Picture) -> str:
    """Lead from a picture to its runs, where the commands that repeat them are."""
    links = (f'<a href="#run-{escape(run)}">{escape(method)}</a>' for method, run in picture.runs)
    return f" Run{'s' if len(picture.runs) > 1 else ''}: {', '.join(links)}." if picture.runs else ""
