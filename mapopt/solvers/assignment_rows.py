"""Rows of a MILP that place nodes on units: what the MILP formulations without times share.

The names of the rows are those of the formulations' documentation.
"""

from __future__ import annotations

from typing import Any

import pulp

from mapopt.placement.problem import Problem
from mapopt.solvers.assignments import conclude
from mapopt.solvers.base import Task
from mapopt.solvers.milp import run
from mapopt.solvers.model import Answer, Status
from mapopt.solvers.scaling import with_ticks_of


class AssignmentRows:
    """A model in which every node is on one unit.

    Parameters
    ----------
    task, problem
        The task, and the placing problem of its instance.
    scale
        Ticks of the task per tick of the model, a divisor of :func:`mapopt.solvers.scaling.common_ticks`.

    Attributes
    ----------
    instance
        The task's, in the model's ticks.
    milp
        The model; a subclass sets its objective.
    x
        By node and unit, where class, pin and forbid allow it: 1 if the node is on the unit.
    """

    def __init__(self, task: Task, problem: Problem, scale: int = 1) -> None:
        self.task, self.problem, self.scale = task, problem, scale
        self.instance = with_ticks_of(scale, task.instance)
        self.units = range(len(task.instance.units))
        self.milp = pulp.LpProblem(str(task.objective), pulp.LpMinimize)
        self.x = {
            (node, unit): pulp.LpVariable(f"x_{node}_{unit}", cat="Binary")
            for node, group in enumerate(problem.group_of)
            for unit in sorted(problem.allowed[group])
        }

    def solve(self, start: list[int] | None) -> Answer:
        """Solve for the whole time left, from the unit of each group in a start."""
        if start is not None:
            units = self.problem.units(start)
            for (node, unit), here in self.x.items():
                here.setInitialValue(int(units[node] == unit))
        task = self.task
        found = run(
            self.milp,
            task.watch,
            task.objective,
            solver=task.solver,
            scale=self.scale,
            warm_start=start is not None,
        )
        if found.status is Status.FAILED:
            return Answer(Status.FAILED, reason=found.reason)
        unit_of = None
        if found.values is not None:
            placed = {node: unit for (node, unit), here in self.x.items() if found.values(here) > 0.5}
            unit_of = [placed[nodes[0]] for nodes in self.problem.groups]
        return conclude(task, self.problem, unit_of, found.status, found.bound)

    def on(self, node: int, unit: int) -> Any:
        """Return x, or 0 where the node is not allowed."""
        return self.x.get((node, unit), 0)

    def here(self, unit: int) -> list[tuple[int, Any]]:
        """Return the nodes that may be on a unit, each with its x."""
        return [(node, x) for (node, other), x in self.x.items() if other == unit]

    def place(self) -> None:
        """Add (1)."""
        for node in range(len(self.instance.nodes)):
            self.milp += pulp.lpSum(self.on(node, unit) for unit in self.units) == 1

    def capacities(self, unit: int) -> None:
        """Add (2) of a unit."""
        instance, spec = self.instance, self.instance.units[unit]
        crossbars = instance.crossbars[:, int(instance.unit_class[unit])].tolist()
        for capacity, need in (
            (spec.crossbars, crossbars),
            (spec.memory_bytes, instance.memory_bytes.tolist()),
        ):
            if capacity is not None:
                self.milp += pulp.lpSum(need[node] * x for node, x in self.here(unit)) <= capacity

    def side_constraints(self) -> None:
        """Add (3) and (4); pin and forbid are kept by the variables that exist."""
        rules, at = self.instance.side_constraints, self.instance.node_index
        for names in rules.colocate:
            for name in names[1:]:
                for unit in self.units:
                    if (at[name], unit) in self.x or (at[names[0]], unit) in self.x:
                        self.milp += self.on(at[name], unit) - self.on(at[names[0]], unit) == 0
        for names in rules.separate:
            for unit in self.units:
                self.milp += pulp.lpSum(self.on(at[name], unit) for name in names) <= 1
