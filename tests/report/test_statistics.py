import math

import pytest

from mapopt.report.statistics import (
    ecdf,
    pairwise_wins,
    performance_profiles,
    primal_gap,
    primal_integral,
    shifted_geometric_mean,
)


def test_ecdf_counts_what_is_never_reached():
    assert ecdf([2.0, 1.0, 2.0, math.inf, 5.0]) == ((1.0, 0.2), (2.0, 0.6), (5.0, 0.8))
    assert ecdf([2.0, 1.0], total=4) == ((1.0, 0.25), (2.0, 0.5))
    assert ecdf([]) == ()


def test_profiles_by_hand():
    # Three problems: best are a (10), b (6), a and b alike (4); c fails on the second and is best nowhere.
    costs = {"a": [10, 9, 4], "b": [20, 6, 4], "c": [30, math.inf, 5]}
    assert performance_profiles(costs) == {
        "a": ((1.0, pytest.approx(2 / 3)), (1.5, 1.0)),
        "b": ((1.0, pytest.approx(2 / 3)), (2.0, 1.0)),
        "c": ((1.25, pytest.approx(1 / 3)), (3.0, pytest.approx(2 / 3))),
    }


def test_a_problem_that_nobody_solves_counts_for_nobody():
    assert performance_profiles({"a": [math.inf, 1], "b": [math.inf, 2]}) == {
        "a": ((1.0, 0.5),),
        "b": ((2.0, 0.5),),
    }


def test_profiles_where_the_best_costs_nothing():
    assert performance_profiles({"a": [0], "b": [3]}) == {"a": ((1.0, 1.0),), "b": ()}


def test_profiles_need_equal_problems():
    with pytest.raises(ValueError):
        performance_profiles({"a": [1, 2], "b": [1]})


def test_primal_gap():
    assert primal_gap(None, 5) == 1
    assert primal_gap(5, 5) == 0
    assert primal_gap(0, 0) == 0
    assert primal_gap(20, 5) == 0.75
    assert primal_gap(-1, 5) == 1


def test_primal_integral_by_hand():
    # 1 for 2 s, 0.5 (20 against 10) for 3 s, 0 for the rest.
    trace = [(2, 20), (5, 10)]
    assert primal_integral(trace, best=10, end=8) == pytest.approx(3.5)
    assert primal_integral(trace, best=10, end=4) == pytest.approx(3.0)
    assert primal_integral([], best=10, end=4) == 4
    assert primal_integral([(9, 10)], best=10, end=4) == 4
    assert primal_integral([(0, 10)], best=10, end=4) == 0


def test_pairwise_wins():
    wins = pairwise_wins({"a": [1, 5, math.inf, math.inf], "b": [2, 5, 7, math.inf]})
    assert wins == {("a", "b"): (1, 3), ("b", "a"): (1, 3)}


def test_shifted_geometric_mean():
    assert shifted_geometric_mean([1, 4], 0.0) == pytest.approx(2)
    assert shifted_geometric_mean([0, 8], 1) == pytest.approx(2)  # sqrt(1 * 9) - 1
    for values in ([], [-1.0, 3.0]):
        with pytest.raises(ValueError):
            shifted_geometric_mean(values, 1.0)
