"""The instances of a tuning study, dealt out to splits."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mapopt.errors import InputError
from mapopt.instance import Instance
from mapopt.library.folder import Member
from mapopt.studies.problems import Source, load, sources_of
from mapopt.tuning.tuning import SPLITS, FamilySet, Split, Splitting, Tuning


@dataclass(frozen=True, slots=True)
class Known:
    """What the instance library knows: values and bounds of the period, and of the latency at it, in ticks."""

    period: int
    period_bound: int
    latency: int
    latency_bound: int


@dataclass(frozen=True, slots=True)
class Case:
    """An instance in a split.

    Parameters
    ----------
    label
        Unique within the study.
    family
        What it is kept together with.
    split
        Where it is used.
    instance
        The instance itself.
    known
        Its reference in the library, or ``None``.
    """

    label: str
    family: str
    split: Split
    instance: Instance
    known: Known | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """An instance that a tuning file names, not read yet."""

    of: FamilySet
    family: str
    source: Source | Member

    def read(self) -> tuple[str, Instance, Known | None]:
        """Return its label, the instance, and what is known of it."""
        label, instance = load(self.source)
        return label, instance, _known(self.source, instance) if isinstance(self.source, Member) else None


def cases_of(tuning: Tuning, base: Path) -> tuple[Case, ...]:
    """Read the instances of a tuning file and deal them out.

    Parameters
    ----------
    base
        Where relative paths of the file start.

    Raises
    ------
    InputError
        If an instance cannot be read or occurs twice, a family has no split or several, or a split is empty.
    """
    found = list(_found(tuning, base))
    dealt = _dealt(tuning, found)
    _require_apart(tuning, found, dealt)
    cases: list[Case] = []
    seen: dict[str, Case] = {}
    labels: set[str] = set()
    for each in found:
        label, instance, known = each.read()
        split = each.of.split or dealt[each.family]
        earlier = seen.get(instance.digest)
        if earlier is not None:
            where = f"in splits {earlier.split!r} and {split!r}: splits must not overlap"
            twice = where if earlier.split != split else f"twice in split {split!r}"
            raise InputError(
                f"tuning {tuning.name!r}: instance {label!r} is the same as {earlier.label!r}, {twice}; drop one"
            )
        number = 1
        while (unique := label if number == 1 else f"{label} ({number})") in labels:
            number += 1
        labels.add(unique)
        seen[instance.digest] = Case(unique, each.family, split, instance, known)
        cases.append(seen[instance.digest])
    require_every_split(tuning.name, cases, lambda _: "no instance")
    return tuple(cases)


def _known(member: Member, instance: Instance) -> Known | None:
    """Return what the library knows of an instance, if it knows a schedule and is about this very instance."""
    reference = member.reference()
    if reference is None or reference.digest != instance.digest:
        return None
    period, latency = reference.period, reference.latency
    if period.value is None or latency.value is None:
        return None
    return Known(period.value, period.bound or 0, latency.value, latency.bound or 0)


def require_every_split(name: str, cases: Iterable[Case], lack: Callable[[Split], str]) -> None:
    """Refuse a study with an empty split.

    Raises
    ------
    InputError
        Naming the split; ``lack`` says what it does not have.
    """
    filled = {case.split for case in cases}
    for split in SPLITS:
        if split not in filled:
            raise InputError(
                f"tuning {name!r}: split {split!r} has {lack(split)}; give it instances of another family, with "
                "`split` beside them or in the table [split]"
            )


def _found(tuning: Tuning, base: Path) -> Iterator[_Found]:
    for number, of in enumerate(tuning.instances):
        for source in sources_of(of, base, f"instances[{number}]", tuning.library):
            yield _Found(of, of.family or _family(source), source)


def _family(source: Source | Member) -> str:
    """Return the family of an instance in the library, the folder of a file, or the network."""
    if isinstance(source, Member):
        return source.family.name
    path = Path(source.spec)
    return path.resolve().parent.name if source.platform is None else path.name.removesuffix(".onnx")


def _require_apart(tuning: Tuning, found: Iterable[_Found], dealt: dict[str, Split]) -> None:
    """Refuse a family in two splits."""
    placed: dict[str, Split] = {}
    for each in found:
        split = each.of.split or dealt[each.family]
        earlier = placed.setdefault(each.family, split)
        if earlier != split:
            raise InputError(
                f"tuning {tuning.name!r}: family {each.family!r} is in splits {earlier!r} and {split!r}: splits must "
                "not overlap; give its instances one `split`, or parts of it that are unlike a `family` each"
            )


def _dealt(tuning: Tuning, found: Iterable[_Found]) -> dict[str, Split]:
    """Return the split of every family that its instances do not name."""
    families = sorted({each.family for each in found if each.of.split is None})
    pinned = {each.family: each.of.split for each in found if each.of.split is not None}
    named: dict[str, Split] = {family: split for split in SPLITS for family in getattr(tuning.split, split)}
    for family in named:
        if family in pinned and family not in families:
            raise InputError(
                f"tuning {tuning.name!r}: split names family {family!r}, whose instances have `split = "
                f"{pinned[family]!r}` beside them; drop one of the two"
            )
        if family not in families:
            raise InputError(
                f"tuning {tuning.name!r}: split names family {family!r}, of which there is no instance; there are "
                f"{', '.join(families) or 'none'}"
            )
    if named:
        for family in families:
            if family not in named:
                raise InputError(
                    f"tuning {tuning.name!r}: family {family!r} is in no split; name it in [split]"
                )
        return named
    return deal(families, tuning.split)


def deal(families: Iterable[str], split: Splitting) -> dict[str, Split]:
    """Shuffle families and deal them out by shares; three or more families fill every split.

    Examples
    --------
    >>> sorted(deal(["a", "b", "c", "d"], Splitting(seed=1)).values())
    ['test', 'train', 'train', 'validation']
    """
    order = sorted(families)
    random.Random(split.seed).shuffle(order)
    count = len(order)
    train = min(max(1, round(split.shares[0] * count)), max(1, count - 2))
    validation = min(max(1, round(split.shares[1] * count)), max(1, count - train - 1))
    ends = {"train": train, "validation": train + validation, "test": count}
    return {family: next(split for split in SPLITS if at < ends[split]) for at, family in enumerate(order)}
