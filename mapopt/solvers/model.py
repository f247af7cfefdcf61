"""What is asked of a formulation and what it answers: plain values, never solver objects."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from mapopt.bounds.witnesses import Witness
from mapopt.errors import InputError, MapoptError
from mapopt.mapping import Mapping


class SolverFailedError(MapoptError):
    """A solver crashed or ran out of memory; what was found before stands."""


class Status(StrEnum):
    """What is known about a problem after a run; never guessed."""

    OPTIMAL = "optimal"
    """A solution and a proof that none is better."""

    FEASIBLE = "feasible"
    """A solution whose distance from the best is given by the bound."""

    INFEASIBLE = "infeasible"
    """A proof that there is no solution."""

    UNKNOWN = "unknown"
    """No solution found, and no proof that there is none."""

    FAILED = "failed"
    """The solver crashed, is missing or ran out of memory."""


class Objective(StrEnum):
    """What is minimised."""

    PERIOD = "period"
    """Ticks of work per frame on the busiest unit or link: the period of the best time-triggered schedule."""

    LATENCY = "latency"
    """Ticks from a frame's release to its last output; of a frame alone unless the period is limited."""

    ENERGY = "energy"
    """Sum over the nodes of their energy on their unit's class."""

    TRAFFIC = "traffic"
    """Bytes that move between units per frame, each tensor once per destination unit."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much effort a run may take.

    Parameters
    ----------
    time_s
        Seconds of wall-clock time, or ``None`` for as long as it takes.
    workers
        Threads of the solver.
    seed
        Of everything random.
    deterministic
        Whether two runs must give the same result: then effort is counted in the solver's own deterministic units,
        one for each second of ``time_s``, wall-clock time is not looked at, and CP-SAT runs on one thread.
    memory_mb
        Memory of the solver, or ``None`` for no limit.

    Raises
    ------
    InputError
        If a limit is not positive and finite.
    """

    time_s: float | None = 60.0
    workers: int = 2
    seed: int = 0
    deterministic: bool = False
    memory_mb: int | None = None

    def __post_init__(self) -> None:
        if self.time_s is not None and not (self.time_s > 0 and isfinite(self.time_s)):
            raise InputError(f"time limit: is {self.time_s:g} s; it must be positive and finite")
        if self.workers < 1:
            raise InputError(f"workers: is {self.workers}; it must be >= 1")
        if not 0 <= self.seed < 2**31:
            raise InputError(f"seed: is {self.seed}; it must be in 0..{2**31 - 1}")
        if self.memory_mb is not None and self.memory_mb < 1:
            raise InputError(f"memory limit: is {self.memory_mb} MB; it must be >= 1")


@dataclass(frozen=True, slots=True)
class PeriodRange:
    """Periods in ticks from which a pipelined schedule may choose, both ends included."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if not 1 <= self.low <= self.high:
            raise InputError(
                f"period: is limited to {self.low}..{self.high} ticks; the limits must be 1 <= low <= high"
            )

    @property
    def fixed(self) -> bool:
        """Whether there is nothing to choose."""
        return self.low == self.high


@dataclass(frozen=True, slots=True)
class Answer:
    """What one run of a formulation found.

    Parameters
    ----------
    status
        See :class:`Status`.
    mapping
        The best solution; with starts if the formulation schedules. Without claims.
    value
        The objective that the model gives to ``mapping``, in ticks (energy units, bytes): a claim.
    bound
        A proven lower bound of the objective in the formulation's class, or ``None`` if the run gave none.
    reason
        Why a run failed or a problem is infeasible, for people.
    witness
        From which a bound can be derived without trusting the solver; ``None`` if there is none.
    """

    status: Status
    mapping: Mapping | None = None
    value: int | None = None
    bound: int | None = None
    reason: str = ""
    witness: Witness | None = None
