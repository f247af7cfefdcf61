r"""Minimal latency of a pipelined stream: circular (modulo) scheduling with unit choice, for CP-SAT.

Class of schedules
------------------
Time-triggered with one pattern (K = 1): frame f starts node v at s_v + f T. Transfers are free, or delays that occupy
nobody. The period T is a constant, or a variable in a range (minimal latency is not monotone in T).

Sets
----
V          nodes; G groups of nodes that must share a unit (most have one node), g(v) the group of v.
P          units; P_g those that group g may use by class, pins and forbidden units; K_v classes of node v.
E          edges (u, v) with the delay c_uv of the tensor between different units (0 if transfers are free).

Parameters
----------
d_vp       time of node v on unit p; d_gp the sum over a group.
r_gp, m_g  crossbars and memory that group g needs; R_p, M_p what unit p has.
h_vk, t_vk least start of node v on class k, and least time from its end to the last output (`mapopt.bounds.modulo`).
H          the largest latency of interest.

Variables
---------
x_gp       1 if group g runs on unit p.
s_v        start of node v in frame 0;  s_v = q_v T + o_v  with stage q_v and offset 0 <= o_v < T.
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
     s_v = 0  for the only node without predecessors, if there is only one: all can be shifted
(4)  s_v >= s_u + sum_p d_up x_g(u)p                              for every edge that may stay on a unit
(5)  s_v >= s_u + sum_p d_up x_g(u)p + c_uv  unless y_g(u)g(v)    for these; for all other edges always
(6)  y_gh = 1 -> x_gp = x_hp                                      for every unit
(7)  x_gp + x_hp <= 1                                             for groups that must be apart
(8)  sum_g r_gp x_gp <= R_p,  sum_g m_g x_gp <= M_p
(9)  of interchangeable units, the i-th group in a fixed order uses one of the first i; pairwise incompatible groups
     come first
(10) s_v = q_v T + o_v
(11) on every unit p, the intervals [o_v, o_v + d_vp) and [o_v + T, o_v + T + d_vp) of all v with x_g(v)p = 1 do not
     overlap: two copies over [0, 2T) tell whether arcs overlap on the circle of length T. An interval of no length may
     not lie strictly inside another.
(12) sum_g d_gp x_gp <= T                                         for every unit
(13) x_gp + x_hp <= 1  for nodes whose windows leave no room for each other: s_w - s_v in [lo, hi] has no point in any
     [n T + d_vp, (n + 1) T - d_wp], n integer

In the emulator
---------------
L is the latency of the time-triggered mapping with starts s and horizon T, as `mapopt.emulator.timetriggered.judge`
measures it; (11) forbids what the judge forbids.

References
----------
C. Hanen, A. Munier: A study of the cyclic scheduling problem on parallel processors. Discrete Applied Mathematics 57,
1995. B. R. Rau: Iterative modulo scheduling. MICRO-27, 1994. Destructive bounds: R. Klein, A. Scholl: Computing lower
bounds by destructive improvement. European Journal of Operational Research 112, 1999.
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
from mapopt.solvers.model import Answer, PeriodRange, Status
from mapopt.solvers.timed import timed_mapping

Clashes = dict[tuple[int, int], list[int]]
"""By pairs of groups: the classes on which their nodes leave no room for each other."""


@dataclass(frozen=True)
class LatencyModuloOptions(CpSatOptions):
    """Ingredients of the model; all are on unless a study switches them off."""

    strong_propagation: bool = option(
        True, "CP-SAT's stronger propagation of disjunctive resources", tune=Tune()
    )
    windows: bool = option(
        True, "windows (3) from paths, and hard delays in (5) where units have to differ", tune=Tune()
    )
    anchor: bool = option(True, "start 0 of the only source in (3)")
    incompatible: bool = option(True, "pairs (13) whose windows leave no room for each other", tune=Tune())
    load: bool = option(True, "load rows (12), which (11) implies", tune=Tune())
    symmetry: bool = option(True, "order (9) of interchangeable units", tune=Tune())
    hint: bool = option(True, "start from the task's mapping")


class LatencyModulo(UncontendedFormulation[LatencyModuloOptions]):
    """The model above."""

    name: ClassVar[str] = "latency-modulo"
    summary: ClassVar[str] = "least latency of a stream with limited period, by circular scheduling in CP-SAT"
    pipelined: ClassVar[bool] = True
    schedule_class: ClassVar[str] = "time-triggered, one pattern (K = 1)"
    reference: ClassVar[str] = "Hanen and Munier 1995; Rau 1994"
    options_type: ClassVar[type[Options]] = LatencyModuloOptions

    def __init__(self, options: LatencyModuloOptions | None = None) -> None:
        super().__init__(options)
        self._windows: Windows | None = None

    def minimise(self, task: Task, problem: Problem) -> Answer:
        """Solve the model between the longest paths and the largest latency of interest."""
        assert task.period is not None
        windows = self._windows_of(problem, task.period.high)
        if not windows.feasible:
            group = problem.group_of[windows.kinds.index(())]
            reason = f"{problem.names(group)}: takes longer than the period of {task.period.high} ticks"
            return Answer(Status.INFEASIBLE, reason=reason)
        bound, latest = max(task.bound, windows.critical), self.horizon(task)
        if latest < bound:
            return none_below(bound)
        model = _Model(self.options, task, task.period, windows, bound, latest)
        return model.solve(self.options.parameters, strong_propagation=self.options.strong_propagation)

    def _windows_of(self, problem: Problem, period: int) -> Windows:
        """Return the windows, kept from one call to the next."""
        kept = self._windows
        if kept is None or kept.problem.instance is not problem.instance or kept.period != period:
            kept = self._windows = Windows(problem, period)
        return kept


class _Model(IntervalModel):
    """One CP-SAT model; each method states the constraints named after it."""

    def __init__(
        self,
        options: LatencyModuloOptions,
        task: Task,
        period: PeriodRange,
        windows: Windows,
        bound: int,
        horizon: int,
    ) -> None:
        super().__init__(task, windows, bound, horizon, by_paths=options.windows)
        self.low, self.high = period.low, period.high
        self.choose_units()
        sources = [node for node, before in enumerate(task.instance.predecessors) if not before]
        self.start_in_windows(sources if options.anchor and len(sources) == 1 else ())
        self.split_starts()
        self.never_overlap()
        if options.load:
            self.limit_loads()
        self.precede()
        self.keep_apart()
        clashes = self._clashes() if options.incompatible else {}
        for (one, other), kinds in clashes.items():
            units = [unit for unit in self.on[one] if self.problem.unit_class[unit] in kinds]
            self.forbid_sharing(one, other, units)  # (13)
        self.keep_capacities()
        order = self._order(clashes) if options.symmetry else None
        if order is not None:
            self.order_units(order)
        if options.hint and task.start is not None:
            self.hint_units(task.start, order)
            self._hint_starts(task.start)
        if not task.decision:
            self.model.minimize(self.latency)

    def split_starts(self) -> None:
        """(10) s_v = q_v T + o_v; with a fixed period and one possible stage the offset needs no variable."""
        model = self.model
        self.stage: list[Any] = []
        self.offset: list[Any] = []
        for node, start in enumerate(self.start):
            first = min(self.earliest[node].values()) // self.high
            last = max(first, max(self.latest[node].values()) // self.low)
            if first == last and self.low == self.high:
                self.stage.append(first)
                self.offset.append(start - first * self.low)
                continue
            offset = model.new_int_var(0, self.high - 1, f"o{node}")
            stage = model.new_int_var(first, last, f"q{node}")
            self.stage.append(stage)
            self.offset.append(offset)
            if self.low == self.high:
                model.add(start == stage * self.low + offset)
                continue
            model.add(offset < self.period)
            for number in range(first, last + 1):
                here = model.new_bool_var(f"q{node}={number}")
                model.add(stage == number).only_enforce_if(here)
                model.add(stage != number).only_enforce_if(here.negated())
                model.add(start == number * self.period + offset).only_enforce_if(here)

    def never_overlap(self) -> None:
        """(11) Two copies of every interval, one period apart, on the node's unit."""
        intervals: dict[int, list[Any]] = {}
        for node, offset in enumerate(self.offset):
            again = offset + self.low
            if self.low < self.high:
                again = self.model.new_int_var(0, 2 * self.high - 1, f"o{node}+T")
                self.model.add(again == offset + self.period)
            for unit, chosen in self.choice(node).items():
                length = self.problem.duration(node, unit)
                intervals.setdefault(unit, []).extend(
                    self.model.new_optional_fixed_size_interval_var(begin, length, chosen, f"{node},{unit}")
                    for begin in (offset, again)
                )
        for copies in intervals.values():
            self.model.add_no_overlap(copies)

    def limit_loads(self) -> None:
        """(12) A unit works for at most a period per frame."""
        for unit in range(len(self.problem.unit_class)):
            kind = self.problem.unit_class[unit]
            work = [
                self.problem.time[kind][group] * choice[unit]
                for group, choice in enumerate(self.on)
                if unit in choice
            ]
            self.model.add(sum(work) <= self.period)

    def _clashes(self) -> Clashes:
        """Return the classes on which the nodes of two groups leave no room for each other."""
        problem, found = self.problem, dict[tuple[int, int], list[int]]()
        for kind in range(len(problem.units_of)):
            nodes = [node for node in self.windows.order if kind in self.earliest[node]]
            for at, node in enumerate(nodes):
                distance = self.windows.distances(node)
                for other in nodes[at + 1 :]:
                    pair = problem.group_of[node], problem.group_of[other]
                    if pair[0] != pair[1] and self._clash(node, other, kind, distance.get(other)):
                        kinds = found.setdefault((min(pair), max(pair)), [])
                        if kind not in kinds:
                            kinds.append(kind)
        return found

    def _clash(self, one: int, other: int, kind: int, distance: int | None) -> bool:
        """Return whether no difference of two starts in their windows keeps the nodes from overlapping."""
        length, following = self.problem.node_time[kind][one], self.problem.node_time[kind][other]
        if length + following > self.high:
            return True
        if self.low < self.high:
            return False
        least = self.earliest[other][kind] - self.latest[one][kind]
        most = self.latest[other][kind] - self.earliest[one][kind]
        if distance is not None:
            least = max(least, distance)
        turn = -(-(least - self.high + following) // self.high)
        return max(least, turn * self.high + length) > most

    def _order(self, clashes: Clashes) -> list[int]:
        """Return the groups in the order of (9)."""
        order = list(dict.fromkeys(self.problem.group_of[node] for node in self.windows.order))
        first = [group for part in self.parts for group in self._clique(part, order, clashes)]
        return list(dict.fromkeys([*first, *order]))

    def _clique(self, part: tuple[int, ...], order: list[int], clashes: Clashes) -> list[int]:
        """Return groups that have to be on different units of a part, greedily."""
        kind = self.problem.unit_class[part[0]]
        inside = [group for group in order if set(self.on[group]) <= set(part)]
        rivals: dict[int, set[int]] = {group: set() for group in inside}
        for (one, other), kinds in clashes.items():
            if kind in kinds and one in rivals and other in rivals:
                rivals[one].add(other)
                rivals[other].add(one)
        clique: list[int] = []
        for group in sorted(inside, key=lambda group: -len(rivals[group])):
            if all(other in rivals[group] for other in clique):
                clique.append(group)
        return clique

    def _hint_starts(self, mapping: Mapping) -> None:
        model = self.model
        starts, period = mapping.patterns[0].starts, mapping.horizon
        if starts is None or period is None or not self.low <= period <= self.high:
            return
        if self.low < self.high:
            model.add_hint(self.period, period)
        for node, place in enumerate(mapping.positions(self.task.instance)):
            model.add_hint(self.start[node], starts[place])
            if not isinstance(self.stage[node], int):
                model.add_hint(self.stage[node], starts[place] // period)
                model.add_hint(self.offset[node], starts[place] % period)

    def decode(self, value: Values) -> tuple[Mapping, int]:
        """Return the mapping with every start as early as its offset allows, and its latency."""
        instance, units = self.task.instance, self.units(value)
        length = [self.problem.duration(node, unit) for node, unit in enumerate(units)]
        period, first = value(self.period), min(map(value, self.start))
        starts = [0] * len(units)
        for node in instance.topological_order:
            ready = max(
                (
                    starts[before]
                    + length[before]
                    + self.communication.delay(tensor, units[before], units[node])
                    for before, tensor in instance.entering[node]
                ),
                default=0,
            )
            starts[node] = ready + (value(self.start[node]) - first - ready) % period
        mapping = timed_mapping(instance, units, starts, {}, period)
        return mapping, max(map(int.__add__, starts, length))
