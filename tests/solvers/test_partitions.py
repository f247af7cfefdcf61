"""Listings of ways to fill units, against enumeration; what they imply, against brute force."""

import random
from collections import Counter
from itertools import product

import msgspec
import pytest

from mapopt.bounds import lower_bounds
from mapopt.instance import Instance, InstanceNode, Unit
from mapopt.mapping import Mapping
from mapopt.placement.problem import Problem
from mapopt.solvers import partitions as module
from mapopt.solvers.model import PeriodRange
from mapopt.solvers.partitions import largest_load, least_period, narrowed, partitions, refilled
from tests.bounds.cases import assignments, loads
from tests.formulations.cases import least_period as true_period
from tests.formulations.cases import tiny_instance
from tests.formulations.oracle import least_latency


def enumerated(lengths: list[int], bins: int, room: int) -> set[tuple[tuple[int, ...], ...]]:
    """All ways by trying every bin for every item."""
    kinds = sorted(set(lengths), reverse=True)
    ways = set()
    for bin_of in product(range(bins), repeat=len(lengths)):
        content = [
            Counter(length for length, at in zip(lengths, bin_of, strict=True) if at == each)
            for each in range(bins)
        ]
        if all(sum(counts.elements()) <= room for counts in content):
            ways.add(
                tuple(sorted((tuple(counts[kind] for kind in kinds) for counts in content), reverse=True))
            )
    return ways


def test_every_way_is_listed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_IDLE", 1.0)
    listed = 0
    for seed in range(150):
        draw = random.Random(seed)
        bins = draw.randint(1, 3)
        lengths = [draw.randint(1, 9) for _ in range(draw.randint(1, 7))]
        room = max(max(lengths), -(-sum(lengths) // bins)) + draw.randint(-1, 2)
        ways = partitions(lengths, bins, room)
        if bins * room - sum(lengths) > room:
            assert ways is None
            continue
        assert ways is not None
        true = enumerated(lengths, bins, room)
        assert len(ways) == len(set(ways))
        assert set(ways) == true, seed
        listed += len(true) > 1
        kinds = sorted(set(lengths), reverse=True)
        least = min((max(sum(map(int.__mul__, kinds, each)) for each in way) for way in true), default=None)
        assert largest_load(lengths, ways) == least
    assert listed > 20


def test_too_much_to_list_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = list(range(50, 90))
    assert partitions(lengths, 4, sum(lengths) // 4 + 1) is None
    monkeypatch.setattr(module, "MOST_SUMS", 3)
    assert partitions([5, 4, 3, 2], 2, 7) is None


def test_bounds_of_the_period_hold_and_fillings_reach_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_IDLE", 1.0)
    for seed in range(200):
        instance = tiny_instance(seed, ("free", "delay", "links")[seed % 3])
        least, low = true_period(instance), lower_bounds(instance).period.ticks
        bound = least_period(Problem(instance), low, least + 5)
        assert low <= bound <= least, seed
        start = Mapping.of(instance, next(assignments(instance)))
        moved = refilled(instance, start, bound)
        assert sorted(moved.nodes) == sorted(start.nodes)
    hard = alike([7, 7, 6, 5, 5, 4, 4], 3)
    bound = least_period(Problem(hard), 13, 20)
    worst = Mapping.of(hard, [0] * 7)
    units = refilled(hard, worst, bound).assignment(hard)[0]
    assert bound == max(loads(hard, units).values()) == true_period(hard)


def alike(times: list[int], units: int) -> Instance:
    return Instance(
        "alike",
        ("imc",),
        tuple(Unit(f"u{number}", "imc") for number in range(units)),
        tuple(InstanceNode(f"n{number}", (ticks,)) for number, ticks in enumerate(times)),
    )


def test_a_single_way_pins_nodes_and_keeps_the_least_latency(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_IDLE", 1.0)
    pinned = 0
    for seed in range(250):
        instance = tiny_instance(seed, ("free", "delay", "links", "blocking")[seed % 4])
        period = true_period(instance)
        start = next(
            Mapping.of(instance, units)
            for units in assignments(instance)
            if max(loads(instance, units).values()) <= period
        )
        found = narrowed(instance, start, period)
        if found is instance:
            continue
        pinned += 1
        fixed = PeriodRange(period, period)
        assert least_latency(found, fixed) == least_latency(instance, fixed), seed
    assert pinned > 10


def test_nodes_may_stay_where_their_length_is() -> None:
    instance = alike([10, 6, 4, 4, 2], 3)
    instance = msgspec.structs.replace(instance, units=instance.units[:2])
    start = Mapping.of(instance, [0, 1, 1, 0, 1])
    # 10 + 4 | 6 + 4 + 2 fills 14; other ways need as much: 10 + 2 | 6 + 4 + 4.
    assert narrowed(instance, start, 14) is instance
    start = Mapping.of(instance, [0, 1, 1, 1, 0])
    tight = msgspec.structs.replace(instance, nodes=(*instance.nodes, InstanceNode("n5", (2,))))
    start = Mapping.of(tight, [0, 1, 1, 1, 0, 0])
    pins = {rule.node: rule.units for rule in narrowed(tight, start, 14).side_constraints.pin}
    assert pins.get("n0", ("u0",)) == ("u0",)
