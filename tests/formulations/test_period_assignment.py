import pytest

from formulations.period_assignment import PeriodAssignment, PeriodAssignmentOptions
from mapopt.errors import UnsupportedError
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.mappers import registry
from mapopt.solvers.base import Formulation
from mapopt.solvers.model import Status
from mapopt.sources import load_instance, read_instance
from mapopt.transfers import Blocking, Link, Links
from tests.bounds.cases import random_instance
from tests.formulations.cases import tiny_instance
from tests.formulations.period_cases import alike, answered, emulated_period, must_equal_brute_force
from tests.importers.test_device_placement import DATA


def test_it_is_a_formulation():
    assert isinstance(PeriodAssignment(), Formulation)


def test_it_equals_brute_force():
    feasible = [must_equal_brute_force(PeriodAssignment(), random_instance(seed)) for seed in range(200)]
    assert 20 < feasible.count(False) < 60


def test_links_with_named_routes_equal_brute_force():
    for seed in range(80):
        must_equal_brute_force(PeriodAssignment(), tiny_instance(seed, "links"), emulated_period)


@pytest.mark.parametrize("ingredient", ["aggregate", "symmetry", "reachable", "covers", "bound"])
def test_no_ingredient_changes_the_optimum(ingredient):
    options = PeriodAssignmentOptions.of({ingredient: False})
    for seed in range(200, 230):
        must_equal_brute_force(PeriodAssignment(options), alike(random_instance(seed, constrained=False)))


def test_interchangeable_units_lose_no_optimum():
    for seed in range(300, 380):
        must_equal_brute_force(PeriodAssignment(), alike(random_instance(seed, constrained=seed % 2 == 0)))


@pytest.mark.parametrize("seed", range(400, 430))
def test_a_start_is_never_made_worse(seed):
    instance = random_instance(seed, constrained=False)
    start = registry.get("lpt").map(instance)
    answer = answered(PeriodAssignment(), instance, start=start)
    assert answer.value == answered(PeriodAssignment(), instance).value


def test_a_bound_by_links_is_no_sum_of_times():
    # The only transfer takes 7 ticks; no sum of the times 2 and 4 is 7.
    instance = Instance(
        "i",
        classes=("a", "b"),
        units=(Unit("u", "a"), Unit("v", "b")),
        nodes=(InstanceNode("x", (4, None)), InstanceNode("y", (None, 4)), InstanceNode("z", (2, None))),
        tensors=(InstanceTensor("t", "x", ("y",), 7),),
        transfer=Links((Link("l", 10**9),), egress=(("l",), ("l",)), ingress=((), ())),
    )
    answer = answered(PeriodAssignment(), instance, bound=7)
    assert (answer.status, answer.value, answer.bound) == (Status.OPTIMAL, 7, 7)


def test_equal_nodes_are_counted():
    nodes = tuple(InstanceNode(f"n{number}", (3 + number % 2,)) for number in range(400))
    units = tuple(Unit(f"u{number}", "c") for number in range(16))
    answer = answered(PeriodAssignment(), Instance("i", classes=("c",), units=units, nodes=nodes))
    assert (answer.status, answer.value) == (Status.OPTIMAL, -(-1400 // 16))


def test_overflowing_numbers_are_refused():
    instance = Instance(
        "i",
        classes=("c",),
        units=(Unit("u", "c"), Unit("v", "c")),
        nodes=tuple(InstanceNode(f"n{number}", (1,)) for number in range(600)),
        tensors=tuple(
            InstanceTensor(f"t{number}", "n0", (f"n{number}",), 10**15) for number in range(1, 600)
        ),
        transfer=Blocking(10**9),
    )
    assert "use larger units" in str(PeriodAssignment().rejects(instance))
    with pytest.raises(UnsupportedError, match="period-assignment"):
        answered(PeriodAssignment(), instance)


def test_links_are_left_out_where_they_are_fast_and_modelled_where_they_bind():
    for platform in ("imce:imc=4,dpu=2", "imce:imc=4,dpu=2,bytes_per_s=50000000"):
        instance = load_instance("resnet8", platform=platform)
        start = registry.get("lpt").map(instance)
        whole = answered(PeriodAssignment(), instance, start=start)
        plain = answered(PeriodAssignment(PeriodAssignmentOptions(aggregate=False)), instance, start=start)
        assert (whole.status, whole.value) == (plain.status, plain.value) == (Status.OPTIMAL, plain.bound)


@pytest.mark.slow
def test_device_placement_beats_the_published_local_search():
    published = {"bert24": 17.78, "resnet50": 35.89, "gnmt": 31.78, "inceptionv3": 54.04}
    for graph, ticks in published.items():
        instance = read_instance(DATA / f"{graph}_inference.json")
        answer = answered(PeriodAssignment(), instance, start=registry.get("pipeline").map(instance))
        assert answer.value is not None
        assert answer.value < ticks * 1e6
