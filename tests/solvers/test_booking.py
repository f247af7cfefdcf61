"""Booking transfers: feasible over links, close to the schedule without contention."""

import msgspec
import pytest

from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.mapping import Mapping
from mapopt.placement.problem import Problem
from mapopt.search.list_search import packed
from mapopt.solvers.booking import book, compact
from mapopt.solvers.contention import without_contention
from mapopt.solvers.judging import measured
from mapopt.solvers.model import Objective
from mapopt.transfers import Link, Links
from tests.bounds.cases import assignments, loads
from tests.formulations.cases import tiny_instance


def test_booked_schedules_are_feasible_with_the_units_and_the_period_given() -> None:
    booked = 0
    for seed in range(40):
        instance = tiny_instance(seed, "links")
        units = next(assignments(instance))
        relaxed = without_contention(instance)
        period = max(1, *loads(instance, units).values())
        schedule = packed(relaxed, Mapping.of(relaxed, units), period)
        assert schedule is not None
        found = book(instance, schedule.mapping, period, seed=seed)
        assert found is not None
        assert found.units == tuple(units)
        assert found.mapping.horizon == period
        assert found.latency == measured(instance, found.mapping, Objective.LATENCY)
        booked += found.latency <= schedule.latency
        if period > 1:
            assert book(instance, schedule.mapping, period - 1) is None
    assert booked > 10


@pytest.fixture
def fork() -> Instance:
    """One producer whose tensor goes over one port to three readers, which share a unit with nobody."""
    names = ("p", "r0", "r1", "r2")
    links = tuple(Link(f"{name}.{way}", 10**9) for name in names for way in ("out", "in"))
    return Instance(
        "fork",
        ("a", "b"),
        (Unit("p", "a"), *(Unit(f"r{at}", "b") for at in range(3))),
        (InstanceNode("s", (5, None)), *(InstanceNode(f"n{at}", (None, 10)) for at in range(3))),
        (InstanceTensor("t", "s", ("n0", "n1", "n2"), 2),),
        Links(links, tuple((f"{name}.out",) for name in names), tuple((f"{name}.in",) for name in names)),
    )


def test_transfers_of_one_port_follow_each_other(fork: Instance) -> None:
    relaxed = without_contention(fork)
    schedule = packed(relaxed, Mapping.of(relaxed, [0, 1, 2, 3]), 10)
    assert schedule is not None
    assert schedule.latency == 19
    found = book(fork, schedule.mapping, 10)
    assert found is not None
    assert found.latency == 23


def test_compaction_gives_a_schedule(fork: Instance) -> None:
    found = packed(fork, Mapping.of(fork, [0, 1, 2, 3]), 12)
    assert found is not None
    (pattern,) = found.mapping.patterns
    assert pattern.starts is not None
    late = msgspec.structs.replace(
        pattern, starts=(pattern.starts[0], *(at + 1 for at in pattern.starts[1:]))
    )
    delayed = msgspec.structs.replace(found.mapping, patterns=(late,))
    assert measured(fork, delayed, Objective.LATENCY) == found.latency + 1
    assert compact(fork, delayed).latency == found.latency
    assert Problem(fork).groups == [(0,), (1,), (2,), (3,)]
