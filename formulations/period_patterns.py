r"""Minimal period by patterns: column generation and branch and price on unrelated units.

Sets
----
:math:`G` kinds of groups of nodes that must share a unit, :math:`n_g` groups of a kind; :math:`U` kinds of units,
:math:`m_u` units of a kind; :math:`A_u(T)` patterns of unit kind u: how often each kind of group is on one unit.

Parameters
----------
:math:`t_{gu}` ticks, :math:`q_{gu}` crossbars and :math:`b_{gu}` bytes of a group on a unit; :math:`Q_u`,
:math:`B_u` capacities. A pattern :math:`a \in A_u(T)` satisfies

.. math::

    (1)\; & \textstyle\sum_g t_{gu} a_g \le T \\
    (2)\; & \textstyle\sum_g q_{gu} a_g \le Q_u, \quad \sum_g b_{gu} a_g \le B_u \\
    (3)\; & 0 \le a_g \le n_g, \text{ and } a_g = 0 \text{ where class, pin or forbid keep g from u}

Variables
---------
:math:`\lambda_{ua}` units of kind u that hold pattern a; :math:`s_g` groups of kind g left over.

Decision for a period T
-----------------------

.. math::

    \min\; & \textstyle\sum_g s_g \\
    (4)\; & \textstyle\sum_u \sum_{a \in A_u(T)} a_g \lambda_{ua} + s_g \ge n_g && g \in G \qquad (\pi_g) \\
    (5)\; & \textstyle\sum_{a \in A_u(T)} \lambda_{ua} \le m_u && u \in U \\
    (6)\; & \lambda_{ua} \in \mathbb{Z}_{\ge 0},\; s_g \ge 0

Objective
---------
The least T for which the decision is 0.

Pricing
-------
(7) :math:`z_u(\pi, T) = \max \{\pi a : a \in A_u(T)\}`, a bounded knapsack over time, crossbars and memory.

Bound
-----
(8) :math:`\sum_g n_g \pi_g > \sum_u m_u z_u(\pi, T)` with integer :math:`\pi \ge 0` and knapsacks solved in
integers proves that every period exceeds T. Where a table would be too large, time and capacities are rounded down
to a coarser grid, which can only raise :math:`z_u`.

Branching
---------
(9) A group is kept off one half of the unit kinds, then off the other. Units of a kind are singled out, one at a
time, when a group is fractional among them alone. Leaves are refuted by (8).

Method
------
Periods are tried from a linear program over assignments on, the longest that (8) refutes is raised step by step, and
mappings are looked for at the first that is left: by dives on the patterns, annealing, an integer program over what
reduced costs leave open, and branch and price, in turns of growing length.

Class
-----
Mappings of one pattern (K = 1) without duplication, under any dispatch but stealing; free transfers, or delays
that occupy nobody. T is the largest work per frame of a unit: the period of the best time-triggered schedule of the
mapping, as the emulator measures it.

References
----------
P. C. Gilmore, R. E. Gomory: A linear programming approach to the cutting-stock problem. Operations Research 9,
1961. J. M. van den Akker, J. A. Hoogeveen, S. L. van de Velde: Parallel machine scheduling by column generation.
Operations Research 47, 1999. L. Fanjul-Peyro, R. Ruiz: Iterated greedy local search methods for unrelated parallel
machine scheduling. European Journal of Operational Research 207, 2010. P. Wentges: Weighted Dantzig-Wolfe
decomposition for linear mixed-integer programming. International Transactions in Operational Research 4, 1997.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from mapopt.bounds.witnesses import Patterns
from mapopt.instance import Instance
from mapopt.options import Options, option
from mapopt.placement.problem import Problem
from mapopt.solvers.assignments import PeriodFormulation, PeriodOptions, conclude
from mapopt.solvers.base import Task
from mapopt.solvers.model import Answer, Status
from mapopt.transfers import Delay, Free


@dataclass(frozen=True)
class PeriodPatternsOptions(PeriodOptions):
    """Ingredients of the search that can be switched off."""

    relaxation: bool = option(True, "begin where a linear program over assignments points")
    dives: bool = option(True, "dive on the patterns, not only round their linear program")
    integer_program: bool = option(
        True, "solve an integer program over the assignments that reduced costs leave open"
    )
    branching: bool = option(True, "branch and price")


class PeriodPatterns(PeriodFormulation[PeriodPatternsOptions]):
    """Patterns, column generation, and branch and price; see the module."""

    name: ClassVar[str] = "period-patterns"
    summary: ClassVar[str] = (
        "what each unit holds as one column: column generation, branch and price, integer duals"
    )
    schedule_class: ClassVar[str] = f"{PeriodFormulation.schedule_class}; free transfers or delays"
    solvers: ClassVar[tuple[str, ...]] = ("own",)
    reference: ClassVar[str] = "Gilmore and Gomory 1961; van den Akker, Hoogeveen and van de Velde 1999"
    options_type: ClassVar[type[Options]] = PeriodPatternsOptions

    def rejects(self, instance: Instance) -> str | None:
        """Refuse transfers that occupy somebody and nodes that must be apart: a pattern knows neither."""
        if not isinstance(instance.transfer, Free | Delay):
            kind = type(instance.transfer).__name__.lower()
            return f"what a pattern takes must not depend on other units, but transfers are {kind!r}; use free or delay"
        if any(len(group) > 1 for group in instance.side_constraints.separate):
            return "its knapsacks know no nodes that must be apart (separate); use another formulation"
        return None

    def assign(self, task: Task, problem: Problem, start: list[int] | None) -> Answer:
        """Search until a proof, the limits or a request to stop."""
        from mapopt.solvers.patterns.loads import load_problem
        from mapopt.solvers.patterns.question import Ingredients, Wanted
        from mapopt.solvers.patterns.search import Search

        options = self.options
        search = Search(
            load_problem(problem),
            task.watch,
            task.bound,
            Ingredients(options.relaxation, options.dives, options.integer_program, options.branching),
            Wanted(task.cutoff, task.decision),
        )
        found = search.run(None if start is None else tuple(start))
        if found.infeasible:
            return conclude(task, problem, None, Status.INFEASIBLE, None)
        witness = None if found.duals is None else Patterns(found.duals.ticks + 1, found.duals.duals)
        refuted = task.cutoff is not None and found.bound >= task.cutoff
        if found.value is None or (task.cutoff is not None and found.value >= task.cutoff):
            status = Status.INFEASIBLE if refuted else Status.UNKNOWN
            return replace(conclude(task, problem, None, status, found.bound), witness=witness)
        return replace(conclude(task, problem, found.units, Status.FEASIBLE, found.bound), witness=witness)
