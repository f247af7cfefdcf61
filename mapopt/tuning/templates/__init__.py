"""Tuning files to start from; each is commented, and says in ``description`` what it tunes."""

from __future__ import annotations

from importlib import resources

from mapopt.documents import unknown
from mapopt.tuning.tuning import parse_tuning


def templates() -> dict[str, str]:
    """Return the description of every template by name."""
    return {name: parse_tuning(template_text(name).encode(), name).description for name in _names()}


def template_text(name: str) -> str:
    """Return a template.

    Raises
    ------
    InputError
        If there is none of this name.
    """
    if name not in _names():
        raise unknown("template", name, _names())
    return resources.files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")


def _names() -> list[str]:
    files = [each.name for each in resources.files(__package__).iterdir()]
    return sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml"))
