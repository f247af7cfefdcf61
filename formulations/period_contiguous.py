r"""Minimal period of contiguous mappings: a CP-SAT model of pipeline stages.

A mapping is contiguous if the units can be ordered so that no data flow backwards. Each unit then is one stage of a
pipeline.

*Sets*:
    :math:`G` groups of nodes that must share a unit; :math:`E` pairs of groups (g, h) such that h reads from g;
    stages :math:`p \in \{0, ..., P - 1\}`, one per unit; :math:`K` kinds of interchangeable units; :math:`F` flows:
    tensors that group :math:`p_f` sends to the groups :math:`R_f`; :math:`L` links.
*Parameters*:
    :math:`t_{gk}` ticks, :math:`q_{gk}` crossbars and :math:`b_g` bytes of group g; :math:`Q_k`, :math:`B_k`
    capacities; :math:`n_k` units of kind k; :math:`c_f` ticks of the tensors of a flow, :math:`c_{fl}` on link l.
*Variables*:
    :math:`y_{gp}` group g is in stage p or earlier, so that :math:`x_{gp} = y_{gp} - y_{g,p-1}` says that it is in p;
    :math:`z_{pk}` stage p has a unit of kind k; :math:`e_p` stage p is empty; :math:`T` the period; :math:`d_{fp}`
    flow f enters stage p; :math:`o_{fp}` it leaves p; :math:`w_{fpr}` it goes from p to r; :math:`v_{gu}` group g is
    on unit u.

.. math::

    \min\; T \\
    (1)\; & y_{g,p-1} \le y_{gp}, \quad y_{g,-1} = 0, \quad y_{g,P-1} = 1 \\
    (2)\; & y_{hp} \le y_{gp} && (g, h) \in E \\
    (3)\; & \textstyle\sum_k z_{pk} = 1, \quad \sum_p z_{pk} = n_k \\
    (4)\; & \textstyle\sum_g t_{gk} x_{gp} + \text{transfers of } p \le T && \text{if } z_{pk} \\
    (5)\; & \textstyle\sum_g q_{gk} x_{gp} \le Q_k, \quad \sum_g b_g x_{gp} \le B_k && \text{if } z_{pk} \\
    (6)\; & x_{gp} + z_{pk} \le 1 && g \text{ not allowed on } k \\
    (7)\; & x_{gp} + x_{hp} \le 1 && g, h \text{ separate} \\
    (8)\; & d_{fp} \ge x_{rp} - x_{p_f p}, \quad o_{fp} \ge x_{p_f p} - x_{rp} && r \in R_f \\
    (9)\; & w_{fpr} \ge x_{p_f p} + x_{gr} - 1 && g \in R_f \\
    (10)\; & y_{g,p-1} = 1 \text{ if } e_p, \quad \textstyle\sum_g x_{gp} \ge 1 \text{ if not } e_p \\
    (11)\; & \textstyle\sum_f c_{fl} \cdot (\text{times } f \text{ takes } l) \le T && l \in L

Transfers of a stage in (4): none under ``free``, ``delay`` and ``links``; :math:`c_f o_{fp}` of flows with one reader
and :math:`c_f \sum_r w_{fpr}` of others under ``blocking``; :math:`c_f (d_{fp} + o_{fp})` under ``host``, but for units
at the host. Under ``links`` every unit is a kind of its own, :math:`v_{gu} \ge x_{gp} + z_{pu} - 1`, and w is defined
by v, between units. (10) puts empty stages last.

Class: contiguous mappings of one pattern (K = 1) without duplication, under any dispatch but stealing. T is the largest
work per frame of a unit or link, which a time-triggered schedule attains as its period.

References
----------
Tarnawski, Phanishayee, Devanur, Mahajan, Nina Paravecino: Efficient Algorithms for Device Placement of DNN Graph
Operators, NeurIPS 2020 (max-load throughput with contiguous splits). Identical units, free transfers and one class: the
simple assembly line balancing problem of type 2, Scholl and Becker, European Journal of Operational Research 168, 2006.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from mapopt.instance import Instance
from mapopt.options import Options, option
from mapopt.placement.communication import Communication
from mapopt.placement.flows import Flow, flows
from mapopt.placement.problem import Problem
from mapopt.placement.symmetry import interchangeable_units
from mapopt.solvers.assignments import (
    MAX_CPSAT,
    PeriodFormulation,
    PeriodOptions,
    conclude,
    most_needed,
    most_work,
    stages_of,
    too_large,
    value_of,
)
from mapopt.solvers.base import Task
from mapopt.solvers.cpsat import Values, run
from mapopt.solvers.model import Answer, Objective, Status
from mapopt.solvers.placing import needs
from mapopt.transfers import Blocking, Host, Links

MAX_ROUTED = 1_000_000
"""Most variables w under ``links``."""


@dataclass(frozen=True)
class PeriodContiguousOptions(PeriodOptions):
    """Ingredients of the model that can be switched off."""

    symmetry: bool = option(True, "let interchangeable units be one kind, and put empty stages last")


class PeriodContiguous(PeriodFormulation[PeriodContiguousOptions]):
    """Contiguous mappings as pipeline stages in CP-SAT; see the module."""

    name: ClassVar[str] = "period-contiguous"
    summary: ClassVar[str] = (
        "units as stages of a pipeline, no data flow backwards, in CP-SAT, all transfer models"
    )
    contiguous: ClassVar[bool] = True
    schedule_class: ClassVar[str] = f"contiguous, {PeriodFormulation.schedule_class}"
    reference: ClassVar[str] = "Tarnawski et al., NeurIPS 2020; Scholl and Becker, EJOR 168, 2006"
    options_type: ClassVar[type[Options]] = PeriodContiguousOptions

    def rejects(self, instance: Instance) -> str | None:
        """Refuse numbers that overflow 64-bit integers, and models that outgrow memory."""
        if isinstance(instance.transfer, Links):
            routed = len(instance.tensors) * len(instance.units) ** 2
            if routed > MAX_ROUTED:
                return (
                    f"under links it needs {routed} variables for transfers and at most {MAX_ROUTED} are sensible; "
                    "use delay or blocking transfers"
                )
        most = max(most_work(instance), most_needed(instance))
        return too_large(most, MAX_CPSAT, "ticks, bytes or crossbars", "use larger units, e.g. tick_ps")

    def assign(self, task: Task, problem: Problem, start: list[int] | None) -> Answer:
        """Solve the model."""
        return _Stages(task, problem, start, self.options.symmetry).solve()


class _Stages:
    """The model."""

    def __init__(self, task: Task, problem: Problem, start: Sequence[int] | None, symmetry: bool) -> None:
        from ortools.sat.python import cp_model

        self.task, self.problem = task, problem
        self.communication = Communication(task.instance)
        self.routed = isinstance(task.instance.transfer, Links)
        self.stages = range(len(problem.unit_class))
        apart = self.routed or not symmetry
        self.kinds = [(unit,) for unit in self.stages] if apart else interchangeable_units(problem)
        stage_of = None if start is None else stages_of(problem, start)
        self.start = start if stage_of is not None else None

        most = most_work(task.instance)
        if self.start is not None:
            most = min(most, value_of(task, problem, self.start))
        if task.cutoff is not None:
            most = min(most, task.cutoff - 1)
        self.most = most
        self.cp = cp_model.CpModel()
        self.yes = self.cp.new_constant(1)
        self.no = self.cp.new_constant(0)
        self.period = self.cp.new_int_var(min(task.bound, most), max(most, 0), "T")
        self.cp.minimize(self.period)
        self.y = self._stages_of_groups()
        self.z = self._kinds_of_stages()
        self.charged: list[list[Any]] = [[] for _ in self.stages]
        """Terms of transfers in each stage."""
        self._separate()
        if self.routed:
            self._links()
        else:
            for number, flow in enumerate(flows(problem)):
                self._flow(number, flow)
        for stage in self.stages:
            for number in range(len(self.kinds)):
                self._load(stage, number)
            if symmetry:
                self._empty_last(stage)
        if stage_of is not None and self.start is not None:
            self._hint(self.start, stage_of)

    def solve(self) -> Answer:
        """Solve for the whole time left."""
        if self.most < self.task.bound:
            return conclude(self.task, self.problem, None, Status.INFEASIBLE, None)
        found = run(self.cp, self.task.watch, Objective.PERIOD)
        unit_of = None if found.values is None else self._decode(found.values)
        return conclude(self.task, self.problem, unit_of, found.status, found.bound)

    def until(self, group: int, stage: int) -> Any:
        """Return y, with (1) at both ends."""
        if stage < 0:
            return self.no
        return self.yes if stage == len(self.stages) - 1 else self.y[group, stage]

    def at(self, group: int, stage: int) -> Any:
        """Return x as an expression."""
        return self.until(group, stage) - self.until(group, stage - 1)

    def not_at(self, group: int, stage: int) -> tuple[Any, Any]:
        """Return the two literals of which one is true unless the group is in the stage."""
        return ~self.until(group, stage), self.until(group, stage - 1)

    def _stages_of_groups(self) -> dict[tuple[int, int], Any]:
        """(1) and (2)."""
        problem, inner = self.problem, self.stages[:-1]
        self.y = {
            (group, stage): self.cp.new_bool_var(f"y{group},{stage}")
            for group in range(len(problem.groups))
            for stage in inner
        }
        for group in range(len(problem.groups)):
            for stage in inner[1:]:
                self.cp.add_implication(self.y[group, stage - 1], self.y[group, stage])
        pairs = {
            (problem.group_of[before], problem.group_of[after]): None
            for before, after, _ in problem.instance.edges
        }
        for before, after in pairs:
            if before != after:
                for stage in inner:
                    self.cp.add_implication(self.y[after, stage], self.y[before, stage])
        return self.y

    def _kinds_of_stages(self) -> dict[tuple[int, int], Any]:
        """(3) and (6)."""
        numbers = range(len(self.kinds))
        if len(self.kinds) == 1:
            z = {(stage, 0): self.yes for stage in self.stages}
        else:
            z = {
                (stage, kind): self.cp.new_bool_var(f"z{stage},{kind}")
                for stage in self.stages
                for kind in numbers
            }
            for stage in self.stages:
                self.cp.add_exactly_one(z[stage, kind] for kind in numbers)
            for kind, units in enumerate(self.kinds):
                self.cp.add(sum(z[stage, kind] for stage in self.stages) == len(units))
        for group, allowed in enumerate(self.problem.allowed):
            for kind, units in enumerate(self.kinds):
                if units[0] not in allowed:
                    for stage in self.stages:
                        self.cp.add_bool_or(~z[stage, kind], *self.not_at(group, stage))
        return z

    def _load(self, stage: int, number: int) -> None:
        """(4) and (5)."""
        problem, unit, here = self.problem, self.kinds[number][0], self.z[stage, number]
        groups = [group for group, allowed in enumerate(problem.allowed) if unit in allowed]
        count = [self.at(group, stage) for group in groups]
        time = problem.time[problem.unit_class[unit]]
        work: Any = sum(time[group] * each for group, each in zip(groups, count, strict=True))
        if unit not in self.communication.hosts:
            work += sum(self.charged[stage])
        self.cp.add(work <= self.period).only_enforce_if(here)
        for need, capacity in needs(problem, unit, groups, count):
            self.cp.add(need <= capacity).only_enforce_if(here)

    def _separate(self) -> None:
        """(7)."""
        for one, others in enumerate(self.problem.apart):
            for other in others:
                if one < other:
                    for stage in self.stages:
                        self.cp.add_bool_or(*self.not_at(one, stage), *self.not_at(other, stage))

    def _empty_last(self, stage: int) -> None:
        """(10)."""
        empty = self.cp.new_bool_var(f"e{stage}")
        groups = range(len(self.problem.groups))
        self.cp.add(sum(self.at(group, stage) for group in groups) >= 1).only_enforce_if(~empty)
        for group in groups:
            self.cp.add_implication(empty, self.until(group, stage - 1))

    def _flow(self, number: int, flow: Flow) -> None:
        """(8) and (9) between stages."""
        model = self.problem.instance.transfer
        ticks = sum(self.communication.once(tensor) for tensor in flow.tensors)
        if not isinstance(model, Blocking | Host) or not ticks:
            return
        for stage in self.stages:
            if isinstance(model, Host) or len(flow.readers) == 1:
                self.charged[stage].append(ticks * self._leaves(number, flow, stage))
            if isinstance(model, Host):
                self.charged[stage].append(ticks * self._enters(number, flow, stage))
            elif len(flow.readers) > 1:
                for later in self.stages[stage + 1 :]:
                    moves = self.cp.new_bool_var(f"w{number},{stage},{later}")
                    for reader in flow.readers:
                        self.cp.add_bool_or(
                            moves, *self.not_at(flow.producer, stage), *self.not_at(reader, later)
                        )
                    self.charged[stage].append(ticks * moves)

    def _leaves(self, number: int, flow: Flow, stage: int) -> Any:
        """(8): some reader is in a later stage."""
        leaves = self.cp.new_bool_var(f"o{number},{stage}")
        for reader in flow.readers:
            self.cp.add_bool_or(leaves, *self.not_at(flow.producer, stage), self.until(reader, stage))
        return leaves

    def _enters(self, number: int, flow: Flow, stage: int) -> Any:
        """(8): the producer is in an earlier stage than some reader here."""
        enters = self.cp.new_bool_var(f"d{number},{stage}")
        for reader in flow.readers:
            self.cp.add_bool_or(enters, *self.not_at(reader, stage), ~self.until(flow.producer, stage - 1))
        return enters

    def _links(self) -> None:
        """(9) between units, and (11)."""
        model = self.problem.instance.transfer
        rates = [link.bytes_per_s for link in model.links] if isinstance(model, Links) else []
        load: list[list[Any]] = [[] for _ in rates]
        v = {
            (group, unit): self.cp.new_bool_var(f"v{group},{unit}")
            for group, units in enumerate(self.problem.allowed)
            for unit in sorted(units)
        }
        for (group, unit), here in v.items():
            for stage in self.stages:
                self.cp.add_bool_or(here, ~self.z[stage, unit], *self.not_at(group, stage))
        for number, flow in enumerate(flows(self.problem)):
            targets = sorted({unit for reader in flow.readers for unit in self.problem.allowed[reader]})
            for source in sorted(self.problem.allowed[flow.producer]):
                for target in targets:
                    route = self.communication.route(source, target)
                    if source == target or not route:
                        continue
                    moves = self.cp.new_bool_var(f"w{number},{source},{target}")
                    for reader in flow.readers:
                        if (reader, target) in v:
                            self.cp.add_bool_or(moves, ~v[flow.producer, source], ~v[reader, target])
                    for link in route:
                        ticks = sum(self.communication.send(tensor, rates[link]) for tensor in flow.tensors)
                        load[link].append(ticks * moves)
        for terms in load:
            self.cp.add(sum(terms) <= self.period)

    def _hint(self, start: Sequence[int], stage_of: Sequence[int]) -> None:
        for (group, stage), until in self.y.items():
            self.cp.add_hint(until, stage_of[start[group]] <= stage)
        if len(self.kinds) > 1:
            for number, units in enumerate(self.kinds):
                held = {stage_of[unit] for unit in units}
                for stage in self.stages:
                    self.cp.add_hint(self.z[stage, number], stage in held)

    def _decode(self, values: Values) -> list[int]:
        """Give the units of each kind, in unit order, to its stages."""
        left = [list(units) for units in self.kinds]
        unit_at = [
            left[next(number for number in range(len(left)) if values(self.z[stage, number]))].pop(0)
            for stage in self.stages
        ]
        return [
            unit_at[next(stage for stage in self.stages if values(self.until(group, stage)))]
            for group in range(len(self.problem.groups))
        ]
