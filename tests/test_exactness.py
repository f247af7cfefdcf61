"""What holds for every built-in network on the presets, not only for random programs."""

import pytest

from mapopt import build_instance, check, load_network, load_platform, measure, schedule
from mapopt.bounds import lower_bounds
from mapopt.mappers.registry import get, names
from mapopt.network.library import builtin_networks
from mapopt.verification import verify
from tests.quick import quick

DEEPER = ("resnet101", "resnet152")
"""More of the same blocks as resnet50."""

NETWORKS = tuple(info.name for info in builtin_networks() if info.name not in DEEPER)


def check_all(network, units):
    instance = build_instance(
        load_network(network), load_platform(f"imce:imc={units},dpu={max(1, units // 4)}")
    )
    bound = lower_bounds(instance)
    for name in names():
        mapper = quick(name)
        if mapper.rejects(instance) is not None:
            continue
        mapping = mapper.map(instance)
        assert check(instance, mapping) == ()
        planned = measure(instance, schedule(instance, mapping))
        assert planned.period_ns == planned.max_load_ns, name
        assert planned.period_ns * 1000 >= bound.period.ticks * instance.tick_ps, name
        assert planned.latency_ns.max * 1000 >= bound.latency.ticks * instance.tick_ps, name


@pytest.mark.parametrize("network", ["resnet8", "resnet18", "googlenet", "squeezenet1_1"])
@pytest.mark.parametrize("units", [2, 7, 32])
def test_time_triggered_period_is_the_max_load(network, units):
    check_all(network, units)


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS)
def test_time_triggered_period_is_the_max_load_everywhere(network):
    for units in (3, 12, 24):
        check_all(network, units)


@pytest.mark.parametrize("transfer", ["free", "delay", "blocking", "host", "links"])
def test_schedules_of_real_networks_are_verified_independently(transfer):
    instance = build_instance(load_network("resnet8"), load_platform(f"imce:imc=4,dpu=2,transfer={transfer}"))
    for name in ("lblp", "rd", "heft"):
        result = verify(instance, schedule(instance, get(name).map(instance)))
        assert result.ok, result
        assert len(result.claims) == 4
