"""What formulations that choose units, and no times, share: limits of their numbers, starts and answers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, TypeVar

from mapopt.feasibility import check
from mapopt.instance import Instance
from mapopt.mapping import Mapping
from mapopt.options import Options, option
from mapopt.placement.communication import Communication
from mapopt.placement.problem import Problem
from mapopt.solvers.base import BaseFormulation, Task
from mapopt.solvers.judging import measured
from mapopt.solvers.model import Answer, Objective, Status
from mapopt.transfers import Links

MAX_CPSAT = 2**53
"""Largest value of a linear expression in a CP-SAT model: it reports values and bounds in double precision."""

MAX_MILP = 10**12
"""Largest value of a linear expression in a MILP; its bounds lose what :func:`mapopt.solvers.milp.tolerance` says."""


@dataclass(frozen=True)
class AssignmentOptions(Options):
    """What every search for an assignment may leave out."""

    hint: bool = option(True, "start from the mapping given, if it is of the class")


@dataclass(frozen=True)
class PeriodOptions(AssignmentOptions):
    """What every search for a period may leave out."""

    bound: bool = option(True, "use the lower bound given")


AnyAssignmentOptions = TypeVar("AnyAssignmentOptions", bound=AssignmentOptions)
AnyPeriodOptions = TypeVar("AnyPeriodOptions", bound=PeriodOptions)


class AssignmentFormulation(BaseFormulation[AnyAssignmentOptions]):
    """A formulation that chooses the unit of each group; a subclass implements :meth:`assign`."""

    options_type: ClassVar[type[Options]] = AssignmentOptions

    @abstractmethod
    def assign(self, task: Task, problem: Problem, start: list[int] | None) -> Answer:
        """Solve a task that nothing speaks against, from the unit of each group in its start."""

    def minimise(self, task: Task, problem: Problem) -> Answer:
        """Solve a task that nothing speaks against."""
        return self.assign(task, problem, start_units(task, problem) if self.options.hint else None)


class PeriodFormulation(AssignmentFormulation[AnyPeriodOptions]):
    """A formulation of the period: the largest work per frame of a unit or link."""

    objectives: ClassVar[tuple[Objective, ...]] = (Objective.PERIOD,)
    pipelined: ClassVar[bool] = True
    schedule_class: ClassVar[str] = "one pattern (K = 1), no duplication, any dispatch but stealing"
    options_type: ClassVar[type[Options]] = PeriodOptions

    def minimise(self, task: Task, problem: Problem) -> Answer:
        """Solve a task that nothing speaks against."""
        return super().minimise(task if self.options.bound else replace(task, bound=0), problem)


class CostFormulation(AssignmentFormulation[AnyAssignmentOptions]):
    """A formulation of the energy and of the traffic."""

    objectives: ClassVar[tuple[Objective, ...]] = (Objective.ENERGY, Objective.TRAFFIC)
    schedule_class: ClassVar[str] = "one pattern (K = 1), no duplication, any dispatch"
    reference: ClassVar[str] = "Ross and Soland, Mathematical Programming 8, 1975"

    def refuses(self, task: Task) -> str | None:
        """Refuse to minimise an energy that nodes lack."""
        if task.objective is Objective.ENERGY and task.instance.energy is None:
            return (
                "needs the energy of every node on every class; give the nodes' energy, or minimise traffic"
            )
        return super().refuses(task)


def too_large(total: int, limit: int, unit: str, remedy: str) -> str | None:
    """Return why a sum cannot be trusted to a solver, or ``None``; for ``rejects``."""
    if total <= limit:
        return None
    return f"the instance's numbers add up to {total} {unit} and this model is exact up to {limit}; {remedy}"


def most_work(instance: Instance) -> int:
    """Return an upper bound on the work per frame of every unit and link, for any mapping."""
    communication, model = Communication(instance), instance.transfer
    total = int(instance.times.max(axis=1).clip(min=0).sum())
    for number, tensor in enumerate(instance.tensors):
        if isinstance(model, Links):
            slowest = min((link.bytes_per_s for link in model.links), default=None)
            # A route may use a link twice: on the way out and on the way in.
            once = 0 if slowest is None else 2 * communication.send(number, slowest)
        else:
            once = communication.once(number)
        total += once * (1 + len(tensor.consumers))
    return total


def most_cost(instance: Instance) -> int:
    """Return an upper bound on the energy and on the traffic of every mapping."""
    energy = 0 if instance.energy is None else sum(max(row) for row in instance.energy.tolist())
    traffic = sum(tensor.size_bytes * len(tensor.consumers) for tensor in instance.tensors)
    return max(energy, traffic)


def most_needed(instance: Instance) -> int:
    """Return an upper bound on the crossbars and on the bytes that any unit with a limit is asked for."""
    needs = [0]
    if any(unit.memory_bytes is not None for unit in instance.units):
        needs.append(sum(instance.memory_bytes.tolist()))
    if any(unit.crossbars is not None for unit in instance.units):
        needs.append(sum(max(row) for row in instance.crossbars.tolist()))
    return max(needs)


def start_units(task: Task, problem: Problem) -> list[int] | None:
    """Return the unit of each group in ``task.start``, or ``None`` unless that is one pattern that keeps all rules."""
    if task.start is None or len(task.start.patterns) != 1 or check(task.instance, task.start):
        return None
    (units,) = task.start.assignment(task.instance)
    return [units[nodes[0]] for nodes in problem.groups]


def value_of(task: Task, problem: Problem, unit_of: Sequence[int]) -> int:
    """Return the objective of an assignment of groups to units."""
    mapping = Mapping.of(task.instance, problem.units(list(unit_of)))
    return measured(task.instance, mapping, task.objective)


def conclude(
    task: Task, problem: Problem, unit_of: Sequence[int] | None, status: Status, bound: int | None
) -> Answer:
    """Return the answer of a run.

    Parameters
    ----------
    unit_of
        Unit of each group, or ``None`` without a solution.
    status
        Of the solver. It decides if there is no solution; with one, the answer is optimal if and only if the bound
        is the measured value.
    bound
        That the run proved, besides ``task.bound``.
    """
    proven = task.bound if bound is None else max(task.bound, bound)
    if unit_of is None:
        if status is not Status.INFEASIBLE:
            return Answer(status, bound=proven)
        if task.cutoff is None:
            return Answer(status, reason="no assignment keeps all capacities and side constraints")
        return Answer(status, bound=max(proven, task.cutoff), reason=f"nothing is below {task.cutoff}")
    mapping = Mapping.of(task.instance, problem.units(list(unit_of)))
    value = measured(task.instance, mapping, task.objective)
    return Answer(Status.OPTIMAL if value <= proven else Status.FEASIBLE, mapping, value, proven)


def stages_of(problem: Problem, unit_of: Sequence[int]) -> list[int] | None:
    """Return the place of each unit in an order in which no data flow backwards, unused units last.

    ``None`` if there is no such order: the assignment of groups to units is not contiguous.
    """
    units = range(len(problem.unit_class))
    arcs = {
        (unit_of[problem.group_of[before]], unit_of[problem.group_of[after]]): None
        for before, after, _ in problem.instance.edges
    }
    used = set(unit_of)
    waiting = [sum(after == unit != before for before, after in arcs) for unit in units]
    stage: dict[int, int] = {}
    while len(stage) < len(units):
        ready = [unit for unit in units if unit not in stage and waiting[unit] == 0]
        if not ready:
            return None
        unit = min(ready, key=lambda unit: (unit not in used, unit))
        stage[unit] = len(stage)
        for before, after in arcs:
            waiting[after] -= before == unit != after
    return [stage[unit] for unit in units]
