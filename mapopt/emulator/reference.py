"""A slow, plain-Python emulator: the oracle beside the fast one, written from the execution model alone.

It works on the instance and the mapping themselves and shares no code with the lowering or the kernel. It keeps
dictionaries of what is where, records every task of every frame, and is meant for checking, not for speed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor

from mapopt.emulator.reference_frames import Job, ReferenceFrames
from mapopt.errors import InfeasibleError, InputError
from mapopt.instance import Instance
from mapopt.mapping import Mapping
from mapopt.transfers import Host, Links


@dataclass(frozen=True, slots=True)
class Firing:
    """One execution: its work takes ``start`` to ``end``; it occupies ``resource`` until ``free``."""

    frame: int
    job: Job
    resource: str
    start: int
    end: int
    free: int


@dataclass(slots=True)
class Recording:
    """Every firing in order of start, and when each frame was released and left (by frame)."""

    firings: list[Firing] = field(default_factory=list)
    released: dict[int, int] = field(default_factory=dict)
    left: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Two equal states at instants of release: the exact period in ticks, and when the cycle is first entered."""

    period: Fraction
    cycle_frames: int
    transient_frames: int


class ReferenceEmulator:
    """A machine of dictionaries.

    Parameters
    ----------
    instance, mapping
        The problem and the decisions.
    window
        Saturated arrival: a frame enters when fewer are in flight.
    interval
        Periodic arrival: frame f is released at floor(f * interval). Exactly one of the two is given, unless
        ``time_triggered``: then the mapping says it.
    frames
        Frames released in all.
    time_triggered
        Run the mapping's start times instead of self-timed.

    Raises
    ------
    InputError
        If the mapping is of another instance, or has no start times to run.
    InfeasibleError
        If its transfers' starts are of other transfers than those that happen.
    """

    def __init__(
        self,
        instance: Instance,
        mapping: Mapping,
        *,
        frames: int,
        window: int | None = None,
        interval: Fraction | None = None,
        time_triggered: bool = False,
    ) -> None:
        self.of = ReferenceFrames(instance, mapping)
        self.instance, self.frames = instance, frames
        self.window, self.interval = window, interval
        self.starts: list[dict[Job, int]] | None = None
        if time_triggered:
            if mapping.horizon is None:
                raise InputError(
                    "mapping: has no start times, so it cannot run time-triggered; schedule it first"
                )
            self.horizon = mapping.horizon
            self.interval = Fraction(mapping.horizon, self.of.size)
            self.starts = [_starts(self.of, number) for number in range(self.of.size)]
        self.due: list[tuple[int, Job]] = []
        self.now = 0
        self.calendar: dict[int, list[tuple[object, ...]]] = {}
        self.actions: dict[str, Callable[..., None]] = {
            "end": self._end,
            "free": self._free,
            "upload": self._uploaded,
            "enter": self._enter,
            "arrive": self._arrive,
            "due": lambda frame, job: self.due.append((frame, job)),
        }
        self.occupied: dict[int, tuple[int, Job, int]] = {}
        self.ready: dict[int, list[tuple[int, tuple[int, ...], Job]]] = {
            index: [] for index in range(len(self.of.resources))
        }
        self.missing: dict[tuple[int, int], set[int]] = {}
        self.unfinished: dict[int, int] = {}
        self.record = Recording()

    # What happens.

    def _later(self, time: int, *event: object) -> None:
        if time == self.now:
            self.actions[str(event[0])](*event[1:])
        else:
            self.calendar.setdefault(time, []).append(event)

    def _end(self, frame: int, job: Job) -> None:
        kind, index, unit, hop = job
        if kind == "node":
            self._send_outputs(frame, index)
        elif kind == "read":
            self._arrive(frame, index, unit)
        else:
            latency = self.of.links[self.of.route(frame, index, unit)[hop]].latency_ticks
            self._later(self.now + latency, "enter", frame, index, unit, hop + 1)
        self.unfinished[frame] -= 1
        if self.unfinished[frame] == 0:
            del self.unfinished[frame]
            self.record.left[frame] = self.now

    def _send_outputs(self, frame: int, node: int) -> None:
        for tensor in self.of.outputs[node]:
            self._arrive(frame, tensor, self.of.unit(frame, node))
        for (unit, tensor), after in self.of.sends(frame, node):
            if isinstance(self.instance.transfer, Host):
                self._later(self.now + after, "upload", frame, tensor, unit)
            elif isinstance(self.instance.transfer, Links):
                self._enter(frame, tensor, unit, 0)
            else:
                self._later(self.now + after, "arrive", frame, tensor, unit)

    def _uploaded(self, frame: int, tensor: int, unit: int) -> None:
        if self.of.at_host(unit):
            self._arrive(frame, tensor, unit)
        else:
            self._make_ready(frame, ("read", tensor, unit, 0))

    def _enter(self, frame: int, tensor: int, unit: int, hop: int) -> None:
        if hop == len(self.of.route(frame, tensor, unit)):
            self._arrive(frame, tensor, unit)
        else:
            self._make_ready(frame, ("send", tensor, unit, hop))

    def _arrive(self, frame: int, tensor: int, unit: int) -> None:
        for node in self.of.readers(frame, tensor, unit):
            self.missing[frame, node].remove(tensor)
            self._check_ready(frame, node)

    def _check_ready(self, frame: int, node: int) -> None:
        if not self.missing[frame, node]:
            del self.missing[frame, node]
            self._make_ready(frame, ("node", node, -1, -1))

    def _plan(self, frame: int, starts: dict[Job, int]) -> None:
        """Note when every job of a frame is to start."""
        for job in self.of.jobs(frame):
            start = starts[job] + frame // self.of.size * self.horizon
            if start < self.now:
                raise InfeasibleError(
                    f"{self.of.describe(frame, job)} starts at tick {start}, before its frame's release"
                )
            self._later(start, "due", frame, job)

    def _make_ready(self, frame: int, job: Job) -> None:
        self.ready[self.of.resource(frame, job)].append((frame, self.of.rank(frame, job), job))

    def _free(self, resource: int) -> None:
        del self.occupied[resource]

    def _release(self) -> bool:
        released = False
        while (frame := len(self.record.released)) < self.frames and (
            len(self.unfinished) < self.window
            if self.window is not None
            else self.interval is not None and floor(frame * self.interval) <= self.now
        ):
            self.record.released[frame] = self.now
            self.unfinished[frame] = len(self.of.jobs(frame))
            for node in range(len(self.instance.nodes)):
                self.missing[frame, node] = set(self.of.inputs[node])
                self._check_ready(frame, node)
            if self.starts is not None:
                self._plan(frame, self.starts[frame % self.of.size])
            released = True
        return released

    def _start(self, resource: int, entry: tuple[int, tuple[int, ...], Job]) -> None:
        self.ready[resource].remove(entry)
        frame, _, job = entry
        if self.starts is not None:
            self.due.remove((frame, job))
        end = self.now + self.of.duration(frame, job)
        free = end + (self.of.hold(frame, job[1]) if job[0] == "node" else 0)
        self.occupied[resource] = (frame, job, free)
        self.record.firings.append(Firing(frame, job, self.of.resources[resource], self.now, end, free))
        self.calendar.setdefault(end, []).append(("end", frame, job))
        self.calendar.setdefault(free, []).append(("free", resource))

    def _dispatch(self) -> bool:
        started = False
        for resource in range(len(self.of.resources)):
            entries = self.ready[resource] if self.starts is None else self._entries_due(resource)
            if entries and resource not in self.occupied:
                self._start(resource, min(entries))
                started = True
        return started

    def _entries_due(self, resource: int) -> list[tuple[int, tuple[int, ...], Job]]:
        """Return the ready jobs whose start is now; those of zero length go before any other."""
        due = [each for each in self.due if self.of.resource(*each) == resource]
        short = [each for each in due if self._length(*each) == 0]
        return [each for each in self.ready[resource] if (each[0], each[2]) in (short or due)]

    def _length(self, frame: int, job: Job) -> int:
        return self.of.duration(frame, job) + (self.of.hold(frame, job[1]) if job[0] == "node" else 0)

    # The run.

    def run(self) -> Recording:
        """Run all frames to their end.

        Raises
        ------
        InfeasibleError
            If a time-triggered start is before its frame's release, or finds its data missing or its resource busy.
        """
        while self.instant():
            pass
        return self.record

    def instant(self) -> bool:
        """Run everything that happens now, then move to the next instant; return whether there is one.

        Raises
        ------
        InfeasibleError
            As for :meth:`run`.
        """
        changed = True
        while changed:
            events = self.calendar.pop(self.now, [])
            for event in events:
                self.actions[str(event[0])](*event[1:])
            released = self._release()
            changed = self._dispatch() or released or bool(events)
        for frame, job in self.due:
            raise InfeasibleError(
                f"{self.of.describe(frame, job)} cannot start at tick {self.now}: its data have not arrived, or "
                f"{self.of.resources[self.of.resource(frame, job)]!r} is busy"
            )
        times = list(self.calendar)
        frame = len(self.record.released)
        if frame < self.frames and self.window is None and self.interval is not None:
            times.append(floor(frame * self.interval))
        if times:
            self.now = min(times)
        return bool(times)

    def recurrence(self) -> Recurrence | None:
        """Run until a state at an instant of release equals an earlier one; ``None`` if that never happens."""
        seen: dict[object, tuple[int, int, int]] = {}
        more = True
        while more:
            now, before = self.now, len(self.record.released)
            more = self.instant()
            count = len(self.record.released)
            if count == before:
                continue
            state = self._state(now)
            if state in seen:
                then, released, transient = seen[state]
                return Recurrence(Fraction(now - then, count - released), count - released, transient)
            seen[state] = (now, count, before)
        return None

    def _state(self, now: int) -> object:
        """Return all that decides the future, relative to an instant and to the next frame."""
        base = len(self.record.released)

        def shifted(event: tuple[object, ...]) -> tuple[object, ...]:
            kind, first, *rest = event
            return (kind, first, *rest) if kind == "free" else (kind, int(str(first)) - base, *rest)

        return (
            base % self.of.size,
            None if self.interval is None else base * self.interval % 1,
            tuple(sorted(frame - base for frame in self.unfinished)),
            tuple(
                (resource, frame - base, job, free - now)
                for resource, (frame, job, free) in sorted(self.occupied.items())
            ),
            tuple(
                (resource, frame - base, job)
                for resource in sorted(self.ready)
                for frame, _, job in sorted(self.ready[resource])
            ),
            tuple(
                (frame - base, node, tuple(sorted(missing)))
                for (frame, node), missing in sorted(self.missing.items())
            ),
            tuple(
                (time - now, tuple(sorted(map(repr, map(shifted, events)))))
                for time, events in sorted(self.calendar.items())
            ),
        )


