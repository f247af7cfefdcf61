"""Small CP-SAT models inside a search: solved with counted effort, by one worker, as often as the search likes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ortools.sat.python import cp_model


def solve_small(model: cp_model.CpModel, *, seed: int, effort: float) -> cp_model.CpSolver | None:
    """Return the solver with its best solution, or ``None`` if it found none.

    Ctrl-C is left to the caller: CP-SAT's own handler would put the system's in place of it afterwards.

    Parameters
    ----------
    effort
        Deterministic time of CP-SAT.
    """
    from ortools.sat.python import cp_model

    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed % 2**31
    solver.parameters.max_deterministic_time = effort
    solver.parameters.catch_sigint_signal = False
    return solver if solver.solve(model) in (cp_model.OPTIMAL, cp_model.FEASIBLE) else None
