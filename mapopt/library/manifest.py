"""The manifest of a family, ``family.toml``: how each of its instances is made, as its author writes it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec

from mapopt.documents import Document, Name, Part, read_bytes, unique
from mapopt.errors import InputError

MANIFEST = "family.toml"

Parameter = bool | int | float | str | tuple[int, ...]

EntryName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$")]


class Entry(Part, frozen=True):
    """How one instance is made: of a network and a platform, by a generator, or from a file.

    Parameters
    ----------
    name
        Unique in the family.
    network, platform
        As of ``mapopt instance``.
    generator, parameters
        Name of a module in :mod:`mapopt.library.generators`, and what its ``generate`` is given.
    file
        An instance file in the family's folder.

    Raises
    ------
    InputError
        Unless exactly one of these three ways is given, and a file is in the folder itself.
    """

    name: EntryName
    network: Name | None = None
    platform: Name | None = None
    generator: Name | None = None
    parameters: dict[Name, Parameter] = msgspec.field(default_factory=dict)
    file: Name | None = None

    def __post_init__(self) -> None:
        ways = [key for key in ("network", "generator", "file") if getattr(self, key) is not None]
        if len(ways) != 1:
            raise InputError(
                f"instance {self.name!r}: has {' and '.join(ways) or 'no way to make it'}; give exactly one of "
                "network (with platform), generator (with parameters) and file"
            )
        if (self.platform is None) != (self.network is None):
            raise InputError(
                f"instance {self.name!r}: network and platform go together; give both or neither"
            )
        if self.file is not None and Path(self.file).name != self.file:
            raise InputError(
                f"instance {self.name!r}: file {self.file!r} is not a file in the family's folder; put it there"
            )
        if self.parameters and self.generator is None:
            raise InputError(f"instance {self.name!r}: parameters are for a generator; name one or drop them")

    @property
    def origin(self) -> str:
        """How it is made, for people."""
        if self.network is not None:
            return f"{self.network} on {self.platform}"
        if self.generator is not None:
            listed = ", ".join(f"{name}={_shown(value)}" for name, value in self.parameters.items())
            return f"{self.generator}({listed})"
        return str(self.file)


class Manifest(Document, frozen=True):
    """What a family consists of.

    Parameters
    ----------
    summary
        One line, for people.
    instances
        In the order in which they are listed everywhere.
    """

    KIND: ClassVar[str] = "family"

    summary: Name
    instances: Annotated[tuple[Entry, ...], msgspec.Meta(min_length=1)]

    def __post_init__(self) -> None:
        unique("instance", (entry.name for entry in self.instances))
        distinct("instance", (entry.name for entry in self.instances))

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Read a manifest.

        Raises
        ------
        InputError
            If the file cannot be read, is not TOML, or breaks a rule.
        """
        try:
            raw = tomllib.loads(read_bytes(path).decode())
        except UnicodeDecodeError:
            raise InputError(f"{path}: is not UTF-8 text; a manifest is TOML") from None
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"{path}: not valid TOML ({error})") from None
        return cls.from_data(raw, str(path))


def distinct(what: str, names: Iterable[str]) -> None:
    """Refuse two names that differ in upper and lower case alone: on many systems they are the same file.

    Raises
    ------
    InputError
        Naming both.
    """
    seen: dict[str, str] = {}
    for name in names:
        earlier = seen.setdefault(name.casefold(), name)
        if earlier != name:
            raise InputError(
                f"{what} {name!r}: differs from {earlier!r} in upper and lower case alone; on some systems their files "
                "are the same, rename one"
            )


def _shown(value: Parameter) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return (
        "+".join(map(str, value))
        if isinstance(value, Iterable) and not isinstance(value, str)
        else str(value)
    )
