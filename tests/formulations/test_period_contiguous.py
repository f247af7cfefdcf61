import pytest

from formulations.period_contiguous import PeriodContiguous, PeriodContiguousOptions
from mapopt.instance import Instance, InstanceNode, InstanceTensor, NodeUnits, SideConstraints, Unit
from mapopt.mappers import registry
from mapopt.mapping import Mapping
from mapopt.placement.problem import Problem
from mapopt.solvers.assignments import stages_of
from mapopt.solvers.base import Formulation
from mapopt.solvers.model import Status
from mapopt.sources import read_instance
from mapopt.transfers import Link, Links
from tests.bounds.cases import random_instance
from tests.formulations.cases import tiny_instance
from tests.formulations.period_cases import alike, answered, emulated_period, must_equal_brute_force
from tests.importers.test_device_placement import DATA


def test_it_is_a_formulation():
    assert isinstance(PeriodContiguous(), Formulation)


def test_it_equals_brute_force():
    feasible = [must_equal_brute_force(PeriodContiguous(), random_instance(seed)) for seed in range(150)]
    assert 15 < feasible.count(False) < 50


def test_links_with_named_routes_equal_brute_force():
    for seed in range(40):
        must_equal_brute_force(PeriodContiguous(), tiny_instance(seed, "links"), emulated_period)


@pytest.mark.parametrize("ingredient", ["symmetry", "bound"])
def test_no_ingredient_changes_the_optimum(ingredient):
    options = PeriodContiguousOptions.of({ingredient: False})
    for seed in range(200, 240):
        must_equal_brute_force(PeriodContiguous(options), alike(random_instance(seed, constrained=False)))


def test_interchangeable_units_lose_no_optimum():
    for seed in range(300, 360):
        must_equal_brute_force(PeriodContiguous(), alike(random_instance(seed, constrained=seed % 2 == 0)))


def chain(times, **changes):
    return Instance(
        "chain",
        classes=("c",),
        units=(Unit("u", "c"), Unit("v", "c")),
        nodes=tuple(InstanceNode(f"n{number}", (time,)) for number, time in enumerate(times)),
        tensors=tuple(
            InstanceTensor(f"t{number}", f"n{number}", (f"n{number + 1}",))
            for number in range(len(times) - 1)
        ),
        **changes,
    )


def test_contiguity_costs_something():
    # 4 + 2 | 1 + 4 + 1 would do without the order; with it one of 4 + 1 + 4 | 1 + 2 and 4 + 1 | 4 + 1 + 2 is best.
    assert answered(PeriodContiguous(), chain((4, 1, 4, 1, 2))).value == 7


def test_the_order_of_units_is_free():
    backwards = SideConstraints(pin=(NodeUnits("n0", ("v",)), NodeUnits("n3", ("u",))))
    answer = answered(PeriodContiguous(), chain((2, 1, 1, 2), side_constraints=backwards))
    assert answer.mapping is not None
    assert (answer.value, answer.mapping.patterns[0].units) == (3, ("v", "v", "u", "u"))


def test_a_start_that_is_not_contiguous_is_no_start():
    instance = chain((1, 1, 1))
    problem = Problem(instance)
    assert stages_of(problem, [1, 1, 0]) == [1, 0]
    assert stages_of(problem, [0, 1, 0]) is None
    answer = answered(PeriodContiguous(), instance, start=Mapping.of(instance, [0, 1, 0]))
    assert (answer.status, answer.value) == (Status.OPTIMAL, 2)


def test_the_published_contiguous_optima():
    published = {"bert24": 17.790, "resnet50": 33.775, "gnmt": 32.911, "inceptionv3": 51.552}
    for graph, ticks in published.items():
        instance = read_instance(DATA / f"{graph}_inference.json")
        answer = answered(PeriodContiguous(), instance, start=registry.get("pipeline").map(instance))
        assert answer.status is Status.OPTIMAL
        assert answer.value == pytest.approx(ticks * 1e6, abs=500)


def test_models_that_outgrow_memory_are_refused():
    units = tuple(Unit(f"u{number}", "c") for number in range(200))
    instance = Instance(
        "i",
        classes=("c",),
        units=units,
        nodes=tuple(InstanceNode(f"n{number}", (1,)) for number in range(50)),
        tensors=tuple(InstanceTensor(f"t{number}", "n0", (f"n{number}",)) for number in range(1, 50)),
        transfer=Links(
            (Link("l", 10**9),), egress=tuple(("l",) for _ in units), ingress=tuple(() for _ in units)
        ),
    )
    assert "at most" in str(PeriodContiguous().rejects(instance))
