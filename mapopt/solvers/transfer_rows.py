"""Rows of a MILP that place nodes and time nodes and transfers: what the MILP formulations of latency share.

What remains for a formulation is that tasks on one resource do not overlap. The names of the rows are those of the
formulations' documentation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pulp

from mapopt.placement.communication import Communication
from mapopt.placement.problem import Problem
from mapopt.solvers.horizons import work
from mapopt.transfers import Blocking, Delay, Host, Links

Term = Any
"""A linear expression, a variable or a number."""


@dataclass(frozen=True, slots=True)
class Job:
    """A task that occupies one of some resources.

    Parameters
    ----------
    start
        When it starts.
    options
        By resource: 0-1 presence, ticks without hold.
    hold, most_hold
        Further ticks that it occupies its resource, and their largest value.
    node
        The node's number; -1 for a transfer.
    """

    start: pulp.LpVariable
    options: dict[int, tuple[Term, int]]
    hold: Term = 0
    most_hold: int = 0
    node: int = -1

    def most(self, resource: int) -> int:
        """Return the most ticks for which it occupies a resource."""
        return self.options[resource][1] + self.most_hold


class TransferRows:
    """A model with units, starts and transfers.

    Parameters
    ----------
    problem
        Any instance.
    horizon
        No latency above it is of interest; also the largest start.
    bound
        A lower bound of the latency.
    period
        ``None`` for a frame alone.

    Attributes
    ----------
    model
        Minimises the latency.
    jobs
        The nodes in order, then the transfers' tasks.
    edges
        Pairs of jobs, and a 0-1 term: where it is 1, the second may start no earlier than the first ends.
    """

    def __init__(self, problem: Problem, horizon: int, bound: int, period: int | None = None) -> None:
        self.problem, self.instance = problem, problem.instance
        self.horizon, self.period = horizon, period
        self.communication = Communication(problem.instance)
        self.model = pulp.LpProblem("latency", pulp.LpMinimize)
        self._count = 0
        self.latency = self._integer("L", min(bound, horizon), horizon)
        self.model += self.latency
        self.x = [
            {unit: pulp.LpVariable(f"x_{group}_{unit}", cat="Binary") for unit in sorted(units)}
            for group, units in enumerate(problem.allowed)
        ]
        self.jobs: list[Job] = []
        self.edges: list[tuple[Job, Job, Term]] = []
        self.hops: dict[tuple[int, int], list[pulp.LpVariable]] = {}
        self._assign()
        self._sends()
        self._node_jobs()
        self._precede()
        match self.instance.transfer:
            case Delay():
                self._delay()
            case Blocking():
                self._block()
            case Host():
                self._host()
            case Links() as model:
                self._links(model)

    def on(self, node: int, unit: int) -> Term:
        """Return 1 where a node is on a unit."""
        return self.x[self.problem.group_of[node]].get(unit, 0)

    def end(self, node: int) -> Term:
        """Return when a node ends."""
        job = self.jobs[node]
        return job.start + pulp.lpSum(ticks * here for here, ticks in job.options.values())

    def solution(self, value: object) -> tuple[list[int], list[int], dict[tuple[int, int], tuple[int, ...]]]:
        """Return units and starts of the nodes, and starts of the transfers by tensor and destination unit."""
        assert callable(value)
        chosen = [max(units, key=lambda unit: float(value(units[unit]))) for units in self.x]
        units = self.problem.units(chosen)
        at, transfers = self.instance.node_index, {}
        for (tensor, unit), starts in self.hops.items():
            each = self.instance.tensors[tensor]
            source = units[at[each.producer]]
            if source != unit and any(units[at[name]] == unit for name in each.consumers):
                count = (
                    len(self.communication.route(source, unit))
                    if isinstance(self.instance.transfer, Links)
                    else 1
                )
                if count:
                    transfers[tensor, unit] = tuple(round(value(start)) for start in starts[:count])
        return units, [round(value(job.start)) for job in self.jobs[: len(units)]], transfers

    def _integer(self, name: str, low: int, high: int) -> pulp.LpVariable:
        return pulp.LpVariable(name, low, high, cat="Integer")

    def _assign(self) -> None:
        """Add (1) and (2): one unit per group, capacities, groups apart."""
        problem = self.problem
        for units in self.x:
            self.model += pulp.lpSum(units.values()) == 1
        for number, unit in enumerate(self.instance.units):
            here = [(group, units[number]) for group, units in enumerate(self.x) if number in units]
            crossbars = problem.crossbars[problem.unit_class[number]]
            for limit, need in ((unit.crossbars, crossbars), (unit.memory_bytes, problem.memory_bytes)):
                if limit is not None:
                    self.model += pulp.lpSum(need[group] * x for group, x in here) <= limit
            for group, x in here:
                for other in problem.apart[group]:
                    if group < other and number in self.x[other]:
                        self.model += x + self.x[other][number] <= 1

    def _sends(self) -> None:
        """Add (3): y_tq is 1 if and only if tensor t has to move to unit q."""
        self.y: dict[tuple[int, int], pulp.LpVariable] = {}
        at = self.instance.node_index
        self.producer = [at[tensor.producer] for tensor in self.instance.tensors]
        self.consumers = [sorted({at[name] for name in tensor.consumers}) for tensor in self.instance.tensors]
        for tensor, producer in enumerate(self.producer):
            for unit in range(len(self.instance.units)):
                here = [self.on(node, unit) for node in self.consumers[tensor] if self._may(node, unit)]
                if not here:
                    continue
                y = self.y[tensor, unit] = pulp.LpVariable(f"y_{tensor}_{unit}", cat="Binary")
                self.model += y <= pulp.lpSum(here)
                self.model += y <= 1 - self.on(producer, unit)
                for x in here:
                    self.model += y >= x - self.on(producer, unit)

    def _may(self, node: int, unit: int) -> bool:
        return unit in self.x[self.problem.group_of[node]]

    def _node_jobs(self) -> None:
        """Make the nodes' jobs, with (4): what holds their units after their ends."""
        model, once = self.instance.transfer, self.communication.once
        self.uploads: dict[int, Term] = {}
        if isinstance(model, Host):
            for tensor, producer in enumerate(self.producer):
                sends = [y for (each, _), y in self.y.items() if each == tensor]
                up = self.uploads[tensor] = pulp.LpVariable(f"up_{tensor}", cat="Binary")
                self.model += up <= pulp.lpSum(sends)
                self.model += up <= 1 - self._at_host(producer)
                for y in sends:
                    self.model += up >= y - self._at_host(producer)
        for node in range(len(self.instance.nodes)):
            sent: list[tuple[int, Term]] = []
            if isinstance(model, Blocking):
                sent = [(tensor, y) for (tensor, _), y in self.y.items() if self.producer[tensor] == node]
            if isinstance(model, Host):
                sent = [(tensor, up) for tensor, up in self.uploads.items() if self.producer[tensor] == node]
            sent = [(tensor, term) for tensor, term in sent if once(tensor)]
            kind_of, times = self.problem.unit_class, self.problem.node_time
            self.jobs.append(
                Job(
                    self._integer(f"s_{node}", 0, self.horizon),
                    {
                        unit: (x, times[kind_of[unit]][node])
                        for unit, x in self.x[self.problem.group_of[node]].items()
                    },
                    pulp.lpSum(once(tensor) * term for tensor, term in sent) if sent else 0,
                    self._most_sent(tensor for tensor, _ in sent),
                    node,
                )
            )

    def _most_sent(self, tensors: Iterable[int]) -> int:
        """Return the most ticks of some sends, given by tensor: none is sent to more units than it has consumers."""
        return sum(
            self.communication.once(tensor) * min(count, len(self.consumers[tensor]))
            for tensor, count in Counter(tensors).items()
        )

    def _at_host(self, node: int) -> Term:
        units = self.x[self.problem.group_of[node]]
        return pulp.lpSum(x for unit, x in units.items() if unit in self.communication.hosts)

    def _precede(self) -> None:
        """Add (5): the latency, and producers before consumers."""
        for node, after in enumerate(self.instance.successors):
            self.model += self.latency >= self.end(node)
            for other in after:
                self._after(self.jobs[other].start, self.end(node))
                self.edges.append((self.jobs[node], self.jobs[other], 1))

    def _after(self, start: Term, ready: Term, slack: Term = 0, most: int = 0) -> None:
        """Let ``start`` be no earlier than ``ready``, by up to ``most`` earlier for each unit of ``slack``."""
        self.model += start >= ready - most * slack

    def _readers(self, tensor: int, unit: int) -> Sequence[int]:
        return [node for node in self.consumers[tensor] if self._may(node, unit)]

    def _delay(self) -> None:
        """Add (6)."""
        for (tensor, unit), y in self.y.items():
            once, ready = self.communication.once(tensor), self.end(self.producer[tensor])
            for node in self._readers(tensor, unit):
                self._after(self.jobs[node].start, ready + once, 2 - y - self.on(node, unit), once)

    def _block(self) -> None:
        """Add (7)."""
        once = self.communication.once
        for (tensor, unit), y in self.y.items():
            producer = self.producer[tensor]
            until = [
                (other, sent)
                for (other, target), sent in self.y.items()
                if self.producer[other] == producer and (target, other) <= (unit, tensor)
            ]
            ready = self.end(producer) + pulp.lpSum(once(other) * sent for other, sent in until)
            most = self._most_sent(other for other, _ in until)
            for node in self._readers(tensor, unit):
                self._after(self.jobs[node].start, ready, 2 - y - self.on(node, unit), most)

    def _host(self) -> None:
        """Add (8)."""
        once, far = self.communication.once, self._far
        for (tensor, unit), y in self.y.items():
            producer = self.producer[tensor]
            sent = [(once(each), up) for each, up in self.uploads.items() if self.producer[each] == producer]
            before = sent[
                : 1 + sum(1 for each in self.uploads if each < tensor and self.producer[each] == producer)
            ]
            ready = self.end(producer) + pulp.lpSum(ticks * up for ticks, up in before)
            readers = self._readers(tensor, unit)
            if unit in self.communication.hosts:
                for node in readers:
                    self._after(self.jobs[node].start, ready, 2 - y - self.on(node, unit), far)
                continue
            start = self._integer(f"r_{tensor}_{unit}", 0, self.horizon)
            job = Job(start, {unit: (y, once(tensor))})
            self.jobs.append(job)
            self.hops[tensor, unit] = [start]
            self._after(start, ready, 1 - y, far)
            self.edges.append((self.jobs[producer], job, y))
            for node in readers:
                absent = 2 - y - self.on(node, unit)
                self._after(self.jobs[node].start, start + once(tensor), absent, far)
                self.edges.append((job, self.jobs[node], 1 - absent))

    def _links(self, model: Links) -> None:
        """Add (9)."""
        n_units, far = self.communication.n_units, self._far
        for (tensor, unit), y in self.y.items():
            producer = self.producer[tensor]
            sources = {
                source: self.communication.route(source, unit)
                for source in self.x[self.problem.group_of[producer]]
                if source != unit
            }
            longest = max(map(len, sources.values()), default=0)
            hops = self.hops[tensor, unit] = [
                self._integer(f"h_{tensor}_{unit}_{hop}", 0, self.horizon) for hop in range(longest)
            ]
            for source, path in sources.items():
                here = pulp.LpVariable(f"w_{tensor}_{source}_{unit}", cat="Binary")
                self.model += here >= y + self.on(producer, source) - 1
                ready = self.end(producer)
                for hop, number in enumerate(path):
                    link = model.links[number]
                    ticks = self.communication.send(tensor, link.bytes_per_s)
                    self._after(hops[hop], ready, 1 - here, far)
                    self.jobs.append(Job(hops[hop], {n_units + number: (here, ticks)}))
                    ready = hops[hop] + ticks + link.latency_ticks
                for node in self._readers(tensor, unit):
                    self._after(self.jobs[node].start, ready, 2 - here - self.on(node, unit), far)

    @property
    def _far(self) -> int:
        """Ticks by which any data can be late: what switches a row off."""
        return self.horizon + work(self.instance)
