"""What every exact latency formulation must do on a tiny instance: find the oracle's value, prove it, and decode it."""

from __future__ import annotations

from mapopt.feasibility import check
from mapopt.instance import Instance
from mapopt.mapping import Mapping
from mapopt.solvers.base import Formulation, Task
from mapopt.solvers.judging import accepted, with_timed_claims
from mapopt.solvers.model import Answer, Limits, Objective, PeriodRange, Status
from mapopt.solvers.watch import Watch
from mapopt.verification import verify


def solve(
    formulation: Formulation,
    instance: Instance,
    period: PeriodRange | None,
    *,
    solver: str = "cpsat",
    start: Mapping | None = None,
    bound: int = 0,
    cutoff: int | None = None,
    decision: bool = False,
) -> Answer:
    """Run a formulation on one worker for up to a minute."""
    watch = Watch(Limits(time_s=60, workers=1))
    task = Task(instance, Objective.LATENCY, watch, solver, period, start, bound, cutoff, decision)
    return formulation.solve(task)


def check_answer(
    formulation: Formulation,
    instance: Instance,
    period: PeriodRange | None,
    least: int | None,
    *,
    solver: str = "cpsat",
) -> Answer:
    """Compare a formulation with the least latency, ``None`` if there is no schedule."""
    answer = solve(formulation, instance, period, solver=solver)
    where = f"{formulation.name} ({solver}) on {instance.name}, {period}: {answer}"
    value = accepted(instance, answer, Objective.LATENCY, formulation.name)  # the judge measures the claim
    assert value == least, f"oracle: {least}, {where}"
    if least is None:
        assert answer.status is Status.INFEASIBLE, where
        return answer
    assert answer.status is Status.OPTIMAL, where
    assert answer.bound == least, where
    assert answer.mapping is not None
    assert check(instance, answer.mapping) == ()
    if period is not None:
        assert period.low <= (answer.mapping.horizon or 0) <= period.high, where
    assert verify(instance, with_timed_claims(instance, answer.mapping)).ok, where
    return answer
