import pytest

from mapopt.errors import InputError
from mapopt.solvers.driver import solve
from mapopt.solvers.model import Limits
from mapopt.solvers.pareto import pareto
from mapopt.sources import load_instance
from mapopt.verification import verify
from tests.formulations.cases import tiny_instance

LIMITS = Limits(time_s=30)


@pytest.mark.parametrize("seed", range(8))
def test_every_point_is_the_least_latency_under_its_limit(seed):
    instance = tiny_instance(seed)
    front = pareto(instance, steps=4, limits=LIMITS)
    assert front.exact
    assert front.complete
    assert front.least_period_proven
    latencies = [point.latency for point in front.points]
    assert latencies == sorted(set(latencies), reverse=True)
    for point in front.points:
        assert point.gap in (0.0, None)
        assert verify(instance, point.mapping).ok
        assert point.mapping.horizon == point.period <= point.max_period
        alone = solve(instance, "latency", max_period=point.max_period, limits=LIMITS)
        assert alone.levels[0].value == point.latency


def test_the_ends_are_the_least_period_and_the_least_latency():
    instance = load_instance("resnet8", platform="imc:imc=3,dpu=1")
    seen = []
    front = pareto(instance, steps=4, limits=LIMITS, on_point=seen.append)
    assert front.points[0].period == solve(instance, limits=LIMITS).levels[0].value
    assert front.points[-1].latency == solve(instance, "latency", limits=LIMITS).levels[0].value
    assert len(seen) >= len(front.points) > 1


@pytest.mark.parametrize("steps", [0, 1, 1001])
def test_steps_must_make_a_front(steps):
    with pytest.raises(InputError, match="steps"):
        pareto(tiny_instance(0), steps=steps)
