import msgspec
import pytest

from mapopt.instance import Instance
from mapopt.placement.communication import Communication
from mapopt.solvers.contention import without_contention
from mapopt.transfers import Delay, Free, Link, Links, Route
from tests.formulations.cases import random_period, tiny_instance
from tests.formulations.oracle import least_latency


def delays(instance: Instance) -> list[list[int]]:
    """For every tensor the delays between any two different units."""
    communication, units = Communication(instance), range(len(instance.units))
    return [
        [communication.delay(tensor, one, other) for one in units for other in units if one != other]
        for tensor in range(len(instance.tensors))
    ]


def test_no_route_is_faster() -> None:
    for seed in range(200):
        instance = tiny_instance(seed, "links")
        relaxed = without_contention(instance)
        for found, true in zip(delays(relaxed), delays(instance), strict=True):
            assert max(found) <= min(true), seed


def test_its_least_latency_is_a_bound() -> None:
    for seed in range(30):
        instance = tiny_instance(seed, "links")
        period = random_period(seed, instance)
        true, relaxed = (least_latency(each, period) for each in (instance, without_contention(instance)))
        assert true is None or (relaxed is not None and relaxed <= true), seed


@pytest.mark.parametrize(
    ("second", "expected"), [(10**9, Delay(5 * 10**8, 7)), (5 * 10**8, Delay(333333334, 7))]
)
def test_rates_add_up_and_are_rounded_up(second: int, expected: Delay) -> None:
    instance = tiny_instance(0, "links", max_units=2)
    links = (Link("a", 10**9, 3), Link("b", second, 4))
    model = Links(links, egress=(("a",), ("a",)), ingress=(("b",), ("b",)))
    assert without_contention(msgspec.structs.replace(instance, transfer=model)).transfer == expected


def test_the_fastest_of_several_routes_counts_and_one_without_links_is_free() -> None:
    instance = tiny_instance(0, "links", max_units=2)
    one, other = (unit.name for unit in instance.units)
    model = Links((Link("a", 10**9, 3),), egress=(("a",), ("a",)), ingress=((), ()))
    assert without_contention(msgspec.structs.replace(instance, transfer=model)).transfer == Delay(10**9, 3)
    direct = msgspec.structs.replace(model, routes=(Route(one, other, ()),))
    assert without_contention(msgspec.structs.replace(instance, transfer=direct)).transfer == Free()


def test_other_instances_stay_as_they_are() -> None:
    instance = tiny_instance(0, "blocking")
    assert without_contention(instance) is instance
