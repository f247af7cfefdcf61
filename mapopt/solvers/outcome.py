"""What a solve found: value, bound and gap of each objective, within a stated class of schedules."""

from __future__ import annotations

from dataclasses import dataclass

from mapopt.bounds.model import gap
from mapopt.bounds.witnesses import Witness
from mapopt.mapping import Mapping
from mapopt.solvers.model import Objective, Status
from mapopt.solvers.watch import Progress


@dataclass(frozen=True, slots=True)
class Level:
    """One objective of a solve; objectives are minimised one after the other.

    Parameters
    ----------
    objective
        What is minimised, subject to the values of the levels before.
    value
        As the emulator measures it, or ``None`` without a solution.
    bound
        The best proven lower bound, or ``None``.
    value_by, bound_by
        The mapper, bound or formulation that gave them; ``""`` where there is none.
    reason
        What went wrong, for people.
    witness
        The best witness of a bound, which may prove less than ``bound``.
    """

    objective: Objective
    value: int | None
    bound: int | None
    value_by: str = ""
    bound_by: str = ""
    reason: str = ""
    infeasible: bool = False
    failed: bool = False
    witness: Witness | None = None

    @property
    def status(self) -> Status:
        """What is known."""
        if self.infeasible:
            return Status.INFEASIBLE
        if self.value is None:
            return Status.FAILED if self.failed else Status.UNKNOWN
        return Status.OPTIMAL if self.value == self.bound else Status.FEASIBLE

    @property
    def gap(self) -> float | None:
        """``value / bound - 1``, or ``None`` where either is missing or the bound is 0."""
        if self.value is None or self.bound is None:
            return None
        return 0.0 if self.value == self.bound else gap(self.value, self.bound)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of :func:`mapopt.solvers.driver.solve`.

    Parameters
    ----------
    schedule_class
        The class of schedules within which values are optimal and bounds hold.
    levels
        One per objective.
    mapping
        The best solution, time-triggered, with claims that the emulator measured; ``None`` without a solution.
    trace
        Every improvement of a value or a bound.
    runtime_s
        Seconds of wall-clock time.
    interrupted
        Whether somebody asked to stop.
    """

    schedule_class: str
    levels: tuple[Level, ...]
    mapping: Mapping | None
    trace: tuple[Progress, ...]
    runtime_s: float
    interrupted: bool = False

    @property
    def status(self) -> Status:
        """Optimal if every level is; else what is known of the first level that is not."""
        for level in self.levels:
            if level.status is not Status.OPTIMAL:
                return level.status
        return Status.OPTIMAL

    def level(self, objective: Objective) -> Level | None:
        """Return the level of an objective, or ``None`` if it was not asked for or not reached."""
        return next((level for level in self.levels if level.objective is objective), None)
