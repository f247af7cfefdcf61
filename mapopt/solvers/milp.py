"""Running a PuLP model: limits, progress, an honest status and a true bound.

PuLP's own solver interface is not used: it calls an incumbent that was stopped by a time limit optimal, and it does not
give the dual bound. Every solver runs in a process of its own: what happens to it cannot hurt this one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, isfinite
from pathlib import Path

import pulp

from mapopt.solvers.backends import cbc, highs, scip
from mapopt.solvers.backends.base import Backend, End, Job
from mapopt.solvers.isolation import supervise
from mapopt.solvers.model import Objective, Status
from mapopt.solvers.watch import Watch

SOLVERS: dict[str, Callable[[], Backend]] = {"highs": highs.backend, "cbc": cbc.backend, "scip": scip.backend}
"""What ``solver`` may be."""

GAP = 0.5
"""Objectives are integers: a solution that cannot be improved by more than this cannot be improved at all."""

NODES_PER_UNIT = 100
"""Branch-and-bound nodes of a deterministic run for each second of its time limit."""

LARGEST = 1e12
"""Larger numbers are not written down exactly in the model's file."""

Values = Callable[[pulp.LpVariable], float]
"""Gives the value of a variable in a solution; of an integer variable exactly."""


@dataclass(frozen=True, slots=True)
class MilpRun:
    """What a MILP solver found.

    Parameters
    ----------
    status
        ``optimal`` only if the bound equals the value; ``feasible`` if it was stopped with a solution.
    value, bound
        Of the objective; ``None`` where there is none.
    values
        The best solution; ``None`` where there is none.
    reason
        Why the run failed, or what was unusual about it.
    """

    status: Status
    value: int | None = None
    bound: int | None = None
    values: Values | None = None
    reason: str = ""


def tolerance(bound: float) -> float:
    """Return how far above the truth a dual bound that was computed in floating point may lie.

    The solvers accept reduced costs that are wrong by 1e-7. Up to 4 million this is less than half a unit, so that an
    integer bound is kept; larger ones lose whole units rather than be trusted.
    """
    return 1e-3 + 1e-7 * abs(bound)


