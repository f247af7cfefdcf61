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
(4)  s_v >= s_u + sum_p d_up x_g(u)p                              for every edge that may stay on a unit
(5)  s_v >= s_u + sum_p d_up x_g(u)p + c_uv  unless y_g(u)g(v)    for these; for all other edges always
(6)  y_gh = 1 -> x_gp = x_hp                                      for every unit
(7)  x_gp + x_hp <= 1                                             for groups that must be apart
(8)  sum_g r_gp x_gp <= R_p,  sum_g m_g x_gp <= M_p
(9)  of interchangeable units, the i-th group in topological order uses one of the first i
(10) on every unit p, the intervals [s_v, s_v + d_vp) of all v with x_g(v)p = 1 do not overlap; an interval of no
     length may not lie strictly inside another

Where transfers are free and every node may use any unit of one part of interchangeable units without limits, units are
anonymous (P | prec | Cmax and several such machines): x, y and (1), (5)-(10) give way to
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
from mapopt.mapping import Mapping
from mapopt.options import Options, Tune, option
from mapopt.placement.problem import Problem
from mapopt.solvers.base import Task
from mapopt.solvers.cpsat import Values
from mapopt.solvers.cpsat_options import CpSatOptions
from mapopt.solvers.intervals import IntervalModel
from mapopt.solvers.latencies import UncontendedFormulation, none_below
from mapopt.solvers.model import Answer
from mapopt.solvers.timed import timed_mapping


@dataclass(frozen=True)
class LatencySingleOptions(CpSatOptions):
    """Ingredients of the model; all are on unless a study switches them off."""

    strong_propagation: bool = option(
        True, "CP-SAT's stronger propagation of disjunctive resources", tune=Tune()
    )
    windows: bool = option(
        True, "windows (3) from paths, and hard delays in (5) where units have to differ", tune=Tune()
    )
    anonymous: bool = option(True, "anonymous units (11) where the instance allows it", tune=Tune())
    symmetry: bool = option(True, "order (9) of interchangeable units", tune=Tune())
    hint: bool = option(True, "start from the task's mapping")


class LatencySingle(UncontendedFormulation[LatencySingleOptions]):
    """The model above."""

    name: ClassVar[str] = "latency-single"
    summary: ClassVar[str] = "least latency of a frame alone, by interval scheduling in CP-SAT"
    schedule_class: ClassVar[str] = "time-triggered, one frame alone"
    reference: ClassVar[str] = "Baptiste, Le Pape and Nuijten 2001"
    options_type: ClassVar[type[Options]] = LatencySingleOptions

    def minimise(self, task: Task, problem: Problem) -> Answer:
        """Solve the model between the longest paths and the largest latency of interest."""
        windows = Windows(problem, None)
        bound, latest = max(task.bound, windows.critical), self.horizon(task)
        if latest < bound:
            return none_below(bound)
        model = _Model(self.options, task, windows, bound, latest)
        return model.solve(self.options.parameters, strong_propagation=self.options.strong_propagation)


class _Model(IntervalModel):
    """One CP-SAT model; each method states the constraints named after it."""

    def __init__(
        self, options: LatencySingleOptions, task: Task, windows: Windows, bound: int, horizon: int
    ) -> None:
        super().__init__(task, windows, bound, horizon, by_paths=options.windows)
        self.is_anonymous = options.anonymous and self._may_be_anonymous()
        order = list(dict.fromkeys(self.problem.group_of[node] for node in windows.order))
        if self.is_anonymous:
            self.start_in_windows()
            self.never_too_many()
            self.precede()
        else:
            self.choose_units()
            self.start_in_windows()
            self.never_overlap()
            self.precede()
            self.keep_apart()
            self.keep_capacities()
            if options.symmetry:
                self.order_units(order)
        if options.hint and task.start is not None:
            if not self.is_anonymous:
                self.hint_units(task.start, order if options.symmetry else None)
            self._hint_starts(task.start)
        if not task.decision:
            self.model.minimize(self.latency)

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

    def never_overlap(self) -> None:
        """(10) One at a time on every unit."""
        intervals: dict[int, list[Any]] = {}
        for node in self.nodes:
            for unit, chosen in self.choice(node).items():
                length = self.problem.duration(node, unit)
                intervals.setdefault(unit, []).append(
                    self.model.new_optional_fixed_size_interval_var(
                        self.start[node], length, chosen, f"{node},{unit}"
                    )
                )
        for each in intervals.values():
            self.model.add_no_overlap(each)

    def never_too_many(self) -> None:
        """(11) No more at a time than there are units."""
        for part in self.parts:
            intervals = [
                self.model.new_fixed_size_interval_var(self.start[node], self.length(node), f"{node}")
                for node in self.nodes
                if part[0] in self.problem.allowed[node] and self.length(node)
            ]
            self.model.add_cumulative(intervals, [1] * len(intervals), len(part))

    def _hint_starts(self, mapping: Mapping) -> None:
        starts = mapping.patterns[0].starts
        if starts is not None:
            for node, place in enumerate(mapping.positions(self.task.instance)):
                self.model.add_hint(self.start[node], starts[place])

    def decode(self, value: Values) -> tuple[Mapping, int]:
        """Return the mapping and its latency."""
        instance, problem = self.task.instance, self.problem
        starts = [value(start) for start in self.start]
        units = self._colour(starts) if self.is_anonymous else self.units(value)
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
