"""An integer program over the places that reduced costs leave open: a search for a mapping, not a proof."""

from __future__ import annotations

from typing import Any

import numpy as np

from mapopt.solvers.patterns.loads import IntArray, LoadProblem
from mapopt.solvers.patterns.relaxation import BoolArray
from mapopt.solvers.watch import Watch

NODES_PER_S = 50
"""Nodes of the integer program that stand for a second of a deterministic run."""


def assign(
    problem: LoadProblem, ticks: int, allowed: BoolArray, watch: Watch, limit_s: float
) -> IntArray | None:
    """Look for a mapping within ``ticks``.

    Parameters
    ----------
    problem
        With every group and unit told apart.
    ticks
        The period.
    allowed
        Units of each item, shape (items, units).
    watch, limit_s
        When to stop, and after how many seconds (units of effort in deterministic runs) at the latest.

    Returns
    -------
    units
        Unit of each item, shape (items,), or ``None`` if none was found.
    """
    import highspy

    n_items, n_units = problem.shape
    items, units = np.nonzero(allowed)
    n_places = len(items)
    rows = np.stack([items, *(n_items + each * n_units + units for each in range(3))], axis=1)
    entries = np.stack(
        [np.ones(n_places), problem.times[items, units], *problem.sizes[:, items, units]], axis=1
    )
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = n_places, n_items + 3 * n_units
    program.col_cost_ = np.zeros(n_places)
    program.col_lower_, program.col_upper_ = np.zeros(n_places), np.ones(n_places)
    program.integrality_ = [highspy.HighsVarType.kInteger] * n_places
    program.row_lower_ = np.concatenate([np.ones(n_items), np.full(3 * n_units, -highspy.kHighsInf)])
    program.row_upper_ = np.concatenate(
        [np.ones(n_items), np.full(n_units, float(ticks)), problem.capacities.ravel()]
    )
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_ = np.arange(0, 4 * n_places + 1, 4, dtype=np.int32)
    program.a_matrix_.index_ = rows.ravel().astype(np.int32)
    program.a_matrix_.value_ = entries.ravel()
    model: Any = highspy.Highs()
    model.setOptionValue("output_flag", False)
    model.setOptionValue("threads", 1)
    if watch.limits.deterministic:
        model.setOptionValue("mip_max_nodes", int(NODES_PER_S * limit_s))
    else:
        model.setOptionValue("time_limit", max(0.01, min(limit_s, watch.left_s)))
    model.passModel(program)
    watch.run(model.run, model.cancelSolve)
    if model.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return None
    taken = np.array(model.getSolution().col_value) > 0.5
    found = np.zeros(n_items, np.int64)
    found[items[taken]] = units[taken]
    return found
