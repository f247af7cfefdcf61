"""Gaps and the score."""

import math
import random

import pytest

from mapopt.errors import InputError
from mapopt.mapping import Mapping
from mapopt.studies.records import LevelRecord
from mapopt.tuning.scores import (
    FAILED,
    LATENCY_SHIFT,
    PERIOD_SHIFT,
    Gaps,
    Reference,
    gaps_of,
    mean_gaps,
    score,
)
from tests.studies.cases import DIGEST, record
from tests.tuning.tuning_files import instance

REFERENCE = Reference("i", "f", "train", DIGEST, 10, 10, 40, 30, "bounds")


def run(period, latency):
    levels = (LevelRecord("period", "feasible", period), LevelRecord("latency", "feasible", latency))
    mapping = Mapping.of(instance(0), [0] * 9)
    return record(levels=levels, period_ticks=str(period), mapping=mapping)


def test_gaps_are_to_the_bound_of_the_period_and_the_best_latency():
    assert gaps_of(run(12, 50), REFERENCE) == Gaps(pytest.approx(0.2), 0.25)
    assert gaps_of(run(10, 30), REFERENCE) == Gaps(0.0, 0.0)
    assert gaps_of(run(10**6, 10**6), REFERENCE) == Gaps(FAILED, FAILED)


def test_a_run_without_mapping_is_the_worst():
    assert gaps_of(record(mapping=None, status="unknown"), REFERENCE) == Gaps(FAILED, FAILED)


def test_means_are_shifted_geometric():
    gaps = [Gaps(0.0, 0.5), Gaps(0.02, 0.0), Gaps(0.3, 2.0)]
    mean = mean_gaps(gaps)
    for values, shift, found in (
        ([0.0, 0.02, 0.3], PERIOD_SHIFT, mean.period),
        ([0.5, 0.0, 2.0], LATENCY_SHIFT, mean.latency),
    ):
        assert found == pytest.approx(math.prod(value + shift for value in values) ** (1 / 3) - shift)
    assert mean_gaps([Gaps(0.0, 0.0)] * 7) == Gaps(0.0, 0.0)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_gaps_that_are_not_finite_are_refused(value):
    with pytest.raises(InputError, match=r"gap of the latency: is (nan|inf); it must be a finite number"):
        mean_gaps([Gaps(0.0, 0.0), Gaps(0.0, value)])


def test_the_score_is_lexicographic_beyond_a_tenth_of_a_percent():
    random_ = random.Random(0)
    for _ in range(1000):
        low, other = random_.random(), random_.random() * 100
        assert score(Gaps(low, other), 0.001) < score(Gaps(low + 0.001, random_.random() * 100), 0.001)
    assert score(Gaps(0.0, 0.01), 0.001) < score(Gaps(0.0, 0.02), 0.001) < score(Gaps(0.0, 50.0), 0.001)
