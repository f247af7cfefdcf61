r"""Minimal latency with every transfer model: circular (modulo) scheduling of nodes and transfers in CP-SAT.

Class of schedules
------------------
Time-triggered with one pattern (K = 1): frame f starts task i at s_i + f T. The period T is a constant or a variable in
a range (``latency-modulo-transfers``), or a frame is alone in the machine (``latency-single-transfers``).

Sets
----
V          nodes; G groups of nodes that must share a unit, g(v) the group of v; P units, P_g those that g may use.
F          flows f = (t, h): tensor t of the node u_f, read by nodes of group h other than g(u_f); one per tensor and
           group. Those of one tensor are ordered; E are pairs (f, v) of a flow and a node of its group that reads t.
R          resources: units, and links. The route from p to q is a sequence of links.

Parameters
----------
d_vp       time of node v on unit p; c_t ticks to move tensor t under ``delay``, ``blocking``, ``host``.
a_tl, b_l  ticks of tensor t on link l, and the link's latency.
r_gp, m_g  crossbars and memory that group g needs; R_p, M_p what unit p has.
h_vk, e_vk least start of node v on class k, and least time from its end to the last output (`mapopt.bounds.modulo`).
H          the largest latency of interest.

CP-SAT 9.15 with ``use_strong_propagation_in_disjunctive`` loses solutions where lengths vary, so that it is used only
where no k_v does.

Variables
---------
x_gp       1 if group g runs on unit p;  y_gh = 1 if groups g and h share a unit.
z_f        1 if flow f is carried out: its group is not on the producer's unit, nor on that of an earlier group's flow
           of the same tensor (that flow serves both). One transfer per tensor and destination unit remains.
s_i        start of task i (nodes, readings, hops over links) in frame 0;  s_i = q_i T + o_i,  0 <= o_i < T.
w_tq       (``blocking``) 1 if tensor t is sent to unit q.
k_v        ticks for which v's unit is held after its end by sends or uploads.
L          latency.

Objective
---------
minimise L, or in decisions any solution with L <= H.

Constraints
-----------
(1)  sum_p x_gp = 1;  x_gp = x_hp for all p where y_gh = 1, and x_gp + x_hp <= 1 where y_gh = 0
(2)  sum_g r_gp x_gp <= R_p,  sum_g m_g x_gp <= M_p,  x_gp + x_hp <= 1 for groups that must be apart
(3)  h_vk <= s_v <= H - e_vk - d_vk if v runs on class k;  L >= s_v + d_v, with d_v = sum_p d_vp x_g(v)p;
     s_v = 0 for the source, if there is only one
(4)  s_v >= s_u + d_u for every edge (u, v)
(5)  z_f <= 1 - y for the producer's group, z_f <= 1 - y for the groups of earlier flows of t; else z_f = 1
(6)  on every resource the intervals [o_i, o_i + busy_i) and [o_i + T, o_i + T + busy_i) of all its present tasks do not
     overlap; busy_v = d_v + k_v. One of no length may not lie strictly inside another. Alone: [s_i, s_i + busy_i)
(7)  sum of the fixed parts of busy_i <= T on every resource
(8)  of interchangeable units, the j-th is used only if an earlier group uses the one before it

``delay``
(9)  s_v >= s_u + d_u + c_t for (f, v) in E unless the groups share a unit
``blocking``: the sender sends to its destinations in unit order, then by tensor
(10) w_tq = 1 iff some flow of t has x_hq = 1, and the producer is not on q;  k_u = sum of c_t w_tq over u's tensors
(11) s_v >= s_u + d_u + sum of c_t' w_t'q' over (q', t') <= (q, t)  if v is on q and u is not
``host``: nothing is paid at a unit on host memory
(12) k_u = sum of c_t over u's tensors with a flow that crosses;  D_t the same sum up to t
(13) a reading of c_t ticks on the unit of f's group if z_f:  s_f >= s_u + d_u + D_t,  s_v >= s_f + c_t for every v that
     f serves
(14) s_v >= s_u + d_u + D_t for all crossing flows
``links``: first (9) with the fastest route's ticks for c_t, which is a relaxation, then with its units, then at large
(15) hop i of flow f on the i-th link l of its route, present if z_f:  s_f1 >= s_u + d_u,
     s_f(i+1) >= s_fi + a_tl + b_l,  s_v >= s_fn + a_tl + b_l for every v that f serves.
     Where routes are egress and ingress, hops over the former depend on the producer's unit only, hops over the latter
     on the reader's: one interval per unit and flow, not per pair.
Zero lengths (``blocking`` and ``host``)
(16) at one instant on one unit, tasks of no length run before a node of no length that holds it: ranks of the tasks
     grow along these pairs and along edges whose ends start at once.

In the emulator
---------------
L is the latency of the time-triggered mapping with starts s and horizon T, as `mapopt.emulator.timetriggered.judge`
measures it; tasks, holds and arcs are those of `mapopt.emulator.lower`.

References
----------
C. Hanen, A. Munier: A study of the cyclic scheduling problem on parallel processors. Discrete Applied Mathematics 57,
1995. O. Sinnen: Task scheduling for parallel systems, Wiley 2007, chapter 7 (edges scheduled on links).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, product
from typing import Any, ClassVar

import msgspec

from mapopt.bounds.modulo import Windows
from mapopt.errors import InfeasibleError
from mapopt.instance import Instance, NodeUnits
from mapopt.mapping import Mapping
from mapopt.options import Options, Tune, option
from mapopt.placement.communication import Communication
from mapopt.placement.problem import Problem
from mapopt.placement.symmetry import relabelled
from mapopt.solvers.base import Task
from mapopt.solvers.cpsat_options import CpSatOptions
from mapopt.solvers.exchange import exchangeable_units
from mapopt.solvers.horizons import work
from mapopt.solvers.latencies import MAX_HORIZON, LatencyFormulation, none_below
from mapopt.solvers.logic import Literal, Logic, negated
from mapopt.solvers.model import Answer, Status
from mapopt.solvers.timed import timed_mapping
from mapopt.transfers import Blocking, Delay, Free, Host, Links

RELAXED_SHARE, RETIMED_SHARE, MOST_S = 0.7, 0.5, 120.0
"""Shares of the time left for the model with links as delays and for the one with fixed units, and seconds at most."""


@dataclass(frozen=True)
class LatencyTransfersOptions(CpSatOptions):
    """Ingredients of the model, and restrictions of it that find good solutions fast but prove nothing."""

    strong_propagation: bool = option(
        True,
        "CP-SAT's stronger propagation of disjunctive resources, where all lengths are fixed",
        tune=Tune(),
    )
    windows: bool = option(True, "windows (3) from paths", tune=Tune())
    load: bool = option(True, "load rows (7), which (6) implies", tune=Tune())
    symmetry: bool = option(True, "order (8) of interchangeable units", tune=Tune())
    hint: bool = option(True, "start from the task's mapping")
    relax: bool = option(
        True, "look at links as delays first: good units and bounds, from a smaller model", tune=Tune()
    )
    fix_assignment: bool = option(False, "keep the units of the task's mapping: finds starts only")


class LatencyModuloTransfers(LatencyFormulation[LatencyTransfersOptions]):
    """The model above."""

    name: ClassVar[str] = "latency-modulo-transfers"
    summary: ClassVar[str] = (
        "least latency of a stream with limited period, every transfer scheduled, in CP-SAT"
    )
    pipelined: ClassVar[bool] = True
    schedule_class: ClassVar[str] = "time-triggered, one pattern (K = 1), any transfer model"
    reference: ClassVar[str] = "Hanen and Munier 1995; Sinnen 2007"
    options_type: ClassVar[type[Options]] = LatencyTransfersOptions

    def rejects(self, instance: Instance) -> str | None:
        """Return why the model does not support the instance, or ``None``."""
        ticks = work(instance)
        if ticks > MAX_HORIZON:
            return f"its times add up to {ticks} ticks; the model is exact up to {MAX_HORIZON}; use a larger tick_ps"
        return None

    def refuses(self, task: Task) -> str | None:
        """Refuse a restriction to a mapping that is not given."""
        if self.options.fix_assignment and task.start is None and not task.decision:
            return "option fix_assignment is about a mapping to start from; give one"
        return super().refuses(task)

    def minimise(self, task: Task, problem: Problem) -> Answer:
        """Solve the model, or its restriction to a mapping, which proves nothing."""
        restricted = self.options.fix_assignment or task.improving
        if self.options.fix_assignment:
            if task.start is None:
                return Answer(Status.UNKNOWN, bound=task.bound, reason="there is no assignment to keep")
            try:
                problem = Problem(_pinned(task.instance, task.start))
            except InfeasibleError as error:
                return Answer(Status.UNKNOWN, bound=task.bound, reason=str(error))
        answer = self._solve(task, problem, restricted)
        if not restricted:
            return answer
        if answer.mapping is None:
            return Answer(Status.UNKNOWN, bound=task.bound, reason="nothing better was found")
        proven = answer.value is not None and answer.value <= task.bound
        return replace(answer, status=Status.OPTIMAL if proven else Status.FEASIBLE, bound=task.bound)

    def _solve(self, task: Task, problem: Problem, restricted: bool) -> Answer:
        windows = Windows(problem, None if task.period is None else task.period.high)
        if not windows.feasible:
            node = windows.kinds.index(())
            return Answer(
                Status.INFEASIBLE,
                reason=f"{problem.names(problem.group_of[node])}: takes longer than the period",
            )
        bound, latest = max(task.bound, windows.critical), self.horizon(task)
        if latest < bound:
            return none_below(bound)
        first = None
        if self.options.relax and isinstance(task.instance.transfer, Links) and not restricted:
            first = self._by_delays(task, problem, windows, bound, latest)
            if first.status in (Status.OPTIMAL, Status.INFEASIBLE) or (task.decision and first.mapping):
                return first
            bound = max(bound, first.bound or 0)
            task = replace(task, bound=bound, start=first.mapping or task.start)
            latest = latest if first.value is None else first.value
        found = _Model(self.options, task, problem, windows, bound, latest).solve(reports=not restricted)
        if found.mapping is None and first is not None and first.mapping is not None:
            return replace(first, bound=max(bound, found.bound or 0))
        if task.decision and found.mapping is not None and found.value is not None and not restricted:
            return self._retimed(task, found.mapping, bound, found.value) or found
        return found

    def _by_delays(self, task: Task, problem: Problem, windows: Windows, bound: int, latest: int) -> Answer:
        """Look at links as delays, which is a relaxation, then give its units' transfers their times."""
        watch = task.watch
        with watch.at_most(min(RELAXED_SHARE * watch.left, MOST_S)):
            relaxed = _Model(self.options, task, problem, windows, bound, latest, delays=True).solve(
                reports=False
            )
        if relaxed.status is Status.INFEASIBLE or relaxed.mapping is None:
            return replace(relaxed, mapping=None, value=None)
        bound = max(bound, relaxed.bound or 0)
        if not task.decision:
            watch.report(task.objective, bound=bound)
        found = self._retimed(task, relaxed.mapping, bound, latest)
        return Answer(Status.UNKNOWN, bound=bound) if found is None else found

    def _retimed(self, task: Task, mapping: Mapping, bound: int, latest: int) -> Answer | None:
        """Keep a mapping's units and minimise the latency; ``None`` if nothing up to ``latest`` is found."""
        fixed = Problem(_pinned(task.instance, mapping))
        windows = Windows(fixed, None if task.period is None else task.period.high)
        if not windows.feasible or max(bound, windows.critical) > latest:
            return None
        watch, hinted = task.watch, replace(task, start=mapping, decision=False)
        with watch.at_most(min(RETIMED_SHARE * watch.left, MOST_S)):
            model = _Model(self.options, hinted, fixed, windows, max(bound, windows.critical), latest)
            found = model.solve(reports=False)
        if found.mapping is None or found.value is None:
            return None
        if not task.decision:
            watch.report(task.objective, value=found.value)
        return replace(found, status=Status.OPTIMAL if found.value <= bound else Status.FEASIBLE, bound=bound)


