import itertools
import random

import numpy as np

from mapopt.bounds import pattern_duals
from mapopt.importers.rcmax import read_rcmax
from mapopt.placement.problem import Problem
from mapopt.solvers.patterns.knapsack import Knapsacks, knapsack
from mapopt.solvers.patterns.loads import load_problem
from tests.solvers.patterns.cases import machines


def best_by_enumeration(prices, most, weights, limits):
    ranges = [range(count + 1) for count in most]
    return max(
        sum(price * count for price, count in zip(prices, counts, strict=True))
        for counts in itertools.product(*ranges)
        if all(
            sum(w[each] * c for w, c in zip(weights, counts, strict=True)) <= limits[each]
            for each in range(3)
        )
    )


def test_the_best_choice_and_its_items():
    draw = random.Random(1)
    for _ in range(300):
        items = draw.randint(1, 4)
        prices = [draw.randint(0, 20) for _ in range(items)]
        most = [draw.randint(0, 4) for _ in range(items)]
        weights = [[draw.randint(0, 6), draw.randint(0, 3), draw.randint(0, 2)] for _ in range(items)]
        limits = [draw.randint(0, 20), draw.randint(0, 6), draw.randint(0, 4)]
        counts = np.full(items, -7, np.int64)
        arrays = [np.array(each, np.int64) for each in (prices, most, weights, limits)]
        value = knapsack(*arrays, counts)
        assert value == best_by_enumeration(prices, most, weights, limits) == counts @ arrays[0]
        assert (counts <= arrays[1]).all()
        assert (counts @ arrays[2] <= arrays[3]).all()


def test_coarse_tables_give_ceilings_and_patterns_that_fit(tmp_path, monkeypatch):
    path = tmp_path / "m.txt"
    path.write_text(machines(4, 12, 3, 1000, 5000))
    problem = load_problem(Problem(read_rcmax(path)))
    draw = np.random.default_rng(0)
    exact = Knapsacks(problem, 9000)
    monkeypatch.setattr(pattern_duals, "MAX_STATES", 12 * 40)
    coarse = Knapsacks(problem, 9000)
    for _ in range(30):
        prices = draw.integers(0, 100, 12)
        one, two = exact.best(prices, exact.most), coarse.best(prices, coarse.most)
        assert (one.counts @ prices == one.ceilings).all()
        assert (two.ceilings >= one.ceilings).all()
        assert (two.counts @ prices <= one.ceilings).all()
        for found in (one, two):
            assert all(counts @ problem.times[:, kind] <= 9000 for kind, counts in enumerate(found.counts))
