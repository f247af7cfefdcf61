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

from dataclasses import dataclass
from typing import Any, ClassVar

from mapopt.errors import InfeasibleError, UnsupportedError
from mapopt.instance import Instance
from mapopt.options import Options, option
from mapopt.placement.problem import Problem
from mapopt.solvers.assignments import MAX_MILP, conclude, most_cost, most_needed, start_units, too_large
from mapopt.solvers.base import Task
from mapopt.solvers.model import Answer, Objective, Status


@dataclass(frozen=True)
class EnergyAssignmentMilpOptions(Options):
    """Ingredients of the model that can be switched off."""

    hint: bool = option(True, "start from the mapping given")


class EnergyAssignmentMilp:
    """Generalised assignment as an integer program; see the module."""

    name: ClassVar[str] = "energy-assignment-milp"
    summary: ClassVar[str] = (
        "least energy or traffic under capacities (generalised assignment) as an integer program"
    )
    objectives: ClassVar[tuple[Objective, ...]] = (Objective.ENERGY, Objective.TRAFFIC)
    pipelined: ClassVar[bool] = False
    contiguous: ClassVar[bool] = False
    schedule_class: ClassVar[str] = "one pattern (K = 1), no duplication, any dispatch"
    solvers: ClassVar[tuple[str, ...]] = ("highs", "cbc", "scip")
    reference: ClassVar[str] = "Ross and Soland, Mathematical Programming 8, 1975"
    options_type: ClassVar[type[Options]] = EnergyAssignmentMilpOptions

    def __init__(self, options: EnergyAssignmentMilpOptions | None = None) -> None:
        self.options = options or EnergyAssignmentMilpOptions()

    def rejects(self, instance: Instance) -> str | None:
        """Refuse numbers that floating point does not hold exactly."""
        return too_large(most_cost(instance), MAX_MILP, "energy units or bytes", "use energy-assignment") or (
            too_large(most_needed(instance), MAX_MILP, "bytes or crossbars", "use energy-assignment")
        )

    def solve(self, task: Task) -> Answer:
        """Solve until a proof, the limits or a request to stop; see the protocol.

        Raises
        ------
        UnsupportedError
            If the numbers are too large, or for the energy if a node has none.
        """
        from mapopt.solvers.milp import run

        instance = task.instance
        reason = self.rejects(instance)
        if reason is None and task.objective is Objective.ENERGY and instance.energy is None:
            reason = (
                "needs the energy of every node on every class; give the nodes' energy, or minimise traffic"
            )
        if reason:
            raise UnsupportedError(f"formulation {self.name!r}: {reason}")
        try:
            problem = Problem(instance)
        except InfeasibleError as error:
            return Answer(Status.INFEASIBLE, reason=str(error))
        model = _Model(task, problem)
        start = start_units(task, problem) if self.options.hint else None
        if start is not None:
            model.start(problem.units(start))
        found = run(model.milp, task.watch, task.objective, solver=task.solver, warm_start=start is not None)
        if found.status is Status.FAILED:
            return Answer(Status.FAILED, reason=found.reason)
        unit_of = None
        if found.values is not None:
            placed = {node: unit for (node, unit), each in model.x.items() if found.values(each) > 0.5}
            unit_of = [placed[nodes[0]] for nodes in problem.groups]
        return conclude(task, problem, unit_of, found.status, found.bound)


class _Model:
    """The variables and constraints."""

    def __init__(self, task: Task, problem: Problem) -> None:
        import pulp

        self.instance = task.instance
        self.units = range(len(task.instance.units))
        self.milp = pulp.LpProblem(str(task.objective), pulp.LpMinimize)
        self.x = {
            (node, unit): pulp.LpVariable(f"x_{node}_{unit}", cat="Binary")
            for node, group in enumerate(problem.group_of)
            for unit in sorted(problem.allowed[group])
        }
        cost = self._energy() if task.objective is Objective.ENERGY else self._traffic()
        self.milp.setObjective(cost)
        if task.cutoff is not None:
            self.milp += cost <= task.cutoff - 1
        for node in range(len(self.instance.nodes)):
            self.milp += pulp.lpSum(self.on(node, unit) for unit in self.units) == 1  # (1)
        for unit in self.units:
            self._capacities(unit)
        self._side_constraints()

    def on(self, node: int, unit: int) -> Any:
        """Return x, or 0 where the node is not allowed."""
        return self.x.get((node, unit), 0)

    def start(self, units: list[int]) -> None:
        """Set the initial values of x."""
        for (node, unit), variable in self.x.items():
            variable.setInitialValue(int(units[node] == unit))

    def _energy(self) -> Any:
        import pulp

        energy, kinds = self.instance.energy, self.instance.unit_class
        if energy is None:
            return pulp.LpAffineExpression()
        return pulp.lpSum(int(energy[node, kinds[unit]]) * here for (node, unit), here in self.x.items())

    def _traffic(self) -> Any:
        """(5)."""
        import pulp

        at, terms = self.instance.node_index, []
        for number, tensor in enumerate(self.instance.tensors):
            for unit in self.units:
                enters = pulp.LpVariable(f"d_{number}_{unit}", 0)
                for name in tensor.consumers:
                    self.milp += enters - self.on(at[name], unit) + self.on(at[tensor.producer], unit) >= 0
                terms.append(tensor.size_bytes * enters)
        return pulp.lpSum(terms)

    def _capacities(self, unit: int) -> None:
        """(2)."""
        import pulp

        instance, spec = self.instance, self.instance.units[unit]
        kind = int(instance.unit_class[unit])
        here = [(node, each) for (node, other), each in self.x.items() if other == unit]
        for capacity, need in (
            (spec.crossbars, instance.crossbars[:, kind].tolist()),
            (spec.memory_bytes, instance.memory_bytes.tolist()),
        ):
            if capacity is not None:
                self.milp += pulp.lpSum(need[node] * each for node, each in here) <= capacity

    def _side_constraints(self) -> None:
        """(3) and (4); pin and forbid are kept by the variables that exist."""
        import pulp

        rules, at = self.instance.side_constraints, self.instance.node_index
        for names in rules.colocate:
            for name in names[1:]:
                for unit in self.units:
                    if (at[name], unit) in self.x or (at[names[0]], unit) in self.x:
                        self.milp += self.on(at[name], unit) - self.on(at[names[0]], unit) == 0
        for names in rules.separate:
            for unit in self.units:
                self.milp += pulp.lpSum(self.on(at[name], unit) for name in names) <= 1
