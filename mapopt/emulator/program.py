"""A program: what the emulator runs. It knows tasks and resources, and nothing of layers, tensors or units' kinds.

Units and links are both *resources*: each runs one task at a time, without preemption. A transfer over a link is
a task on that link; a reading from host memory is a task on the reading unit; a transfer that occupies nobody is
the delay of an arc. A task may *hold* its resource after it has ended (a blocking send).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mapopt.errors import InputError
from mapopt.instance import IntArray, frozen

MAX_PROGRAM_TICKS = 10**18
"""Largest sum of all durations, holds and arc delays of one pattern, so that the kernel's times fit 64 bits."""


@dataclass(frozen=True, slots=True)
class ProgramTask:
    """One task of a program under construction, see :meth:`Program.build`.

    Parameters
    ----------
    resource
        Index of the unit or link it occupies.
    duration, hold
        Ticks of work, and ticks for which the resource stays occupied afterwards. Successors see the end of the
        work, not of the hold.
    label
        ``(node, -1, -1, -1)`` for node number ``node``; ``(-1, tensor, destination unit, hop)`` for a transfer.
    """

    resource: int
    duration: int
    hold: int = 0
    label: tuple[int, int, int, int] = (-1, -1, -1, -1)


@dataclass(frozen=True, slots=True)
class ProgramPattern:
    """The tasks of one frame, in dispatch order, and their arcs.

    Among the ready tasks of one frame on one resource, the one listed first runs first.

    Parameters
    ----------
    tasks
        See :class:`ProgramTask`.
    arcs
        ``(before, after, delay)``: task ``after`` may start ``delay`` ticks after the end of task ``before``; any
        order, parallel arcs allowed.
    starts
        Fixed start of each task in ticks (time-triggered), or ``None`` (self-timed).
    """

    tasks: Sequence[ProgramTask]
    arcs: Sequence[tuple[int, int, int]]
    starts: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class PatternColumns:
    """A :class:`ProgramPattern` as int64 arrays: one entry per task, or per arc; ``label`` has shape (tasks, 4)."""

    resource: IntArray
    duration: IntArray
    hold: IntArray
    label: IntArray
    before: IntArray
    after: IntArray
    delay: IntArray
    start: IntArray | None = None


@dataclass(frozen=True)
class Program:
    """Flat arrays for K patterns; the tasks of pattern k are numbers ``offset[k]`` to ``offset[k+1]``.

    Attributes
    ----------
    resources
        Names; the first ``n_units`` are units, the rest links.
    tick_ps
        Length of a tick in picoseconds.
    offset
        Shape (K+1,).
    resource, duration, hold, predecessors
        Shape (tasks,): resource index, ticks, ticks, number of arcs that enter.
    arc_offset, arc_target, arc_delay
        Arcs leaving task t are ``arc_offset[t]`` to ``arc_offset[t+1]``; targets are task numbers.
    label
        Shape (tasks, 4), see :class:`ProgramTask`.
    start, horizon
        Time-triggered only: start of each task, and the ticks H after which pattern k repeats.
    """

    resources: tuple[str, ...]
    n_units: int
    tick_ps: int
    offset: IntArray
    resource: IntArray
    duration: IntArray
    hold: IntArray
    predecessors: IntArray
    arc_offset: IntArray
    arc_target: IntArray
    arc_delay: IntArray
    label: IntArray
    start: IntArray | None = None
    horizon: int | None = None

    @property
    def n_patterns(self) -> int:
        """Number of patterns K."""
        return len(self.offset) - 1

    @property
    def n_tasks(self) -> int:
        """Tasks of all patterns together."""
        return len(self.resource)

    def loads(self) -> IntArray:
        """Ticks of work (holds included) on each resource in K consecutive frames, shape (resources,)."""
        load = np.zeros(len(self.resources), dtype=np.int64)
        np.add.at(load, self.resource, self.duration + self.hold)
        return load

    @property
    def timed_starts(self) -> IntArray:
        """The start of every task, shape (tasks,).

        Raises
        ------
        InputError
            If the program has no starts.
        """
        if self.start is None:
            raise InputError(
                "mapping: has no start times, so it cannot run time-triggered; give starts and a horizon (`mapopt "
                "schedule` makes them), or run it self-timed"
            )
        return self.start

    def timed(self, start: IntArray, horizon: int) -> Program:
        """Return the same program with these starts, shape (tasks,), repeating after ``horizon`` ticks."""
        return replace(self, start=_sealed(start), horizon=horizon)

    def only(self, number: int) -> Program:
        """Return a program of pattern ``number`` alone, without starts."""
        first, last = int(self.offset[number]), int(self.offset[number + 1])
        arcs = slice(int(self.arc_offset[first]), int(self.arc_offset[last]))
        leaving = np.diff(self.arc_offset[first : last + 1])
        pattern = PatternColumns(
            resource=self.resource[first:last],
            duration=self.duration[first:last],
            hold=self.hold[first:last],
            label=self.label[first:last],
            before=np.repeat(np.arange(last - first), leaving),
            after=self.arc_target[arcs] - first,
            delay=self.arc_delay[arcs],
        )
        return Program.of_columns(
            self.resources, [pattern], n_units=self.n_units, tick_ps=self.tick_ps, horizon=None
        )

    @classmethod
    def build(
        cls,
        resources: Sequence[str],
        patterns: Sequence[ProgramPattern],
        *,
        n_units: int | None = None,
        tick_ps: int = 1000,
        horizon: int | None = None,
    ) -> Program:
        """Flatten patterns into arrays.

        Raises
        ------
        InputError
            If a number is out of range, a pattern's arcs have a cycle, or starts and horizon do not go together.
        """
        for number, pattern in enumerate(patterns):
            _check(number, pattern, len(resources), horizon is not None)
        return cls.of_columns(
            resources,
            [_columns(pattern) for pattern in patterns],
            n_units=len(resources) if n_units is None else n_units,
            tick_ps=tick_ps,
            horizon=horizon,
        )

    @classmethod
    def of_columns(
        cls,
        resources: Sequence[str],
        patterns: Sequence[PatternColumns],
        *,
        n_units: int,
        tick_ps: int,
        horizon: int | None,
    ) -> Program:
        """Join patterns given as valid arrays; :meth:`build` is for patterns that must be checked.

        Raises
        ------
        InputError
            If there is no pattern, or the times are too large together.
        """
        if not patterns:
            raise InputError("program: has no patterns; give at least one")
        for number, pattern in enumerate(patterns):
            total = sum(float(each.sum(dtype=np.float64)) for each in _times(pattern))
            if total > MAX_PROGRAM_TICKS:
                raise InputError(
                    f"program: the tasks and transfers of pattern {number} take {total:.3g} ticks together; at most "
                    f"{MAX_PROGRAM_TICKS:.0e} are supported; use a larger tick_ps"
                )
        offset = np.cumsum([0, *(len(pattern.resource) for pattern in patterns)])
        before, after, delay = (
            np.concatenate(parts)
            for parts in zip(
                *(
                    (each.before + at, each.after + at, each.delay)
                    for each, at in zip(patterns, offset, strict=False)
                ),
                strict=True,
            )
        )
        order = np.lexsort((delay, after, before))
        count = int(offset[-1])
        return cls(
            resources=tuple(resources),
            n_units=n_units,
            tick_ps=tick_ps,
            offset=_sealed(offset),
            resource=_sealed(np.concatenate([each.resource for each in patterns])),
            duration=_sealed(np.concatenate([each.duration for each in patterns])),
            hold=_sealed(np.concatenate([each.hold for each in patterns])),
            predecessors=_sealed(np.bincount(after, minlength=count)),
            arc_offset=_sealed(np.searchsorted(before[order], np.arange(count + 1))),
            arc_target=_sealed(after[order]),
            arc_delay=_sealed(delay[order]),
            label=_sealed(np.concatenate([each.label for each in patterns])),
            start=None
            if horizon is None
            else _sealed(np.concatenate([each.start for each in patterns if each.start is not None])),
            horizon=horizon,
        )


