import pytest

from formulations.latency_modulo_milp import LatencyModuloMilp
from mapopt.errors import UnsupportedError
from mapopt.solvers.milp import SOLVERS
from mapopt.solvers.model import Answer, PeriodRange, Status
from mapopt.solvers.registry import get
from tests.formulations.agreement import check_answer, solve
from tests.formulations.cases import MODELS, least_period, random_period, tiny_instance
from tests.formulations.oracle import least_latency

INSTALLED = [name for name, backend in SOLVERS.items() if not backend().missing()]


def compare(kind: str, seeds: range, solver: str = "highs") -> None:
    for seed in seeds:
        instance = tiny_instance(seed, kind)
        period = random_period(seed, instance)
        check_answer(LatencyModuloMilp(), instance, period, least_latency(instance, period), solver=solver)


@pytest.mark.parametrize("kind", MODELS)
def test_some_tiny_instances(kind):
    compare(kind, range(4))


@pytest.mark.slow
@pytest.mark.parametrize("kind", MODELS)
def test_many_tiny_instances(kind):
    compare(kind, range(30, 130))


@pytest.mark.parametrize("solver", INSTALLED)
def test_every_solver(solver):
    for kind in ("blocking", "links"):
        compare(kind, range(20, 22), solver)


def test_cutoff():
    instance = tiny_instance(7, "links")
    period = random_period(7, instance)
    least = least_latency(instance, period)
    assert least is not None
    none = solve(LatencyModuloMilp(), instance, period, solver="highs", cutoff=least)
    assert (none.status, none.mapping, none.bound) == (Status.INFEASIBLE, None, least)
    one = solve(LatencyModuloMilp(), instance, period, solver="highs", cutoff=least + 1)
    assert (one.status, one.value) == (Status.OPTIMAL, least)


def test_the_bound_of_one_period_is_none_of_a_range(monkeypatch):
    """The least latency is not monotone in the period, so a run that ends early says nothing about longer ones."""

    stopped = Answer(Status.UNKNOWN, bound=10**6)
    monkeypatch.setattr(LatencyModuloMilp, "solved", lambda *_, **__: stopped)
    instance = tiny_instance(7, "delay")
    low = least_period(instance)
    assert solve(LatencyModuloMilp(), instance, PeriodRange(low, low + 3), bound=2).bound == 2
    assert solve(LatencyModuloMilp(), instance, PeriodRange(low, low), bound=2).bound == 10**6


def test_what_is_not_supported_is_refused():
    with pytest.raises(UnsupportedError):
        solve(LatencyModuloMilp(), tiny_instance(0), None, solver="highs")


def test_registered():
    assert type(get(LatencyModuloMilp.name)) is LatencyModuloMilp
