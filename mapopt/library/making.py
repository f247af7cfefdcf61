"""Making instances of the library, the same bytes every time."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from mapopt.documents import unknown
from mapopt.errors import InputError
from mapopt.instance import Instance
from mapopt.library.generators.planted import Planted
from mapopt.library.manifest import Entry, Parameter
from mapopt.mapping import Mapping
from mapopt.network.model import Network
from mapopt.sources import read_instance

GENERATORS = ("adversarial", "layered", "planted", "tight")
"""Modules of :mod:`mapopt.library.generators`."""


@dataclass(frozen=True, slots=True)
class Construction:
    """What is known of an instance because of how it was made: a mapping whose figures are proven to be the least."""

    mapping: Mapping
    period_ticks: int
    latency_ticks: int | None


@dataclass(frozen=True, slots=True)
class Made:
    """An instance, and what its construction says about its optimum."""

    instance: Instance
    known: Construction | None = None


def make(entry: Entry, folder: Path) -> Made:
    """Make an instance.

    Parameters
    ----------
    entry
        How.
    folder
        The family's; files are relative to it, and its name stands before the instance's.

    Raises
    ------
    InputError
        If something named does not exist or a parameter breaks a rule; the message names the instance.
    """
    name = f"{folder.resolve().name}/{entry.name}"
    try:
        made = _made(entry, folder)
    except InputError as error:
        raise InputError(f"instance {name}: {error}") from None
    return Made(msgspec.structs.replace(made.instance, name=name), made.known)


def _made(entry: Entry, folder: Path) -> Made:
    if entry.network is not None and entry.platform is not None:
        from mapopt.costs import build_instance
        from mapopt.platform.library import load_platform

        return Made(build_instance(_network(entry.network), load_platform(entry.platform)))
    if entry.generator is not None:
        return _generated(entry.generator, entry.parameters)
    return Made(read_instance(folder / str(entry.file)))


@lru_cache(maxsize=4)
def _network(spec: str) -> Network:
    from mapopt.network.library import load_network

    return load_network(spec)


def _generated(name: str, parameters: dict[str, Parameter]) -> Made:
    if name not in GENERATORS:
        raise unknown("generator", name, GENERATORS)
    generate: Callable[..., Any] = import_module(f"mapopt.library.generators.{name}").generate
    for parameter in parameters:
        known = inspect.signature(generate).parameters
        if parameter not in known:
            raise unknown(f"generator {name!r}: parameter", parameter, known)
    made = generate(**parameters)
    if isinstance(made, Planted):
        return Made(made.instance, Construction(made.mapping, made.period_ticks, made.latency_ticks))
    return Made(made)
