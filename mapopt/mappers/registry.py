"""Mappers by name: entry points of the group ``mapopt.mappers``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mapopt.errors import InputError
from mapopt.mappers.base import Mapper
from mapopt.mappers.tuned import PREFIX, settled
from mapopt.options import OptionInfo, Value
from mapopt.plugins import Plugins

_MAPPERS = Plugins(
    "mapopt.mappers",
    "mapper",
    ("summary", "reference", "is_random", "rejects", "map"),
    "mapopt.mappers.base.Mapper",
)


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
    """Return the registered names in alphabetic order, see :meth:`mapopt.plugins.Plugins.names`."""
    return _MAPPERS.names()


def available() -> tuple[MapperInfo, ...]:
    """Return every registered mapper in alphabetic order.

    Raises
    ------
    InputError
        If a name is registered twice, or a mapper cannot be loaded or lacks an attribute.
    """
    return tuple(
        MapperInfo(
            kind.name,
            kind.summary,
            kind.reference,
            kind.options_type.describe(),
            kind.is_random,
            distribution,
        )
        for kind, distribution in _MAPPERS.classes()
    )


def get(name: str, options: Iterable[str] | dict[str, Value] = ()) -> Mapper:
    """Make a mapper, see :meth:`mapopt.plugins.Plugins.make`; ``tuned:FILE`` and ``tuned:NAME`` take a parameter file.

    Raises
    ------
    InputError
        If the name is unknown, the class cannot be loaded, an option is refused, or the parameter file breaks a rule.
    """
    if name.startswith(PREFIX):
        mapper, settings = settled(name, options)
        try:
            tuned: Mapper = _MAPPERS.make(mapper, settings)
        except InputError as error:
            raise InputError(f"mapper {name!r}: {error}; its parameter file is of another version") from None
        return tuned
    made: Mapper = _MAPPERS.make(name, options)
    return made
