r"""Minimal latency of a frame alone in the machine as a disjunctive MILP, every transfer model.

Class of schedules
------------------
One frame, each job without preemption on one resource. Meant for small instances, to check other models.

Sets
----
V nodes, G groups of nodes that must share a unit, P units, R units and links, J jobs: nodes, readings, and hops of
transfers on links.

Parameters
----------
d_vp ticks of v on p; c_t ticks to move tensor t, a_tl on link l and b_l its latency; H the largest latency of interest;
M ticks by which any data can be late.

Variables
---------
x_gp = 1 if group g is on p;  y_tq = 1 if tensor t has to move to unit q;  s_j start of job j;  L latency.
u_jr = 1 where job j occupies resource r: x for nodes, y for readings, w_tpq >= x_vp + y_tq - 1 for hops of route p-q.
busy_jr ticks for which it does: its own, and those of its sends or uploads.
o_ij = 1 if job i comes before job j on their resource.

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
(10) s_j >= s_i + busy_ir - (H + busy) (1 - o_ij),  s_i >= s_j + busy_jr - (H + busy) o_ij  where u_ir = u_jr = 1
(11) rank_j >= rank_i + 1 - N (1 - o_ij), and alike for o_ij = 0 and along edges between jobs: where jobs take no time,
     (10) alone would let orders run in a circle

In the emulator
---------------
L is the latency of the time-triggered mapping with starts s whose horizon is longer than the frame.

References
----------
A. S. Manne: On the job-shop scheduling problem. Operations Research 8, 1960. T. Davidović et al.: Towards the optimal
solution of the multiprocessor scheduling problem with communication delays. MISTA 2007.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, ClassVar

from mapopt.options import Options
from mapopt.placement.problem import Problem
from mapopt.solvers.base import Task
from mapopt.solvers.latencies import LatencyMilp
from mapopt.solvers.model import Answer

if TYPE_CHECKING:
    from mapopt.solvers.transfer_rows import Job, Term, TransferRows


class LatencyDisjunctiveMilp(LatencyMilp[Options]):
    """The model above."""

    name: ClassVar[str] = "latency-disjunctive-milp"
    summary: ClassVar[str] = "least latency of a frame alone, by a disjunctive MILP; small instances"
    schedule_class: ClassVar[str] = "one frame alone, any transfer model"
    reference: ClassVar[str] = "Manne 1960; Davidović et al. 2007"

    def minimise(self, task: Task, problem: Problem) -> Answer:
        """Solve the model."""
        return self.solved(task, problem, None)

    def separate(self, rows: TransferRows) -> None:
        """Add (10) and (11)."""
        _order(rows)


def _order(rows: TransferRows) -> None:
    """Add (10) and (11)."""
    import pulp

    model, count = rows.model, len(rows.jobs) + 1
    rank = {
        id(job): pulp.LpVariable(f"rank_{number}", 0, count, cat="Integer")
        for number, job in enumerate(rows.jobs)
    }

    def before(one: Job, two: Job, resource: int, absent: Term) -> None:
        """Let ``one`` come before ``two`` on a resource where ``absent`` is 0."""
        _, ticks = one.options[resource]
        far = rows.horizon + one.most(resource)
        model.__iadd__(two.start >= one.start + ticks + one.hold - far * absent)
        model.__iadd__(rank[id(two)] >= rank[id(one)] + 1 - 2 * count * absent)

    for number, (one, two) in enumerate(combinations(rows.jobs, 2)):
        common = [resource for resource in one.options if resource in two.options]
        if common:
            order = pulp.LpVariable(f"o_{number}", cat="Binary")
            for resource in common:
                absent = 2 - one.options[resource][0] - two.options[resource][0]
                before(one, two, resource, absent + 1 - order)
                before(two, one, resource, absent + order)
    for one, two, holds in rows.edges:
        model += rank[id(two)] >= rank[id(one)] + 1 - 2 * count * (1 - holds)