def run(
    problem: pulp.LpProblem,
    watch: Watch,
    objective: Objective,
    *,
    solver: str,
    scale: int = 1,
    limit_s: float | None = None,
    warm_start: bool = False,
    reports: bool = True,
) -> MilpRun:
    """Solve a model until a proof, a limit or a request to stop.

    Parameters
    ----------
    problem
        A minimisation whose optimum is an integer (or with no objective); variable names are unique.
    watch
        Its limits apply; improvements are reported to it. Deterministic runs are limited in branch-and-bound nodes,
        :data:`NODES_PER_UNIT` for each second of the limit.
    objective
        Under which improvements are reported.
    solver
        One of :data:`SOLVERS`.
    scale
        The problem's objective and bound are this many times those of the model.
    limit_s
        Seconds for this run alone (deterministic units in deterministic runs).
    warm_start
        Whether the variables' initial values are a solution to start from; it may be partial.
    reports
        Whether values and bounds of this model are those of the whole problem; a restricted model's are not.

    Returns
    -------
    MilpRun
        A solver that crashes, is missing or runs out of memory is status ``failed`` with a reason.

    Raises
    ------
    ValueError
        If the model is no minimisation, or two of its variables share a name: defects of the formulation.
    """
    backend = SOLVERS[solver]()
    if why := backend.missing():
        return MilpRun(Status.FAILED, reason=f"solver {solver}: {why}")
    if problem.sense != pulp.LpMinimize:
        raise ValueError(f"model {problem.name!r}: is a maximisation; negate its objective")
    if why := _too_large(problem):
        return MilpRun(Status.FAILED, reason=f"solver {solver}: {why}")

    has_objective = problem.objective is not None and len(problem.objective) > 0
    constant = Fraction(problem.objective.constant) if problem.objective is not None else Fraction(0)

    def whole(bound: float | None) -> int | None:
        if not has_objective or bound is None or not isfinite(bound):
            return None
        return scale * ceil(Fraction(bound - tolerance(bound)) + constant)

    def hear(line: str) -> None:
        found = backend.read(line)
        if found is not None and reports and has_objective:
            value = None if found.value is None else scale * _snapped(Fraction(found.value) + constant)
            watch.report(objective, value=value, bound=whole(found.bound))

    if watch.stopped:
        return MilpRun(Status.UNKNOWN)
    with tempfile.TemporaryDirectory(prefix="mapopt-milp-") as directory:
        columns = _write(problem, directory)
        job = _job(directory, columns, watch, limit_s, warm_start)
        try:
            ended = supervise(
                backend.command(job),
                watch,
                hear,
                stop=backend.stop,
                limit_s=float("inf") if job.time_s is None else job.time_s,
                memory_mb=watch.limits.memory_mb,
                environment={"OPENBLAS_NUM_THREADS": "1"},
            )
            end = backend.end(job, ended)
        except OSError as error:
            end = End(Status.FAILED, reason=f"cannot be run: {error.strerror or error}")
    watch.charge(max(1, end.nodes) / NODES_PER_UNIT)
    if end.status is Status.FAILED:
        return MilpRun(Status.FAILED, reason=f"solver {solver}: {end.reason}")
    if end.status is Status.INFEASIBLE:
        return MilpRun(Status.INFEASIBLE)
    bound = whole(end.bound)
    if end.solution is None:
        if reports:
            watch.report(objective, bound=bound)
        return MilpRun(Status.UNKNOWN, bound=bound, reason=end.reason)
    solution = {
        id(variable): _value(variable, end.solution.get(name, 0.0)) for name, variable in columns.items()
    }
    value = None
    if has_objective:
        terms = (
            Fraction(cost) * Fraction(solution[id(variable)]) for variable, cost in problem.objective.items()
        )
        value = scale * _snapped(sum(terms, constant))
        if bound is not None and bound > value:
            return MilpRun(
                Status.FAILED,
                reason=f"solver {solver}: its bound of {bound} is above its own solution's {value}",
            )
        if reports:
            watch.report(objective, value=value, bound=bound)
    return MilpRun(
        Status.OPTIMAL if value is None or bound == value else Status.FEASIBLE,
        value,
        bound,
        lambda variable: solution[id(variable)],
        end.reason,
    )


def _job(
    directory: str, columns: dict[str, pulp.LpVariable], watch: Watch, limit_s: float | None, warm_start: bool
) -> Job:
    limits = watch.limits
    left = min(watch.left, float("inf") if limit_s is None else limit_s)
    is_limited = isfinite(left)
    start = {
        name: float(each.varValue)
        for name, each in columns.items()
        if warm_start and each.varValue is not None
    }
    return Job(
        directory=directory,
        time_s=left if is_limited and not limits.deterministic else None,
        nodes=max(1, int(left * NODES_PER_UNIT)) if is_limited and limits.deterministic else None,
        workers=limits.workers,
        seed=limits.seed,
        gap=GAP,
        start=start,
    )


def _write(problem: pulp.LpProblem, directory: str) -> dict[str, pulp.LpVariable]:
    """Write the model and return the variable of each of its columns."""
    try:
        problem.checkDuplicateVars()
    except pulp.PulpError as error:
        raise ValueError(f"model {problem.name!r}: {error}") from None
    variables, names, _, _ = problem.writeMPS(str(Path(directory) / "model.mps"), rename=True)
    return {names[variable.name]: variable for variable in variables}


def _too_large(problem: pulp.LpProblem) -> str | None:
    expressions = [
        *problem.constraints(),
        *([problem.objective] if problem.objective is not None else []),
    ]
    largest = max(
        (abs(each) for terms in expressions for each in (*terms.values(), terms.constant)), default=0
    )
    if largest <= LARGEST:
        return None
    return f"the model has a number of {largest:g}; the largest allowed is {LARGEST:g}: use a coarser tick or unit"


def _value(variable: pulp.LpVariable, value: float) -> float:
    return round(value) if variable.cat == pulp.LpInteger else value


def _snapped(value: Fraction) -> int:
    """Return the integer that a value is, or the next one above where a continuous variable has slack."""
    nearest = round(value)
    return nearest if abs(value - nearest) <= tolerance(float(value)) else ceil(value)
