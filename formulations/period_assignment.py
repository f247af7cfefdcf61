r"""Minimal period by assigning nodes to units: a CP-SAT model.

*Sets*:
    :math:`G` groups of nodes that must share a unit; :math:`U` units, :math:`U_g` those allowed to group g;
    :math:`K` types of groups with equal times, needs and allowed units; :math:`F` flows: tensors that group
    :math:`p_f` sends to the groups :math:`R_f`; :math:`L` links.
*Parameters*:
    :math:`t_{gu}` ticks, :math:`q_{gu}` crossbars and :math:`b_g` bytes of group g on unit u; :math:`Q_u`, :math:`B_u`
    capacities; :math:`n_k` groups of type k; :math:`c_f` ticks of the tensors of a flow, :math:`c_{fl}` on link l.
*Variables*:
    :math:`x_{gu}` group g is on unit u; :math:`y_{ku}` number of groups of type k on u; :math:`T` the period;
    :math:`d_{fv}` flow f enters unit v; :math:`o_{fu}` it leaves unit u; :math:`s_{fu}` times it is sent by u;
    :math:`w_{fuv}` it goes from u to v.

.. math::

    \min\; T \\
    (1)\; & \textstyle\sum_{u \in U_g} x_{gu} = 1 \\
    (2)\; & \textstyle\sum_g q_{gu} x_{gu} \le Q_u, \quad \sum_g b_g x_{gu} \le B_u \\
    (3)\; & x_{gu} + x_{hu} \le 1 && g, h \text{ separate} \\
    (4)\; & \textstyle\sum_g t_{gu} x_{gu} + \text{transfers of } u \le T \\
    (5)\; & d_{fv} \ge x_{rv} - x_{p_f v} && r \in R_f \\
    (6)\; & o_{fu} \ge x_{p_f u} - x_{ru} && r \in R_f; \text{ host only} \\
    (7)\; & s_{fu} \ge \textstyle\sum_v d_{fv} \text{ if } x_{p_f u}, \quad
            s_{fu} \ge x_{p_f u} - x_{ru} && r \in R_f \\
    (8)\; & w_{fuv} \ge x_{p_f u} + d_{fv} - 1 && \text{named routes only} \\
    (9)\; & \textstyle\sum_f c_{fl} \cdot (\text{times } f \text{ takes } l) \le T && l \in L \\
    (10)\; & \textstyle\sum_{g \in A} x_{gu} \le k && A = \{g : t_{gu} \ge a\} \\
    (11)\; & \textstyle\sum_k t_{ku} y_{ku} \in S_u

Transfers of a unit in (4): none under ``free``, ``delay`` and ``links``; :math:`\sum_f c_f s_{fu}` under ``blocking``;
:math:`\sum_f c_f (d_{fu} + o_{fu})` under ``host``, but for units at the host. Under ``links`` a flow takes the egress
of u :math:`s_{fu}` times and the ingress of v :math:`d_{fv}` times, or with named routes each link of a route
:math:`w_{fuv}` times.

Where transfers charge nobody, x is aggregated to :math:`0 \le y_{ku} \le n_k` with :math:`\sum_u y_{ku} = n_k` in place
of (1), and y in place of x in (2)-(4). Under ``links`` this relaxation is solved first: its bound holds, and its
solution is optimal if no link exceeds it.

(10) is implied: no k + 1 groups of at least a ticks fit into the largest period looked for, that of the start or below
the cutoff. The model is solved in turns as an optimisation from the best assignment, and as the decision whether
anything is better. (11) is implied: :math:`S_u` are the sums of times that the load of u can be, since the others are
at most the largest period looked for.

Interchangeable units are told apart by their loads (aggregated) or by the first groups that use them.

Class: mappings of one pattern (K = 1) without duplication, under any dispatch but stealing. T is the largest work per
frame of a unit or link, which a time-triggered schedule attains as its period.

References
----------
Without transfers this is R||Cmax with types, e.g. Fanjul-Peyro and Ruiz, "Iterated greedy local search methods for
unrelated parallel machine scheduling", European Journal of Operational Research 207, 2010; with ``host`` transfers
max-load device placement, Tarnawski et al., "Efficient algorithms for device placement of DNN graph operators",
NeurIPS 2020.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any, ClassVar

from mapopt.bounds.subset_sums import reachable_sums
from mapopt.instance import Instance
from mapopt.options import Options, option
from mapopt.placement.communication import Communication
from mapopt.placement.flows import Flow, flows
from mapopt.placement.problem import Problem
from mapopt.placement.symmetry import interchangeable_groups, interchangeable_units, relabelled
from mapopt.solvers.assignments import (
    MAX_CPSAT,
    PeriodFormulation,
    PeriodOptions,
    conclude,
    most_needed,
    most_work,
    start_units,
    too_large,
    value_of,
)
from mapopt.solvers.base import Task
from mapopt.solvers.cpsat import CpSatRun, Values, run
from mapopt.solvers.model import Answer, Objective, Status
from mapopt.solvers.placing import Placing, needs, separated
from mapopt.transfers import Blocking, Delay, Free, Host, Links

RELAXATION_SHARE = 0.4
"""Part of the time left that the aggregated relaxation may take before links are modelled."""

MAX_SUMS = 300
"""Most sums of times that the loads of a unit are restricted to."""

MAX_PERIODS = 10_000
"""Most sums of times that the period is restricted to."""

FIRST_TURN_S = 5.0
"""Seconds of the first attempt to improve, before the first to refute."""


@dataclass(frozen=True)
class PeriodAssignmentOptions(PeriodOptions):
    """Ingredients of the model that can be switched off."""

    aggregate: bool = option(True, "count the groups of a type on each unit instead of placing every group")
    symmetry: bool = option(True, "tell interchangeable units apart by order")
    reachable: bool = option(True, "let loads be sums of times only, where groups are counted")
    covers: bool = option(True, "limit how many long groups a unit takes, where transfers are modelled")


class PeriodAssignment(PeriodFormulation[PeriodAssignmentOptions]):
    """Assignment of nodes to units in CP-SAT; see the module."""

    name: ClassVar[str] = "period-assignment"
    summary: ClassVar[str] = (
        "assignment of nodes to units in CP-SAT, equal nodes counted, all transfer models"
    )
    reference: ClassVar[str] = "Fanjul-Peyro and Ruiz, EJOR 207, 2010; Tarnawski et al., NeurIPS 2020"
    options_type: ClassVar[type[Options]] = PeriodAssignmentOptions

    def rejects(self, instance: Instance) -> str | None:
        """Refuse numbers that overflow 64-bit integers."""
        most = max(most_work(instance), most_needed(instance))
        return too_large(most, MAX_CPSAT, "ticks, bytes or crossbars", "use larger units, e.g. tick_ps")

    def assign(self, task: Task, problem: Problem, start: list[int] | None) -> Answer:
        """Solve the model."""
        transfer = task.instance.transfer
        if self.options.aggregate and isinstance(transfer, Free | Delay):
            return _Counts(task, problem, start, self.options).solve()
        if self.options.aggregate and isinstance(transfer, Links):
            relaxed = _Counts(task, problem, start, self.options).solve(relaxation=True)
            if relaxed.status in (Status.OPTIMAL, Status.INFEASIBLE) or task.watch.stopped:
                return relaxed
            start = self._better(task, problem, start, relaxed)
            task = replace(task, bound=max(task.bound, relaxed.bound or 0))
        return self._alternate(task, problem, start)

    def _alternate(self, task: Task, problem: Problem, start: list[int] | None) -> Answer:
        """Improve the best solution and refute that there is a better one, in turns, for longer and longer."""
        limit_s = FIRST_TURN_S
        while True:
            best = _Assignment(task, problem, start, self.options).improve(limit_s)
            start = start_units(replace(task, start=best.mapping), problem) or start
            if best.status in (Status.OPTIMAL, Status.INFEASIBLE) or task.watch.stopped:
                return best
            task = replace(task, bound=max(task.bound, best.bound or 0))
            cutoff = task.cutoff if best.value is None else best.value
            if cutoff is not None:
                rest = _Assignment(replace(task, cutoff=cutoff), problem, start, self.options)
                better = rest.decide(2 * limit_s)
                if better.status is Status.INFEASIBLE:
                    unit_of = None if best.mapping is None else start
                    return conclude(task, problem, unit_of, Status.INFEASIBLE, cutoff)
                if better.mapping is not None:
                    best, start = better, start_units(replace(task, start=better.mapping), problem)
            if task.watch.stopped:
                return best
            limit_s *= 2

    def _better(
        self, task: Task, problem: Problem, start: list[int] | None, answer: Answer
    ) -> list[int] | None:
        """Return the better of two starts."""
        other = start_units(replace(task, start=answer.mapping), problem) if self.options.hint else None
        found = [each for each in (start, other) if each is not None]
        return min(found, key=lambda units: value_of(task, problem, units), default=None)


class _Model:
    """What both models share: the period, its limits, and the rules of one unit."""

    def __init__(self, task: Task, problem: Problem, start: Sequence[int] | None) -> None:
        from ortools.sat.python import cp_model

        self.task, self.problem, self.start = task, problem, start
        self.parts = interchangeable_units(problem)
        self.cp = cp_model.CpModel()
        self.most = most_work(task.instance)
        self.fallback: list[int] | None = None
        """The start, if it is below the cutoff."""
        if task.cutoff is not None:
            self.most = min(self.most, task.cutoff - 1)
        if start is not None:
            value = value_of(task, problem, start)
            if value <= self.most:
                self.most, self.fallback = value, list(start)
        self.period = self.cp.new_int_var(min(task.bound, self.most), max(0, self.most), "T")
        self.cp.minimize(self.period)

    @property
    def decided(self) -> bool:
        """Whether the limits of the period leave nothing to search: the start is optimal, or nothing is allowed."""
        return self.most < self.task.bound or (self.fallback is not None and self.most == self.task.bound)

    def conclude_undone(self) -> Answer:
        """Return the answer where nothing is to be searched."""
        if self.most < self.task.bound:
            return conclude(self.task, self.problem, None, Status.INFEASIBLE, None)
        return conclude(self.task, self.problem, self.fallback, Status.OPTIMAL, None)

    def work(self, unit: int, groups: Sequence[int], count: Sequence[Any]) -> Any:
        """Return the ticks of nodes on the unit."""
        time = self.problem.time[self.problem.unit_class[unit]]
        return sum(time[group] * each for group, each in zip(groups, count, strict=True))


class _Counts(_Model):
    """Types counted on each unit; transfers left out."""

    def __init__(
        self,
        task: Task,
        problem: Problem,
        start: Sequence[int] | None,
        options: PeriodAssignmentOptions,
    ) -> None:
        super().__init__(task, problem, start)
        symmetry = options.symmetry
        self.types = interchangeable_groups(problem)
        self.heads = [groups[0] for groups in self.types]
        self.allowed = [sorted(problem.allowed[head]) for head in self.heads]
        self.y = {
            (number, unit): self.cp.new_int_var(0, len(groups), f"y{number},{unit}")
            for number, groups in enumerate(self.types)
            for unit in self.allowed[number]
        }
        for number, groups in enumerate(self.types):
            self.cp.add(sum(self.y[number, unit] for unit in self.allowed[number]) == len(groups))  # (1)
        loads = [self._unit(unit) for unit in range(len(problem.unit_class))]
        if options.reachable:
            self._reachable(loads)
        self._apart()
        if symmetry:
            for part in self.parts:
                for one, other in pairwise(part):
                    self.cp.add(loads[one] >= loads[other])
        if start is not None:
            self._hint(start, symmetry)

    def solve(self, *, relaxation: bool = False) -> Answer:
        """Solve; as a ``relaxation`` only for a part of the time, and its value is measured with transfers."""
        if self.decided:
            return self.conclude_undone()
        limit = RELAXATION_SHARE * self.task.watch.left if relaxation else None
        found = run(self.cp, self.task.watch, Objective.PERIOD, limit_s=limit, reports=not relaxation)
        unit_of = self.fallback if found.values is None else self._decode(found.values)
        return conclude(self.task, self.problem, unit_of, found.status, found.bound)

    def _unit(self, unit: int) -> Any:
        """Add (2) and (4) of a unit and return its load."""
        here = [number for number, units in enumerate(self.allowed) if unit in units]
        heads, count = [self.heads[number] for number in here], [self.y[number, unit] for number in here]
        load = self.work(unit, heads, count)
        self.cp.add(load <= self.period)  # (4)
        for need, capacity in needs(self.problem, unit, heads, count):
            self.cp.add(need <= capacity)  # (2)
        return load

    def _reachable(self, loads: Sequence[Any]) -> None:
        """(11), for interchangeable units that share their types with no other; T is a sum, or the bound given."""
        from ortools.sat.python import cp_model

        periods: set[int] | None = {self.task.bound}
        for part in self.parts:
            here = [number for number, units in enumerate(self.allowed) if part[0] in units]
            time = self.problem.time[self.problem.unit_class[part[0]]]
            times = [time[group] for number in here for group in self.types[number]]
            closed = all(tuple(self.allowed[number]) == part for number in here)
            low = sum(times) - (len(part) - 1) * self.most if closed else 0
            sums = reachable_sums(times, min(low, self.task.bound), self.most)
            periods = None if periods is None or sums is None else periods.union(sums)
            within = [each for each in sums or () if each >= low]
            if 0 < len(within) <= MAX_SUMS:
                for unit in part:
                    self.cp.add_linear_expression_in_domain(loads[unit], cp_model.Domain.from_values(within))
        if periods is not None:
            above = sorted(each for each in periods if each >= self.task.bound)
            if len(above) <= MAX_PERIODS:
                self.cp.add_linear_expression_in_domain(self.period, cp_model.Domain.from_values(above))

    def _apart(self) -> None:
        """(3): groups that must be apart are types of their own."""
        number = {head: number for number, head in enumerate(self.heads)}
        for one, other, unit in separated(self.problem):
            self.cp.add(self.y[number[one], unit] + self.y[number[other], unit] <= 1)

    def _hint(self, start: Sequence[int], symmetry: bool) -> None:
        name = list(range(len(self.problem.unit_class)))
        if symmetry:
            load = Counter(name)
            for group, unit in enumerate(start):
                load[unit] += self.problem.time[self.problem.unit_class[unit]][group]
            for part in self.parts:
                for rank, unit in enumerate(sorted(part, key=lambda unit: (-load[unit], unit))):
                    name[unit] = part[rank]
        for number, groups in enumerate(self.types):
            placed = Counter(name[start[group]] for group in groups)
            for unit in self.allowed[number]:
                self.cp.add_hint(self.y[number, unit], placed[unit])

    def _decode(self, values: Values) -> list[int]:
        """Give each type's groups, in topological order, to its units, in unit order."""
        unit_of = [-1] * len(self.problem.groups)
        for number, groups in enumerate(self.types):
            units = [unit for unit in self.allowed[number] for _ in range(values(self.y[number, unit]))]
            for group, unit in zip(groups, units, strict=True):
                unit_of[group] = unit
        return unit_of


