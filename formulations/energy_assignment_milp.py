r"""Minimal energy or traffic under capacities: generalised assignment as an integer linear program.

*Sets*:
    :math:`V` nodes; :math:`U` units, :math:`U_v` those of a class that can run v, pin and forbid kept; :math:`E`
    tensors, :math:`a_e` the producer and :math:`R_e` the readers of e.
*Parameters*:
    :math:`e_{vu}` energy, :math:`q_{vu}` crossbars and :math:`b_v` bytes of node v on unit u; :math:`Q_u`, :math:`B_u`
    capacities; :math:`s_e` bytes of a tensor.
*Variables*:
    :math:`x_{vu} \in \{0, 1\}` node v is on unit u; :math:`d_{eu} \ge 0` tensor e enters unit u.

.. math::

    \min\; & \textstyle\sum_{v,u} e_{vu} x_{vu} \quad\text{or}\quad \sum_{e,u} s_e d_{eu} \\
    (1)\; & \textstyle\sum_{u \in U_v} x_{vu} = 1 && v \in V \\
    (2)\; & \textstyle\sum_v q_{vu} x_{vu} \le Q_u, \quad \sum_v b_v x_{vu} \le B_u && u \in U \\
    (3)\; & x_{vu} = x_{wu} && v, w \text{ colocated} \\
    (4)\; & \textstyle\sum_{v \in S} x_{vu} \le 1 && S \text{ separate} \\
    (5)\; & d_{eu} \ge x_{vu} - x_{a_e u} && v \in R_e; \text{ traffic only}

Class: mappings of one pattern (K = 1) without duplication, under any dispatch. The energy is what the instance states
for each node on its unit's class, transfers and idle units not counted; the traffic is the bytes that move between
units per frame, each tensor once per destination unit, as the emulator moves them.

References
----------
Ross and Soland: A Branch and Bound Algorithm for the Generalized Assignment Problem, Mathematical Programming 8, 1975.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from mapopt.instance import Instance
from mapopt.placement.problem import Problem
from mapopt.solvers.assignments import (
    MAX_MILP,
    AssignmentOptions,
    CostFormulation,
    most_cost,
    most_needed,
    too_large,
)
from mapopt.solvers.base import Task
from mapopt.solvers.model import Answer, Objective

if TYPE_CHECKING:
    from mapopt.solvers.assignment_rows import AssignmentRows


class EnergyAssignmentMilp(CostFormulation[AssignmentOptions]):
    """Generalised assignment as an integer program; see the module."""

    name: ClassVar[str] = "energy-assignment-milp"
    summary: ClassVar[str] = (
        "least energy or traffic under capacities (generalised assignment) as an integer program"
    )
    solvers: ClassVar[tuple[str, ...]] = ("highs", "cbc", "scip")

    def rejects(self, instance: Instance) -> str | None:
        """Refuse numbers that floating point does not hold exactly."""
        return too_large(most_cost(instance), MAX_MILP, "energy units or bytes", "use energy-assignment") or (
            too_large(most_needed(instance), MAX_MILP, "bytes or crossbars", "use energy-assignment")
        )

    def assign(self, task: Task, problem: Problem, start: list[int] | None) -> Answer:
        """Solve the model."""
        from mapopt.solvers.assignment_rows import AssignmentRows

        rows = AssignmentRows(task, problem)
        cost = _energy(rows) if task.objective is Objective.ENERGY else _traffic(rows)
        rows.milp.setObjective(cost)
        if task.cutoff is not None:
            rows.milp += cost <= task.cutoff - 1
        rows.place()
        for unit in rows.units:
            rows.capacities(unit)
        rows.side_constraints()
        return rows.solve(start)


def _energy(rows: AssignmentRows) -> Any:
    import pulp

    energy, kinds = rows.instance.energy, rows.instance.unit_class
    if energy is None:
        return pulp.LpAffineExpression()
    return pulp.lpSum(int(energy[node, kinds[unit]]) * here for (node, unit), here in rows.x.items())


def _traffic(rows: AssignmentRows) -> Any:
    """Add (5) and return the bytes that move."""
    import pulp

    at, terms = rows.instance.node_index, []
    for number, tensor in enumerate(rows.instance.tensors):
        for unit in rows.units:
            enters = pulp.LpVariable(f"d_{number}_{unit}", 0)
            for name in tensor.consumers:
                rows.milp += enters - rows.on(at[name], unit) + rows.on(at[tensor.producer], unit) >= 0
            terms.append(tensor.size_bytes * enters)
    return pulp.lpSum(terms)
