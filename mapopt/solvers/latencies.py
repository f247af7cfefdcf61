"""What formulations of the latency share: whether a period is given, and how late any start may be."""

from __future__ import annotations

from abc import abstractmethod
from math import gcd
from typing import TYPE_CHECKING, ClassVar

from mapopt.errors import UnsupportedError
from mapopt.instance import Instance
from mapopt.placement.problem import Problem
from mapopt.solvers.base import AnyOptions, BaseFormulation, Task
from mapopt.solvers.horizons import horizon, work
from mapopt.solvers.model import Answer, Objective, Status
from mapopt.solvers.scaling import common_ticks, with_ticks_of
from mapopt.solvers.timed import timed_mapping
from mapopt.transfers import Delay, Free

if TYPE_CHECKING:
    from mapopt.solvers.transfer_rows import TransferRows

MAX_HORIZON = 2**46
"""Largest latency in ticks that a model can look for without overflow inside CP-SAT."""

MAX_CONSTANT = 200_000
"""Largest constant that switches off a row of a MILP. Solvers take a binary for whole that is off by 1e-6, and up to
three of them stand in a row: with this constant they hide 0.6 of a tick, and with one of 333,334 a whole one."""


class LatencyFormulation(BaseFormulation[AnyOptions]):
    """A formulation of the latency; ``pipelined`` says whether its tasks have a period."""

    objectives: ClassVar[tuple[Objective, ...]] = (Objective.LATENCY,)

    def refuses(self, task: Task) -> str | None:
        """Refuse streams without a period, and a period of a frame alone."""
        if self.pipelined and task.period is None:
            return "it is about streams with limited period; give one"
        if not self.pipelined and task.period is not None:
            return "it is about a frame alone; give no period"
        return super().refuses(task)

    def horizon(self, task: Task) -> int:
        """Return the largest latency of interest, see :func:`mapopt.solvers.horizons.horizon`.

        Raises
        ------
        UnsupportedError
            If it exceeds :data:`MAX_HORIZON`.
        """
        latest = horizon(task)
        if latest > MAX_HORIZON:
            raise UnsupportedError(
                f"formulation {self.name!r}: latencies up to {latest} ticks are looked for; it can do {MAX_HORIZON}; "
                "use a larger tick_ps"
            )
        return latest


class UncontendedFormulation(LatencyFormulation[AnyOptions]):
    """A formulation of the latency in which transfers occupy nobody."""

    def rejects(self, instance: Instance) -> str | None:
        """Refuse transfers that occupy a unit or a link."""
        if isinstance(instance.transfer, Free | Delay):
            return None
        kind = type(instance.transfer).__name__.lower()
        return f"its transfers are free or delays; the instance's are {kind!r}"


class LatencyMilp(LatencyFormulation[AnyOptions]):
    """A MILP of the latency on :class:`mapopt.solvers.transfer_rows.TransferRows`.

    It counts in ticks as long as all times and the period allow. A subclass implements :meth:`separate`.
    """

    solvers: ClassVar[tuple[str, ...]] = ("highs", "scip", "cbc")

    @abstractmethod
    def separate(self, rows: TransferRows) -> None:
        """Add the rows that keep tasks on one resource from overlapping."""

    def rejects(self, instance: Instance) -> str | None:
        """Refuse times whose rows a solver's tolerances would not keep apart."""
        return self._too_large(2 * work(instance), common_ticks(instance))

    def refuses(self, task: Task) -> str | None:
        """Refuse a period that is missing or given in vain, or is too long beside the common divisor of all times."""
        reason = super().refuses(task)
        if reason is not None or task.period is None:
            return reason
        largest = max(horizon(task) + work(task.instance), task.period.high)
        if largest <= MAX_CONSTANT:
            return None
        common = common_ticks(task.instance)
        reasons = (
            self._too_large(largest, gcd(common, period))
            for period in range(task.period.low, task.period.high + 1)
        )
        return next((reason for reason in reasons if reason is not None), None)

    def _too_large(self, largest: int, ticks: int) -> str | None:
        if largest <= MAX_CONSTANT * ticks or largest == 0:
            return None
        return (
            f"rows would be switched off by a constant of {largest} ticks, where all times are multiples of {ticks}; "
            f"beyond {MAX_CONSTANT} of these the tolerances of floating point hide whole ones; use a CP-SAT "
            "formulation, or a larger tick_ps"
        )

    def solved(self, task: Task, problem: Problem, period: int | None, *, reports: bool = True) -> Answer:
        """Solve for one period, or for a frame alone."""
        from mapopt.solvers.milp import run
        from mapopt.solvers.transfer_rows import TransferRows

        latest = horizon(task)
        if latest < task.bound:
            return none_below(task.bound)
        scale = gcd(common_ticks(task.instance), period or 0) or 1
        reason = self._too_large(max(latest + work(task.instance), period or 0), scale)
        if reason is not None:  # without a cutoff the horizon is longer than that of all the task
            return Answer(Status.UNKNOWN, bound=task.bound, reason=reason)
        if scale > 1:
            problem = Problem(with_ticks_of(scale, task.instance))
        frames_apart = None if period is None else period // scale
        rows = TransferRows(problem, latest // scale, -(-task.bound // scale), frames_apart)
        self.separate(rows)
        found = run(rows.model, task.watch, task.objective, solver=task.solver, scale=scale, reports=reports)
        if found.status is Status.INFEASIBLE:
            return refuted(task)
        if found.values is None:
            return Answer(found.status, bound=found.bound, reason=found.reason)
        units, starts, transfers = rows.solution(found.values)
        mapping = timed_mapping(
            task.instance,
            units,
            [scale * start for start in starts],
            {key: [scale * start for start in each] for key, each in transfers.items()},
            max(1, latest + work(task.instance)) if period is None else period,
        )
        return Answer(found.status, mapping, found.value, found.bound)


def none_below(ticks: int) -> Answer:
    """Return the answer that no latency is below some ticks."""
    return Answer(Status.INFEASIBLE, bound=ticks, reason=f"no latency is below {ticks} ticks")


def refuted(task: Task) -> Answer:
    """Return the answer of a run that proved that a task has no solution."""
    if task.cutoff is not None:
        return none_below(task.cutoff)
    limited = "" if task.period is None else "the period, "
    return Answer(
        Status.INFEASIBLE, reason=f"no schedule keeps {limited}all capacities and all side constraints"
    )
