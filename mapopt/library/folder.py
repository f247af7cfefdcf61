"""The library as a folder: ``<family>/family.toml``, ``README.md`` and ``references/<instance>.json``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import has_magic
from pathlib import Path

from mapopt.documents import unknown
from mapopt.errors import InputError
from mapopt.library.making import Made, make
from mapopt.library.manifest import MANIFEST, Entry, Manifest, distinct
from mapopt.library.references import Reference


@dataclass(frozen=True, slots=True)
class Member:
    """An instance of a family, not made yet.

    Parameters
    ----------
    family
        The folder of its family.
    entry
        How it is made.
    """

    family: Path
    entry: Entry

    @property
    def name(self) -> str:
        """``family/instance``."""
        return f"{self.family.name}/{self.entry.name}"

    @property
    def reference_file(self) -> Path:
        """Where its reference is or will be."""
        return self.family / "references" / f"{self.entry.name}.json"

    def reference(self) -> Reference | None:
        """Return its reference, or ``None`` if there is none yet.

        Raises
        ------
        InputError
            If there is a file that is no reference.
        """
        return Reference.load(self.reference_file) if self.reference_file.exists() else None

    def make(self) -> Made:
        """Make the instance, see :func:`mapopt.library.making.make`."""
        return make(self.entry, self.family)

    def keep(self, reference: Reference) -> None:
        """Write its reference.

        Raises
        ------
        InputError
            If the system refuses, with its reason.
        """
        try:
            self.reference_file.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise InputError(
                f"{self.reference_file.parent}: cannot be made ({error.strerror or error})"
            ) from None
        reference.save(self.reference_file)


@dataclass(frozen=True, slots=True)
class Family:
    """A family of instances."""

    path: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.path.name

    @property
    def readme(self) -> Path:
        """Source, licence, citation, and a table of the instances."""
        return self.path / "README.md"

    @property
    def members(self) -> tuple[Member, ...]:
        """Its instances in the order of the manifest."""
        return tuple(Member(self.path, entry) for entry in self.manifest.instances)

    def strays(self) -> list[Path]:
        """Return references of instances that the manifest does not have."""
        known = {member.reference_file for member in self.members}
        return sorted(set((self.path / "references").glob("*.json")) - known)


@dataclass(frozen=True, slots=True)
class Library:
    """All families of a folder, by name."""

    path: Path
    families: dict[str, Family]

    @classmethod
    def open(cls, folder: str | Path) -> Library:
        """Read the manifests of a folder.

        Raises
        ------
        InputError
            If there is none, or one breaks a rule.
        """
        path = Path(folder).resolve()
        found = sorted(path.glob(f"*/{MANIFEST}"))
        if not found:
            raise InputError(
                f"{folder}: is no instance library, which has <family>/{MANIFEST} inside; it comes with mapopt's "
                "repository and not with its package: go to a clone of it, or name its folder (--library DIR; in study "
                'and tuning files, at the top, library = "DIR")'
            )
        distinct("family", (each.parent.name for each in found))
        return cls(path, {each.parent.name: Family(each.parent, Manifest.read(each)) for each in found})

    def member(self, name: str) -> Member:
        """Return an instance by ``family/instance``.

        Raises
        ------
        InputError
            If there is none of that name.
        """
        family, _, instance = name.partition("/")
        if family not in self.families:
            raise unknown("family", family, self.families)
        members = {member.entry.name: member for member in self.families[family].members}
        if instance not in members:
            raise unknown(f"family {family!r}: instance", instance, members)
        return members[instance]

    def select(self, families: Iterable[str] = (), only: Iterable[str] = ()) -> list[Member]:
        """Return the instances of some families that match one of some patterns; all by default.

        Parameters
        ----------
        families
            Names.
        only
            Of the names ``family/instance``, with ``*`` and ``?``.

        Raises
        ------
        InputError
            If a family does not exist, or nothing matches.
        """
        families, only = list(families), list(only)
        for name in families:
            if name not in self.families:
                raise unknown("family", name, self.families)
        chosen = [member for member in self if not families or member.family.name in families]
        found = [
            each for each in chosen if not only or any(fnmatchcase(each.name, pattern) for pattern in only)
        ]
        if not found:
            raise InputError(
                f"library: no instance matches {' or '.join(only)}; names look like {chosen[0].name!r}, and "
                "`mapopt library list` has all of them"
            )
        return found

    def named(self, patterns: Iterable[str]) -> list[Member]:
        """Return the instances that study and tuning files name, in the order of the library.

        Parameters
        ----------
        patterns
            ``family``, or ``family/instance``, with ``*`` and ``?``.

        Raises
        ------
        InputError
            If one of them names a family that does not exist, or matches nothing.
        """
        full = [pattern if "/" in pattern else f"{pattern}/*" for pattern in patterns]
        for pattern in full:
            family = pattern.partition("/")[0]
            if not has_magic(family) and family not in self.families:
                raise unknown("family", family, self.families)
            self.select(only=[pattern])
        return self.select(only=full)

    def __iter__(self) -> Iterator[Member]:
        return (member for family in self.families.values() for member in family.members)
