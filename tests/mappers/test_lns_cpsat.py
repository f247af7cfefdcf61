import pytest

from mapopt.emulator import timetriggered
from mapopt.emulator.lower import lower
from mapopt.mappers.registry import get
from mapopt.testing import check_mapper
from tests.search.test_elastic import chain

MINE = "lns-cpsat"
TIGHT = chain((9, 2, 7, 4, 8, 3, 6, 5), 2)


def test_contract():
    check_mapper(get(MINE, {"rounds": 1}))


@pytest.mark.parametrize("start", ["parametric-list", "annealed-list"])
def test_it_is_no_worse_than_its_start_and_the_claim_is_judged(start):
    found = get(MINE, {"start": start, "rounds": 3}).map(TIGHT)
    first = get(start, {"period": found.horizon}).map(TIGHT)
    verdict = timetriggered.judge(lower(TIGHT, found))
    assert int(verdict.latencies.max()) == found.claims.latency_ticks <= first.claims.latency_ticks


def test_a_neighbourhood_of_everything_gives_the_optimum():
    """Brute force by the formulation itself is no oracle: 8 nodes in a chain without travel, 44 ticks of work."""
    options = {"size": 8, "rounds": 1, "effort": 20.0, "step": 20.0}
    best = get(MINE, options).map(TIGHT)
    assert best.horizon == 22
    assert best.claims.latency_ticks == 44


@pytest.mark.parametrize("rule", ["window", "path", "units", "scatter"])
def test_every_destroy_rule_gives_a_schedule_and_no_effort_gives_the_start(rule):
    weights = {"window": 0.0, "path": 0.0, "units": 0.0, "scatter": 0.0, rule: 1.0}
    start = get("parametric-list").map(TIGHT)
    found = get(MINE, {**weights, "size": 3}).map(TIGHT, seed=4)
    assert found.claims.latency_ticks <= start.claims.latency_ticks
    nothing = get(MINE, {**weights, "effort": 0.0}).map(TIGHT)
    assert nothing.patterns == start.patterns


def test_the_same_seed_gives_the_same_schedule():
    one, other = (get(MINE, {"size": 4}).map(TIGHT, seed=7) for _ in range(2))
    assert one == other
