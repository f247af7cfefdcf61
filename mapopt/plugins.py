"""Things found by name through entry points, in this distribution and in others, and loaded when they are used."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from mapopt.errors import InputError
from mapopt.options import Options, Value


@dataclass(frozen=True, slots=True)
class Plugins:
    """The classes registered in one group of entry points.

    Parameters
    ----------
    group
        Name of the group.
    kind
        What they are, in the singular; for messages.
    attributes
        What a class must have beside ``name`` and ``options_type``.
    contract
        Full name of the protocol they keep.
    """

    group: str
    kind: str
    attributes: tuple[str, ...]
    contract: str

    def names(self) -> tuple[str, ...]:
        """Return the registered names in alphabetic order, without loading anything.

        Raises
        ------
        InputError
            If two distributions register the same name.
        """
        return tuple(self._registered())

    def classes(self) -> tuple[tuple[Any, str], ...]:
        """Return every class and the distribution it comes from, in alphabetic order of names.

        Raises
        ------
        InputError
            If a name is registered twice, or a class cannot be loaded or lacks an attribute.
        """
        return tuple((self._load(*found), found[1]) for found in self._registered().values())

    def find(self, name: str) -> Any:
        """Return the class of this name.

        Raises
        ------
        InputError
            If the name is unknown, or the class cannot be loaded or lacks an attribute.
        """
        registered = self._registered()
        if name not in registered:
            close = get_close_matches(name, registered, n=3)
            guess = f"did you mean {' or '.join(map(repr, close))}; " if close else ""
            raise InputError(
                f"{self.kind} {name!r}: is not registered; {guess}there are {', '.join(registered)}"
            )
        return self._load(*registered[name])

    def make(self, name: str, options: Iterable[str] | dict[str, Value] = ()) -> Any:
        """Make an object with options.

        Parameters
        ----------
        name
            A registered name.
        options
            ``option=value`` texts, or values by name; the rest keeps its default.

        Raises
        ------
        InputError
            If the name is unknown, the class cannot be loaded, or an option is refused.
        """
        kind = self.find(name)
        try:
            chosen = (
                kind.options_type.of(options)
                if isinstance(options, dict)
                else kind.options_type.parse(options)
            )
        except InputError as error:
            raise InputError(f"{self.kind} {name!r}: {error}") from None
        return kind(chosen)

    def _registered(self) -> dict[str, tuple[EntryPoint, str]]:
        """Return every entry point and the distribution it comes from, by name."""
        found: dict[str, tuple[EntryPoint, str]] = {}
        for entry, origin in _entries(self.group, _places()):
            if entry.name in found:
                first, its_origin = found[entry.name]
                raise InputError(
                    f"{self.kind} {entry.name!r}: is registered by {its_origin} ({first.value}) and by {origin} "
                    f"({entry.value}); names must be unique, uninstall one of them"
                )
            found[entry.name] = entry, origin
        return found

    def _load(self, entry: EntryPoint, origin: str) -> Any:
        where = f"{self.kind} {entry.name!r} of {origin} ({entry.value})"
        try:
            kind = entry.load()
        except Exception as error:  # a third party's module may raise anything on import
            raise InputError(
                f"{where}: cannot be loaded ({type(error).__name__}: {error}); mend or uninstall it"
            ) from error
        missing = [name for name in ("name", *self.attributes, "options_type") if not hasattr(kind, name)]
        if missing:
            raise InputError(f"{where}: lacks {', '.join(missing)}; see {self.contract}")
        if kind.name != entry.name:
            raise InputError(f"{where}: calls itself {kind.name!r}; both names must be the same")
        if not (isinstance(kind.options_type, type) and issubclass(kind.options_type, Options)):
            raise InputError(f"{where}: options_type must be a subclass of mapopt.options.Options")
        return kind


@lru_cache(maxsize=16)
def _entries(group: str, _: tuple[tuple[str, int], ...]) -> tuple[tuple[EntryPoint, str], ...]:
    """Return the entry points of a group, sorted, with their distributions, which take milliseconds to read."""
    found = [(entry, _origin(entry)) for entry in entry_points(group=group)]
    return tuple(sorted(found, key=lambda each: (each[0].name, each[1], each[0].value)))


def _places() -> tuple[tuple[str, int], ...]:
    """Return where distributions are looked for, and when something was last installed or removed there."""
    return tuple((place, _modified(place)) for place in sys.path)


def _modified(place: str) -> int:
    try:
        return Path(place).stat().st_mtime_ns
    except OSError:
        return 0


def _origin(entry: EntryPoint) -> str:
    return "an unnamed distribution" if entry.dist is None else f"{entry.dist.name} {entry.dist.version}"
