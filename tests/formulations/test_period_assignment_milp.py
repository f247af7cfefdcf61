import pytest

from formulations.period_assignment import PeriodAssignment
from formulations.period_assignment_milp import PeriodAssignmentMilp
from mapopt.instance import Instance, InstanceNode, Unit
from mapopt.mappers import registry
from mapopt.solvers.base import Formulation
from mapopt.solvers.model import Status
from mapopt.sources import load_instance
from tests.bounds.cases import random_instance
from tests.formulations.cases import tiny_instance
from tests.formulations.period_cases import answered, emulated_period, must_equal_brute_force


def test_it_is_a_formulation():
    assert isinstance(PeriodAssignmentMilp(), Formulation)


@pytest.mark.parametrize(("solver", "seeds"), [("cbc", range(60)), ("highs", range(60, 66))])
def test_it_equals_brute_force(solver, seeds):
    feasible = [
        must_equal_brute_force(PeriodAssignmentMilp(), random_instance(seed), solver=solver) for seed in seeds
    ]
    assert feasible.count(True) > len(seeds) // 2


def test_links_with_named_routes_equal_brute_force():
    for seed in range(25):
        must_equal_brute_force(
            PeriodAssignmentMilp(), tiny_instance(seed, "links"), emulated_period, solver="cbc"
        )


@pytest.mark.slow
@pytest.mark.parametrize(("solver", "seeds"), [("cbc", range(100, 400)), ("highs", range(400, 500))])
def test_it_equals_brute_force_on_many(solver, seeds):
    for seed in seeds:
        must_equal_brute_force(PeriodAssignmentMilp(), random_instance(seed), solver=solver)


def test_two_models_agree_on_a_network():
    instance = load_instance("resnet8", platform="imce:imc=3,dpu=1,transfer=blocking")
    start = registry.get("lpt").map(instance)
    milp = answered(PeriodAssignmentMilp(), instance, solver="highs", start=start)
    cpsat = answered(PeriodAssignment(), instance)
    assert (milp.status, milp.value, milp.bound) == (cpsat.status, cpsat.value, cpsat.bound)
    assert milp.status is Status.OPTIMAL


@pytest.mark.parametrize("length", [1, 10**7])
def test_times_with_a_common_divisor_are_proven_however_long_they_are(length):
    times = [7, 6, 5, 5, 4, 4]  # 31 on three units
    instance = Instance(
        "long",
        classes=("c",),
        units=tuple(Unit(f"u{number}", "c") for number in range(3)),
        nodes=tuple(InstanceNode(f"n{number}", (length * time,)) for number, time in enumerate(times)),
    )
    answer = answered(PeriodAssignmentMilp(), instance, solver="highs")
    assert (answer.status, answer.value, answer.bound) == (Status.OPTIMAL, 11 * length, 11 * length)


def test_numbers_that_floating_point_would_blur_are_refused():
    node = InstanceNode("n", (10**14,))
    assert "tick_ps" in str(
        PeriodAssignmentMilp().rejects(Instance("i", classes=("c",), units=(Unit("u", "c"),), nodes=(node,)))
    )