def _starts(of: ReferenceFrames, number: int) -> dict[Job, int]:
    """Return the start of each job of a time-triggered pattern.

    Raises
    ------
    InfeasibleError
        If the transfers' starts are not exactly those of the jobs of the pattern's frames.
    """
    instance, pattern = of.instance, of.mapping.patterns[number]
    nodes = {node.name: index for index, node in enumerate(instance.nodes)}
    tensors = {tensor.name: index for index, tensor in enumerate(instance.tensors)}
    units = {unit.name: index for index, unit in enumerate(instance.units)}
    found: dict[Job, int] = {
        ("node", nodes[name], -1, -1): start
        for name, start in zip(of.mapping.nodes, pattern.starts or (), strict=True)
    }
    jobs = dict.fromkeys(of.jobs(number))
    kind = "read" if isinstance(instance.transfer, Host) else "send"
    for transfer in pattern.transfers:
        if transfer.tensor not in tensors:
            raise InfeasibleError(
                f"pattern {number}: a transfer is of tensor {transfer.tensor!r}, which the instance does not have"
            )
        if transfer.unit not in units:
            raise InfeasibleError(
                f"pattern {number}: a transfer is to unit {transfer.unit!r}, which the instance does not have"
            )
        for hop, start in enumerate(transfer.starts):
            job: Job = (kind, tensors[transfer.tensor], units[transfer.unit], hop)
            if job in found:
                raise InfeasibleError(f"{of.describe(number, job)} has two starts; give one")
            if job not in jobs:
                raise InfeasibleError(f"{of.describe(number, job)} has a start but never happens; drop it")
            found[job] = start
    for job in jobs:
        if job not in found:
            raise InfeasibleError(f"{of.describe(number, job)} has no start; give one")
    return found
