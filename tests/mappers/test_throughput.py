"""HEFT-Tp, CPoP-Tp and MaxTP against recorded outcomes of anrg-saga 2.1.0, see benchmarks/mappers/saga_reference.py."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.mappers import registry
from mapopt.mappers.base import Heuristic
from mapopt.mappers.list_scheduling import Heft
from mapopt.mappers.packing import Packing
from mapopt.mappers.ranks import RankOptions
from mapopt.mappers.throughput import Bottleneck
from mapopt.placement.problem import Problem
from mapopt.transfers import Delay, Link, Links, Route, TransferModel
from tests.bounds.cases import loads, random_instance

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "data" / "saga-2.1.0.json").read_text())


def instance_of(case: dict[str, Any]) -> Instance:
    """Units of different speeds as classes of their own, one link per pair of units for both directions."""
    units = tuple(Unit(f"u{number}", f"c{number}") for number in range(len(case["speeds"])))
    links = tuple(Link(f"u{a}-u{b}", rate * 10**9) for a, b, rate in case["bandwidths"])
    routes = tuple(
        Route(f"u{one}", f"u{other}", (f"u{a}-u{b}",))
        for a, b, _ in case["bandwidths"]
        for one, other in ((a, b), (b, a))
    )
    none: tuple[tuple[str, ...], ...] = tuple(() for _ in units)
    return Instance(
        f"saga {case['seed']}",
        classes=tuple(unit.unit_class for unit in units),
        units=units,
        nodes=tuple(
            InstanceNode(f"n{number}", tuple(cost // speed for speed in case["speeds"]))
            for number, cost in enumerate(case["costs"])
        ),
        tensors=tuple(
            InstanceTensor(f"n{before}-n{after}", f"n{before}", (f"n{after}",), size)
            for before, after, size in case["edges"]
        ),
        transfer=Links(links, egress=none, ingress=none, routes=routes),
    )


@pytest.mark.parametrize("name", ["heft-tp", "cpop-tp", "maxtp"])
def test_same_units_and_bottleneck_as_anrg_saga(name: str) -> None:
    mapper = registry.get(name)
    assert len(CASES) == 60
    for case in CASES:
        instance, expected = instance_of(case), case["outcomes"][name]
        units = mapper.map(instance).assignment(instance)[0]
        assert max(loads(instance, units).values()) == expected["bottleneck"], case["seed"]
        assert list(units) == expected["units"], case["seed"]


def test_same_makespan_and_units_of_heft_as_anrg_saga() -> None:
    for case in CASES:
        instance, expected = instance_of(case), case["outcomes"]["heft"]
        problem = Problem(instance)
        schedule = Heft(RankOptions(ranks="saga")).frame_schedule(problem, Packing(problem))
        assert schedule.makespan == expected["makespan"], case["seed"]
        assert list(schedule.units) == expected["units"], case["seed"]


def test_the_bottleneck_is_that_of_the_whole_mapping() -> None:
    # Tensors with several readers are sent once per unit, and leave for host memory once.
    shared = 0
    for seed in range(300):
        instance = random_instance(seed, max_nodes=8, constrained=False)
        problem = Problem(instance)
        draw = random.Random(seed)
        bottleneck = Bottleneck(problem, Packing(problem))
        for node in instance.topological_order:
            bottleneck.place_least(node, [draw.choice(bottleneck.candidates(node))])
        units = tuple(problem.units(bottleneck.packing.unit_of))
        assert bottleneck.ticks == max(loads(instance, units).values()), seed
        shared += any(len(tensor.consumers) > 2 for tensor in instance.tensors)
    assert shared > 50


def chain(transfer: TransferModel) -> Instance:
    return Instance(
        "chain",
        classes=("imc",),
        units=(Unit("a", "imc"), Unit("b", "imc")),
        nodes=tuple(InstanceNode(f"n{number}", (10,)) for number in range(3)),
        tensors=(InstanceTensor("t0", "n0", ("n1",), 25), InstanceTensor("t1", "n1", ("n2",), 1)),
        transfer=transfer,
    )


@pytest.mark.parametrize("name", ["heft-tp", "cpop-tp", "maxtp"])
def test_a_link_that_would_be_the_bottleneck_is_not_crossed(name: str) -> None:
    # Crossing t0 puts 25 ticks on a port, more than two nodes on one unit; crossing t1 costs 1.
    ports = Links(
        tuple(Link(f"{unit}.{way}", 10**9) for unit in "ab" for way in ("out", "in")),
        egress=(("a.out",), ("b.out",)),
        ingress=(("a.in",), ("b.in",)),
    )
    mapper = registry.get(name)
    assert isinstance(mapper, Heuristic)
    instance = chain(ports)
    n0, n1, n2 = mapper.map(instance).assignment(instance)[0]
    assert n0 == n1
    if name != "cpop-tp":  # there all three are critical and share the fastest unit
        assert n2 != n1
    # A delay occupies nobody, so the second node goes to the empty unit.
    free = chain(Delay(10**9))
    units = registry.get("maxtp").map(free).assignment(free)[0]
    assert units[0] != units[1]
