"""Checking the library: instances are made again, schedules emulated again, claims compared; no solver is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from mapopt.bounds.every import lower_bounds
from mapopt.bounds.model import Bounds
from mapopt.bounds.witnesses import Witness
from mapopt.documents import Part
from mapopt.errors import InputError
from mapopt.evidence import RejectedError, require_proof
from mapopt.instance import Instance
from mapopt.library.folder import Family, Library, Member
from mapopt.library.improving import require_verified
from mapopt.library.making import Construction
from mapopt.library.origins import wrong_origins
from mapopt.library.ratios import wrong_ratios
from mapopt.library.readme import is_current
from mapopt.library.references import Reference
from mapopt.solvers.model import Status


class Checked(Part, frozen=True, omit_defaults=False):
    """One instance, or one family's files.

    Parameters
    ----------
    name
        ``family/instance``, or ``family``.
    problems
        Everything that does not hold; nothing if all does.
    claimed
        Bounds of the reference that rest on a solver's word alone: ``"period"``, ``"latency"``. The other ones were
        derived again from the instance.
    past
        How many earlier values there are: of their schedules only the best one is kept, so that they are claims.
    unrepeated
        How many values and bounds name nothing that repeats them.
    """

    name: str
    problems: tuple[str, ...]
    claimed: tuple[str, ...] = ()
    past: int = 0
    unrepeated: int = 0


def check(
    library: Library,
    members: Iterable[Member] | None = None,
    *,
    on_checked: Callable[[Checked], None] = lambda _: None,
) -> list[Checked]:
    """Check instances and their families.

    Parameters
    ----------
    members
        All by default.
    on_checked
        Called with each result.

    Returns
    -------
    list
        One result per instance, then one per family.
    """
    found = []
    for checked in _results(library, list(library if members is None else members)):
        found.append(checked)
        on_checked(checked)
    return found


def _results(library: Library, members: list[Member]) -> Iterator[Checked]:
    for member in members:
        yield check_member(member)
    touched = dict.fromkeys(member.family.name for member in members)
    for name in touched:
        yield Checked(name, tuple(_about_files(library.families[name])))


def check_member(member: Member) -> Checked:
    """Check one instance and its reference."""
    try:
        reference = member.reference()
        if reference is None:
            raise InputError("has no reference; run `mapopt library update`")
        if not reference.seal:
            raise InputError("its reference has no seal; `mapopt library update` seals what it writes")
        made = member.make()
        bounds = lower_bounds(made.instance)
        problems = [
            *_about_instance(made.instance, reference),
            *_about_values(made.instance, reference, bounds),
            *_about_history(reference),
        ]
        if reference.digest == made.instance.digest:
            problems += wrong_origins(reference, bounds, made.known)
        if made.known is not None:
            problems += _about_construction(made.known, reference)
        claimed = () if problems else tuple(_claimed(made.instance, reference, bounds))
    except InputError as error:
        return Checked(member.name, (str(error),))
    values = sum(len(level.values) for _, level in reference.levels)
    unrepeated = sum(not finding.is_repeatable for finding in reference.findings)
    return Checked(
        member.name, tuple(problems), claimed, values - (2 if reference.schedule else 0), unrepeated
    )


def _about_instance(instance: Instance, reference: Reference) -> Iterator[str]:
    fresh = Reference.of(instance)
    for field in ("digest", "nodes", "units", "transfer"):
        stated, actual = getattr(reference, field), getattr(fresh, field)
        if stated != actual:
            yield f"{field}: is {actual}, but the reference is of an instance with {stated}"


def _about_values(instance: Instance, reference: Reference, bounds: Bounds) -> Iterator[str]:
    """Emulate the schedule, and compare the values with every bound that can be computed."""
    if reference.digest != instance.digest:
        return
    mapping = reference.mapping(instance)
    if mapping is not None:
        try:
            require_verified(instance, mapping)
        except InputError as error:
            yield str(error)
    for name, level, bound in (
        ("period", reference.period, bounds.period),
        ("latency", reference.latency, bounds.latency),
    ):
        if level.value is not None and level.value < bound.ticks:
            yield f"{name}: is {level.value}, below a lower bound of {bound.ticks}: {bound.explanation}"
    for level in reference.former:
        if level.value is not None and level.value < bounds.latency.ticks:
            yield (
                f"latency at a former period of {level.period_ticks}: is {level.value}, below a lower bound of "
                f"{bounds.latency.ticks}: {bounds.latency.explanation}"
            )


def _about_history(reference: Reference) -> Iterator[str]:
    """Every period before the best came with latencies, and nothing was recorded before what it improves."""
    past = [finding.ticks for finding in reference.period.values[:-1]]
    former = [level.period_ticks for level in reference.former if level.values]
    if past != former:
        yield f"period: its earlier values are {past}, but there are former latencies at {former}; each value has some"
    for name, level in reference.levels:
        for what, findings in (("values", level.values), ("bounds", level.bounds)):
            dates = [finding.date for finding in findings]
            if dates != sorted(dates):
                yield f"{name}: the dates of its {what} are {', '.join(dates)}; each one is later than those before"
    if reference.effort_s == 0 and any(finding.run is not None for finding in reference.findings):
        yield "effort_s: is 0, but a run is named that gave a value or a bound"
    if reference.solved_s is not None and (reference.status is not Status.OPTIMAL or reference.effort_s == 0):
        yield (
            f"solved_s: is {reference.solved_s:g}, but the reference is {reference.status} after an effort of "
            f"{reference.effort_s:g} s; no solve proved it"
        )


def _about_construction(known: Construction, reference: Reference) -> Iterator[str]:
    for name, level, ticks in (
        ("period", reference.period, known.period_ticks),
        ("latency", reference.latency, known.latency_ticks),
    ):
        if ticks is not None and (level.value, level.bound) != (ticks, ticks):
            yield f"{name}: is {level.value} with a bound of {level.bound}, but {ticks} by construction"


def _claimed(instance: Instance, reference: Reference, bounds: Bounds) -> Iterator[str]:
    """Yield the objectives whose bound does not follow from a witness."""
    for name, level, found in (
        ("period", reference.period, bounds.of("period")),
        ("latency", reference.latency, bounds.of("latency")),
    ):
        if level.bound is not None and not any(
            bound.ticks >= level.bound and _is_witnessed(instance, bound.witness) for bound in found
        ):
            yield name


def _is_witnessed(instance: Instance, witness: Witness | None) -> bool:
    if witness is None:
        return False
    try:
        require_proof(instance, witness)
    except RejectedError:
        return False
    return True


def _about_files(family: Family) -> Iterator[str]:
    for path in family.strays():
        yield f"{path.name}: is a reference of no instance in the manifest; delete it or add the instance"
    try:
        if not is_current(family):
            yield "README.md: its table is not that of the references; run `mapopt library update`"
        yield from wrong_ratios(family)
    except InputError as error:
        yield str(error)
