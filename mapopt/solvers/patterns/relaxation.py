"""A linear program over assignments, sharpened for one period: where it points, the search begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mapopt.solvers.patterns.effort import SIMPLEX_ITERATION
from mapopt.solvers.patterns.loads import IntArray, LoadProblem
from mapopt.solvers.watch import Watch

TOLERANCE = 1e-6
"""Of the linear program, in ticks; what it says is not a proof."""

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Relaxation:
    """The linear program's view of a period.

    Parameters
    ----------
    shares
        How much of each item is on each kind, shape (items, kinds).
    reduced_costs
        What it costs the load to put one more there, in ticks, shape (items, kinds); infinite where it cannot.
    allowed
        Where an item may be in a solution within the period, shape (items, kinds).
    """

    shares: FloatArray
    reduced_costs: FloatArray
    allowed: BoolArray


def relax(problem: LoadProblem, ticks: int, watch: Watch) -> Relaxation | None:
    """Fix by reduced costs until that changes little; ``None`` if the linear program has no solution within ``ticks``.

    References
    ----------
    Cardinality rows for unrelated machines: at most as many items on a unit as the smallest that fit, and at least
    those that do not fit elsewhere.
    """
    allowed = problem.fits(ticks)
    while True:
        solved = _solve(problem, allowed, ticks, watch)
        if solved is None:
            return None
        load, shares, costs = solved
        if load > ticks + TOLERANCE:
            return None
        kept = allowed & (costs <= ticks - load + TOLERANCE)
        if kept.sum() > 0.95 * allowed.sum():
            return Relaxation(shares, costs, kept)
        allowed = kept


def most_items(problem: LoadProblem, allowed: BoolArray, ticks: int) -> IntArray:
    """Return the most items that one unit of each kind can hold, by time and by each resource, shape (kinds,)."""
    n_kinds = problem.shape[1]
    most = np.zeros(n_kinds, np.int64)
    for kind in range(n_kinds):
        here = allowed[:, kind]
        counts = problem.demand[here]
        most[kind] = counts.sum()
        for size, limit in (
            (problem.times[here, kind], ticks),
            *zip(problem.sizes[:, here, kind], problem.capacities[:, kind], strict=True),
        ):
            small_first = np.repeat(size, counts)
            small_first.sort()
            most[kind] = min(most[kind], int((np.cumsum(small_first) <= limit).sum()))
    return most


def _solve(
    problem: LoadProblem, allowed: BoolArray, ticks: int, watch: Watch
) -> tuple[float, FloatArray, FloatArray] | None:
    """Minimise the largest load; return it with the shares and their reduced costs."""
    import highspy

    n_items, n_kinds = problem.shape
    most = most_items(problem, allowed, ticks) * problem.units
    total = int(problem.demand.sum())
    if most.sum() < total or not allowed.any(axis=1).all():
        return None
    items, kinds = np.nonzero(allowed)
    n_shares, inf, scale = len(items), highspy.kHighsInf, max(1, ticks)
    # Rows: each item is placed; each kind's load, crossbars, memory and number of items. Last column: the load.
    rows = np.stack([items, *(n_items + each * n_kinds + kinds for each in range(4))], axis=1)
    entries = np.stack(
        [
            np.ones(n_shares),
            problem.times[items, kinds] / scale,
            *(problem.sizes[:, items, kinds] / np.maximum(problem.capacities[:, kinds], 1)),
            np.ones(n_shares),
        ],
        axis=1,
    )
    units = problem.units.astype(np.float64)
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = n_shares + 1, n_items + 4 * n_kinds
    program.col_cost_ = np.append(np.zeros(n_shares), 1.0)
    program.col_lower_ = np.zeros(n_shares + 1)
    program.col_upper_ = np.full(n_shares + 1, inf)
    program.row_lower_ = np.concatenate(
        [problem.demand, np.full(3 * n_kinds, -inf), np.maximum(0, total - (most.sum() - most))]
    )
    held = np.where(problem.capacities > 0, units, 0.0)
    program.row_upper_ = np.concatenate([problem.demand, np.zeros(n_kinds), held.ravel(), most])
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_ = np.append(np.arange(0, 5 * n_shares + 1, 5), 5 * n_shares + n_kinds).astype(
        np.int32
    )
    program.a_matrix_.index_ = np.append(rows.ravel(), n_items + np.arange(n_kinds)).astype(np.int32)
    program.a_matrix_.value_ = np.append(entries.ravel(), -units)
    model: Any = highspy.Highs()
    model.setOptionValue("output_flag", False)
    model.setOptionValue("threads", 1)
    model.passModel(program)
    model.run()
    watch.charge(SIMPLEX_ITERATION * max(1, model.getInfo().simplex_iteration_count))
    if model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    solution = model.getSolution()
    shares, costs = np.zeros(problem.shape), np.full(problem.shape, np.inf)
    shares[items, kinds] = np.array(solution.col_value)[:-1]
    costs[items, kinds] = np.array(solution.col_dual)[:-1] * scale
    return model.getInfo().objective_function_value * scale, shares, costs