def _columns(pattern: ProgramPattern) -> PatternColumns:
    tasks = pattern.tasks
    arcs = np.array(list(pattern.arcs), dtype=np.int64).reshape(-1, 3)
    return PatternColumns(
        resource=frozen(task.resource for task in tasks),
        duration=frozen(task.duration for task in tasks),
        hold=frozen(task.hold for task in tasks),
        label=frozen(task.label for task in tasks).reshape(-1, 4),
        before=arcs[:, 0],
        after=arcs[:, 1],
        delay=arcs[:, 2],
        start=None if pattern.starts is None else frozen(pattern.starts),
    )


def _times(pattern: PatternColumns) -> tuple[IntArray, IntArray, IntArray]:
    return pattern.duration, pattern.hold, pattern.delay


def _sealed(values: npt.NDArray[np.integer]) -> IntArray:
    array = np.ascontiguousarray(values, dtype=np.int64)
    array.setflags(write=False)
    return array


def _check(number: int, pattern: ProgramPattern, resources: int, time_triggered: bool) -> None:
    count = len(pattern.tasks)
    if count == 0:
        raise InputError(f"program: pattern {number} has no tasks; give at least one")
    for index, task in enumerate(pattern.tasks):
        if not 0 <= task.resource < resources:
            raise InputError(
                f"program: task {index} of pattern {number} is on resource {task.resource} of {resources}"
            )
        if not (0 <= task.duration <= MAX_PROGRAM_TICKS and 0 <= task.hold <= MAX_PROGRAM_TICKS):
            raise InputError(
                f"program: task {index} of pattern {number} has duration {task.duration} and hold {task.hold}; "
                f"both must be in 0..{MAX_PROGRAM_TICKS:.0e}"
            )
    waiting = [0] * count
    leaving: list[list[int]] = [[] for _ in range(count)]
    for before, after, delay in pattern.arcs:
        if not (0 <= before < count and 0 <= after < count) or not 0 <= delay <= MAX_PROGRAM_TICKS:
            raise InputError(f"program: arc {(before, after, delay)} of pattern {number} is out of range")
        waiting[after] += 1
        leaving[before].append(after)
    ready = [task for task in range(count) if waiting[task] == 0]
    done = 0
    while ready:
        done += 1
        for after in leaving[ready.pop()]:
            waiting[after] -= 1
            if waiting[after] == 0:
                ready.append(after)
    if done < count:
        raise InputError(f"program: the arcs of pattern {number} have a cycle; they must be acyclic")
    if (pattern.starts is not None) != time_triggered:
        raise InputError(f"program: pattern {number}: starts and horizon go together; give both or neither")
    if pattern.starts is not None and len(pattern.starts) != count:
        raise InputError(f"program: pattern {number} has {len(pattern.starts)} starts for {count} tasks")
