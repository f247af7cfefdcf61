r"""Minimal latency of a frame alone in the machine: scheduling of optional intervals with unit choice, for CP-SAT.

Class of schedules
------------------
One frame, time-triggered. Transfers are free, or delays that occupy nobody.

Sets
----
V          nodes; G groups of nodes that must share a unit (most have one node), g(v) the group of v.
P          units; P_g those that group g may use by class, pins and forbidden units.
E          edges (u, v) with the delay c_uv of the tensor between different units (0 if transfers are free).

Parameters
----------
d_vp       time of node v on unit p.
r_gp, m_g  crossbars and memory that group g needs; R_p, M_p what unit p has.
h_vk, t_vk least start of node v on class k, and least time from its end to the last output (`mapopt.bounds.modulo`).
H          the largest latency of interest.

Variables
---------
x_gp       1 if group g runs on unit p.
s_v        start of node v.
y_gh       1 only if groups g and h share a unit.
L          latency.

Objective
---------
minimise L, or in decisions any solution with L <= H.

Constraints
-----------
(1)  sum_p x_gp = 1                                               for every group
(2)  L >= s_v + sum_p d_vp x_gp                                   for every node without successors
(3)  h_vk <= s_v <= H - t_vk - d_vk  if v runs on class k         windows
(4)  on every unit p, the intervals [s_v, s_v + d_vp) of all v with x_g(v)p = 1 do not overlap; an interval of no
     length may not lie strictly inside another
(5)  s_v >= s_u + sum_p d_up x_g(u)p                              for every edge that may stay on a unit
(6)  s_v >= s_u + sum_p d_up x_g(u)p + c_uv  unless y_g(u)g(v)    for these; for all other edges always
(7)  y_gh = 1 -> x_gp = x_hp                                      for every unit
(8)  x_gp + x_hp <= 1                                             for groups that must be apart
(9)  sum_g r_gp x_gp <= R_p,  sum_g m_g x_gp <= M_p
(10) of interchangeable units, the i-th group in topological order uses one of the first i

Where transfers are free and every node may use any unit of one part of interchangeable units without limits, units are
anonymous (P | prec | Cmax and several such machines): x, y and (1), (4), (6)-(10) give way to
(11) at any time at most |part| of the part's intervals are running.
Units follow from colouring the interval graph by start. Nodes of no length are then put where their data are: they
start with the last end before them, on that node's unit; this is why, with them, there must be one part only.

In the emulator
---------------
L is the latency of the time-triggered mapping with starts s and horizon max(1, L), as
`mapopt.emulator.timetriggered.judge` measures it, and no time-triggered schedule of any period is faster.

References
----------
P. Baptiste, C. Le Pape, W. Nuijten: Constraint-based scheduling. Kluwer, 2001. U. Dorndorf: Project scheduling with
time windows. Physica, 2002.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from mapopt.bounds.modulo import Windows
from mapopt.errors import InfeasibleError, UnsupportedError
from mapopt.instance import Instance
from mapopt.mapping import Mapping
from mapopt.options import Options, option
from mapopt.placement.communication import Communication
from mapopt.placement.problem import Problem
from mapopt.placement.symmetry import interchangeable_units, relabelled
from mapopt.solvers.base import Task
from mapopt.solvers.cpsat import Values, run
from mapopt.solvers.horizons import horizon
from mapopt.solvers.model import Answer, Objective, Status
from mapopt.solvers.timed import timed_mapping
from mapopt.transfers import Delay, Free

MAX_HORIZON = 2**46
"""Largest latency in ticks that the model can look for without overflow inside CP-SAT."""


@dataclass(frozen=True)
class LatencySingleOptions(Options):
    """Ingredients of the model; all are on unless a study switches them off."""

    strong_propagation: bool = option(True, "CP-SAT's stronger propagation of disjunctive resources")
    windows: bool = option(True, "windows (3) from paths, and hard delays in (6) where units have to differ")
    anonymous: bool = option(True, "anonymous units (11) where the instance allows it")
    symmetry: bool = option(True, "order (10) of interchangeable units")
    hint: bool = option(True, "start from the task's mapping")


class LatencySingle:
    """The model above as a :class:`mapopt.solvers.base.Formulation`."""

    name: ClassVar[str] = "latency-single"
    summary: ClassVar[str] = "least latency of a frame alone, by interval scheduling in CP-SAT"
    objectives: ClassVar[tuple[Objective, ...]] = (Objective.LATENCY,)
    pipelined: ClassVar[bool] = False
    contiguous: ClassVar[bool] = False
    schedule_class: ClassVar[str] = "time-triggered, one frame alone"
    solvers: ClassVar[tuple[str, ...]] = ("cpsat",)
    reference: ClassVar[str] = "Baptiste, Le Pape and Nuijten 2001"
    options_type: ClassVar[type[Options]] = LatencySingleOptions

    def __init__(self, options: LatencySingleOptions) -> None:
        self.options = options

    def rejects(self, instance: Instance) -> str | None:
        """Return why the model does not support the instance, or ``None``."""
        if not isinstance(instance.transfer, (Free, Delay)):
            kind = type(instance.transfer).__name__.lower()
            return f"its transfers are free or delays; the instance's are {kind!r}"
        return None

    def solve(self, task: Task) -> Answer:
        """Solve, see :meth:`mapopt.solvers.base.Formulation.solve`.

        Raises
        ------
        UnsupportedError
            If the instance's transfers are of another kind, a period is given, or times are too large.
        """
        reason = self.rejects(task.instance)
        if reason is None and task.period is not None:
            reason = "it is about a frame alone; give no period"
        if reason is not None:
            raise UnsupportedError(f"formulation {self.name!r}: {reason}")
        try:
            windows = Windows(Problem(task.instance), None)
        except InfeasibleError as error:
            return Answer(Status.INFEASIBLE, reason=str(error))
        bound = max(task.bound, windows.critical)
        most = horizon(task)
        if most > MAX_HORIZON:
            raise UnsupportedError(
                f"formulation {self.name!r}: latencies up to {most} ticks are looked for; it can do {MAX_HORIZON}; "
                "use a larger tick_ps"
            )
        if most < bound:
            return Answer(Status.INFEASIBLE, bound=task.cutoff, reason=f"no latency is below {bound} ticks")
        return _Model(self.options, task, windows, bound, most).solve()


class _Model:
    """One CP-SAT model; each method states the constraints named after it."""

    def __init__(
        self, options: LatencySingleOptions, task: Task, windows: Windows, bound: int, horizon: int
    ) -> None:
        from ortools.sat.python import cp_model

        self.options, self.task, self.windows, self.problem = options, task, windows, windows.problem
        self.bound, self.horizon = bound, horizon
        self.communication = Communication(task.instance)
        self.parts = interchangeable_units(self.problem)
        self.nodes = range(len(task.instance.nodes))
        self.order = list(dict.fromkeys(self.problem.group_of[node] for node in windows.order))
        self.model = cp_model.CpModel()
        self.latency = self.model.new_int_var(bound, horizon, "L")
        self.is_anonymous = options.anonymous and self._may_be_anonymous()
        self.staying: dict[tuple[int, int], Any] = {}
        self._choose_units()
        self._start_in_windows()
        if self.is_anonymous:
            self._never_too_many()
        else:
            self._never_overlap()
        self._precede()
        if not self.is_anonymous:
            self._keep_apart()
            self._keep_capacities()
            if options.symmetry:
                self._order_units()
        if options.hint and task.start is not None:
            self._hint(task.start)
        if not task.decision:
            self.model.minimize(self.latency)

    def solve(self) -> Answer:
        """Run the model and read its solution."""
        parameters = {"use_strong_propagation_in_disjunctive": self.options.strong_propagation}
        found = run(self.model, self.task.watch, Objective.LATENCY, parameters=parameters)
        if found.status is Status.INFEASIBLE:
            cutoff = self.task.cutoff
            reason = "" if cutoff is None else f"no latency is below {cutoff} ticks"
            return Answer(Status.INFEASIBLE, bound=cutoff, reason=reason)
        bound = self.bound if found.bound is None else max(self.bound, found.bound)
        if found.values is None:
            return Answer(found.status, bound=bound)
        mapping, value = self._decode(found.values)
        status = Status.OPTIMAL if value == bound else Status.FEASIBLE
        return Answer(status, mapping, value, bound)

    def _may_be_anonymous(self) -> bool:
        problem, instance = self.problem, self.task.instance
        parts = {frozenset(part) for part in self.parts}
        used = set(problem.allowed)
        return (
            used <= parts
            and len(problem.groups) == len(self.nodes)
            and not any(problem.apart)
            and not problem.is_limited
            and all(self.communication.once(tensor) == 0 for tensor in range(len(instance.tensors)))
            and (len(used) == 1 or all(self.problem.own_time))
        )

    def _choose_units(self) -> None:
        """(1) Every group runs on one unit."""
        if self.is_anonymous:
            return
        self.on = [
            {unit: self.model.new_bool_var(f"x{group},{unit}") for unit in sorted(allowed)}
            for group, allowed in enumerate(self.problem.allowed)
        ]
        for choice in self.on:
            self.model.add_exactly_one(choice.values())

    def _choice(self, node: int) -> dict[int, Any]:
        return self.on[self.problem.group_of[node]]

    def _length(self, node: int) -> Any:
        """Return sum_p d_vp x_gp, a constant where all classes take the same time."""
        times = [self.problem.node_time[kind][node] for kind in self.windows.kinds[node]]
        if len(set(times)) == 1:
            return times[0]
        return sum(self.problem.duration(node, unit) * on for unit, on in self._choice(node).items())

    def _start_in_windows(self) -> None:
        """(2) The latency is the last end; (3) starts lie between the paths before and after."""
        self.start = []
        for node in self.nodes:
            kinds = self.windows.kinds[node]
            head = self.windows.head[node] if self.options.windows else [0] * len(kinds)
            tail = self.windows.tail[node] if self.options.windows else [0] * len(kinds)
            early = dict(zip(kinds, head, strict=True))
            late = {
                kind: self.horizon - rest - self.problem.node_time[kind][node]
                for kind, rest in zip(kinds, tail, strict=True)
            }
            first, last = min(early.values()), max(late.values())
            start = self.model.new_int_var(first, max(first, last), f"s{node}")
            self.start.append(start)
            if len(kinds) > 1:
                for unit, chosen in self._choice(node).items():
                    kind = self.problem.unit_class[unit]
                    if early[kind] > late[kind]:
                        self.model.add(chosen == 0)
                    elif (early[kind], late[kind]) != (first, last):
                        within = self.model.add_linear_constraint(start, early[kind], late[kind])
                        within.only_enforce_if(chosen)
            if not self.task.instance.successors[node]:
                self.model.add(self.latency >= start + self._length(node))

    def _never_overlap(self) -> None:
        """(4) One at a time on every unit."""
        intervals: dict[int, list[Any]] = {}
        for node in self.nodes:
            for unit, chosen in self._choice(node).items():
                length = self.problem.duration(node, unit)
                intervals.setdefault(unit, []).append(
                    self.model.new_optional_fixed_size_interval_var(
                        self.start[node], length, chosen, f"{node},{unit}"
                    )
                )
        for each in intervals.values():
            self.model.add_no_overlap(each)

    def _never_too_many(self) -> None:
        """(11) No more at a time than there are units."""
        for part in self.parts:
            intervals = [
                self.model.new_fixed_size_interval_var(self.start[node], self._length(node), f"{node}")
                for node in self.nodes
                if part[0] in self.problem.allowed[node] and self._length(node)
            ]
            self.model.add_cumulative(intervals, [1] * len(intervals), len(part))

    def _precede(self) -> None:
        """(5), (6), (7) Data are there in time; a tensor that stays on its unit takes no time."""
        problem = self.problem
        for before, after, tensor in self.task.instance.edges:
            pair = problem.group_of[before], problem.group_of[after]
            end = self.start[before] + self._length(before)
            delay = self.communication.once(tensor)
            if pair[0] == pair[1] or delay == 0:
                self.model.add(self.start[after] >= end)
            elif self._may_share(*pair):
                if pair not in self.staying:
                    self.staying[pair] = self._shared(*pair)
                self.model.add(self.start[after] >= end)
                self.model.add(self.start[after] >= end + delay).only_enforce_if(self.staying[pair].negated())
            else:
                self.model.add(self.start[after] >= end + delay)

    def _may_share(self, one: int, other: int) -> bool:
        common = [unit for unit in self.on[one] if unit in self.on[other]]
        if not self.options.windows:
            return bool(common)
        return any(self.windows.may_share(one, other, self.problem.unit_class[unit]) for unit in common)

    def _shared(self, one: int, other: int) -> Any:
        """Return y_gh with (7)."""
        shared = self.model.new_bool_var(f"y{one},{other}")
        for unit in sorted({*self.on[one], *self.on[other]}):
            first, second = self.on[one].get(unit, False), self.on[other].get(unit, False)
            self.model.add(first == second).only_enforce_if(shared)
        return shared

    def _keep_apart(self) -> None:
        """(8) Groups that a rule keeps apart."""
        for one, others in enumerate(self.problem.apart):
            for other in others:
                for unit in self.on[one]:
                    if one < other and unit in self.on[other]:
                        self.model.add_at_most_one(self.on[one][unit], self.on[other][unit])

    def _keep_capacities(self) -> None:
        """(9) What runs on a unit fits into it."""
        problem = self.problem
        for unit, spec in enumerate(self.task.instance.units):
            here = [(group, choice[unit]) for group, choice in enumerate(self.on) if unit in choice]
            crossbars = problem.crossbars[problem.unit_class[unit]]
            if spec.crossbars is not None:
                self.model.add(sum(crossbars[group] * chosen for group, chosen in here) <= spec.crossbars)
            if spec.memory_bytes is not None:
                need = problem.memory_bytes
                self.model.add(sum(need[group] * chosen for group, chosen in here) <= spec.memory_bytes)

    def _order_units(self) -> None:
        """(10) The i-th group that may use interchangeable units uses one of the first i."""
        for part in self.parts:
            users = [group for group in self.order if part[0] in self.on[group]]
            for position, group in enumerate(users):
                for unit in part[position + 1 :]:
                    self.model.add(self.on[group][unit] == 0)

    def _hint(self, mapping: Mapping) -> None:
        """Hint at a mapping, its interchangeable units renamed by (10)."""
        problem, model = self.problem, self.model
        if not self.is_anonymous:
            units = mapping.assignment(self.task.instance)[0]
            homes = [units[group[0]] for group in problem.groups]
            if self.options.symmetry:
                homes = relabelled(homes, self.order, self.parts)
            for group, choice in enumerate(self.on):
                for unit, chosen in choice.items():
                    model.add_hint(chosen, homes[group] == unit)
            for (one, other), shared in self.staying.items():
                model.add_hint(shared, homes[one] == homes[other])
        starts = mapping.patterns[0].starts
        if starts is not None:
            for node, place in enumerate(mapping.positions(self.task.instance)):
                model.add_hint(self.start[node], starts[place])

    def _decode(self, value: Values) -> tuple[Mapping, int]:
        """Return the mapping and its latency."""
        instance, problem = self.task.instance, self.problem
        starts = [value(start) for start in self.start]
        if self.is_anonymous:
            units = self._colour(starts)
        else:
            home = [next(unit for unit, chosen in choice.items() if value(chosen)) for choice in self.on]
            units = [home[group] for group in problem.group_of]
        first = min(starts)
        starts = [start - first for start in starts]
        latency = max(start + problem.duration(node, units[node]) for node, start in enumerate(starts))
        return timed_mapping(instance, units, starts, {}, max(1, latency)), latency

    def _colour(self, starts: list[int]) -> list[int]:
        """Give anonymous intervals their units; starts of nodes of no length move to the last end before them."""
        problem, windows = self.problem, self.windows
        length = [problem.node_time[windows.kinds[node][0]][node] for node in self.nodes]
        units = [min(problem.allowed[node]) for node in self.nodes]
        free = dict.fromkeys(range(len(problem.unit_class)), 0)
        for node in sorted((node for node in self.nodes if length[node]), key=lambda node: starts[node]):
            units[node] = next(unit for unit in sorted(problem.allowed[node]) if free[unit] <= starts[node])
            free[units[node]] = starts[node] + length[node]
        for node in windows.order:
            if length[node] == 0:
                starts[node] = 0
                for before, _ in self.task.instance.entering[node]:
                    if starts[before] + length[before] > starts[node]:
                        starts[node], units[node] = starts[before] + length[before], units[before]
        return units
