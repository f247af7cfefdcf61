"""A program: what the emulator runs. It knows tasks and resources, and nothing of layers, tensors or units' kinds.

Units and links are both *resources*: each runs one task at a time, without preemption. A transfer over a link is
a task on that link; a reading from host memory is a task on the reading unit; a transfer that occupies nobody is
the delay of an arc. A task may *hold* its resource after it has ended (a blocking send).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mapopt.errors import InputError
from mapopt.instance import IntArray, frozen


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
        if not patterns:
            raise InputError("program: has no patterns; give at least one")
        tasks: list[ProgramTask] = []
        arcs: list[tuple[int, int, int]] = []
        starts: list[int] = []
        offset = [0]
        for number, pattern in enumerate(patterns):
            _check(number, pattern, len(resources), horizon is not None)
            arcs += [
                (before + offset[-1], after + offset[-1], delay) for before, after, delay in pattern.arcs
            ]
            tasks += pattern.tasks
            starts += pattern.starts or ()
            offset.append(len(tasks))
        arcs.sort()
        before = np.array([arc[0] for arc in arcs], dtype=np.int64)
        after = np.array([arc[1] for arc in arcs], dtype=np.int64)
        return cls(
            resources=tuple(resources),
            n_units=len(resources) if n_units is None else n_units,
            tick_ps=tick_ps,
            offset=frozen(offset),
            resource=frozen(task.resource for task in tasks),
            duration=frozen(task.duration for task in tasks),
            hold=frozen(task.hold for task in tasks),
            predecessors=frozen(np.bincount(after, minlength=len(tasks))),
            arc_offset=frozen(np.searchsorted(before, np.arange(len(tasks) + 1))),
            arc_target=frozen(after),
            arc_delay=frozen(arc[2] for arc in arcs),
            label=frozen(task.label for task in tasks).reshape(-1, 4),
            start=None if horizon is None else frozen(starts),
            horizon=horizon,
        )


def _check(number: int, pattern: ProgramPattern, resources: int, time_triggered: bool) -> None:
    count = len(pattern.tasks)
    if count == 0:
        raise InputError(f"program: pattern {number} has no tasks; give at least one")
    for index, task in enumerate(pattern.tasks):
        if not 0 <= task.resource < resources:
            raise InputError(
                f"program: task {index} of pattern {number} is on resource {task.resource} of {resources}"
            )
        if task.duration < 0 or task.hold < 0:
            raise InputError(
                f"program: task {index} of pattern {number} has duration {task.duration} and hold {task.hold}; "
                "both must be >= 0"
            )
    waiting = [0] * count
    leaving: list[list[int]] = [[] for _ in range(count)]
    for before, after, delay in pattern.arcs:
        if not (0 <= before < count and 0 <= after < count) or delay < 0:
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