class _Assignment(_Model):
    """Every group placed by itself; all transfers."""

    def __init__(
        self,
        task: Task,
        problem: Problem,
        start: Sequence[int] | None,
        options: PeriodAssignmentOptions,
    ) -> None:
        super().__init__(task, problem, start)
        self.communication = Communication(task.instance)
        self.placing = placing = Placing(self.cp, problem)
        units = range(len(problem.unit_class))
        order = sorted(range(len(problem.groups)), key=lambda group: (-problem.own_time[group], group))
        self.charged: list[list[Any]] = [[] for _ in range(self.communication.n_resources)]
        """Terms of transfers on each unit and link."""
        if start is not None:
            self.start = start = relabelled(start, order, self.parts) if options.symmetry else start
            placing.hint(start)
        placing.place()  # (1)
        placing.separate()  # (3)
        for number, flow in enumerate(flows(problem)):
            self._flow(number, flow)
        for unit in units:
            here = placing.here(unit)
            work = self.work(unit, here, [placing.x[group, unit] for group in here])
            self.cp.add(work + sum(self.charged[unit]) <= self.period)  # (4)
            placing.capacities(unit)  # (2)
            if options.covers:
                self._cover(unit, here)
        for terms in self.charged[len(units) :]:
            self.cp.add(sum(terms) <= self.period)  # (9)
        if options.symmetry:
            for part in self.parts:
                placing.first_use(part, order)

    def improve(self, limit_s: float) -> Answer:
        """Minimise the period."""
        if self.decided:
            return self.conclude_undone()
        return self._answer(run(self.cp, self.task.watch, Objective.PERIOD, limit_s=limit_s))

    def decide(self, limit_s: float) -> Answer:
        """Find any assignment below the cutoff, or refute that there is one."""
        if self.decided:
            return self.conclude_undone()
        self.cp.clear_objective()  # type: ignore[no-untyped-call]
        strong = {"linearization_level": 2}
        return self._answer(
            run(self.cp, self.task.watch, Objective.PERIOD, limit_s=limit_s, parameters=strong)
        )

    def _answer(self, found: CpSatRun) -> Answer:
        unit_of = self.fallback if found.values is None else self.placing.unit_of(found.values)
        return conclude(self.task, self.problem, unit_of, found.status, found.bound)

    def _cover(self, unit: int, groups: Sequence[int]) -> None:
        """(10), for each number of groups that matters the longest suffix by time."""
        time = self.problem.time[self.problem.unit_class[unit]]
        ascending = sorted(groups, key=lambda group: (time[group], group))
        ticks = [0, *accumulate(time[group] for group in ascending)]
        before, end = None, 0
        for begin in range(len(ascending)):
            while end < len(ascending) and ticks[end + 1] - ticks[begin] <= self.most:
                end += 1
            if end == len(ascending):
                return
            if end - begin != before:
                before = end - begin
                self.cp.add(sum(self.placing.x[group, unit] for group in ascending[begin:]) <= before)

    def _flow(self, number: int, flow: Flow) -> None:
        """Add (5) to (8) and what the flow charges to units and links."""
        model, units = self.problem.instance.transfer, range(self.communication.n_units)
        ticks = sum(self.communication.once(tensor) for tensor in flow.tensors)
        if isinstance(model, Blocking) and ticks:
            for unit, times in self._sent(number, flow).items():
                self.charged[unit].append(ticks * times)
        elif isinstance(model, Host) and ticks:
            paying = [unit for unit in units if unit not in self.communication.hosts]
            for charges in (
                self.placing.entering(number, flow, paying),
                self.placing.leaving(number, flow, paying),
            ):
                for unit, times in charges.items():
                    self.charged[unit].append(ticks * times)
        elif isinstance(model, Links) and model.routes:
            for (source, target), times in self._between(number, flow).items():
                self._charge_links(flow, self.communication.route(source, target), times)
        elif isinstance(model, Links):
            link = {each.name: at for at, each in enumerate(model.links)}
            for unit, times in self._sent(number, flow).items():
                self._charge_links(flow, [link[name] for name in model.egress[unit]], times)
            for unit, times in self.placing.entering(number, flow, units).items():
                self._charge_links(flow, [link[name] for name in model.ingress[unit]], times)

    def _charge_links(self, flow: Flow, links: Iterable[int], times: Any) -> None:
        model = self.problem.instance.transfer
        rates = [link.bytes_per_s for link in model.links] if isinstance(model, Links) else []
        for link in links:
            ticks = sum(self.communication.send(tensor, rates[link]) for tensor in flow.tensors)
            if ticks:
                self.charged[self.communication.n_units + link].append(ticks * times)

    def _sent(self, number: int, flow: Flow) -> dict[int, Any]:
        """(7): s of the units that the producer may use."""
        if len(flow.readers) == 1:
            return self.placing.leaving(number, flow, range(self.communication.n_units))
        entering = self.placing.entering(number, flow, range(self.communication.n_units))
        found = {}
        for unit in sorted(self.problem.allowed[flow.producer]):
            found[unit] = times = self.cp.new_int_var(0, len(flow.readers), f"s{number},{unit}")
            here = self.placing.x[flow.producer, unit]
            self.cp.add(times >= sum(entering.values())).only_enforce_if(here)
            for reader in flow.readers:
                self.cp.add(times >= here - self.placing.on(reader, unit))
        return found

    def _between(self, number: int, flow: Flow) -> dict[tuple[int, int], Any]:
        """(8): w of all pairs of units that may be a source and a target."""
        entering = self.placing.entering(number, flow, range(self.communication.n_units))
        found = {}
        for source in sorted(self.problem.allowed[flow.producer]):
            for target, enters in entering.items():
                if source == target or not self.communication.route(source, target):
                    continue
                found[source, target] = moves = self.cp.new_bool_var(f"w{number},{source},{target}")
                self.cp.add_bool_or(moves, ~self.placing.x[flow.producer, source], ~enters)
        return found
