from functools import cache

import msgspec
import pytest

from formulations.latency_modulo_transfers import (
    LatencyModuloTransfers,
    LatencySingleTransfers,
    LatencyTransfersOptions,
)
from mapopt.emulator.schedule import schedule
from mapopt.errors import UnsupportedError
from mapopt.instance import Instance, NodeUnits, SideConstraints
from mapopt.mapping import Mapping
from mapopt.solvers.model import Answer, PeriodRange, Status
from mapopt.solvers.neighbourhoods import rebound
from mapopt.solvers.registry import get
from tests.bounds.cases import assignments
from tests.formulations.agreement import check_answer, solve
from tests.formulations.cases import MODELS, random_period, tiny_instance
from tests.formulations.oracle import least_latency

SWITCHES = ("strong_propagation", "windows", "load", "symmetry", "hint", "relax")


@cache
def known(seed: int, kind: str) -> tuple[Instance, PeriodRange, int | None]:
    """A tiny instance, a period, and its least latency."""
    instance = tiny_instance(seed, kind)
    period = random_period(seed, instance)
    return instance, period, least_latency(instance, period)


def compare(kind: str, seeds: range) -> None:
    for seed in seeds:
        instance, period, least = known(seed, kind)
        check_answer(LatencyModuloTransfers(), instance, period, least)
        check_answer(LatencySingleTransfers(), instance, None, least_latency(instance, None))


@pytest.mark.parametrize("kind", MODELS)
def test_some_tiny_instances(kind):
    compare(kind, range(16))


@pytest.mark.slow
@pytest.mark.parametrize("kind", MODELS)
def test_many_tiny_instances(kind):
    compare(kind, range(16, 330))


@pytest.mark.parametrize("kind", ["blocking", "host"])
def test_instants(kind):
    """Many nodes of no time that hold their unit for sends, on circles of few ticks."""
    found = 0
    for seed in range(400, 800):
        instance = tiny_instance(seed, kind)
        if sum(0 in node.times for node in instance.nodes) < 2:
            continue
        period = random_period(seed, instance)
        check_answer(LatencyModuloTransfers(), instance, period, least_latency(instance, period))
        found += 1
        if found == 30:
            return
    raise AssertionError("too few cases")


@pytest.mark.parametrize(
    ("kind", "seed"),
    [
        ("blocking", 968),  # exchanging alike units changes the order of sends
        ("blocking", 1529),
        ("blocking", 1309),  # a node of no time would have to run before and after one that holds its unit
        ("host", 1462),
    ],
)
def test_rare_rules(kind, seed):
    instance, period, least = known(seed, kind)
    check_answer(LatencyModuloTransfers(), instance, period, least)


def test_varying_lengths_under_strong_propagation():
    """CP-SAT 9.15 loses the solution of this one if strong propagation meets varying lengths."""
    instance = tiny_instance(241, "blocking")
    assert check_answer(LatencyModuloTransfers(), instance, PeriodRange(1, 1), 1).value == 1


@pytest.mark.parametrize("switch", SWITCHES)
def test_every_ingredient_can_be_switched_off(switch):
    formulation = LatencyModuloTransfers(LatencyTransfersOptions.of({switch: False}))
    for kind in MODELS:
        for seed in range(100, 104):
            instance, period, least = known(seed, kind)
            check_answer(formulation, instance, period, least)


def test_cutoff():
    for kind in MODELS:
        instance = tiny_instance(7, kind)
        period = random_period(7, instance)
        least = least_latency(instance, period)
        assert least is not None
        none = solve(LatencyModuloTransfers(), instance, period, cutoff=least)
        assert (none.status, none.mapping, none.bound) == (Status.INFEASIBLE, None, least)
        one = solve(LatencyModuloTransfers(), instance, period, cutoff=least + 1)
        assert (one.status, one.value) == (Status.OPTIMAL, least)


