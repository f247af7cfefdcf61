"""A machine: a program, the arrival of its frames, and the arrays of its state, which grow as needed."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from mapopt.emulator import kernel
from mapopt.emulator.kernel import Arrival, State, Tables
from mapopt.emulator.program import Program
from mapopt.emulator.recurrence import SINCE, run_in_step, run_to_recurrence
from mapopt.errors import InputError
from mapopt.instance import IntArray

MAX_WINDOW = 4096
"""Largest window of a saturated run."""

MAX_IN_FLIGHT = 4096
"""Under periodic release a run stops when so many frames are in flight: the machine is overloaded ..."""

MAX_TASKS_IN_FLIGHT = 2**23
"""... or when so many tasks are, if that is reached first."""

MAX_WINDOW_TASKS = 2**26
"""Most tasks in flight that a window may allow, for the sake of memory."""

HISTORY = 2**16
"""Frames whose latency and time of leaving are kept."""

MAX_INTERVAL_PART = 10**18
"""Largest numerator and denominator of an interval between releases."""


def saturated(window: int) -> Arrival:
    """Release a frame whenever fewer than ``window`` are in flight.

    Raises
    ------
    InputError
        If the window is not in 1..4096.
    """
    if not 1 <= window <= MAX_WINDOW:
        raise InputError(f"window: is {window}; it must be in 1..{MAX_WINDOW}")
    return Arrival(window, 0, 0, 1, kernel.NEVER)


def periodic(interval: Fraction | int) -> Arrival:
    """Release frame f at tick floor(f * interval).

    Raises
    ------
    InputError
        If the interval is not positive, or not a ratio of numbers up to 10**18.
    """
    ratio = Fraction(interval)
    if ratio <= 0 or max(ratio.numerator, ratio.denominator) > MAX_INTERVAL_PART:
        raise InputError(
            f"interval: is {float(ratio):g} ticks; it must be positive, and a ratio of numbers up to "
            f"{MAX_INTERVAL_PART:.0e}"
        )
    whole, part = divmod(ratio.numerator, ratio.denominator)
    return Arrival(0, whole, part, ratio.denominator, kernel.NEVER)


def tables_of(program: Program) -> Tables:
    """Lay a program out for the kernel."""
    largest = int(np.diff(program.offset).max())
    task = np.zeros((program.n_tasks, 8), dtype=np.int64)
    task[:, kernel.RESOURCE] = program.resource
    task[:, kernel.DURATION] = program.duration
    task[:, kernel.HOLD] = program.hold
    task[:, kernel.FIRST_ARC] = program.arc_offset[:-1]
    task[:, kernel.LAST_ARC] = program.arc_offset[1:]
    pattern = np.searchsorted(program.offset, program.arc_target, side="right") - 1
    arc = np.zeros((len(program.arc_target), 3), dtype=np.int64)
    arc[:, kernel.TARGET] = program.arc_target - program.offset[pattern]
    arc[:, kernel.DELAY] = program.arc_delay
    arc[:, kernel.TARGET_RESOURCE] = program.resource[program.arc_target]
    source = np.flatnonzero(program.predecessors == 0)
    of = np.searchsorted(program.offset, source, side="right") - 1
    return Tables(
        task=task,
        arc=arc,
        predecessors=program.predecessors.astype(np.int32),
        offset=program.offset,
        source=source - program.offset[of],
        source_offset=np.searchsorted(source, program.offset).astype(np.int64),
        bits=max(1, (largest - 1).bit_length()),
    )


class Machine:
    """A self-timed run of a program that can be stopped and resumed.

    Parameters
    ----------
    program
        Its ``start`` and ``horizon`` play no part.
    arrival
        From :func:`saturated` or :func:`periodic`.
    frames
        Release no more than so many frames; ``None``: no end.
    log
        Record the key and the start of the first ``log`` firings.

    Raises
    ------
    InputError
        If the window allows too many tasks in flight, or too many frames for the number of patterns.

    Notes
    -----
    In a saturated run of K patterns at most K * window frames stand between the oldest frame in flight and the
    newest, because frames of one pattern never overtake each other, so the arrays grow up to that. Under
    periodic release they grow up to ``MAX_IN_FLIGHT`` frames, or ``MAX_TASKS_IN_FLIGHT`` tasks.
    """

    def __init__(
        self, program: Program, arrival: Arrival, *, frames: int | None = None, log: int = 0
    ) -> None:
        self.program = program
        self.tables = tables_of(program)
        self.arrival = arrival if frames is None else arrival._replace(frames=frames)
        self.largest = int(np.diff(program.offset).max())
        if arrival.window > 0:
            self.max_slots = _power_of_two(arrival.window * program.n_patterns)
            most = MAX_WINDOW_TASKS // self.largest
            if arrival.window > most:
                raise InputError(
                    f"window: {arrival.window} frames of {self.largest} tasks are over {MAX_WINDOW_TASKS} tasks in "
                    f"flight; choose a window of at most {most}"
                )
            if self.max_slots > HISTORY // 2:
                raise InputError(
                    f"window: is {arrival.window} with {program.n_patterns} patterns; their product must be at most "
                    f"{HISTORY // 2}"
                )
            slots = _power_of_two(arrival.window)
        else:
            self.max_slots = min(
                MAX_IN_FLIGHT, max(16, _power_of_two(MAX_TASKS_IN_FLIGHT // self.largest) // 2)
            )
            slots = 8
        self.state = self._empty(slots, log)

    def __getitem__(self, entry: int) -> int:
        """Return one of the kernel's scalars, e.g. ``machine[kernel.NOW]``."""
        return int(self.state.scalar[entry])

    def run(self, *, target: int = kernel.NEVER, budget: int = kernel.NEVER) -> int:
        """Run until all frames below ``target`` have left, the budget is spent, or nothing is left to happen.

        Returns
        -------
        int
            The kernel's reason; ``SLOTS_FULL`` means that the machine is overloaded.
        """
        while True:
            reason = kernel.advance(self.tables, self.arrival, self.state, False, target, budget)
            if reason != kernel.SLOTS_FULL or not self.grow():
                return reason

    def run_to_recurrence(self, budget: int) -> tuple[int, State, int]:
        """Run until the state recurs.

        Returns
        -------
        tuple
            The reason, the earlier of the two equal states, and the number of release instants between them.
        """
        saved = self._empty(len(self.state.remaining), 0)
        progress = np.zeros(2, dtype=np.int64)
        while True:
            reason = run_to_recurrence(self.tables, self.arrival, self.state, saved, progress, budget)
            if reason != kernel.SLOTS_FULL or not self.grow():
                return reason, saved, int(progress[SINCE])
            saved = self._resized(saved, len(self.state.remaining))

    def transient(self, slots: int, cycle: int) -> int:
        """Return the frames released before the states begin to recur, by running two machines in step.

        Parameters
        ----------
        slots
            Length of the ring that was enough until the recurrence.
        cycle
            Release instants in a cycle.
        """
        behind, ahead = self._empty(slots, 0), self._empty(slots, 0)
        for state in [behind, *[ahead] * (cycle + 1)]:
            kernel.advance(self.tables, self.arrival, state, True, kernel.NEVER, kernel.NEVER)
        run_in_step(self.tables, self.arrival, behind, ahead)
        return int(behind.scalar[kernel.INSTANT_FIRST])

    def _empty(self, slots: int, log: int) -> State:
        """Return the state before the first release. Memory is touched only where frames come to stand."""
        count = len(self.program.resources)
        share = self._ready_share()
        delayed = np.add.reduceat(
            np.append(self.program.arc_delay > 0, False), self._first_arcs(), dtype=np.int64
        )
        events = slots * int(delayed.max()) + 2 * count + 2
        return State(
            scalar=np.zeros(kernel.SCALARS, dtype=np.int64),
            event_time=np.empty(events, dtype=np.int64),
            event=np.empty(events, dtype=np.int64),
            ready=np.empty(slots * int(share.sum()), dtype=np.int64),
            ready_base=slots * (np.cumsum(share) - share),
            ready_count=np.zeros(count, dtype=np.int64),
            running=np.full(count, -1, dtype=np.int64),
            free_at=np.zeros(count, dtype=np.int64),
            dirty=np.zeros(count, dtype=np.int64),
            is_dirty=np.zeros(count, dtype=np.uint8),
            waiting=np.empty((slots, self.largest), dtype=np.int32),
            remaining=np.zeros(slots, dtype=np.int64),
            released=np.zeros(slots, dtype=np.int64),
            origin=np.zeros(slots, dtype=np.int64),
            latency=np.zeros(HISTORY, dtype=np.int64),
            left_at=np.zeros(HISTORY, dtype=np.int64),
            log=np.empty((log, 2), dtype=np.int64),
        )

    def _first_arcs(self) -> IntArray:
        return self.program.arc_offset[self.program.offset[:-1]]

    def _ready_share(self) -> IntArray:
        """Most tasks of one frame on each resource."""
        count = len(self.program.resources)
        share = np.zeros(count, dtype=np.int64)
        for resource in np.split(self.program.resource, self.program.offset[1:-1]):
            share = np.maximum(share, np.bincount(resource, minlength=count))
        return share

    def grow(self) -> bool:
        """Double the ring; return whether the limit allowed it."""
        slots = 2 * len(self.state.remaining)
        if slots > self.max_slots:
            return False
        self.state = self._resized(self.state, slots)
        return True

    def _resized(self, old: State, slots: int) -> State:
        new = self._empty(slots, 0)
        new.event_time[: len(old.event_time)] = old.event_time
        new.event[: len(old.event)] = old.event
        for resource, size in enumerate(old.ready_count):
            base, moved = old.ready_base[resource], new.ready_base[resource]
            new.ready[moved : moved + size] = old.ready[base : base + size]
        frames = np.arange(old.scalar[kernel.OLDEST], old.scalar[kernel.NEXT_FRAME])
        here, there = frames & (len(old.remaining) - 1), frames & (slots - 1)
        for name in ("waiting", "remaining", "released", "origin"):
            getattr(new, name)[there] = getattr(old, name)[here]
        kept = (
            "scalar",
            "ready_count",
            "running",
            "free_at",
            "dirty",
            "is_dirty",
            "latency",
            "left_at",
            "log",
        )
        return new._replace(**{name: getattr(old, name) for name in kept})


def _power_of_two(least: int) -> int:
    return 1 << max(0, least - 1).bit_length()
