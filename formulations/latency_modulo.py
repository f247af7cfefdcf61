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
(4)  s_v = q_v T + o_v
(5)  on every unit p, the intervals [o_v, o_v + d_vp) and [o_v + T, o_v + T + d_vp) of all v with x_g(v)p = 1 do not
     overlap: two copies over [0, 2T) tell whether arcs overlap on the circle of length T. An interval of no length may
     not lie strictly inside another.
(6)  sum_g d_gp x_gp <= T                                         for every unit
(7)  s_v >= s_u + sum_p d_up x_g(u)p                              for every edge that may stay on a unit
(8)  s_v >= s_u + sum_p d_up x_g(u)p + c_uv  unless y_g(u)g(v)    for these; for all other edges always
(9)  y_gh = 1 -> x_gp = x_hp                                      for every unit
(10) x_gp + x_hp <= 1  for groups that must be apart, and for nodes whose windows leave no room for each other:
     s_w - s_v in [lo, hi] has no point in any [n T + d_vp, (n + 1) T - d_wp], n integer
(11) sum_g r_gp x_gp <= R_p,  sum_g m_g x_gp <= M_p
(12) of interchangeable units, the i-th group in a fixed order uses one of the first i; pairwise incompatible groups
     come first

In the emulator
---------------
L is the latency of the time-triggered mapping with starts s and horizon T, as `mapopt.emulator.timetriggered.judge`
measures it; (5) forbids what the judge forbids.

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
from mapopt.solvers.model import Answer, Objective, PeriodRange, Status
from mapopt.solvers.timed import timed_mapping
from mapopt.transfers import Delay, Free

MAX_HORIZON = 2**46
"""Largest latency in ticks that the model can look for without overflow inside CP-SAT."""


@dataclass(frozen=True)
class LatencyModuloOptions(Options):
    """Ingredients of the model; all are on unless a study switches them off."""

    strong_propagation: bool = option(True, "CP-SAT's stronger propagation of disjunctive resources")
    windows: bool = option(True, "windows (3) from paths, and hard delays in (8) where units have to differ")
    anchor: bool = option(True, "start 0 of the only source in (3)")
    incompatible: bool = option(True, "pairs (10) whose windows leave no room for each other")
    load: bool = option(True, "load rows (6), which (5) implies")
    symmetry: bool = option(True, "order (12) of interchangeable units")
    hint: bool = option(True, "start from the task's mapping")


