"""Intervals and the paired test."""

import random
from itertools import product

import pytest

from mapopt.tuning.scores import Gaps, mean_gaps, score
from mapopt.tuning.statistics import EXACT_UP_TO, difference, means, sign_flip_test


def gaps(seed, count, scale=0.1):
    random_ = random.Random(seed)
    return [Gaps(random_.random() * scale, random_.random()) for _ in range(count)]


def test_means_are_those_of_the_scores_and_lie_in_their_intervals():
    every = gaps(0, 30)
    found = means(every, 0.001)
    mean = mean_gaps(every)
    expected = {"period": mean.period, "latency": mean.latency, "score": score(mean, 0.001)}
    for name, (value, (low, high)) in found.items():
        assert value == pytest.approx(expected[name])
        assert low < value < high
    assert found == means(every, 0.001)


def test_intervals_hold_their_level():
    """Of 200 samples from a known population about 95% of the intervals contain its mean."""
    population = gaps(1, 20_000)
    truth = mean_gaps(population).period
    random_ = random.Random(2)
    inside = sum(
        low <= truth <= high
        for low, high in (means(random_.sample(population, 25), 0.001)["period"][1] for _ in range(200))
    )
    assert 0.88 <= inside / 200 <= 0.99


def test_paired_differences_are_sharper_than_unpaired():
    worse = gaps(3, 20)
    better = [Gaps(each.period * 0.9, each.latency) for each in worse]
    value, (low, high) = difference(better, worse, 0.001)
    assert low < value < high < 0
    assert difference(worse, worse, 0.001) == (0.0, (0.0, 0.0))


def test_sign_flips_by_brute_force():
    random_ = random.Random(4)
    for count in (1, 2, 5, 8):
        values = [random_.uniform(-1, 2) for _ in range(count)]
        observed = abs(sum(values))
        signs = list(product((-1, 1), repeat=count))
        share = sum(
            abs(sum(map(float.__mul__, values, map(float, each)))) >= observed - 1e-9 for each in signs
        )
        assert sign_flip_test([*values, 0.0]) == pytest.approx(share / len(signs))


def test_many_differences():
    count = EXACT_UP_TO + 10
    assert sign_flip_test([1.0] * count) < 0.001
    assert sign_flip_test([1.0, -1.0] * count) > 0.9
    assert sign_flip_test([]) == sign_flip_test([0.0, 0.0]) == 1.0
