"""How large the numbers of a latency MILP may be, and that longer ticks change no answer."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest

from formulations.latency_disjunctive_milp import LatencyDisjunctiveMilp
from formulations.latency_modulo import LatencyModulo
from formulations.latency_modulo_milp import LatencyModuloMilp
from mapopt.errors import UnsupportedError
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.solvers.base import Task
from mapopt.solvers.judging import accepted
from mapopt.solvers.latencies import MAX_CONSTANT
from mapopt.solvers.model import Limits, Objective, PeriodRange, Status
from mapopt.solvers.watch import Watch
from mapopt.transfers import Delay

SINGLE, STREAM = LatencyDisjunctiveMilp(), LatencyModuloMilp()


def chain(*times, delay=0):
    """Nodes one after the other, on two units of one class."""
    names = [f"n{number}" for number in range(len(times))]
    return Instance(
        "chain",
        ("x",),
        (Unit("u", "x"), Unit("v", "x")),
        tuple(InstanceNode(name, (time,)) for name, time in zip(names, times, strict=True)),
        tuple(InstanceTensor(f"t{name}", name, (after,), 0) for name, after in pairwise(names)),
        Delay(10**9, delay),
    )


def solve(formulation, instance, period=None, **wishes):
    watch = Watch(Limits(time_s=30, workers=1))
    answer = formulation.solve(Task(instance, Objective.LATENCY, watch, "highs", period, **wishes))
    accepted(instance, answer, Objective.LATENCY, formulation.name)
    return answer


@pytest.mark.parametrize("formulation", [SINGLE, STREAM])
@pytest.mark.parametrize("scale", [1, 3, 10**6])
def test_the_border_of_what_floating_point_holds(formulation, scale):
    half = MAX_CONSTANT // 2
    assert formulation.rejects(chain(scale * (half - 1), scale)) is None
    reason = formulation.rejects(chain(scale * half, scale))
    assert f"constant of {2 * scale * (half + 1)} ticks" in reason
    assert f"multiples of {scale}" in reason
    assert "use a CP-SAT formulation, or a larger tick_ps" in reason


def test_at_the_border_it_still_solves():
    half = MAX_CONSTANT // 2
    instance = chain(half - 1, 1)
    assert solve(SINGLE, instance).value == half
    assert solve(
        SINGLE, msgspec.structs.replace(instance, nodes=chain(10**9 * (half - 1), 10**9).nodes)
    ).value == (10**9 * half)
    with pytest.raises(UnsupportedError, match="'latency-disjunctive-milp': rows would be"):
        solve(SINGLE, chain(half, 1))


def test_periods_count_with_the_times_that_they_divide():
    instance = chain(10**6, 2 * 10**6, 10**6, delay=5 * 10**5)
    assert solve(STREAM, instance, PeriodRange(2 * 10**6, 2 * 10**6)).value == 6 * 10**6
    with pytest.raises(UnsupportedError, match="multiples of 1;"):
        solve(STREAM, instance, PeriodRange(2 * 10**6 + 1, 2 * 10**6 + 1))
    with pytest.raises(UnsupportedError, match="beyond 200000"):
        solve(STREAM, instance, PeriodRange(2 * 10**6, 10**9))
    with pytest.raises(UnsupportedError, match="constant of 3000004 ticks"):
        solve(STREAM, chain(1, 1), PeriodRange(10**6, 10**6))
    with pytest.raises(UnsupportedError, match="constant of 1000000 ticks"):
        solve(STREAM, chain(1, 1), PeriodRange(10**6, 10**6), cutoff=3)


def test_a_period_that_no_time_divides_is_kept():
    """All times are even, the period is odd: 4 and 6 wait for their units at odd instants."""
    instance, period = chain(4, 6, 4, 2, delay=2), PeriodRange(9, 9)
    exact = LatencyModulo().solve(Task(instance, Objective.LATENCY, Watch(Limits(workers=1)), period=period))
    assert exact.status is Status.OPTIMAL
    assert solve(STREAM, instance, period).value == exact.value


@pytest.mark.parametrize("formulation", [SINGLE, STREAM])
def test_longer_ticks_change_no_answer(formulation):
    times, period = (3, 2, 4, 1), PeriodRange(5, 7) if formulation.pipelined else None
    few = solve(formulation, chain(*times, delay=1), period)
    assert few.status is Status.OPTIMAL
    for scale in (7, 10**8):
        many = chain(*(scale * time for time in times), delay=scale)
        longer = None if period is None else PeriodRange(scale * 5, scale * 5)
        found = solve(formulation, many, longer)
        assert found.status is Status.OPTIMAL
        if period is None:
            assert (found.value, found.bound) == (scale * few.value, scale * few.bound)
        else:
            assert found.value == scale * solve(formulation, chain(*times, delay=1), PeriodRange(5, 5)).value


def test_whether_a_period_is_given_matters():
    with pytest.raises(UnsupportedError, match="give no period"):
        solve(SINGLE, chain(1, 1), PeriodRange(2, 2))
    with pytest.raises(UnsupportedError, match="give one"):
        solve(STREAM, chain(1, 1))
