"""Integer duals on request: the portable proof that a period is too short."""

from __future__ import annotations

from mapopt.bounds.pattern_duals import PatternDuals, check_pattern_certificate
from mapopt.instance import Instance
from mapopt.placement.problem import Problem
from mapopt.solvers.patterns.columns import Columns
from mapopt.solvers.patterns.loads import load_problem
from mapopt.solvers.watch import Watch


def refute(instance: Instance, ticks: int, watch: Watch) -> PatternDuals | None:
    """Return prices that prove that every mapping of one pattern has a period above ``ticks``.

    Transfers are left out and nodes that must be apart may meet; both can only lower the period.

    Returns
    -------
    PatternDuals or None
        Checked; ``None`` proves nothing.

    Raises
    ------
    InfeasibleError
        If a group has no unit.
    """
    problem = load_problem(Problem(instance))
    prices = Columns(problem, ticks, watch).generate().prices
    if prices is None:
        return None
    found = PatternDuals(ticks, problem.per_group(prices))
    return found if check_pattern_certificate(instance, found.duals, ticks) else None
