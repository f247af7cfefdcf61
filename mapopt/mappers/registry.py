"""Mappers by name: entry points of the group ``mapopt.mappers``, loaded when they are used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from mapopt.errors import InputError
from mapopt.mappers.base import Mapper
from mapopt.mappers.options import OptionInfo, Options, Value

GROUP = "mapopt.mappers"

_ATTRIBUTES = ("name", "summary", "reference", "options_type", "is_random", "rejects", "map")


@dataclass(frozen=True, slots=True)
class MapperInfo:
    """A registered mapper: name, one-line summary, reference, options, and the distribution it comes from."""

    name: str
    summary: str
    reference: str
    options: tuple[OptionInfo, ...]
    is_random: bool
    distribution: str


def names() -> tuple[str, ...]:
    """Return the registered names in alphabetic order, without loading anything.

    Raises
    ------
    InputError
        If two distributions register the same name.
    """
    return tuple(_registered())


def available() -> tuple[MapperInfo, ...]:
    """Return every registered mapper in alphabetic order.

    Raises
    ------
    InputError
        If a name is registered twice, or a mapper cannot be loaded or lacks an attribute.
    """
    return tuple(_info(entry) for entry in _registered().values())


def get(name: str, options: Iterable[str] | dict[str, Value] = ()) -> Mapper:
    """Make a mapper.

    Parameters
    ----------
    name
        A registered name.
    options
        ``option=value`` texts, or values by name; the rest keeps its default.

    Raises
    ------
    InputError
        If the name is unknown, the mapper cannot be loaded, or an option is refused.
    """
    registered = _registered()
    if name not in registered:
        close = get_close_matches(name, registered, n=3)
        guess = f"did you mean {' or '.join(map(repr, close))}; " if close else ""
        raise InputError(f"mapper {name!r}: is not registered; {guess}there are {', '.join(registered)}")
    kind = _load(registered[name])
    try:
        chosen = (
            kind.options_type.of(options) if isinstance(options, dict) else kind.options_type.parse(options)
        )
    except InputError as error:
        raise InputError(f"mapper {name!r}: {error}") from None
    mapper: Mapper = kind(chosen)
    return mapper


def _registered() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry in sorted(
        entry_points(group=GROUP), key=lambda entry: (entry.name, _origin(entry), entry.value)
    ):
        if entry.name in found:
            raise InputError(
                f"mapper {entry.name!r}: is registered by {_origin(found[entry.name])} ({found[entry.name].value}) and "
                f"by {_origin(entry)} ({entry.value}); names must be unique, uninstall one of them"
            )
        found[entry.name] = entry
    return found


def _origin(entry: EntryPoint) -> str:
    return "an unnamed distribution" if entry.dist is None else f"{entry.dist.name} {entry.dist.version}"


def _load(entry: EntryPoint) -> Any:
    where = f"mapper {entry.name!r} of {_origin(entry)} ({entry.value})"
    try:
        kind = entry.load()
    except Exception as error:  # a third party's module may raise anything on import
        raise InputError(
            f"{where}: cannot be loaded ({type(error).__name__}: {error}); mend or uninstall it"
        ) from error
    missing = [name for name in _ATTRIBUTES if not hasattr(kind, name)]
    if missing:
        raise InputError(f"{where}: lacks {', '.join(missing)}; see mapopt.mappers.base.Mapper")
    if kind.name != entry.name:
        raise InputError(f"{where}: calls itself {kind.name!r}; both names must be the same")
    if not (isinstance(kind.options_type, type) and issubclass(kind.options_type, Options)):
        raise InputError(f"{where}: options_type must be a subclass of mapopt.mappers.options.Options")
    return kind


def _info(entry: EntryPoint) -> MapperInfo:
    kind = _load(entry)
    return MapperInfo(
        kind.name, kind.summary, kind.reference, kind.options_type.describe(), kind.is_random, _origin(entry)
    )
