"""The instances that a study names: found and counted before they are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from glob import has_magic
from itertools import islice
from math import prod
from pathlib import Path

from mapopt.errors import InputError
from mapopt.instance import Instance
from mapopt.library.folder import Library, Member
from mapopt.sources import is_instance_file, load_instance
from mapopt.studies.plan import KnownBound
from mapopt.studies.study import MAX_RUNS, InstanceSet, listed, products


@dataclass(frozen=True, slots=True)
class Source:
    """Where one instance comes from: a file, or a network with its platform."""

    of: InstanceSet
    base: Path
    spec: str
    platform: str | None
    label: str


def sources_of(instances: InstanceSet, base: Path, where: str, library: str) -> Iterator[Source | Member]:
    """Yield where the instances of a set come from; none is read.

    Parameters
    ----------
    base
        Where relative paths start.
    where
        What the set is called in messages.
    library
        Folder of the instance library, relative to ``base``, or else to where the command runs.

    Raises
    ------
    InputError
        If the set is none, is too large, or names what does not exist.
    """
    if bool(instances.networks) != bool(instances.platforms):
        given, missing = ("networks", "platforms") if instances.networks else ("platforms", "networks")
        raise InputError(f"{where}: has {given} but no {missing}; give both")
    if not (instances.library or instances.files or instances.networks):
        raise InputError(f"{where}: names no instance; give library, files, or networks and platforms")
    if instances.parameters and not instances.platforms:
        raise InputError(f"{where}: has parameters but no platforms; they are for platforms, drop them")
    counts = [len(listed(value)) for value in instances.parameters.values()]
    count = len(instances.networks) * len(instances.platforms) * prod(counts)
    if count > MAX_RUNS:
        raise InputError(
            f"{where}: expands to {count:,} instances; a study has at most {MAX_RUNS:,} runs: give fewer values"
        )
    if instances.library:
        yield from _members(instances.library, base, where, library)
    for pattern in instances.files:
        for path in _files(pattern, base, where):
            yield Source(instances, base, str(path), None, path.stem)
    combinations = list(products(instances.parameters, f"{where}: parameter"))
    for network in instances.networks:
        if is_instance_file(network):
            raise InputError(f"{where}: {network!r} in networks is an instance file; name it in files")
        for platform in instances.platforms:
            for values in combinations:
                settings = ",".join(f"{name}={value}" for name, value in values.items())
                joint = "," if ":" in platform else ":"
                full = f"{platform}{joint}{settings}" if settings else platform
                yield Source(instances, base, _at(base, network), _at(base, full), f"{network} {full}")


def _members(patterns: tuple[str, ...], base: Path, where: str, library: str) -> list[Member]:
    beside = base / library
    try:
        return Library.open(beside if beside.is_dir() else library).named(patterns)
    except InputError as error:
        raise InputError(f"{where}: library: {str(error).removeprefix('library: ')}") from None


def _files(pattern: str, base: Path, where: str) -> list[Path]:
    if not is_instance_file(pattern):
        raise InputError(f"{where}: {pattern!r} in files is no .json file; networks go into networks")
    if not has_magic(pattern):
        return [base / pattern]
    top = Path(pattern).anchor or str(base)
    found = islice(Path(top).glob(str(Path(pattern).relative_to(Path(pattern).anchor))), MAX_RUNS + 1)
    paths = sorted(path for path in found if path.is_file())
    if not paths:
        raise InputError(f"{where}: no file matches {pattern!r}; patterns are relative to the study file")
    return paths


def _at(base: Path, spec: str) -> str:
    """Return a specification whose file, if it names one, is looked for beside the study file."""
    head, separator, rest = spec.partition(":")
    if (base / spec).is_file():
        return str(base / spec)
    return f"{base / head}{separator}{rest}" if (base / head).is_file() else spec


def load(source: Source | Member) -> tuple[str, Instance]:
    """Return the label of an instance, and the instance."""
    if isinstance(source, Member):
        return source.name, source.make().instance
    of = source.of
    if source.platform is None:
        return source.label, load_instance(source.spec)
    instance = load_instance(
        source.spec,
        platform=source.platform,
        times=None if of.times is None else source.base / of.times,
        shapes=of.shapes,
        fuse=of.fuse,
        strict=of.strict,
    )
    return source.label, instance


def known_bounds(source: Source | Member, instance: Instance) -> Iterator[KnownBound]:
    """Yield the bounds that the library holds for an instance of it.

    Raises
    ------
    InputError
        If the reference is of another instance.
    """
    if not isinstance(source, Member):
        return
    reference = source.reference()
    if reference is None:
        return
    if reference.digest != instance.digest:
        raise InputError(f"{source.name}: its reference is of another instance; run `mapopt library check`")
    for objective, level in reference.levels:
        if level.bounds:
            best = level.bounds[-1]
            yield KnownBound(instance.digest, objective, best.ticks, best.by, source.name, level.period_ticks)
