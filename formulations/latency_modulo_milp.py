r"""Minimal latency of a pipelined stream as a MILP: modulo scheduling with integer wraps, every transfer model.

Class of schedules
------------------
Time-triggered with one pattern (K = 1) and period T. Meant for small instances, to check other models; a range of
periods is solved one period after the other.

Sets
----
V nodes, G groups of nodes that must share a unit, P units, R units and links, J jobs: nodes, readings, and hops of
transfers on links, A edges between jobs.

Parameters
----------
d_vp ticks of v on p; c_t ticks to move tensor t, a_tl on link l and b_l its latency; H the largest latency of interest;
M ticks by which any data can be late.

Variables
---------
x_gp = 1 if group g is on p;  y_tq = 1 if tensor t has to move to unit q;  s_j start of job j;  L latency;  k_ij wraps.
u_jr = 1 where job j occupies resource r: x for nodes, y for readings, w_tpq >= x_vp + y_tq - 1 for hops of route p-q.
busy_jr ticks for which it does: its own, and those of its sends or uploads.

Objective
---------
minimise L.

Constraints
-----------
(1)  sum_p x_gp = 1
(2)  capacities of crossbars and memory;  x_gp + x_hp <= 1 for groups that must be apart
(3)  y_tq >= x_cq - x_vq for the producer v and each consumer c of t;  y_tq <= sum_c x_cq;  y_tq <= 1 - x_vq
(4)  hold of v: sum of c_t y_tq (``blocking``), sum of c_t up_t (``host``; up_t = 1 if t moves at all and v is not on
     host memory)
(5)  L >= s_v + d_v;  s_c >= s_v + d_v along edges
(6)  ``delay``: s_c >= s_v + d_v + c_t (y_tq + x_cq - 1)
(7)  ``blocking``: s_c >= s_v + d_v + sum of c_t' y_t'q' over (q', t') <= (q, t), where y_tq = x_cq = 1
(8)  ``host``: a reading starts after s_v + d_v and the uploads up to t, its consumers on q after the reading; at units
     on host memory these consumers start after the uploads
(9)  ``links``: the first hop starts after the producer, each other one and then the consumers after the hop before
     and its link's latency
(10) busy_ir <= s_j - s_i + k_ij T <= T - busy_jr  where u_ir = u_jr = 1, k_ij integer;  busy_jr <= T
(11) zero lengths: rank_j >= rank_i + 1 - N (s_j - s_i) along edges between jobs, and
     rank_j >= rank_i + 1 - N (s_j - s_i + k_ij T) if i takes no time and j nothing but a hold on the same unit
     (`mapopt.emulator.timetriggered`)

In (10) a k_ij exists for any two starts, so that the row is switched off by busy alone: no large constant stands there.

In the emulator
---------------
L is the latency of the time-triggered mapping with starts s and horizon T.

References
----------
A. E. Eichenberger, E. S. Davidson: Efficient formulation for optimal modulo schedulers. PLDI 1997.
P. Serafini, W. Ukovich: A mathematical model for periodic scheduling problems. SIAM J. Discrete Mathematics 2, 1989.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, ClassVar

from mapopt.options import Options, option
from mapopt.placement.problem import Problem
from mapopt.solvers.base import Task
from mapopt.solvers.latencies import LatencyMilp, refuted
from mapopt.solvers.model import Answer, PeriodRange, Status

if TYPE_CHECKING:
    from mapopt.solvers.transfer_rows import Job, Term, TransferRows


@dataclass(frozen=True)
class LatencyModuloMilpOptions(Options):
    """Ingredients of the model."""

    load: bool = option(True, "rows that limit each resource's work to a period, which (10) implies")


class LatencyModuloMilp(LatencyMilp[LatencyModuloMilpOptions]):
    """The model above, for every period of a range."""

    name: ClassVar[str] = "latency-modulo-milp"
    summary: ClassVar[str] = (
        "least latency of a stream with limited period, by a MILP with integer wraps; small instances"
    )
    pipelined: ClassVar[bool] = True
    schedule_class: ClassVar[str] = "time-triggered, one pattern (K = 1), any transfer model"
    reference: ClassVar[str] = "Eichenberger and Davidson 1997; Serafini and Ukovich 1989"
    options_type: ClassVar[type[Options]] = LatencyModuloMilpOptions

    def minimise(self, task: Task, problem: Problem) -> Answer:
        """Solve for every period, below the best latency so far."""
        assert task.period is not None
        best: Answer | None = None
        bounds: list[int] = []
        for period in range(task.period.low, task.period.high + 1):
            at = replace(task, period=PeriodRange(period, period))
            found = self.solved(at, problem, period, reports=False)
            if found.status in (Status.FAILED, Status.UNKNOWN):
                if best is not None:
                    return replace(best, status=Status.FEASIBLE, bound=task.bound)
                return found if task.period.fixed else replace(found, bound=task.bound)  # of one period only
            if found.status is not Status.INFEASIBLE:
                bounds.append(task.bound if found.bound is None else found.bound)
            if found.value is not None:
                best, task = found, replace(task, cutoff=found.value)
        if best is None or best.value is None:
            return refuted(task)
        bound = max(task.bound, min([*bounds, best.value]))
        return replace(best, status=Status.OPTIMAL if bound >= best.value else Status.FEASIBLE, bound=bound)

    def separate(self, rows: TransferRows) -> None:
        """Add (10) and (11)."""
        assert rows.period is not None
        _Wraps(rows, rows.period, self.options.load)


class _Wraps:
    """(10) and (11)."""

    def __init__(self, rows: TransferRows, period: int, load: bool) -> None:
        import pulp

        self.rows, self.model, self.period = rows, rows.model, period
        self.rank = {
            id(job): pulp.LpVariable(f"rank_{number}", 0, len(rows.jobs), cat="Integer")
            for number, job in enumerate(rows.jobs)
        }
        self.instants = any(self._held_at(job, unit) for job in rows.jobs for unit in job.options)
        for job in rows.jobs:
            self.model += (
                job.hold + pulp.lpSum(ticks * here for here, ticks in job.options.values()) <= period
            )
        most_wraps = rows.horizon // period + 1
        for number, (one, two) in enumerate(combinations(rows.jobs, 2)):
            common = [resource for resource in one.options if resource in two.options]
            if common and any(one.most(each) + two.most(each) for each in common):
                wraps = pulp.LpVariable(f"k_{number}", -most_wraps, most_wraps, cat="Integer")
                for resource in common:
                    self._apart(one, two, resource, two.start - one.start + period * wraps)
        if load:
            self._loads()
        if self.instants:
            for one, two, holds in rows.edges:
                self._later(one, two, two.start - one.start, holds)

    def _apart(self, one: Job, two: Job, resource: int, lag: Term) -> None:
        """(10), and (11) for pairs on one unit."""
        here, ticks = one.options[resource]
        there, its = two.options[resource]
        absent = 2 - here - there
        self.model += lag >= ticks + one.hold - one.most(resource) * absent
        self.model += lag <= self.period - its - two.hold + two.most(resource) * absent
        if self._held_at(two, resource) and ticks == 0:
            self._first(one, two, lag, absent)
        if self._held_at(one, resource) and its == 0:
            self._first(two, one, self.period - lag, absent)

    def _held_at(self, job: Job, resource: int) -> bool:
        return job.options[resource][1] == 0 and job.most_hold > 0

    def _later(self, one: Job, two: Job, lag: Term, holds: Term) -> None:
        count = len(self.rows.jobs) + 1
        self.model += self.rank[id(two)] >= self.rank[id(one)] + 1 - count * (lag + 1 - holds)

    def _first(self, short: Job, held: Job, lag: Term, absent: Term) -> None:
        """Let a job of no length come before one that holds, where that holds at all."""
        import pulp

        holds = pulp.LpVariable(f"held_{len(self.model.constraints())}", cat="Binary")
        self.model += held.most_hold * holds >= held.hold
        count = len(self.rows.jobs) + 1
        self.model += self.rank[id(held)] >= self.rank[id(short)] + 1 - count * (lag + absent + 1 - holds)

    def _loads(self) -> None:
        import pulp

        work: dict[int, list[Term]] = {}
        for job in self.rows.jobs:
            for resource, (here, ticks) in job.options.items():
                work.setdefault(resource, []).append(ticks * here)
        for terms in work.values():
            self.model += pulp.lpSum(terms) <= self.period
