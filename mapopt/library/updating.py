"""Solving the library's instances and keeping what is better, instance by instance."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mapopt.documents import Part
from mapopt.errors import InputError
from mapopt.instance import Instance
from mapopt.library.folder import Library, Member
from mapopt.library.improving import (
    OBJECTIVE,
    Stamp,
    is_comparable,
    with_bounds,
    with_construction,
    with_mappers,
    with_record,
)
from mapopt.library.readme import refresh
from mapopt.library.references import Reference
from mapopt.library.repeating import command_of_update
from mapopt.solvers.model import Status
from mapopt.studies.folder import Folder
from mapopt.studies.records import Record, environment
from mapopt.studies.seats import Seat, hear
from mapopt.studies.store import RunStore
from mapopt.studies.study import HARNESS_GRACE_S, RunLimits
from mapopt.studies.tasks import SolveTask, Task
from mapopt.studies.worker import Job


@dataclass(frozen=True, slots=True)
class Effort:
    """How instances are solved.

    Parameters
    ----------
    limits
        On each solve.
    jobs
        Solves at a time.
    seed
        Of everything random.
    again
        Whether instances are solved that are proven, or were given as much time before.
    fresh
        Whether solves begin without the schedules that are known, so that a single command repeats them.
    """

    limits: RunLimits
    jobs: int = 1
    seed: int = 0
    again: bool = False
    fresh: bool = False

    def is_needed(self, reference: Reference) -> bool:
        """Return whether there is something to gain."""
        if self.again or reference.effort_s == 0:
            return True
        return reference.status is not Status.OPTIMAL and reference.effort_s < self.limits.time_s


class Updated(Part, frozen=True, omit_defaults=False):
    """One instance that was looked at.

    Parameters
    ----------
    name
        ``family/instance``.
    status
        Of its reference now.
    gained
        What is better than before: ``"period"``, ``"period bound"``, ``"latency"``, ``"latency bound"``.
    solved
        Whether it was solved.
    problem
        Why nothing could be recorded, or ``""``.
    """

    name: str
    status: str
    gained: tuple[str, ...] = ()
    solved: bool = False
    problem: str = ""


def update(
    library: Library,
    members: Iterable[Member],
    effort: Effort,
    *,
    on_updated: Callable[[Updated], None] = lambda _: None,
) -> None:
    """Solve instances where something is to be gained, and record what is better.

    Each reference is written as soon as its instance is done; Ctrl-C, and whatever else ends it, keeps them.

    Parameters
    ----------
    on_updated
        Called with each instance that is done; a problem of one does not stop the others.

    Raises
    ------
    InputError
        If files cannot be written.
    """
    members = list(members)
    _refresh(library, members)
    try:
        with ExitStack() as stack:
            folder = Folder(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mapopt-"))))
            solves = _Solves(folder, effort)
            for seat in solves.seats:
                stack.callback(seat.close)
            for updated in solves.run(members):
                on_updated(updated)
    finally:
        _refresh(library, members)


def take_records(
    library: Library,
    members: Iterable[Member],
    store: RunStore,
    *,
    on_updated: Callable[[Updated], None] = lambda _: None,
) -> None:
    """Record what runs that are kept in a store found, e.g. those of a study, and the bounds that need no run.

    Parameters
    ----------
    on_updated
        Called with each instance.

    Raises
    ------
    InputError
        If the store has no records, or files cannot be written.
    """
    runs: dict[str, list[Record]] = {}
    records = list(store.records())
    if not records:
        raise InputError("the store of runs: has no records; name a folder such as results/runs")
    for record in records:
        if is_comparable(record):
            runs.setdefault(record.key.instance, []).append(record)
    members = list(members)
    _refresh(library, members)
    try:
        for member in members:
            try:
                instance, before = _begin(member)
                after = with_mappers(with_bounds(before, instance, _stamp()), instance)
                for record in runs.get(instance.digest, ()):
                    after = with_record(after, instance, record, _today())
                _keep(member, before, after)
            except InputError as error:
                on_updated(Updated(member.name, "unknown", problem=str(error)))
            else:
                on_updated(Updated(member.name, after.status, _gained(before, after)))
    finally:
        _refresh(library, members)


class _Solves:
    """Instances, made one by one, and the processes that solve them."""

    def __init__(self, folder: Folder, effort: Effort) -> None:
        self.effort = effort
        self.seats = [Seat(folder) for _ in range(effort.jobs)]
        self._folder = folder
        self._running: dict[str, tuple[Member, Instance]] = {}

    def run(self, members: Iterable[Member]) -> Iterator[Updated]:
        """Yield the instances as they are done."""
        waiting = iter(members)
        more = True
        while more or any(seat.busy for seat in self.seats):
            for seat in self.seats:
                while more and not seat.busy:
                    member = next(waiting, None)
                    more = member is not None
                    if member is not None:
                        done = self._start(seat, member)
                        if done is not None:
                            yield done
            if any(seat.busy for seat in self.seats):
                for _, finished in hear(self.seats):
                    yield self._absorb(finished.id)

    def _start(self, seat: Seat, member: Member) -> Updated | None:
        """Begin to solve an instance, unless there is nothing to gain."""
        try:
            known = member.reference()
            if known is not None and not self.effort.is_needed(known):
                _keep(member, known, known)
                return Updated(member.name, known.status)
            instance, reference = _begin(member)
        except InputError as error:
            return Updated(member.name, "unknown", problem=str(error))
        self._folder.keep(instance)
        limits, seed = self.effort.limits, self.effort.seed
        start = reference.mapping(instance) if reference.effort_s and not self.effort.fresh else None
        method = SolveTask(OBJECTIVE, limits, start=start)
        task = Task(
            method.key(instance.digest, seed).id,
            instance.digest,
            method,
            seed,
            limits.kill_after(HARNESS_GRACE_S),
            limits.memory_mib,
        )
        self._running[task.id] = member, instance
        seat.start(Job(task))
        return None

    def _absorb(self, run: str) -> Updated:
        """Record what a run found; the reference is read again, for somebody else may have written it."""
        member, instance = self._running.pop(run)
        record = self._folder.store.find(run)
        assert record is not None
        self._folder.instance_file(instance.digest).unlink(missing_ok=True)
        before = member.reference() or Reference.of(instance)
        if record.status not in (Status.OPTIMAL, Status.FEASIBLE, Status.UNKNOWN):
            problem = f"its solve is {record.status}: {' '.join(record.reason.split()) or 'no reason given'}"
            return Updated(member.name, before.status, solved=True, problem=problem)
        try:
            command = command_of_update(member.name, self.effort.limits, self.effort.seed)
            after = with_record(before, instance, record, _today(), command)
        except InputError as error:
            return Updated(member.name, before.status, solved=True, problem=str(error))
        _keep(member, before, after)
        return Updated(member.name, after.status, _gained(before, after), solved=True)


def _begin(member: Member) -> tuple[Instance, Reference]:
    """Make an instance and return its reference, with what its construction proves."""
    made = member.make()
    before = member.reference() or Reference.of(made.instance)
    if before.digest != made.instance.digest:
        raise InputError(
            f"digest: is {made.instance.digest[:19]}..., but the reference is of {before.digest[:19]}...; the instance "
            f"is made in another way than before: mend that, or delete {member.reference_file.name} to start anew"
        )
    after = before
    if made.known is not None:
        after = with_construction(before, made.instance, made.known, _stamp())
    _keep(member, before, after)
    return made.instance, after


def _keep(member: Member, before: Reference, after: Reference) -> None:
    """Write a reference that is better than before, or has no seal yet."""
    if after != before or not after.seal:
        member.keep(after)


def _gained(before: Reference, after: Reference) -> tuple[str, ...]:
    pairs = (("period", before.period, after.period), ("latency", before.latency, after.latency))
    return tuple(
        name
        for objective, old, new in pairs
        for name, is_better in (
            (objective, old.value != new.value),
            (f"{objective} bound", old.bound != new.bound),
        )
        if is_better
    )


def _refresh(library: Library, members: Iterable[Member]) -> None:
    for name in dict.fromkeys(member.family.name for member in members):
        refresh(library.families[name])


def _stamp() -> Stamp:
    return Stamp(environment().get("mapopt", "unknown"), _today())


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
