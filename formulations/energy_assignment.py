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
from itertools import pairwise
from typing import Any, ClassVar

from mapopt.errors import InfeasibleError, UnsupportedError
from mapopt.instance import Instance
from mapopt.options import Options, option
from mapopt.placement.flows import flows
from mapopt.placement.problem import Problem
from mapopt.placement.symmetry import interchangeable_units, relabelled
from mapopt.solvers.assignments import MAX_CPSAT, conclude, most_cost, most_needed, start_units, too_large
from mapopt.solvers.base import Task
from mapopt.solvers.cpsat import run
from mapopt.solvers.model import Answer, Objective, Status

FIRST_GROUPS = 4
"""Times the number of interchangeable units: so many groups tell them apart."""


@dataclass(frozen=True)
class EnergyAssignmentOptions(Options):
    """Ingredients of the model that can be switched off."""

    symmetry: bool = option(True, "tell interchangeable units apart by the first groups that use them")
    hint: bool = option(True, "start from the mapping given")


class EnergyAssignment:
    """Generalised assignment in CP-SAT; see the module."""

    name: ClassVar[str] = "energy-assignment"
    summary: ClassVar[str] = "least energy or traffic under capacities (generalised assignment) in CP-SAT"
    objectives: ClassVar[tuple[Objective, ...]] = (Objective.ENERGY, Objective.TRAFFIC)
    pipelined: ClassVar[bool] = False
    contiguous: ClassVar[bool] = False
    schedule_class: ClassVar[str] = "one pattern (K = 1), no duplication, any dispatch"
    solvers: ClassVar[tuple[str, ...]] = ("cpsat",)
    reference: ClassVar[str] = "Ross and Soland, Mathematical Programming 8, 1975"
    options_type: ClassVar[type[Options]] = EnergyAssignmentOptions

    def __init__(self, options: EnergyAssignmentOptions | None = None) -> None:
        self.options = options or EnergyAssignmentOptions()

    def rejects(self, instance: Instance) -> str | None:
        """Refuse numbers that overflow 64-bit integers."""
        most = max(most_cost(instance), most_needed(instance))
        return too_large(most, MAX_CPSAT, "energy units, bytes or crossbars", "use larger units")

    def solve(self, task: Task) -> Answer:
        """Solve until a proof, the limits or a request to stop; see the protocol.

        Raises
        ------
        UnsupportedError
            If the numbers are too large, or for the energy if a node has none.
        """
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
        start = start_units(task, problem) if self.options.hint else None
        return _Model(task, problem, start, self.options.symmetry).solve()


class _Model:
    """The variables and constraints."""

    def __init__(self, task: Task, problem: Problem, start: Sequence[int] | None, symmetry: bool) -> None:
        from ortools.sat.python import cp_model

        self.task, self.problem = task, problem
        self.cp = cp_model.CpModel()
        self.x = {
            (group, unit): self.cp.new_bool_var(f"x{group},{unit}")
            for group, units in enumerate(problem.allowed)
            for unit in sorted(units)
        }
        for group, units in enumerate(problem.allowed):
            self.cp.add_exactly_one(self.x[group, unit] for unit in sorted(units))  # (1)
        for unit in range(len(problem.unit_class)):
            self._capacities(unit)
        self._separate()
        cost = self._energy() if task.objective is Objective.ENERGY else self._traffic()
        self.cp.add(cost >= task.bound)
        if task.cutoff is not None:
            self.cp.add(cost <= task.cutoff - 1)
        self.cp.minimize(cost)
        parts = interchangeable_units(problem) if symmetry else []
        order = range(len(problem.groups))
        for part in parts:
            self._first_use(part)
        if start is not None:
            start = relabelled(start, order, parts) if symmetry else start
            for (group, unit), here in self.x.items():
                self.cp.add_hint(here, start[group] == unit)

    def solve(self) -> Answer:
        """Solve for the whole time left."""
        found = run(self.cp, self.task.watch, self.task.objective)
        values, unit_of = found.values, None
        if values is not None:
            placed = {group: unit for (group, unit), each in self.x.items() if values(each)}
            unit_of = [placed[group] for group in range(len(placed))]
        return conclude(self.task, self.problem, unit_of, found.status, found.bound)

    def _capacities(self, unit: int) -> None:
        """(2)."""
        spec, kind = self.problem.instance.units[unit], self.problem.unit_class[unit]
        here = [group for group, units in enumerate(self.problem.allowed) if unit in units]
        for capacity, need in (
            (spec.crossbars, self.problem.crossbars[kind]),
            (spec.memory_bytes, self.problem.memory_bytes),
        ):
            if capacity is not None and here:
                self.cp.add(sum(need[group] * self.x[group, unit] for group in here) <= capacity)

    def _separate(self) -> None:
        """(3)."""
        for one, others in enumerate(self.problem.apart):
            for other in others:
                for unit in sorted(self.problem.allowed[one] & self.problem.allowed[other]):
                    if one < other:
                        self.cp.add_at_most_one(self.x[one, unit], self.x[other, unit])

    def _energy(self) -> Any:
        energy = self.problem.instance.energy
        nodes, kinds = self.problem.groups, self.problem.unit_class
        if energy is None:
            return 0
        return sum(
            sum(int(energy[node, kinds[unit]]) for node in nodes[group]) * here
            for (group, unit), here in self.x.items()
        )

    def _traffic(self) -> Any:
        """(4)."""
        cost: Any = self.cp.new_constant(0)
        for number, flow in enumerate(flows(self.problem)):
            size = sum(self.problem.instance.tensors[tensor].size_bytes for tensor in flow.tensors)
            for unit in range(len(self.problem.unit_class)) if size else ():
                enters = self.cp.new_bool_var(f"d{number},{unit}")
                home = [self.x[flow.producer, unit]] if (flow.producer, unit) in self.x else []
                for reader in flow.readers:
                    if (reader, unit) in self.x:
                        self.cp.add_bool_or(enters, ~self.x[reader, unit], *home)
                cost += size * enters
        return cost

    def _first_use(self, part: Sequence[int]) -> None:
        """Let a group use unit j of a part only if an earlier one uses unit j - 1, for the first groups."""
        groups = [group for group, units in enumerate(self.problem.allowed) if part[0] in units]
        for at, group in enumerate(groups[: FIRST_GROUPS * len(part)]):
            for before, unit in pairwise(part):
                earlier = [self.x[other, before] for other in groups[:at]]
                self.cp.add_bool_or(~self.x[group, unit], *earlier)
