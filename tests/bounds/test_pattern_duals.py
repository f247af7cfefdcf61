import itertools
import random

import numpy as np
import pytest

from mapopt.bounds import pattern_duals
from mapopt.bounds.pattern_duals import PatternDuals, check_pattern_certificate
from mapopt.errors import InfeasibleError, InputError
from mapopt.instance import Instance, InstanceNode, Unit
from mapopt.placement.problem import Problem
from mapopt.solvers.model import Limits
from mapopt.solvers.patterns.refutation import refute
from mapopt.solvers.watch import Watch
from tests.solvers.patterns.cases import least_period, packing_instance

THREE_ON_TWO = Instance(
    "three", ("c",), (Unit("u", "c"), Unit("v", "c")), tuple(InstanceNode(name, (5,)) for name in "abc")
)


def paid_by_enumeration(problem, duals, ticks):
    """What all units can be paid for, trying every set of groups on each."""
    total = 0
    for unit, spec in enumerate(problem.instance.units):
        kind, best = problem.unit_class[unit], 0
        able = [group for group, units in enumerate(problem.allowed) if unit in units]
        for size in range(len(able) + 1):
            for held in itertools.combinations(able, size):
                time = sum(problem.time[kind][group] for group in held)
                crossbars = sum(problem.crossbars[kind][group] for group in held)
                memory = sum(problem.memory_bytes[group] for group in held)
                if (
                    time <= ticks
                    and (spec.crossbars is None or crossbars <= spec.crossbars)
                    and (spec.memory_bytes is None or memory <= spec.memory_bytes)
                ):
                    best = max(best, sum(duals[group] for group in held))
        total += best
    return total


def test_a_certificate_holds_exactly_if_the_prices_exceed_what_is_paid():
    verdicts = []
    for seed in range(150):
        try:
            instance = packing_instance(seed)
            problem = Problem(instance)
        except InfeasibleError:
            continue
        draw = random.Random(seed)
        ticks = draw.randint(0, max(map(max, problem.time)) + 3)
        duals = [draw.randint(0, 4) for _ in problem.groups]
        expected = sum(duals) > paid_by_enumeration(problem, duals, ticks)
        assert check_pattern_certificate(instance, duals, ticks) == expected, seed
        verdicts.append(expected)
    assert 20 < sum(verdicts) < len(verdicts) - 20


def test_altered_certificates_are_refused():
    found = refute(THREE_ON_TWO, 9, Watch(Limits()))
    assert found is not None
    assert check_pattern_certificate(THREE_ON_TWO, found.duals, 9)
    assert not check_pattern_certificate(THREE_ON_TWO, found.duals, 10)
    assert not check_pattern_certificate(THREE_ON_TWO, (0, *found.duals[1:]), 9)
    assert not check_pattern_certificate(THREE_ON_TWO, (0, 0, 0), 9)
    shorter = Instance("s", ("c",), THREE_ON_TWO.units, (InstanceNode("a", (4,)), *THREE_ON_TWO.nodes[1:]))
    assert not check_pattern_certificate(shorter, found.duals, 9)


@pytest.mark.parametrize(
    ("duals", "ticks", "message"),
    [
        ((1, 1), 9, "2 duals for 3 groups"),
        ((1, -1, 1), 9, "dual 1 is -1"),
        ((2**62, 1, 1), 9, "add up to"),
        ((1, 1, 1), -1, "refutes -1 ticks"),
    ],
)
def test_malformed_certificates_are_refused(duals, ticks, message):
    with pytest.raises(InputError, match=message):
        check_pattern_certificate(THREE_ON_TWO, duals, ticks)


def test_no_certificate_refutes_what_is_possible():
    proven = 0
    for seed in range(60):
        instance = packing_instance(seed)
        try:
            best = least_period(instance)
        except InfeasibleError:
            continue
        if best is None:
            continue
        assert refute(instance, best, Watch(Limits())) is None
        proven += best > 0 and refute(instance, best - 1, Watch(Limits())) is not None
    assert proven > 30


@pytest.mark.parametrize("states", [200, 2000])
def test_coarse_tables_pay_no_less(monkeypatch, states):
    """A certificate that holds with a coarse table holds with the exact one."""
    draw = random.Random(states)
    held = 0
    for _ in range(60):
        count = draw.randint(3, 8)
        nodes = tuple(InstanceNode(f"n{at}", (draw.randint(50, 999),)) for at in range(count))
        instance = Instance("i", ("c",), (Unit("u", "c"), Unit("v", "c")), nodes)
        duals = [node.times[0] for node in nodes]
        ticks = sum(duals) // 2 - draw.randint(1, 300)
        exact = check_pattern_certificate(instance, duals, max(0, ticks))
        with monkeypatch.context() as patch:
            patch.setattr(pattern_duals, "MAX_STATES", states)
            coarse = check_pattern_certificate(instance, duals, max(0, ticks))
        assert exact or not coarse
        held += coarse
    assert held > 0


def test_a_grid_is_exact_where_it_can_be():
    weights = np.array([[6, 0], [9, 4]], np.int64)
    assert pattern_duals.grid(weights, np.array([100, 8], np.int64), 2).tolist() == [3, 4]


def test_certificates_are_documents_parts():
    import msgspec

    found = PatternDuals(9, (1, 1, 1))
    assert msgspec.json.decode(msgspec.json.encode(found), type=PatternDuals) == found


def test_a_mean_load_is_certified_however_coarse_the_table(monkeypatch):
    monkeypatch.setattr(pattern_duals, "MAX_STATES", 20)
    nodes = tuple(
        InstanceNode(f"n{at}", (time,)) for at, time in enumerate((999_983, 700_001, 500_009, 123_457))
    )
    instance = Instance("i", ("c",), (Unit("u", "c"), Unit("v", "c")), nodes)
    duals = [node.times[0] for node in nodes]
    mean = -(-sum(duals) // 2)
    assert check_pattern_certificate(instance, duals, mean - 1)
    assert not check_pattern_certificate(instance, duals, mean)


def test_items_that_may_be_cut():
    assert pattern_duals.fractional((6, 5, 4), (3, 5, 0), (1, 2, 1), 7) == 4 + 6 + 4
    assert pattern_duals.fractional((6, 5), (3, 5), (1, 2), 100) == 16