def test_decision():
    """The first solution below the cutoff; it is optimal only if the bound given says so."""
    for kind in MODELS:
        instance, period, least = known(7, kind)
        assert least is not None
        for cutoff, status in ((least + 20, Status.FEASIBLE), (least, Status.INFEASIBLE)):
            answer = solve(LatencyModuloTransfers(), instance, period, cutoff=cutoff, decision=True)
            assert answer.value is None or least <= answer.value < cutoff
            assert answer.status in (status, *([Status.OPTIMAL] if answer.value == answer.bound else []))


@pytest.mark.parametrize("kind", MODELS)
def test_a_start_is_never_lost(kind):
    for seed in range(8):
        instance = tiny_instance(seed, kind)
        start = schedule(instance, Mapping.of(instance, next(assignments(instance))))
        period = PeriodRange(start.horizon or 1, start.horizon or 1)
        answer = solve(LatencyModuloTransfers(), instance, period, start=start)
        assert answer.status is Status.OPTIMAL
        assert answer.value == least_latency(instance, period)


@pytest.mark.parametrize("kind", MODELS)
def test_fixed_assignment(kind):
    """It keeps the units, is no worse than its start, and proves nothing but the task's own bound."""
    formulation = LatencyModuloTransfers(LatencyTransfersOptions(fix_assignment=True))
    for seed in range(8):
        instance = tiny_instance(seed, kind)
        start = schedule(instance, Mapping.of(instance, next(assignments(instance))))
        period = PeriodRange(start.horizon or 1, start.horizon or 1)
        answer = solve(formulation, instance, period, start=start)
        assert answer.mapping is not None
        assert answer.mapping.patterns[0].units == start.patterns[0].units
        assert answer.value is not None
        assert start.claims is not None
        assert answer.value <= (start.claims.latency_ticks or 0)
        assert answer.bound == 0
        assert answer.status is (Status.FEASIBLE if answer.value else Status.OPTIMAL)
        nothing = solve(formulation, instance, period, start=start, cutoff=answer.value)
        assert nothing.status is Status.UNKNOWN


def test_a_restriction_proves_nothing(monkeypatch):
    """Neither when it is stopped, nor when the assignment breaks a rule, nor as a decision without one."""
    formulation = LatencyModuloTransfers(LatencyTransfersOptions(fix_assignment=True))
    instance = tiny_instance(0, "links")
    start = schedule(instance, Mapping.of(instance, next(assignments(instance))))
    period = PeriodRange(start.horizon or 1, start.horizon or 1)
    rules = SideConstraints(forbid=(NodeUnits(start.nodes[0], (start.patterns[0].units[0],)),))
    elsewhere = msgspec.structs.replace(instance, side_constraints=rules)
    broken = solve(formulation, elsewhere, period, start=rebound(start, elsewhere), bound=1)
    assert (broken.status, broken.bound) == (Status.UNKNOWN, 1)
    blind = solve(formulation, instance, period, cutoff=10**6, decision=True, bound=1)
    assert (blind.status, blind.bound) == (Status.UNKNOWN, 1)
    monkeypatch.setattr(
        LatencyModuloTransfers, "_solve", lambda *_: Answer(Status.UNKNOWN, bound=10**6, reason="stopped")
    )
    stopped = solve(formulation, instance, period, start=start, bound=1)
    assert (stopped.status, stopped.bound) == (Status.UNKNOWN, 1)


def test_what_is_not_supported_is_refused():
    instance = tiny_instance(0)
    for formulation, period in (
        (LatencyModuloTransfers(), None),
        (LatencySingleTransfers(), PeriodRange(9, 9)),
        (LatencyModuloTransfers(LatencyTransfersOptions(fix_assignment=True)), PeriodRange(9, 9)),
    ):
        with pytest.raises(UnsupportedError):
            solve(formulation, instance, period)


def test_registered():
    for kind in (LatencyModuloTransfers, LatencySingleTransfers):
        assert type(get(kind.name)) is kind
