"""Running a CP-SAT model: limits, progress, an honest status and a true bound."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from ortools.sat.python import cp_model, cp_model_helper

from mapopt.solvers.forking import Send, run_forked
from mapopt.solvers.model import Objective, SolverFailedError, Status
from mapopt.solvers.watch import Watch

Values = Callable[[Any], int]
"""Gives the value of a variable, a Boolean or a linear expression in a solution."""

ASIDE = 1000
"""A model with this many variables and constraints, or a memory limit, is solved in a copy of this process.

A copy costs 15 to 30 ms in a process of 100 to 250 MB and 40 to 60 ms in one of 550 MB: its page tables are copied. A
smaller model takes 1 to 8 ms, and searches ask hundreds of them in a row, so these are solved here: a crash of CP-SAT
in one of them ends this process.
"""

EXACT = 2.0**53
"""Larger bounds, infinite ones among them, are not exact in double precision and dropped."""

PRESOLVE = 3e-5
"""Deterministic time that is charged per variable and constraint for building and presolving a model, which CP-SAT does
not count: many short solves of a large model would otherwise cost next to nothing."""

EPSILON = 1e-6
"""CP-SAT reports integer bounds as floats; what is this close below an integer is that integer."""


@dataclass(frozen=True, slots=True)
class CpSatRun:
    """What CP-SAT found.

    Parameters
    ----------
    status
        ``feasible`` if it was stopped with a solution.
    value, bound
        Of the objective; ``None`` where there is none.
    values
        The best solution; ``None`` where there is none.
    deterministic_time
        The effort in the solver's own units.
    """

    status: Status
    value: int | None
    bound: int | None
    values: Values | None
    deterministic_time: float


def run(
    model: cp_model.CpModel,
    watch: Watch,
    objective: Objective,
    *,
    limit_s: float | None = None,
    parameters: Mapping[str, Any] | None = None,
    reports: bool = True,
) -> CpSatRun:
    """Solve a model until a proof, a limit or a request to stop.

    Parameters
    ----------
    model
        With or without an objective; all its numbers are integers.
    watch
        Its limits apply; improvements are reported to it.
    objective
        Under which improvements are reported.
    limit_s
        Seconds for this run alone (deterministic units in deterministic runs).
    parameters
        Further parameters of CP-SAT.
    reports
        Whether values and bounds of this model are those of the whole problem; a restricted model's are not.

    Raises
    ------
    SolverFailedError
        If CP-SAT crashed or ran out of memory: it runs in a copy of this process.
    ValueError
        If CP-SAT finds the model invalid, which is a defect of the formulation.
    """
    solver = cp_model.CpSolver()
    limits = watch.limits
    settings = solver.parameters
    settings.num_workers = 1 if limits.deterministic else limits.workers
    settings.random_seed = limits.seed
    settings.catch_sigint_signal = False
    left = min(watch.left, float("inf") if limit_s is None else limit_s)
    if left != float("inf"):
        name = "max_deterministic_time" if limits.deterministic else "max_time_in_seconds"
        setattr(settings, name, max(0.01, left))
    if limits.memory_mb is not None:
        settings.max_memory_in_mb = limits.memory_mb
    for name, value in (parameters or {}).items():
        setattr(settings, name, value)

    has_objective = model.has_objective()
    end: dict[str, Any] = {}

    def work(send: Send) -> None:
        callback = _Reporter(send) if reports and has_objective else None
        if callback is not None:
            solver.best_bound_callback = lambda bound: send({"bound": bound})
        status = solver.solve(model, callback)
        response = solver.response_proto
        send(
            {
                "status": int(status),
                "value": response.objective_value,
                "bound": response.best_objective_bound,
                "effort": response.deterministic_time,
                "solution": list(response.solution),
            }
        )

    def receive(message: dict[str, Any]) -> None:
        if "status" in message:
            end.update(message)
        else:
            value, bound = message.get("value"), message["bound"]
            watch.report(
                objective,
                value=None if value is None else round(value),
                bound=_whole(bound),
            )

    size = len(model.proto.variables) + len(model.proto.constraints)
    if limits.memory_mb is None and size < ASIDE:
        watch.run(lambda: work(receive), solver.stop_search)
    else:
        ended = run_forked(work, solver.stop_search, watch, receive)
        if not end:
            raise SolverFailedError(f"CP-SAT {ended.reason or 'ended without an answer'}")
    watch.charge(end["effort"] + PRESOLVE * size)
    status = end["status"]
    if status == cp_model.MODEL_INVALID:
        raise ValueError(f"CP-SAT: the model is invalid: {model.validate()}")
    found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    value = bound = None
    if has_objective and found:
        value = round(end["value"])
    if has_objective and status != cp_model.INFEASIBLE:
        bound = _whole(end["bound"])
        if reports:
            watch.report(objective, value=value, bound=bound)
    return CpSatRun(
        status=_STATUS[cp_model.CpSolverStatus(status)],
        value=value,
        bound=bound,
        values=_values(end["solution"]) if found else None,
        deterministic_time=end["effort"],
    )


def _values(solution: list[int]) -> Values:
    response = cp_model_helper.CpSolverResponse()
    response.solution.extend(solution)

    def value(expression: Any) -> int:
        return int(cp_model_helper.ResponseHelper.value(response, expression))

    return value


_STATUS = {
    cp_model.OPTIMAL: Status.OPTIMAL,
    cp_model.FEASIBLE: Status.FEASIBLE,
    cp_model.INFEASIBLE: Status.INFEASIBLE,
    cp_model.UNKNOWN: Status.UNKNOWN,
}


class _Reporter(cp_model.CpSolverSolutionCallback):
    def __init__(self, send: Send) -> None:
        super().__init__()
        self._send = send

    def on_solution_callback(self) -> None:
        self._send({"value": self.objective_value, "bound": self.best_objective_bound})


def _whole(bound: float | None) -> int | None:
    """Return the bound of the problem, or ``None`` while there is none."""
    if bound is None or not abs(bound) < EXACT:
        return None
    return ceil(bound - EPSILON)
