"""What a program shows without being run: its loads and its critical path."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from mapopt.emulator.program import Program
from mapopt.instance import IntArray


@dataclass(frozen=True, slots=True)
class MaxLoad:
    """The largest work per frame, in ticks, and the unit or link that has it (the first, if several)."""

    ticks: Fraction
    resource: str


def max_load(program: Program) -> MaxLoad:
    """Return the work per frame of the busiest resource, holds included: a lower bound of every period."""
    loads = program.loads()
    busiest = int(np.argmax(loads))
    return MaxLoad(Fraction(int(loads[busiest]), program.n_patterns), program.resources[busiest])


def earliest_ends(program: Program) -> IntArray:
    """Return the earliest end of work of each task of a frame released at 0, if no resource were ever contended.

    A successor on the same resource also waits for the end of the hold. Shape (tasks,).
    """
    from mapopt.emulator.paths import earliest_ends as compiled_ends

    return compiled_ends(
        program.arc_offset,
        program.arc_target,
        program.arc_delay,
        program.predecessors,
        program.resource,
        program.duration,
        program.hold,
    )


def critical_paths(program: Program) -> tuple[int, ...]:
    """Return the longest path of each pattern in ticks: a lower bound of every latency with these assignments.

    A path adds durations and arc delays (for blocking sends the delay holds the sends before it); between tasks on
    one resource it adds the hold where that is longer.
    """
    ends = earliest_ends(program)
    return tuple(int(part.max()) for part in np.split(ends, program.offset[1:-1]))
