import os
import signal
import threading
import time
from itertools import pairwise

import pytest

from mapopt.errors import InputError
from mapopt.solvers.model import Limits, Objective, PeriodRange
from mapopt.solvers.watch import Watch

PERIOD, LATENCY = Objective.PERIOD, Objective.LATENCY


def test_only_improvements_are_kept_and_each_objective_has_its_own():
    seen = []
    watch = Watch(Limits(), seen.append)
    watch.report(PERIOD, value=10)
    watch.report(PERIOD, value=12, bound=3)
    watch.report(PERIOD, value=12, bound=2)
    watch.report(LATENCY, value=99)
    watch.report(PERIOD, value=9, bound=9)
    assert [(entry.objective, entry.value, entry.bound) for entry in watch.trace] == [
        (PERIOD, 10, None),
        (PERIOD, 10, 3),
        (LATENCY, 99, None),
        (PERIOD, 9, 9),
    ]
    assert seen == watch.trace
    assert all(before.time_s <= after.time_s for before, after in pairwise(seen))


def test_a_part_of_the_time_ends_earlier_and_nests():
    watch = Watch(Limits(time_s=100))
    with watch.at_most(50):
        assert 49 < watch.left <= 50
        with watch.at_most(70):
            assert watch.left <= 50
    assert 99 < watch.left <= 100
    with watch.at_most(0):
        assert watch.stopped
    assert not watch.stopped


def test_deterministic_runs_look_at_effort_not_at_the_clock():
    watch = Watch(Limits(time_s=3, deterministic=True))
    time.sleep(0.01)
    assert watch.left == 3
    watch.charge(2)
    assert watch.left == 1
    assert not watch.stopped
    watch.charge(1)
    assert watch.stopped


def test_work_on_a_thread_is_told_to_stop_once_and_its_result_and_errors_come_back():
    watch = Watch(Limits(time_s=0.1))
    end = threading.Event()
    calls = []

    def stop():
        calls.append(1)
        end.set()

    assert watch.run(lambda: (end.wait(5), "result")[1], stop) == "result"
    assert calls == [1]
    with pytest.raises(ZeroDivisionError):
        Watch(Limits()).run(lambda: 1 // 0, stop)


def test_the_first_interrupts_stop_and_the_third_interrupts():
    watch = Watch(Limits())
    with watch.catching_interrupts():
        os.kill(os.getpid(), signal.SIGINT)
        assert watch.stopped
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_workers_that_are_lent_come_back():
    watch = Watch(Limits(workers=3, seed=4))
    with watch.lending(1):
        assert watch.limits == Limits(workers=2, seed=4)
    assert watch.limits == Limits(workers=3, seed=4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time_s": 0}, "time limit: is 0 s"),
        ({"time_s": -1}, "must be positive"),
        ({"time_s": float("nan")}, "must be positive"),
        ({"workers": 0}, "workers: is 0"),
        ({"seed": -1}, "seed: is -1"),
        ({"memory_mb": 0}, "memory limit"),
    ],
)
def test_limits_that_make_no_sense_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        Limits(**change)


def test_a_period_range_must_be_one():
    assert PeriodRange(3, 3).fixed
    for low, high in ((0, 1), (4, 3)):
        with pytest.raises(InputError, match="1 <= low <= high"):
            PeriodRange(low, high)


def test_deafness_nests():
    watch = Watch(Limits())
    with watch.deaf():
        with watch.deaf():
            watch.report(Objective.LATENCY, value=3)
        watch.report(Objective.LATENCY, value=2)
    assert watch.trace == []
    watch.report(Objective.LATENCY, value=4)
    assert [entry.value for entry in watch.trace] == [4]


def test_what_is_uncharged_takes_no_time():
    watch = Watch(Limits(time_s=0.9))
    with watch.at_most(0.8), watch.uncharged():
        time.sleep(1)
    assert watch.elapsed_s < 0.8
    assert not watch.stopped
