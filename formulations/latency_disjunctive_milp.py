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

from mapopt.errors import InfeasibleError, UnsupportedError
from mapopt.instance import Instance
from mapopt.options import Options
from mapopt.placement.problem import Problem
from mapopt.solvers.assignments import MAX_MILP, too_large
from mapopt.solvers.base import Task
from mapopt.solvers.horizons import horizon, work
from mapopt.solvers.model import Answer, Objective, Status
from mapopt.solvers.timed import timed_mapping

if TYPE_CHECKING:
    from mapopt.solvers.transfer_rows import Job, Term, TransferRows


class LatencyDisjunctiveMilp:
    """The model above as a :class:`mapopt.solvers.base.Formulation`."""

    name: ClassVar[str] = "latency-disjunctive-milp"
    summary: ClassVar[str] = "least latency of a frame alone, by a disjunctive MILP; small instances"
    objectives: ClassVar[tuple[Objective, ...]] = (Objective.LATENCY,)
    pipelined: ClassVar[bool] = False
    contiguous: ClassVar[bool] = False
    schedule_class: ClassVar[str] = "one frame alone, any transfer model"
    solvers: ClassVar[tuple[str, ...]] = ("highs", "scip", "cbc")
    reference: ClassVar[str] = "Manne 1960; Davidović et al. 2007"
    options_type: ClassVar[type[Options]] = Options

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()

    def rejects(self, instance: Instance) -> str | None:
        """Refuse numbers that double precision hides."""
        return too_large(work(instance), MAX_MILP, "ticks", "use a larger tick_ps")

    def solve(self, task: Task) -> Answer:
        """Solve, see :meth:`mapopt.solvers.base.Formulation.solve`.

        Raises
        ------
        UnsupportedError
            If the times are too large, or a period is given.
        """
        from mapopt.solvers.milp import run
        from mapopt.solvers.transfer_rows import TransferRows

        reason = self.rejects(task.instance)
        if reason is None and task.period is not None:
            reason = "it is about one frame; give no period"
        if reason is not None:
            raise UnsupportedError(f"formulation {self.name!r}: {reason}")
        try:
            problem = Problem(task.instance)
        except InfeasibleError as error:
            return Answer(Status.INFEASIBLE, reason=str(error))
        latest = horizon(task)
        if latest < task.bound:
            return Answer(
                Status.INFEASIBLE, bound=task.bound, reason=f"no latency is below {task.bound} ticks"
            )
        rows = TransferRows(problem, latest, task.bound)
        _order(rows)
        found = run(rows.model, task.watch, task.objective, solver=task.solver)
        if found.values is None:
            return _without_solution(task, found.status, found.bound, found.reason)
        units, starts, transfers = rows.solution(found.values)
        length = max(1, latest + work(task.instance))
        mapping = timed_mapping(task.instance, units, starts, transfers, length)
        return Answer(found.status, mapping, found.value, found.bound)


def _without_solution(task: Task, status: Status, bound: int | None, reason: str) -> Answer:
    if status is not Status.INFEASIBLE:
        return Answer(status, bound=bound, reason=reason)
    if task.cutoff is not None:
        return Answer(status, bound=task.cutoff, reason=f"no latency is below {task.cutoff} ticks")
    return Answer(status, reason="no assignment keeps all capacities and side constraints")


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
