r"""Minimal energy or traffic under capacities: generalised assignment as a CP-SAT model.

*Sets*:
    :math:`G` groups of nodes that must share a unit; :math:`U` units, :math:`U_g` those allowed to group g; :math:`F`
    flows: tensors that group :math:`p_f` sends to the groups :math:`R_f`.
*Parameters*:
    :math:`e_{gu}` energy, :math:`q_{gu}` crossbars and :math:`b_g` bytes of group g on unit u; :math:`Q_u`, :math:`B_u`
    capacities; :math:`s_f` bytes of the tensors of a flow.
*Variables*:
    :math:`x_{gu}` group g is on unit u; :math:`d_{fu}` flow f enters unit u.

.. math::

    \min\; & \textstyle\sum_{g,u} e_{gu} x_{gu} \quad\text{or}\quad \sum_{f,u} s_f d_{fu} \\
    (1)\; & \textstyle\sum_{u \in U_g} x_{gu} = 1 && g \in G \\
    (2)\; & \textstyle\sum_g q_{gu} x_{gu} \le Q_u, \quad \sum_g b_g x_{gu} \le B_u && u \in U \\
    (3)\; & x_{gu} + x_{hu} \le 1 && g, h \text{ separate} \\
    (4)\; & d_{fu} \ge x_{ru} - x_{p_f u} && r \in R_f; \text{ traffic only}

Interchangeable units are told apart by the first groups that use them.

Class: mappings of one pattern (K = 1) without duplication, under any dispatch. The energy is what the instance states
for each node on its unit's class, transfers and idle units not counted; the traffic is the bytes that move between
units per frame, each tensor once per destination unit, as the emulator moves them.

References
----------
Ross and Soland: A Branch and Bound Algorithm for the Generalized Assignment Problem, Mathematical Programming 8, 1975.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from mapopt.instance import Instance
from mapopt.options import Options, option
from mapopt.placement.flows import flows
from mapopt.placement.problem import Problem
from mapopt.placement.symmetry import interchangeable_units, relabelled
from mapopt.solvers.assignments import (
    MAX_CPSAT,
    AssignmentOptions,
    CostFormulation,
    conclude,
    most_cost,
    most_needed,
    too_large,
)
from mapopt.solvers.base import Task
from mapopt.solvers.cpsat import run
from mapopt.solvers.model import Answer, Objective
from mapopt.solvers.placing import Placing


@dataclass(frozen=True)
class EnergyAssignmentOptions(AssignmentOptions):
    """Ingredients of the model that can be switched off."""

    symmetry: bool = option(True, "tell interchangeable units apart by the first groups that use them")


class EnergyAssignment(CostFormulation[EnergyAssignmentOptions]):
    """Generalised assignment in CP-SAT; see the module."""

    name: ClassVar[str] = "energy-assignment"
    summary: ClassVar[str] = "least energy or traffic under capacities (generalised assignment) in CP-SAT"
    options_type: ClassVar[type[Options]] = EnergyAssignmentOptions

    def rejects(self, instance: Instance) -> str | None:
        """Refuse numbers that overflow 64-bit integers."""
        most = max(most_cost(instance), most_needed(instance))
        return too_large(most, MAX_CPSAT, "energy units, bytes or crossbars", "use larger units")

    def assign(self, task: Task, problem: Problem, start: list[int] | None) -> Answer:
        """Solve the model."""
        return _Model(task, problem, start, self.options.symmetry).solve()


class _Model:
    """The variables and constraints."""

    def __init__(self, task: Task, problem: Problem, start: Sequence[int] | None, symmetry: bool) -> None:
        from ortools.sat.python import cp_model

        self.task, self.problem = task, problem
        self.cp = cp_model.CpModel()
        self.placing = Placing(self.cp, problem)
        self.placing.place()  # (1)
        for unit in range(len(problem.unit_class)):
            self.placing.capacities(unit)  # (2)
        self.placing.separate()  # (3)
        cost = self._energy() if task.objective is Objective.ENERGY else self._traffic()
        self.cp.add(cost >= task.bound)
        if task.cutoff is not None:
            self.cp.add(cost <= task.cutoff - 1)
        self.cp.minimize(cost)
        order = range(len(problem.groups))
        parts = interchangeable_units(problem) if symmetry else []
        for part in parts:
            self.placing.first_use(part, order)
        if start is not None:
            self.placing.hint(relabelled(start, order, parts) if symmetry else start)

    def solve(self) -> Answer:
        """Solve for the whole time left."""
        found = run(self.cp, self.task.watch, self.task.objective)
        unit_of = None if found.values is None else self.placing.unit_of(found.values)
        return conclude(self.task, self.problem, unit_of, found.status, found.bound)

    def _energy(self) -> Any:
        energy = self.problem.instance.energy
        nodes, kinds = self.problem.groups, self.problem.unit_class
        if energy is None:
            return 0
        return sum(
            sum(int(energy[node, kinds[unit]]) for node in nodes[group]) * here
            for (group, unit), here in self.placing.x.items()
        )

    def _traffic(self) -> Any:
        """(4)."""
        cost: Any = self.cp.new_constant(0)
        units = range(len(self.problem.unit_class))
        for number, flow in enumerate(flows(self.problem)):
            size = sum(self.problem.instance.tensors[tensor].size_bytes for tensor in flow.tensors)
            for enters in self.placing.entering(number, flow, units).values() if size else ():
                cost += size * enters
        return cost
