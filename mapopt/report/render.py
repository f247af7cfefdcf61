"""Charts to SVG, PNG and PDF, without a network."""

from __future__ import annotations

import re
from typing import Any, Literal

from mapopt.report.picture import Picture

Format = Literal["svg", "png", "pdf"]

_DECIMALS = re.compile(r"(-?\d+\.\d{2})\d+")
_GEOMETRY = re.compile(r'(?<= )(?:d|transform|x|y|x1|x2|y1|y2|width|height|r|cx|cy)="[^"]*"')
_NAME = re.compile(r'(?<= id=")[^"]+(?=")')
_NAME_USED = re.compile(r'(?<= id=")[^"]+(?=")|(?<=url\(#)[^)]+(?=\))')
_ANCHOR = re.compile(r'(?<=href=")[^"#]*(?=#run-[0-9a-f]+")')


def render(picture: Picture, form: Format) -> bytes:
    """Return a picture as a file of its own: on white, with its title, without links."""
    import vl_convert

    spec = _alone(picture)
    if form == "svg":
        return _named(str(vl_convert.vegalite_to_svg(spec)), picture.key).encode()
    if form == "png":
        return bytes(vl_convert.vegalite_to_png(spec, scale=2))
    return bytes(vl_convert.vegalite_to_pdf(spec))


def inline_svg(picture: Picture) -> str:
    """Return a picture as SVG for a page that holds many: names of its own, two decimals, links within the page."""
    import vl_convert

    svg = str(vl_convert.vegalite_to_svg(picture.spec))
    svg = _GEOMETRY.sub(lambda match: _DECIMALS.sub(r"\1", match[0]), svg)
    return _named(
        _ANCHOR.sub("", svg), picture.key
    )  # the converter puts the address of its examples before anchors


def _named(svg: str, key: str) -> str:
    """Return SVG with inner names of its own; the converter counts on from one picture to the next."""
    names = {name: f"{key}-{number}" for number, name in enumerate(dict.fromkeys(_NAME.findall(svg)))}
    return _NAME_USED.sub(lambda match: names.get(match[0], match[0]), svg)


def _alone(picture: Picture) -> dict[str, Any]:
    given = picture.spec.get("title", {})
    title = {"text": picture.title, "subtitle": given.get("subtitle", ""), "offset": given.get("offset", 12)}
    config = {**picture.spec["config"], "background": "white"}
    spec: dict[str, Any] = _without_links({**picture.spec, "title": title, "config": config})
    return spec


def _without_links(spec: Any) -> Any:
    if isinstance(spec, dict):
        return {key: _without_links(value) for key, value in spec.items() if key != "href"}
    return [_without_links(each) for each in spec] if isinstance(spec, list) else spec
