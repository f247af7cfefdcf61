from dataclasses import replace

import msgspec
import pytest

from mapopt.emulator.schedule import schedule
from mapopt.mapping import Mapping
from mapopt.solvers.base import Task
from mapopt.solvers.horizons import horizon, latency_in_class, longest_route, work
from mapopt.solvers.model import Objective, PeriodRange
from mapopt.transfers import Link, Links, Route
from tests.bounds.cases import assignments
from tests.formulations.cases import MODELS, random_period, tiny_instance
from tests.formulations.oracle import least_latency


@pytest.mark.parametrize("kind", MODELS)
def test_it_reaches_the_least_latency(kind):
    for seed in range(25):
        instance = tiny_instance(seed, kind, max_nodes=4)
        for period in (None, random_period(seed, instance)):
            least = least_latency(instance, period)
            assert least is None or least <= horizon(Task(instance, Objective.LATENCY, period=period))


def test_cutoff_and_start_limit_it():
    instance = tiny_instance(3, "links")
    start = schedule(instance, Mapping.of(instance, next(assignments(instance))))
    assert start.claims is not None
    period = PeriodRange(start.horizon or 1, start.horizon or 1)
    task = Task(instance, Objective.LATENCY, period=period, start=start)
    assert horizon(task) == start.claims.latency_ticks
    assert horizon(replace(task, cutoff=2)) == 1
    other = replace(task, period=PeriodRange(period.high + 1, period.high + 1))
    assert horizon(other) > (start.claims.latency_ticks or 0)


def test_only_feasible_starts_of_the_period_count():
    instance = tiny_instance(3, "links")
    start = schedule(instance, Mapping.of(instance, next(assignments(instance))))
    length = start.horizon or 1
    latency = start.claims.latency_ticks if start.claims else None
    assert latency_in_class(instance, start, None) == latency
    assert latency_in_class(instance, start, PeriodRange(length, length + 3)) == latency
    assert latency_in_class(instance, start, PeriodRange(length + 1, length + 3)) is None
    (pattern,) = start.patterns
    late = msgspec.structs.replace(pattern, starts=tuple(0 for _ in pattern.units))
    assert latency_in_class(instance, msgspec.structs.replace(start, patterns=(late,)), None) is None
    assert latency_in_class(instance, Mapping.of(instance, next(assignments(instance))), None) is None


def test_work_counts_every_hop():
    instance = tiny_instance(3, "links")
    links = (Link("a", 10**9, 2), Link("b", 10**9))
    ways = tuple(("a",) for _ in instance.units)
    transfer = Links(links, ways, ways, (Route("u0", "u1", ("a", "b")),))
    one = msgspec.structs.replace(instance, transfer=transfer)
    assert longest_route(one) == 2
    nodes = sum(max(time for time in node.times if time is not None) for node in one.nodes)
    hops = sum(2 * (tensor.size_bytes + 2) * len(tensor.consumers) for tensor in one.tensors)
    assert work(one) == nodes + hops
