import itertools
import time
from collections import Counter

import pytest

from mapopt.errors import InputError, UnsupportedError
from mapopt.instance import SideConstraints
from mapopt.search.annealing import Schedule, annealed_list, annealed_retimed
from mapopt.solvers.driver import solve
from mapopt.solvers.model import Limits, Status
from mapopt.transfers import Delay, Free
from tests.bounds.cases import random_instance
from tests.search.cases import cases
from tests.search.test_cyclic_search import chain
from tests.search.test_list_search import assert_is_what_it_claims, fork, least_single_latency

SUPPORTED = (Free, Delay)


def test_schedules_keep_every_rule() -> None:
    found, missed, ruled = Counter[str](), 0, 0
    for number, instance, period in cases(0, 400):
        if not isinstance(instance.transfer, SUPPORTED):
            continue
        better: list[Schedule] = []
        schedule = annealed_retimed(instance, period, seed=number, iterations=400, on_better=better.append)
        if schedule is None:
            missed += 1
            continue
        assert_is_what_it_claims(instance, period, schedule)
        assert [each.latency for each in better] == sorted({each.latency for each in better}, reverse=True)
        assert better[-1] == schedule
        found[type(instance.transfer).__name__] += 1
        ruled += instance.side_constraints != SideConstraints()
    assert min(found["Free"], found["Delay"], ruled) > 30
    assert missed < sum(found.values()) / 4


def test_a_start_is_kept_or_improved() -> None:
    improved = kept = 0
    for number, instance, period in cases(0, 200):
        if not isinstance(instance.transfer, SUPPORTED):
            continue
        first = annealed_list(instance, period, seed=number, iterations=1)
        assert first is not None
        again = annealed_retimed(instance, period, seed=number, iterations=200, start=first.mapping)
        assert again is not None
        assert_is_what_it_claims(instance, period, again)
        assert again.latency <= first.latency
        assert annealed_retimed(instance, period, iterations=0, start=again.mapping) == again
        improved += again.latency < first.latency
        kept += again.latency == first.latency
    assert min(improved, kept) > 5


@pytest.mark.parametrize("times", [(1, 7, 5, 4, 3, 2), (3, 2, 2, 9, 2, 1), (1, 4, 4, 4, 4, 1)])
def test_single_frames_reach_the_optimum_of_all_orders(times: tuple[int, ...]) -> None:
    instance = fork(times, 2)
    schedule = annealed_retimed(instance, 1000, iterations=2000)
    assert schedule is not None
    assert schedule.latency == least_single_latency(instance)


def test_small_instances_at_their_least_period_come_close_to_the_proven_optimum() -> None:
    compared = reached = 0
    for number in range(170):
        instance = random_instance(number, max_nodes=6, constrained=False)
        if not isinstance(instance.transfer, SUPPORTED) or len(instance.nodes) < 4:
            continue
        outcome = solve(instance, "period,latency", limits=Limits(1, workers=1, deterministic=True))
        if outcome.status is not Status.OPTIMAL:
            continue
        assert outcome.mapping is not None
        assert outcome.mapping.horizon is not None
        schedule = annealed_retimed(instance, outcome.mapping.horizon, seed=number, iterations=4000)
        optimum = outcome.levels[-1].value
        assert optimum is not None
        compared += 1
        if schedule is not None:
            assert schedule.latency >= optimum, number
            reached += schedule.latency == optimum
    assert compared >= 15
    assert reached >= 0.8 * compared


def test_the_seed_and_not_the_clock_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = chain([5, 3, 4, 6, 2, 4, 3, 3, 7, 5], 3)
    runs = [annealed_retimed(instance, 16, seed=2, iterations=60_000)]
    jumps = itertools.accumulate(itertools.cycle([0.0, 900.0, 1e-7, -3.0, 0.2]))
    monkeypatch.setattr(time, "perf_counter", lambda: next(jumps))
    runs.append(annealed_retimed(instance, 16, seed=2, iterations=60_000))
    assert runs[0] is not None
    assert runs[0] == runs[1]


def test_rounds_begin_with_other_numbers_of_turns() -> None:
    instance = chain([5, 3, 4, 6, 2, 4, 3, 3, 7, 5], 3)
    found = {number: annealed_retimed(instance, 16, iterations=20, first_round=number) for number in range(4)}
    assert len({None if each is None else each.starts for each in found.values()}) > 1


def test_time_and_stop_end_it_and_a_target_is_enough() -> None:
    instance = chain([5, 3, 4, 6, 2, 4, 3, 3, 7, 5], 3)
    clock = time.perf_counter()
    assert annealed_retimed(instance, 20, seconds=0.3) is not None
    assert time.perf_counter() - clock < 10
    asked = iter([False] * 5 + [True] * 1000)
    annealed_retimed(instance, 16, stop=lambda: next(asked))
    enough = annealed_retimed(instance, 1000, target=10**6)
    assert enough is not None
    assert enough.latency <= 10**6


def test_temperatures_are_a_choice_and_none_takes_no_step_up() -> None:
    instance = chain([5, 3, 4, 6, 2, 4, 3, 3, 7, 5], 3)
    cold = annealed_retimed(instance, 18, iterations=3000, temperature=0.0)
    warm = annealed_retimed(instance, 18, iterations=3000, temperature=1.0)
    assert cold is not None
    assert warm is not None
    assert max(cold.latency, warm.latency) < 3 * 42


def test_what_it_cannot_schedule_is_refused() -> None:
    for number in range(100):
        instance = random_instance(number)
        if not isinstance(instance.transfer, SUPPORTED):
            with pytest.raises(UnsupportedError, match=r"annealed_retimed: .*use annealed-(list|elastic)"):
                annealed_retimed(instance, 100, iterations=1)
            break
    else:
        raise AssertionError("there is no such instance")
    with pytest.raises(InputError, match="period is 0 ticks; it must be >= 1"):
        annealed_retimed(chain([1, 2], 2), 0, iterations=1)
    assert annealed_retimed(chain([3, 3, 3], 2), 5, iterations=200) is None