class LatencyModulo:
    """The model above as a :class:`mapopt.solvers.base.Formulation`."""

    name: ClassVar[str] = "latency-modulo"
    summary: ClassVar[str] = "least latency of a stream with limited period, by circular scheduling in CP-SAT"
    objectives: ClassVar[tuple[Objective, ...]] = (Objective.LATENCY,)
    pipelined: ClassVar[bool] = True
    contiguous: ClassVar[bool] = False
    schedule_class: ClassVar[str] = "time-triggered, one pattern (K = 1)"
    solvers: ClassVar[tuple[str, ...]] = ("cpsat",)
    reference: ClassVar[str] = "Hanen and Munier 1995; Rau 1994"
    options_type: ClassVar[type[Options]] = LatencyModuloOptions

    def __init__(self, options: LatencyModuloOptions) -> None:
        self.options = options
        self._windows: tuple[Instance, int, Windows] | None = None

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
            If the instance's transfers are of another kind, no period is given, or times are too large.
        """
        reason = self.rejects(task.instance)
        if reason is None and task.period is None:
            reason = "it is about streams with limited period; give one"
        if reason is not None or task.period is None:
            raise UnsupportedError(f"formulation {self.name!r}: {reason}")
        try:
            windows = self._windows_of(task.instance, task.period.high)
        except InfeasibleError as error:
            return Answer(Status.INFEASIBLE, reason=str(error))
        problem = windows.problem
        if not windows.feasible:
            node = windows.kinds.index(())
            return Answer(
                Status.INFEASIBLE,
                reason=f"{problem.names(problem.group_of[node])}: takes longer than the period of "
                f"{task.period.high} ticks",
            )
        bound = max(task.bound, windows.critical)
        most = horizon(task)
        if most > MAX_HORIZON:
            raise UnsupportedError(
                f"formulation {self.name!r}: latencies up to {most} ticks are looked for; it can do {MAX_HORIZON}; "
                "use a larger tick_ps"
            )
        if most < bound:
            return Answer(Status.INFEASIBLE, bound=task.cutoff, reason=f"no latency is below {bound} ticks")
        return _Model(self.options, task, task.period, windows, bound, most).solve()

    def _windows_of(self, instance: Instance, period: int) -> Windows:
        """Return the windows, kept from one call to the next."""
        if self._windows is None or self._windows[0] is not instance or self._windows[1] != period:
            self._windows = instance, period, Windows(Problem(instance), period)
        return self._windows[2]


class _Model:
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
        from ortools.sat.python import cp_model

        self.options, self.task, self.windows = options, task, windows
        self.low, self.high, self.bound, self.horizon = period.low, period.high, bound, horizon
        self.problem = windows.problem
        self.communication = Communication(task.instance)
        self.nodes = range(len(task.instance.nodes))
        self.model = cp_model.CpModel()
        self.period = self.model.new_int_var(period.low, period.high, "T")
        self.latency = self.model.new_int_var(bound, horizon, "L")
        self._choose_units()
        self._start_in_windows()
        self._split_starts()
        self._never_overlap()
        if options.load:
            self._limit_loads()
        self._precede()
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

    def _choose_units(self) -> None:
        """(1) Every group runs on one unit; the period rules out units that are too slow."""
        problem = self.problem
        self.on = [
            {
                unit: self.model.new_bool_var(f"x{group},{unit}")
                for unit in sorted(problem.allowed[group])
                if problem.time[problem.unit_class[unit]][group] <= self.high
            }
            for group in range(len(problem.groups))
        ]
        for choice in self.on:
            self.model.add_exactly_one(choice.values())

    def _length(self, node: int) -> Any:
        """Return sum_p d_vp x_gp, a constant where all classes take the same time."""
        times = {unit: self.problem.duration(node, unit) for unit in self.on[self.problem.group_of[node]]}
        if len(set(times.values())) == 1:
            return next(iter(times.values()))
        return sum(times[unit] * chosen for unit, chosen in self._choice(node).items())

    def _choice(self, node: int) -> dict[int, Any]:
        return self.on[self.problem.group_of[node]]

    def _start_in_windows(self) -> None:
        """(2) The latency is the last end; (3) starts lie between the paths before and after."""
        problem, windows = self.problem, self.windows
        self.earliest: list[dict[int, int]] = []
        self.latest: list[dict[int, int]] = []
        self.start = []
        sources = [node for node, before in enumerate(problem.instance.predecessors) if not before]
        anchored = sources if self.options.anchor and len(sources) == 1 else []
        for node in self.nodes:
            kinds = windows.kinds[node]
            head = windows.head[node] if self.options.windows else [0] * len(kinds)
            tail = windows.tail[node] if self.options.windows else [0] * len(kinds)
            early = dict(zip(kinds, head, strict=True))
            late = {
                kind: self.horizon - rest - problem.node_time[kind][node]
                for kind, rest in zip(kinds, tail, strict=True)
            }
            self.earliest.append(early)
            self.latest.append(late)
            if node in anchored:
                late = {kind: min(0, last) for kind, last in late.items()}
            first, last = min(early.values()), max(late.values())
            start = self.model.new_int_var(first, max(first, last), f"s{node}")
            self.start.append(start)
            for unit, chosen in self._choice(node).items():
                kind = problem.unit_class[unit]
                if early[kind] > late[kind]:
                    self.model.add(chosen == 0)
                elif (early[kind], late[kind]) != (first, last):
                    self.model.add_linear_constraint(start, early[kind], late[kind]).only_enforce_if(chosen)
            if not problem.instance.successors[node]:
                self.model.add(self.latency >= start + self._length(node))

    def _split_starts(self) -> None:
        """(4) s_v = q_v T + o_v; with a fixed period and one possible stage the offset needs no variable."""
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

    def _never_overlap(self) -> None:
        """(5) Two copies of every interval, one period apart, on the node's unit."""
        intervals: dict[int, list[Any]] = {}
        for node, offset in enumerate(self.offset):
            again = offset + self.low
            if self.low < self.high:
                again = self.model.new_int_var(0, 2 * self.high - 1, f"o{node}+T")
                self.model.add(again == offset + self.period)
            for unit, chosen in self._choice(node).items():
                length = self.problem.duration(node, unit)
                intervals.setdefault(unit, []).extend(
                    self.model.new_optional_fixed_size_interval_var(begin, length, chosen, f"{node},{unit}")
                    for begin in (offset, again)
                )
        for copies in intervals.values():
            self.model.add_no_overlap(copies)

    def _limit_loads(self) -> None:
        """(6) A unit works for at most a period per frame."""
        for unit in range(len(self.problem.unit_class)):
            kind = self.problem.unit_class[unit]
            work = [
                self.problem.time[kind][group] * choice[unit]
                for group, choice in enumerate(self.on)
                if unit in choice
            ]
            self.model.add(sum(work) <= self.period)

    def _precede(self) -> None:
        """(7), (8), (9) Data are there in time; a tensor that stays on its unit takes no time."""
        instance, problem = self.task.instance, self.problem
        staying: dict[tuple[int, int], Any] = {}
        for before, after, tensor in instance.edges:
            pair = problem.group_of[before], problem.group_of[after]
            end = self.start[before] + self._length(before)
            delay = self.communication.once(tensor)
            if pair[0] == pair[1] or delay == 0:
                self.model.add(self.start[after] >= end)
            elif self._may_share(*pair):
                if pair not in staying:
                    staying[pair] = self._shared(*pair)
                self.model.add(self.start[after] >= end)
                self.model.add(self.start[after] >= end + delay).only_enforce_if(staying[pair].negated())
            else:
                self.model.add(self.start[after] >= end + delay)
        self.staying = staying

    def _may_share(self, one: int, other: int) -> bool:
        common = [unit for unit in self.on[one] if unit in self.on[other]]
        if not self.options.windows:
            return bool(common)
        return any(self.windows.may_share(one, other, self.problem.unit_class[unit]) for unit in common)

    def _shared(self, one: int, other: int) -> Any:
        """Return y_gh with (9)."""
        shared = self.model.new_bool_var(f"y{one},{other}")
        for unit in sorted({*self.on[one], *self.on[other]}):
            first, second = self.on[one].get(unit, False), self.on[other].get(unit, False)
            self.model.add_implication(first, second).only_enforce_if(shared)
            self.model.add_implication(second, first).only_enforce_if(shared)
        return shared

    def _keep_apart(self) -> None:
        """(10) Groups that a rule or their windows keep apart."""
        for one, others in enumerate(self.problem.apart):
            for other in others:
                if one < other:
                    self._forbid_sharing(one, other, [*self.on[one]])
        self.clashes = self._clashes() if self.options.incompatible else {}
        for (one, other), kinds in self.clashes.items():
            self._forbid_sharing(
                one, other, [unit for unit in self.on[one] if self.problem.unit_class[unit] in kinds]
            )

    def _forbid_sharing(self, one: int, other: int, units: list[int]) -> None:
        for unit in units:
            if unit in self.on[other]:
                self.model.add_at_most_one(self.on[one][unit], self.on[other][unit])

    def _clashes(self) -> dict[tuple[int, int], list[int]]:
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

    def _keep_capacities(self) -> None:
        """(11) What runs on a unit fits into it."""
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
        """(12) The i-th group that may use interchangeable units uses one of the first i."""
        self.parts = interchangeable_units(self.problem)
        order = list(dict.fromkeys(self.problem.group_of[node] for node in self.windows.order))
        first = [group for part in self.parts for group in self._clique(part, order)]
        self.order = list(dict.fromkeys([*first, *order]))
        for part in self.parts:
            users = [group for group in self.order if part[0] in self.on[group]]
            for position, group in enumerate(users):
                for unit in part[position + 1 :]:
                    self.model.add(self.on[group][unit] == 0)

    def _clique(self, part: tuple[int, ...], order: list[int]) -> list[int]:
        """Return groups that have to be on different units of a part, greedily."""
        kind = self.problem.unit_class[part[0]]
        inside = [group for group in order if set(self.on[group]) <= set(part)]
        rivals: dict[int, set[int]] = {group: set() for group in inside}
        for (one, other), kinds in self.clashes.items():
            if kind in kinds and one in rivals and other in rivals:
                rivals[one].add(other)
                rivals[other].add(one)
        clique: list[int] = []
        for group in sorted(inside, key=lambda group: -len(rivals[group])):
            if all(other in rivals[group] for other in clique):
                clique.append(group)
        return clique

    def _hint(self, mapping: Mapping) -> None:
        """Hint at a mapping, its interchangeable units renamed by (12)."""
        problem, model = self.problem, self.model
        units = mapping.assignment(self.task.instance)[0]
        homes = [units[group[0]] for group in problem.groups]
        if self.options.symmetry:
            homes = relabelled(homes, self.order, self.parts)
        for group, choice in enumerate(self.on):
            for unit, chosen in choice.items():
                model.add_hint(chosen, homes[group] == unit)
        for (one, other), shared in self.staying.items():
            model.add_hint(shared, homes[one] == homes[other])
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

    def _decode(self, value: Values) -> tuple[Mapping, int]:
        """Return the mapping with every start as early as its offset allows, and its latency."""
        instance, group_of = self.task.instance, self.problem.group_of
        home = [next(unit for unit, chosen in choice.items() if value(chosen)) for choice in self.on]
        units = [home[group] for group in group_of]
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
