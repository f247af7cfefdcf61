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
    (2)\; & \textstyle\sum_v q_{vu} x_{vu} \le Q_u, \quad \sum_v b_v x_{vu} \le B_u && u \in U \\
    (3)\; & x_{vu} = x_{wu} && v, w \text{ colocated} \\
    (4)\; & \textstyle\sum_{v \in S} x_{vu} \le 1 && S \text{ separate} \\
    (5)\; & \textstyle\sum_v t_{vu} x_{vu} + h_u \le T && u \in U \\
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
from typing import TYPE_CHECKING, Any, ClassVar

from mapopt.instance import Instance
from mapopt.placement.communication import Communication
from mapopt.placement.problem import Problem
from mapopt.solvers.assignments import (
    MAX_MILP,
    PeriodFormulation,
    PeriodOptions,
    conclude,
    most_needed,
    most_work,
    too_large,
)
from mapopt.solvers.base import Task
from mapopt.solvers.model import Answer, Status
from mapopt.solvers.scaling import common_ticks
from mapopt.transfers import Blocking, Host, Links

if TYPE_CHECKING:
    from mapopt.solvers.assignment_rows import AssignmentRows

MAX_MOVES = 500_000
"""Most variables m."""


class PeriodAssignmentMilp(PeriodFormulation[PeriodOptions]):
    """Assignment of nodes to units as a MILP; see the module."""

    name: ClassVar[str] = "period-assignment-milp"
    summary: ClassVar[str] = (
        "assignment of nodes to units as a MILP, all transfer models; independent of the CP-SAT model"
    )
    solvers: ClassVar[tuple[str, ...]] = ("highs", "cbc", "scip")
    reference: ClassVar[str] = "Tarnawski et al., NeurIPS 2020, section 5.1"

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

    def assign(self, task: Task, problem: Problem, start: list[int] | None) -> Answer:
        """Solve the model."""
        if task.cutoff is not None and task.cutoff <= task.bound:
            return conclude(task, problem, None, Status.INFEASIBLE, None)
        from mapopt.solvers.assignment_rows import AssignmentRows

        rows = AssignmentRows(task, problem, common_ticks(task.instance) or 1)
        _Loads(rows)
        return rows.solve(start)


class _Loads:
    """The period and everything that it limits."""

    def __init__(self, rows: AssignmentRows) -> None:
        import pulp

        self.rows, task = rows, rows.task
        self.communication = Communication(rows.instance)
        most = None if task.cutoff is None else (task.cutoff - 1) // rows.scale
        self.period = pulp.LpVariable("T", -(-task.bound // rows.scale), most)
        rows.milp += self.period
        rows.place()
        rows.side_constraints()
        match rows.instance.transfer:
            case Blocking():
                charged = self._sent()
            case Host():
                charged = self._through_host()
            case Links() as model:
                self._links(model)
                charged = {}
            case _:
                charged = {}
        for unit in rows.units:
            self._load(unit, charged.get(unit, []))
            rows.capacities(unit)

    def _load(self, unit: int, charged: list[Any]) -> None:
        """(5)."""
        import pulp

        times, kind = self.rows.instance.times, int(self.rows.instance.unit_class[unit])
        work = pulp.lpSum(int(times[node, kind]) * x for node, x in self.rows.here(unit))
        self.rows.milp += work + pulp.lpSum(charged) <= self.period

    def _tensors(self) -> Iterator[tuple[int, int, list[int]]]:
        """Yield (tensor, producer, readers)."""
        at = self.rows.instance.node_index
        for number, tensor in enumerate(self.rows.instance.tensors):
            yield number, at[tensor.producer], [at[name] for name in tensor.consumers]

    def _through_host(self) -> dict[int, list[Any]]:
        """(6): return the work of transfers of every unit that pays."""
        import pulp

        charged: dict[int, list[Any]] = {
            unit: [] for unit in self.rows.units if unit not in self.communication.hosts
        }
        for tensor, producer, readers in self._tensors():
            ticks = self.communication.once(tensor)
            for unit, terms in charged.items():
                leaves = pulp.LpVariable(f"f_{tensor}_{unit}", 0)
                enters = pulp.LpVariable(f"i_{tensor}_{unit}", 0)
                for reader in readers:
                    here = self.rows.on(producer, unit) - self.rows.on(reader, unit)
                    self.rows.milp += leaves - here >= 0
                    self.rows.milp += enters + here >= 0
                terms += [ticks * leaves, ticks * enters]
        return charged

    def _moves(self) -> Iterator[tuple[int, int, int, Any]]:
        """(7): yield (tensor, source, target, m)."""
        import pulp

        for tensor, producer, readers in self._tensors():
            for source in self.rows.units:
                for target in self.rows.units:
                    reading = [
                        self.rows.x[reader, target] for reader in readers if (reader, target) in self.rows.x
                    ]
                    if source == target or not reading or (producer, source) not in self.rows.x:
                        continue
                    moves = pulp.LpVariable(f"m_{tensor}_{source}_{target}", 0)
                    for each in reading:
                        self.rows.milp += moves - self.rows.x[producer, source] - each >= -1
                    yield tensor, source, target, moves

    def _sent(self) -> dict[int, list[Any]]:
        """Return the work of the sends of every unit."""
        charged: dict[int, list[Any]] = {unit: [] for unit in self.rows.units}
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
            self.rows.milp += pulp.lpSum(terms) <= self.period
