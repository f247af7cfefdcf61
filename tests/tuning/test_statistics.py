"""Intervals and the paired test."""

import random
from itertools import product

import pytest

from mapopt.tuning.scores import Gaps, mean_gaps, score
from mapopt.tuning.statistics import EXACT_UP_TO, MIN_INSTANCES, difference, exchange_test, means


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


@pytest.mark.parametrize("count", [9, 12])
def test_intervals_of_few_instances_hold_their_level_or_are_not_given(count):
    """Plain percentile intervals have 89% at 9 instances."""
    population = gaps(1, 20_000)
    truth = mean_gaps(population).period
    random_ = random.Random(2)
    inside = sum(
        low <= truth <= high
        for low, high in (means(random_.sample(population, count), 0.001)["period"][1] for _ in range(400))
    )
    assert inside / 400 >= 0.91
    few = gaps(0, MIN_INSTANCES - 1)
    assert all(interval is None for _, interval in means(few, 0.001).values())
    assert difference(few, few, 0.001) == (0.0, None)
    assert means(few[:1], 0.001)["period"][1] is None


def test_exchanges_by_brute_force():
    """The share of exchanges whose difference of means is at least as large as the one that is printed."""
    for count in (1, 2, 5, 8):
        mine, others = gaps(count, count), gaps(50 + count, count, scale=0.3)
        observed = abs(difference(mine, others, 0.001)[0])
        extreme = 0
        for swapped in product((False, True), repeat=count):
            pairs = [(b, a) if swap else (a, b) for a, b, swap in zip(mine, others, swapped, strict=True)]
            one, two = (score(mean_gaps(each), 0.001) for each in zip(*pairs, strict=True))
            extreme += abs(one - two) >= observed - 1e-12
        assert exchange_test(mine, others, 0.001) == pytest.approx(extreme / 2**count)


def test_what_is_tested_is_what_is_printed():
    """A gain on small gaps and a loss on a large one: arithmetic sums see the loss alone."""
    mine = [Gaps(0.0, 0.0)] * 7 + [Gaps(2.0, 0.0)]
    others = [Gaps(0.05, 0.0)] * 7 + [Gaps(1.0, 0.0)]
    assert difference(mine, others, 0.001)[0] < 0
    assert exchange_test(mine, others, 0.001) < 0.05


def test_many_instances():
    count = EXACT_UP_TO + 10
    better, worse = [Gaps(0.1, 0.0)] * count, [Gaps(0.2, 0.0)] * count
    assert exchange_test(better, worse, 0.001) < 0.001
    assert exchange_test(better + worse, worse + better, 0.001) > 0.9
    assert exchange_test(better, better, 0.001) == 1.0