class LatencySingleTransfers(LatencyModuloTransfers):
    """The same for a frame alone in the machine."""

    name: ClassVar[str] = "latency-single-transfers"
    summary: ClassVar[str] = "least latency of a frame alone, every transfer scheduled, in CP-SAT"
    pipelined: ClassVar[bool] = False
    schedule_class: ClassVar[str] = "one frame alone, any transfer model"
    reference: ClassVar[str] = "Sinnen 2007"


@dataclass(frozen=True, slots=True)
class _Start:
    """When a task starts: in its frame, and on the circle in both copies (alone: the same)."""

    at: Any
    offset: Any
    copies: tuple[Any, ...]


@dataclass(slots=True)
class _Flow:
    """A flow f = (t, h): its tensor, the producing node, the reading group and its nodes that read."""

    tensor: int
    producer: int
    group: int
    readers: list[int]
    crosses: Literal = True
    active: Literal = True
    served: list[tuple[_Flow, Literal]] = field(default_factory=list)
    legs: list[list[_Start]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Instant:
    """A task that may take no time: its start, its rank in (16), and where it takes none."""

    start: _Start
    rank: Any
    on: dict[int, Literal]


class _Model:
    """One CP-SAT model."""

    def __init__(
        self,
        options: LatencyTransfersOptions,
        task: Task,
        problem: Problem,
        windows: Windows,
        bound: int,
        horizon: int,
        *,
        delays: bool = False,
    ) -> None:
        from ortools.sat.python import cp_model

        self.options, self.task, self.problem, self.windows = options, task, problem, windows
        self.instance, self.horizon, self.delays = problem.instance, horizon, delays
        self.communication = Communication(problem.instance)
        self.model = cp_model.CpModel()
        self.shortest, self.longest = (1, 1) if task.period is None else (task.period.low, task.period.high)
        self.period: Any = None
        if task.period is not None:
            fixed = task.period.fixed
            self.period = self.shortest if fixed else self.model.new_int_var(self.shortest, self.longest, "T")
        self.fixed_lengths = True
        self.tasks_on: list[list[Any]] = [[] for _ in range(self.communication.n_resources)]
        self.work_on: list[list[Any]] = [[] for _ in range(self.communication.n_resources)]
        self.logic = Logic(self.model)
        self.shares: dict[tuple[int, int], Literal] = {}
        self.choose_units()
        self.start = [self._node_start(node) for node in range(len(self.instance.nodes))]
        self.duration = [self._by_unit(node, problem.node_time) for node in range(len(self.instance.nodes))]
        self.hold: list[list[tuple[int, Literal]]] = [[] for _ in self.instance.nodes]
        self.flows = list(self._flows())
        self.measure_latency(bound)
        self.precede()
        self.transfer()
        self.no_overlap()
        self.limit_loads()
        self.keep_capacities()
        self.order_units()
        self.order_instants()
        self.hint()

    # Units and times --------------------------------------------------------------------------------------------

    def on(self, group: int, unit: int) -> Literal:
        """Return whether a group is on a unit."""
        return self.x[group].get(unit, False)

    def share(self, one: int, other: int) -> Literal:
        """Return whether two groups are on one unit: y of (1)."""
        key = min(one, other), max(one, other)
        if key not in self.shares:
            self.shares[key] = self._share(*key)
        return self.shares[key]

    def _share(self, one: int, other: int) -> Literal:
        common = [unit for unit in self.x[one] if unit in self.x[other]]
        if one == other:
            return True
        if not common or other in self.problem.apart[one]:
            return False
        if len(self.x[one]) == len(self.x[other]) == 1:
            return True
        y = self.model.new_bool_var("")
        for unit in common:
            mine, its = self.on(one, unit), self.on(other, unit)
            self.logic.clause(negated(mine), negated(its), y)
            self.logic.clause(~y, negated(mine), its)
            self.logic.clause(~y, mine, negated(its))
        for group in (one, other):
            for unit, literal in self.x[group].items():
                if unit not in common:
                    self.logic.clause(~y, negated(literal))
        return y

    def choose_units(self) -> None:
        """(1), and the pairs of (2)."""
        problem = self.problem
        self.x: list[dict[int, Literal]] = []
        for group, units in enumerate(problem.allowed):
            fits = [
                unit
                for unit in sorted(units)
                if self.period is None or problem.time[problem.unit_class[unit]][group] <= self.longest
            ]
            self.x.append(
                {fits[0]: True} if len(fits) == 1 else {unit: self.model.new_bool_var("") for unit in fits}
            )
            if len(fits) > 1:
                self.model.add_exactly_one(self.x[group].values())
        for group, others in enumerate(problem.apart):
            for other in others:
                for unit in self.x[group]:
                    if group < other:
                        self.logic.clause(negated(self.on(group, unit)), negated(self.on(other, unit)))

    def begin(self, low: int, high: int) -> _Start:
        """Return a start in a window, split into stage and offset as for (6)."""
        at = self.model.new_int_var(low, high, "")
        if self.period is None:
            return _Start(at, at, (at,))
        first, last = low // self.longest, high // self.shortest
        if first == last == 0 and self.shortest == self.longest:
            return _Start(at, at, (at, at + self.period))
        offset = self.model.new_int_var(0, self.longest - 1, "")
        stage = self.model.new_int_var(first, last, "")
        if self.shortest == self.longest:
            self.model.add(at == stage * self.period + offset)
            return _Start(at, offset, (offset, offset + self.period))
        turns = self.model.new_int_var(0, last * self.longest, "")
        second = self.model.new_int_var(0, 2 * self.longest, "")
        self.model.add_multiplication_equality(turns, [stage, self.period])
        self.model.add(at == turns + offset)
        self.model.add(offset < self.period)
        self.model.add(second == offset + self.period)
        return _Start(at, offset, (offset, second))

    def _node_start(self, node: int) -> _Start:
        """(3), without the latency."""
        kinds, group = self.windows.kinds[node], self.problem.group_of[node]
        time = {kind: self.problem.node_time[kind][node] for kind in kinds}
        head = (
            dict(zip(kinds, self.windows.head[node], strict=True))
            if self.options.windows
            else dict.fromkeys(kinds, 0)
        )
        tail = (
            dict(zip(kinds, self.windows.tail[node], strict=True))
            if self.options.windows
            else dict.fromkeys(kinds, 0)
        )
        high = self.horizon - min(time[kind] + tail[kind] for kind in kinds)
        start = self.begin(min(head.values()), max(high, min(head.values())))
        kind_of = self.problem.unit_class
        units = self.x[group].items()
        self.model.add(start.at >= sum(head[kind_of[unit]] * x for unit, x in units))
        latest = sum((time[kind_of[unit]] + tail[kind_of[unit]]) * x for unit, x in units)
        self.model.add(start.at <= self.horizon - latest)
        return start

    def _by_unit(self, node: int, value: Sequence[Sequence[int]]) -> Any:
        """Return the value of a node, given by class, on its unit."""
        kind_of = self.problem.unit_class
        values = {value[kind_of[unit]][node] for unit in self.x[self.problem.group_of[node]]}
        if len(values) == 1:
            return values.pop()
        return sum(value[kind_of[unit]][node] * x for unit, x in self.x[self.problem.group_of[node]].items())

    def end(self, node: int) -> Any:
        """Return when a node ends."""
        return self.start[node].at + self.duration[node]

    def measure_latency(self, bound: int) -> None:
        """(3), and the objective."""
        self.latency = self.model.new_int_var(bound, self.horizon, "L")
        for node, after in enumerate(self.instance.successors):
            if not after:
                self.model.add(self.latency >= self.end(node))
        sources = [node for node, before in enumerate(self.instance.predecessors) if not before]
        if len(sources) == 1:
            self.model.add(self.start[sources[0]].at == 0)
        if not self.task.decision:
            self.model.minimize(self.latency)

    def precede(self) -> None:
        """(4)."""
        for node, after in enumerate(self.instance.successors):
            for other in after:
                self.model.add(self.start[other].at >= self.end(node))

    # Transfers -----------------------------------------------------------------------------------------------------

    def _flows(self) -> Iterator[_Flow]:
        """Yield the flows, with (5)."""
        at, group_of = self.instance.node_index, self.problem.group_of
        for number, tensor in enumerate(self.instance.tensors):
            producer = at[tensor.producer]
            readers: dict[int, list[int]] = {}
            for node in sorted({at[name] for name in tensor.consumers}):
                readers.setdefault(group_of[node], []).append(node)
            earlier: list[_Flow] = []
            for group, nodes in readers.items():
                crosses = negated(self.share(group_of[producer], group))
                if crosses is False:
                    continue
                flow = _Flow(number, producer, group, nodes, crosses)
                if isinstance(self.instance.transfer, (Host, Links)) and not self.delays:
                    same = [self.share(other.group, group) for other in earlier]
                    flow.active = self.logic.all_of(crosses, *map(negated, same))
                    for other, together in zip(earlier, same, strict=True):
                        other.served.append((flow, together))
                earlier.append(flow)
                yield flow

    def transfer(self) -> None:
        """Add the rules of the instance's transfer model."""
        match self.instance.transfer:
            case Free():
                pass
            case Delay():
                for flow in self.flows:
                    self._arrive(
                        self.end(flow.producer) + self.communication.once(flow.tensor), flow, flow.crosses
                    )
            case Blocking():
                self.block()
            case Host():
                self.read_from_host()
            case Links():
                for flow in self.flows:
                    (self.pass_by if self.delays else self.route)(flow)

    def _arrive(self, when: Any, flow: _Flow, *literals: Literal) -> None:
        """Let the readers of a flow start no earlier."""
        for node in flow.readers:
            self.logic.require(self.start[node].at >= when, *literals)

    def _serve(self, when: Any, flow: _Flow) -> None:
        """Let all that an active flow serves start no earlier."""
        self._arrive(when, flow, flow.active)
        for other, together in flow.served:
            self._arrive(when, other, flow.active, together)

    def block(self) -> None:
        """(10) and (11)."""
        group_of = self.problem.group_of
        sends: dict[int, dict[tuple[int, int], Literal]] = {}
        flows: dict[int, list[_Flow]] = {}
        for flow in self.flows:
            flows.setdefault(flow.tensor, []).append(flow)
        for tensor, readers in flows.items():
            producer = readers[0].producer
            for unit in sorted({unit for flow in readers for unit in self.x[flow.group]}):
                away = negated(self.on(group_of[producer], unit))
                sent = self.logic.all_of(
                    away, self.logic.any_of(self.on(flow.group, unit) for flow in readers)
                )
                sends.setdefault(producer, {})[unit, tensor] = sent
        for producer, sent in sends.items():
            ticks = {key: self.communication.once(key[1]) for key in sorted(sent)}
            self.hold[producer] = [(ticks[key], sent[key]) for key in ticks]
            for flow in (flow for flow in self.flows if flow.producer == producer):
                for unit, here in self.x[flow.group].items():
                    before = sum(ticks[key] * sent[key] for key in ticks if key <= (unit, flow.tensor))
                    away = negated(self.on(group_of[producer], unit))
                    self._arrive(self.end(producer) + before, flow, here, away)

    def read_from_host(self) -> None:
        """(12)-(14)."""
        group_of, hosts = self.problem.group_of, self.communication.hosts
        at_host = [
            self.logic.any_of(literal for unit, literal in units.items() if unit in hosts) for units in self.x
        ]
        crossing: dict[int, list[_Flow]] = {}
        for flow in self.flows:
            crossing.setdefault(flow.tensor, []).append(flow)
        for tensor, flows in crossing.items():
            producer, once = flows[0].producer, self.communication.once(tensor)
            leaves = self.logic.any_of(flow.crosses for flow in flows)
            self.hold[producer].append(
                (once, self.logic.all_of(leaves, negated(at_host[group_of[producer]])))
            )
            uploaded = self.end(producer) + sum(ticks * literal for ticks, literal in self.hold[producer])
            for flow in flows:
                self._arrive(uploaded, flow, flow.crosses)
                start = self._between(flow)
                flow.legs = [[start]]
                reads = self.logic.all_of(flow.active, negated(at_host[flow.group]))
                self.logic.require(start.at >= uploaded, reads)
                self._arrive(start.at + once, flow, reads)
                for other, together in flow.served:
                    self._arrive(start.at + once, other, reads, together)
                for unit, here in self.x[flow.group].items():
                    if unit not in hosts:
                        self.occupy(unit, start, once, self.logic.all_of(flow.active, here))

    def pass_by(self, flow: _Flow) -> None:
        """(9) with the fastest route, in place of (15)."""
        sources, targets = self.x[self.problem.group_of[flow.producer]], self.x[flow.group]
        delay = self.communication.delay
        fastest = min(delay(flow.tensor, p, q) for p, q in product(sources, targets) if p != q)
        self._arrive(self.end(flow.producer) + fastest, flow, flow.crosses)

    def route(self, flow: _Flow) -> None:
        """(15)."""
        model = self.instance.transfer
        sources, targets = self.x[self.problem.group_of[flow.producer]], self.x[flow.group]
        path = self.communication.route
        ready = self.end(flow.producer)
        named = isinstance(model, Links) and model.routes
        if named:
            pairs = [(p, q) for p, q in product(sources, targets) if p != q]
            ready = self._leg(
                flow, ready, [(path(p, q), self.logic.all_of(sources[p], targets[q])) for p, q in pairs]
            )
        elif isinstance(model, Links):
            link = {each.name: number for number, each in enumerate(model.links)}
            out = [(tuple(link[name] for name in model.egress[p]), x) for p, x in sources.items()]
            into = [(tuple(link[name] for name in model.ingress[q]), x) for q, x in targets.items()]
            ready = self._leg(flow, self._leg(flow, ready, out), into)
        self._serve(ready, flow)

    def _leg(self, flow: _Flow, ready: Any, choices: Sequence[tuple[tuple[int, ...], Literal]]) -> Any:
        """Add the hops over one of several paths; return when the last ends."""
        model = self.instance.transfer
        assert isinstance(model, Links)
        links, n_units, send = model.links, self.communication.n_units, self.communication.send
        hops = [self._between(flow) for _ in range(max(len(path) for path, _ in choices))]
        flow.legs.append(hops)
        present: dict[tuple[int, int], list[Literal]] = {}
        kinds: dict[tuple[tuple[int, int], ...], list[Literal]] = {}
        for path, literal in choices:
            kind = tuple(
                (send(flow.tensor, links[link].bytes_per_s), links[link].latency_ticks) for link in path
            )
            kinds.setdefault(kind, []).append(literal)
            for hop, link in enumerate(path):
                present.setdefault((hop, link), []).append(literal)
        for (hop, link), literals in present.items():
            taken = True if len(literals) == len(choices) else self.logic.any_of(literals)
            ticks = send(flow.tensor, links[link].bytes_per_s)
            self.occupy(n_units + link, hops[hop], ticks, self.logic.all_of(flow.active, taken))
        done = self.model.new_int_var(0, self.horizon, "") if len(kinds) > 1 else None
        for kind, literals in kinds.items():
            chosen = True if len(kinds) == 1 else self.logic.any_of(literals)
            at = ready
            for hop, (ticks, latency) in enumerate(kind):
                self.logic.require(hops[hop].at >= at, flow.active, chosen)
                at = hops[hop].at + ticks + latency
            if done is None:
                return at
            self.logic.require(done >= at, flow.active, chosen)
        return done

    def _between(self, flow: _Flow) -> _Start:
        """Return a start after a flow's producer and before its readers."""
        if not self.options.windows:
            return self.begin(0, self.horizon)
        windows, times = self.windows, self.problem.node_time
        low = min(
            head + times[kind][flow.producer]
            for kind, head in zip(windows.kinds[flow.producer], windows.head[flow.producer], strict=True)
        )
        rest = max(
            min(
                tail + times[kind][node]
                for kind, tail in zip(windows.kinds[node], windows.tail[node], strict=True)
            )
            for node in flow.readers
        )
        return self.begin(low, max(low, self.horizon - rest))

    # Resources -----------------------------------------------------------------------------------------------------

    def occupy(self, resource: int, start: _Start, ticks: int, present: Literal, hold: Any = 0) -> None:
        """Let a task occupy a resource if it is present; ``hold`` adds to its ticks."""
        if present is False:
            return
        self.work_on[resource].append(ticks * present)
        for copy in start.copies:
            if isinstance(hold, int):
                interval = self.model.new_optional_fixed_size_interval_var(copy, ticks + hold, present, "")
            else:
                self.fixed_lengths = False
                end = self.model.new_int_var(0, 2 * self.horizon + 4 * self.longest + work(self.instance), "")
                interval = self.model.new_optional_interval_var(copy, hold + ticks, end, present, "")
            self.tasks_on[resource].append(interval)

    def no_overlap(self) -> None:
        """(6), with the nodes' own intervals."""
        self.held: list[Any] = []
        for node, hold_terms in enumerate(self.hold):
            terms = [(ticks, literal) for ticks, literal in hold_terms if ticks and literal is not False]
            hold: Any = sum(ticks for ticks, _ in terms)
            if any(literal is not True for _, literal in terms):
                hold = self.model.new_int_var(0, hold, "")
                self.model.add(hold == sum(ticks * literal for ticks, literal in terms))
            self.held.append(hold)
            group = self.problem.group_of[node]
            for unit, literal in self.x[group].items():
                ticks = self.problem.node_time[self.problem.unit_class[unit]][node]
                self.occupy(unit, self.start[node], ticks, literal, hold)
        for intervals in self.tasks_on:
            if len(intervals) > 1:
                self.model.add_no_overlap(intervals)

    def limit_loads(self) -> None:
        """(7)."""
        if self.options.load and self.period is not None:
            for work in self.work_on:
                if work:
                    self.model.add(sum(work) <= self.period)

    def keep_capacities(self) -> None:
        """(2)."""
        problem = self.problem
        for number, unit in enumerate(self.instance.units):
            here = [(group, units[number]) for group, units in enumerate(self.x) if number in units]
            crossbars = problem.crossbars[problem.unit_class[number]]
            for limit, need in ((unit.crossbars, crossbars), (unit.memory_bytes, problem.memory_bytes)):
                if limit is not None:
                    self.model.add(sum(need[group] * literal for group, literal in here) <= limit)

    def order_units(self) -> None:
        """(8)."""
        self.parts = exchangeable_units(self.problem) if self.options.symmetry else []
        for part in self.parts:
            before: list[Literal] = []
            for group in self._by_first_node():
                if part[0] in self.x[group] and part[-1] in self.x[group]:
                    for low, unit in pairwise(part):
                        used = sum(self.on(each, low) for each in before)
                        self.model.add(self.on(group, unit) <= used)
                    before.append(group)

    def _by_first_node(self) -> list[int]:
        return list(dict.fromkeys(self.problem.group_of[node] for node in self.instance.topological_order))

    def order_instants(self) -> None:
        """(16)."""
        instants = {
            node: self._instant(self.start[node], self.x[self.problem.group_of[node]], self._no_time_on(node))
            for node in range(len(self.instance.nodes))
            if self._no_time_on(node)
        }
        held = [node for node in instants if not isinstance(self.held[node], int) or self.held[node] > 0]
        if not held:
            return
        every = list(instants.values())
        for node, instant in instants.items():
            for other in self.instance.successors[node]:
                if other in instants:
                    self._later(instant, instants[other])
        for flow in self.flows:
            if flow.legs and self.communication.once(flow.tensor) == 0:
                reading = self._instant(
                    flow.legs[0][0], self.x[flow.group], self._reading_units(flow), flow.active
                )
                every.append(reading)
                if flow.producer in instants:
                    self._later(instants[flow.producer], reading, flow.active)
                for each, together in [(flow, True), *flow.served]:
                    for node in each.readers:
                        if node in instants:
                            self._later(reading, instants[node], flow.active, together)
        for node in held:
            holds: Literal = True
            if not isinstance(self.held[node], int):
                holds = self.model.new_bool_var("")
                self.model.add(self.held[node] == 0).only_enforce_if(~holds)
            for instant in every:
                if instant is not instants[node]:
                    self._first(instant, instants[node], holds)

    def _no_time_on(self, node: int) -> list[int]:
        """Return the units on which a node takes no time."""
        times, kind_of = self.problem.node_time, self.problem.unit_class
        return [unit for unit in self.x[self.problem.group_of[node]] if times[kind_of[unit]][node] == 0]

    def _reading_units(self, flow: _Flow) -> list[int]:
        return [unit for unit in self.x[flow.group] if unit not in self.communication.hosts]

    def _instant(
        self, start: _Start, units: dict[int, Literal], possible: list[int], active: Literal = True
    ) -> _Instant:
        rank = self.model.new_int_var(0, self._ranks, "")
        return _Instant(start, rank, {unit: self.logic.all_of(active, units[unit]) for unit in possible})

    @property
    def _ranks(self) -> int:
        return len(self.instance.nodes) + len(self.flows)

    def _later(self, one: _Instant, two: _Instant, *when: Literal) -> None:
        """Let the ranks grow along an edge whose ends start at once."""
        apart = (self._ranks + 1) * (two.start.at - one.start.at)
        self.logic.require(two.rank >= one.rank + 1 - apart, *when)

    def _first(self, short: _Instant, held: _Instant, holds: Literal) -> None:
        """Let a task of no length have a smaller rank than a node that holds their unit at the same instant."""
        common = [unit for unit in held.on if unit in short.on]
        together = self.logic.any_of(
            self.logic.all_of(held.on[unit], short.on[unit], holds) for unit in common
        )
        if together is False:
            return
        before, after, tie = (self.model.new_bool_var("") for _ in range(3))
        self.model.add(short.start.offset < held.start.offset).only_enforce_if(before)
        self.model.add(short.start.offset > held.start.offset).only_enforce_if(after)
        self.model.add(held.rank >= short.rank + 1).only_enforce_if(tie)
        self.logic.clause(before, after, tie, negated(together))

    # Solving -------------------------------------------------------------------------------------------------------

    def hint(self) -> None:
        """Hint at the units and starts of the task's mapping."""
        start = self.task.start
        if not self.options.hint or start is None or len(start.patterns) != 1:
            return
        units = start.assignment(self.task.instance)[0]
        unit_of = [units[nodes[0]] for nodes in self.problem.groups]
        if any(unit not in self.x[group] for group, unit in enumerate(unit_of)):
            return
        named = relabelled(unit_of, self._by_first_node(), self.parts) if self.parts else unit_of
        for group, unit in enumerate(named):
            for other, literal in self.x[group].items():
                if literal is not True:
                    self.model.add_hint(literal, other == unit)
        pattern = start.patterns[0]
        if pattern.starts is None:
            return
        if self.period is not None and not isinstance(self.period, int):
            self.model.add_hint(self.period, min(max(start.horizon or 1, self.shortest), self.longest))
        for node, at in enumerate(start.positions(self.task.instance)):
            self.model.add_hint(self.start[node].at, pattern.starts[at])
        given = {(each.tensor, each.unit): each.starts for each in pattern.transfers}
        for flow in self.flows:
            tensor, target = self.instance.tensors[flow.tensor], self.instance.units[unit_of[flow.group]]
            times = iter(given.get((tensor.name, target.name), ()))
            for leg in flow.legs:
                for hop, time in zip(leg, times, strict=False):
                    self.model.add_hint(hop.at, time)

    def solve(self, reports: bool) -> Answer:
        """Solve; ``reports`` unless the model is a restriction."""
        from mapopt.solvers.cpsat import run

        parameters = {
            **self.options.parameters,
            "use_strong_propagation_in_disjunctive": self.options.strong_propagation and self.fixed_lengths,
            "use_lns_only": self.task.improving,
            "cp_model_probing_level": 0,  # on disjunctive resources it takes longer than the whole search
        }
        found = run(self.model, self.task.watch, self.task.objective, parameters=parameters, reports=reports)
        bound = self.task.bound if found.bound is None else max(found.bound, self.task.bound)
        if found.values is None:
            proven = found.status is Status.INFEASIBLE and self.task.cutoff is not None
            return Answer(
                found.status,
                bound=max(bound, self.task.cutoff or 0) if proven else bound,
                reason=self._why() if found.status is Status.INFEASIBLE else "",
            )
        mapping = self._mapping(found.values)
        ends = [found.values(self.end(node)) for node in range(len(self.instance.nodes))]
        return Answer(Status.OPTIMAL if max(ends) <= bound else Status.FEASIBLE, mapping, max(ends), bound)

    def _why(self) -> str:
        if self.task.cutoff is not None:
            return f"no latency is below {self.task.cutoff} ticks"
        return "no assignment keeps the period, all capacities and side constraints"

    def _mapping(self, value: Any) -> Mapping:
        """Write a solution as a mapping."""
        instance = self.task.instance
        unit_of = [next(unit for unit, x in units.items() if value(x)) for units in self.x]
        units = self.problem.units(unit_of)
        transfers: dict[tuple[int, int], tuple[int, ...]] = {}
        hosts = self.communication.hosts
        for flow in self.flows:
            source, target = units[flow.producer], unit_of[flow.group]
            if (
                flow.legs
                and source != target
                and target not in hosts
                and (flow.tensor, target) not in transfers
            ):
                hops = self._hops_taken(flow, source, target)
                if hops:
                    transfers[flow.tensor, target] = tuple(value(hop.at) for hop in hops)
        starts = [value(start.at) for start in self.start]
        if self.period is None:
            period = max(1, 2 * self.horizon + work(instance))
        else:
            period = self.period if isinstance(self.period, int) else value(self.period)
        return timed_mapping(instance, units, starts, transfers, period)

    def _hops_taken(self, flow: _Flow, source: int, target: int) -> list[_Start]:
        """Return the starts of a flow's reading, or of its hops in order."""
        model = self.instance.transfer
        if not isinstance(model, Links):
            return flow.legs[0]
        if len(flow.legs) == 1:
            return flow.legs[0][: len(self.communication.route(source, target))]
        out, into = flow.legs
        return [*out[: len(model.egress[source])], *into[: len(model.ingress[target])]]


def _pinned(instance: Instance, mapping: Mapping | None) -> Instance:
    """Return the instance with every node pinned to its unit in a mapping."""
    if mapping is None:
        return instance
    (units, *_) = mapping.assignment(instance)
    pins = tuple(
        NodeUnits(node.name, (instance.units[unit].name,))
        for node, unit in zip(instance.nodes, units, strict=True)
    )
    rules = instance.side_constraints
    return msgspec.structs.replace(
        instance, side_constraints=msgspec.structs.replace(rules, pin=(*rules.pin, *pins))
    )
