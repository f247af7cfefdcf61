"""Annealed schedules over links, against brute force."""

from itertools import pairwise

import pytest

from mapopt.errors import InputError, UnsupportedError
from mapopt.search.schedule import Schedule
from mapopt.solvers.judging import measured
from mapopt.solvers.link_annealing import annealed_links
from mapopt.solvers.model import Objective, PeriodRange
from tests.formulations.cases import least_period, tiny_instance
from tests.formulations.oracle import least_latency


def test_no_latency_is_below_the_optimum_and_some_reach_it() -> None:
    reached = tried = 0
    for seed in range(6):
        instance = tiny_instance(seed, "links")
        period = least_period(instance)
        heard: list[Schedule] = []
        found = annealed_links(instance, period, seed=seed, iterations=2000, on_better=heard.append)
        if found is None:
            continue
        tried += 1
        least = least_latency(instance, PeriodRange(period, period))
        assert least is not None
        assert least <= found.latency
        assert found.latency == measured(instance, found.mapping, Objective.LATENCY)
        assert found.mapping.horizon == period
        assert heard[-1] == found
        assert all(one.latency > other.latency for one, other in pairwise(heard))
        again = annealed_links(instance, period, seed=seed, iterations=2000)
        assert again is not None
        assert again.mapping == found.mapping
        reached += found.latency == least
    assert tried >= 5
    assert reached >= 3


def test_a_schedule_to_start_from_is_never_left_for_a_worse_one() -> None:
    instance = tiny_instance(3, "links")
    period = least_period(instance)
    first = annealed_links(instance, period, iterations=3000)
    assert first is not None
    again = annealed_links(instance, period, iterations=1, start=first.mapping)
    assert again is not None
    assert again.latency <= first.latency


def test_what_it_does_not_support_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="links"):
        annealed_links(tiny_instance(0, "delay"), 10)
    with pytest.raises(InputError, match=">= 1"):
        annealed_links(tiny_instance(0, "links"), 0)
