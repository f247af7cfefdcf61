r"""Minimal period by assigning nodes to units: a mixed-integer linear program.

*Sets*:
    :math:`V` nodes; :math:`U` units, :math:`U_v` those of a class that can run v, pin and forbid kept; :math:`E`
    tensors, :math:`a_e` the producer and :math:`R_e` the readers of e; :math:`L` links, :math:`r_{uw}` the links of the
    route from unit u to unit w.
*Parameters*:
    :math:`t_{vu}` ticks, :math:`q_{vu}` crossbars and :math:`b_v` bytes of node v on unit u; :math:`Q_u`, :math:`B_u`
    capacities; :math:`c_e` ticks of a tensor, :math:`c_{el}` on link l.
*Variables*:
    :math:`x_{vu} \in \{0, 1\}` node v is on unit u; :math:`T \ge 0` the period; :math:`m_{euw} \ge 0` tensor e moves
    from u to w; :math:`f_{eu} \ge 0` the producer of e is on u and a reader is not; :math:`i_{ew} \ge 0` a reader is
    on w and the producer is not.

.. math::

    \min\; T \\
    (1)\; & \textstyle\sum_{u \in U_v} x_{vu} = 1 && v \in V \\
    (2)\; & \textstyle\sum_v t_{vu} x_{vu} + h_u \le T && u \in U \\
    (3)\; & \textstyle\sum_v q_{vu} x_{vu} \le Q_u, \quad \sum_v b_v x_{vu} \le B_u && u \in U \\
    (4)\; & x_{vu} = x_{wu} && v, w \text{ colocated} \\
    (5)\; & \textstyle\sum_{v \in S} x_{vu} \le 1 && S \text{ separate} \\
    (6)\; & f_{eu} \ge x_{a_e u} - x_{vu}, \quad i_{ew} \ge x_{vw} - x_{a_e w} && v \in R_e \\
    (7)\; & m_{euw} \ge x_{a_e u} + x_{vw} - 1 && v \in R_e,\; u \ne w \\
    (8)\; & \textstyle\sum_e \sum_{u, w: l \in r_{uw}} c_{el} m_{euw} \le T && l \in L

The work of transfers :math:`h_u` is 0 under ``free``, ``delay`` and ``links``; :math:`\sum_{e,w} c_e m_{euw}` under
``blocking``; :math:`\sum_e c_e (f_{eu} + i_{eu})` under ``host``, or 0 for units at the host.

Class: mappings of one pattern (K = 1) without duplication, under any dispatch but stealing. T is the largest work per
frame of a unit or link, which a time-triggered schedule attains as its period. The model shares nothing with the CP-SAT
model of the same problem but the instance, so that each can check the other.

References
----------
Tarnawski, Phanishayee, Devanur, Mahajan, Nina Paravecino: Efficient Algorithms for Device Placement of DNN Graph
Operators, NeurIPS 2020, section 5.1 (the integer program of max-load placement).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from mapopt.errors import InfeasibleError, UnsupportedError
from mapopt.instance import Instance
from mapopt.options import Options, option
from mapopt.placement.communication import Communication
from mapopt.placement.problem import Problem
from mapopt.solvers.assignments import MAX_MILP, conclude, most_needed, most_work, start_units, too_large
from mapopt.solvers.base import Task
from mapopt.solvers.model import Answer, Objective, Status
from mapopt.transfers import Blocking, Host, Links

MAX_MOVES = 500_000
"""Most variables m."""


@dataclass(frozen=True)
class PeriodAssignmentMilpOptions(Options):
    """Ingredients of the model that can be switched off."""

    hint: bool = option(True, "start from the mapping given")
    bound: bool = option(True, "use the lower bound given")


class PeriodAssignmentMilp:
    """Assignment of nodes to units as a MILP; see the module."""

    name: ClassVar[str] = "period-assignment-milp"
    summary: ClassVar[str] = (
        "assignment of nodes to units as a MILP, all transfer models; independent of the CP-SAT model"
    )
    objectives: ClassVar[tuple[Objective, ...]] = (Objective.PERIOD,)
    pipelined: ClassVar[bool] = True
    contiguous: ClassVar[bool] = False
    schedule_class: ClassVar[str] = "one pattern (K = 1), no duplication, any dispatch but stealing"
    solvers: ClassVar[tuple[str, ...]] = ("highs", "cbc", "scip")
    reference: ClassVar[str] = "Tarnawski et al., NeurIPS 2020, section 5.1"
    options_type: ClassVar[type[Options]] = PeriodAssignmentMilpOptions

    def __init__(self, options: PeriodAssignmentMilpOptions | None = None) -> None:
        self.options = options or PeriodAssignmentMilpOptions()

    def rejects(self, instance: Instance) -> str | None:
        """Refuse numbers that floating point does not hold exactly, and models that outgrow memory."""
        if isinstance(instance.transfer, Blocking | Links):
            moves = len(instance.tensors) * len(instance.units) ** 2
            if moves > MAX_MOVES:
                return (
                    f"it needs {moves} variables for transfers and at most {MAX_MOVES} are sensible; use "
                    "period-assignment"
                )
        return too_large(
            most_work(instance), MAX_MILP, "ticks", "use a larger tick_ps, or period-assignment"
        ) or too_large(most_needed(instance), MAX_MILP, "bytes or crossbars", "use period-assignment")

    def solve(self, task: Task) -> Answer:
        """Solve until a proof, the limits or a request to stop; see the protocol."""
        from mapopt.solvers.milp import run

        reason = self.rejects(task.instance)
        if reason:
            raise UnsupportedError(f"formulation {self.name!r}: {reason}")
        try:
            problem = Problem(task.instance)
        except InfeasibleError as error:
            return Answer(Status.INFEASIBLE, reason=str(error))
        if not self.options.bound:
            task = replace(task, bound=0)
        if task.cutoff is not None and task.cutoff <= task.bound:
            return conclude(task, problem, None, Status.INFEASIBLE, None)
        model = _Model(task, problem)
        start = start_units(task, problem) if self.options.hint else None
        if start is not None:
            model.start(problem.units(start))
        found = run(
            model.milp, task.watch, Objective.PERIOD, solver=task.solver, warm_start=start is not None
        )
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

        self.task, self.instance = task, task.instance
        self.communication = Communication(task.instance)
        self.units = range(len(task.instance.units))
        self.milp = pulp.LpProblem("period", pulp.LpMinimize)
        most = None if task.cutoff is None else task.cutoff - 1
        self.period = pulp.LpVariable("T", task.bound, most)
        self.milp += self.period
        self.x = {
            (node, unit): pulp.LpVariable(f"x_{node}_{unit}", cat="Binary")
            for node, group in enumerate(problem.group_of)
            for unit in sorted(problem.allowed[group])
        }
        for node in range(len(self.instance.nodes)):
            self.milp += pulp.lpSum(self.on(node, unit) for unit in self.units) == 1  # (1)
        self._side_constraints()
        match self.instance.transfer:
            case Blocking():
                charged = self._sent()
            case Host():
                charged = self._through_host()
            case Links() as model:
                self._links(model)
                charged = {}
            case _:
                charged = {}
        for unit in self.units:
            self._unit(unit, charged.get(unit, []))

    def on(self, node: int, unit: int) -> Any:
        """Return x, or 0 where the node is not allowed."""
        return self.x.get((node, unit), 0)

    def start(self, units: list[int]) -> None:
        """Set the initial values of x."""
        for (node, unit), variable in self.x.items():
            variable.setInitialValue(int(units[node] == unit))

    def _unit(self, unit: int, charged: list[Any]) -> None:
        """(2) and (3)."""
        import pulp

        instance, spec = self.instance, self.instance.units[unit]
        kind = int(instance.unit_class[unit])
        here = [(node, each) for (node, other), each in self.x.items() if other == unit]
        work = pulp.lpSum(int(instance.times[node, kind]) * each for node, each in here)
        self.milp += work + pulp.lpSum(charged) <= self.period
        if spec.crossbars is not None:
            self.milp += (
                pulp.lpSum(int(instance.crossbars[node, kind]) * each for node, each in here)
                <= spec.crossbars
            )
        if spec.memory_bytes is not None:
            self.milp += (
                pulp.lpSum(int(instance.memory_bytes[node]) * each for node, each in here)
                <= spec.memory_bytes
            )

    def _side_constraints(self) -> None:
        """(4) and (5); pin and forbid are kept by the variables that exist."""
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

    def _tensors(self) -> Iterator[tuple[int, int, list[int]]]:
        """Yield (tensor, producer, readers)."""
        at = self.instance.node_index
        for number, tensor in enumerate(self.instance.tensors):
            yield number, at[tensor.producer], [at[name] for name in tensor.consumers]

    def _through_host(self) -> dict[int, list[Any]]:
        """(6): return the work of transfers of every unit that pays."""
        import pulp

        charged: dict[int, list[Any]] = {
            unit: [] for unit in self.units if unit not in self.communication.hosts
        }
        for tensor, producer, readers in self._tensors():
            ticks = self.communication.once(tensor)
            for unit, terms in charged.items():
                leaves = pulp.LpVariable(f"f_{tensor}_{unit}", 0)
                enters = pulp.LpVariable(f"i_{tensor}_{unit}", 0)
                for reader in readers:
                    here = self.on(producer, unit) - self.on(reader, unit)
                    self.milp += leaves - here >= 0
                    self.milp += enters + here >= 0
                terms += [ticks * leaves, ticks * enters]
        return charged

    def _moves(self) -> Iterator[tuple[int, int, int, Any]]:
        """(7): yield (tensor, source, target, m)."""
        import pulp

        for tensor, producer, readers in self._tensors():
            for source in self.units:
                for target in self.units:
                    reading = [self.x[reader, target] for reader in readers if (reader, target) in self.x]
                    if source == target or not reading or (producer, source) not in self.x:
                        continue
                    moves = pulp.LpVariable(f"m_{tensor}_{source}_{target}", 0)
                    for each in reading:
                        self.milp += moves - self.x[producer, source] - each >= -1
                    yield tensor, source, target, moves

    def _sent(self) -> dict[int, list[Any]]:
        """Return the work of the sends of every unit."""
        charged: dict[int, list[Any]] = {unit: [] for unit in self.units}
        for tensor, source, _, moves in self._moves():
            charged[source].append(self.communication.once(tensor) * moves)
        return charged

    def _links(self, model: Links) -> None:
        """(8)."""
        import pulp

        work: list[list[Any]] = [[] for _ in model.links]
        for tensor, source, target, moves in self._moves():
            for link in self.communication.route(source, target):
                work[link].append(self.communication.send(tensor, model.links[link].bytes_per_s) * moves)
        for terms in work:
            self.milp += pulp.lpSum(terms) <= self.period
