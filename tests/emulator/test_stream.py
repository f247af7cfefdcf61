from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from mapopt.emulator import kernel
from mapopt.emulator.analysis import critical_paths, max_load
from mapopt.emulator.lower import lower
from mapopt.emulator.machine import MAX_IN_FLIGHT, Machine, periodic, saturated
from mapopt.emulator.program import Program, ProgramPattern, ProgramTask
from mapopt.emulator.stream import run_single, run_stream
from mapopt.errors import InputError

from .cases import Case, cases


def chain(*ticks: int, delay: int = 0) -> Program:
    """One task per unit, each after the one before."""
    tasks = [ProgramTask(unit, each) for unit, each in enumerate(ticks)]
    arcs = [(index, index + 1, delay) for index in range(len(ticks) - 1)]
    return Program.build([f"u{index}" for index in range(len(ticks))], [ProgramPattern(tasks, arcs)])


def uneven() -> Program:
    """A program with a long cycle: two units in turns, times without a common divisor."""
    tasks = [
        ProgramTask(0, 97),
        ProgramTask(1, 89),
        ProgramTask(0, 13),
        ProgramTask(1, 31),
        ProgramTask(2, 83),
    ]
    return Program.build(
        ["a", "b", "c"], [ProgramPattern(tasks, [(0, 1, 5), (1, 2, 17), (2, 3, 3), (0, 4, 29)])]
    )


def test_chain_runs_at_its_slowest_unit() -> None:
    stream = run_stream(chain(3, 8, 5), saturated(8))
    assert (stream.period, stream.exact, stream.cycle_frames) == (8, True, 1)
    assert run_single(chain(3, 8, 5)) == (16,)


def test_one_frame_in_flight_takes_the_whole_latency() -> None:
    assert run_stream(chain(3, 8, 5, delay=2), saturated(1)).period == 20


@given(cases())
@settings(max_examples=200, deadline=None, database=None, derandomize=True)
def test_bounds_hold_for_every_program(case: Case) -> None:
    program = lower(case.instance, case.mapping)
    stream = run_stream(program, saturated(case.window or 3), frames=60)
    assert stream.period >= max_load(program).ticks
    paths = critical_paths(program)
    assert all(single >= path for single, path in zip(run_single(program), paths, strict=True))
    assert stream.latencies.min() >= min(paths)


@given(cases())
@settings(max_examples=150, deadline=None, database=None, derandomize=True)
def test_littles_law(case: Case) -> None:
    """In an exact saturated cycle the mean latency is window * period."""
    window = case.window or 3
    stream = run_stream(lower(case.instance, case.mapping), saturated(window))
    if stream.exact:
        assert Fraction(int(stream.latencies.sum()), len(stream.latencies)) == window * stream.period


def test_k_patterns_alternate() -> None:
    """Two units, each frame on one of them: half the period."""
    patterns = [ProgramPattern([ProgramTask(unit, 10)], []) for unit in (0, 1)]
    program = Program.build(["a", "b"], patterns)
    stream = run_stream(program, saturated(2))
    assert (stream.period, max_load(program).ticks) == (5, 5)
    assert run_single(program) == (10, 10)


def test_frames_may_overtake_those_of_other_patterns() -> None:
    """Pattern 0 is slow on a; the frames of pattern 1 leave earlier though released later."""
    slow, fast = ProgramPattern([ProgramTask(0, 50)], []), ProgramPattern([ProgramTask(1, 1)], [])
    machine = Machine(Program.build(["a", "b"], [slow, fast]), saturated(3), frames=12)
    machine.run()
    # 0, 1, 2 enter; 1 leaves, 3 enters and leaves, then 4; with 0, 2, 4 in flight the window is full until 50.
    assert machine.state.left_at[:12].tolist() == [50, 1, 100, 2, 150, 51, 200, 101, 250, 151, 300, 201]


def test_periodic_overload_stops_at_the_cap_and_says_so() -> None:
    stream = run_stream(chain(3, 8, 5), periodic(Fraction(4)))
    assert stream.overloaded
    assert not stream.exact
    assert stream.backlog == MAX_IN_FLIGHT
    assert stream.period == 8  # frames still leave at the slowest unit's pace
    assert stream.period_range == (8, 8)
    assert stream.latencies[-1] > stream.latencies[0]


@pytest.mark.parametrize("interval", [Fraction(1, 10**6), Fraction(1, 3), Fraction(1), Fraction(8, 3)])
def test_overload_at_any_rate_leaves_at_the_pace_of_the_slowest(interval: Fraction) -> None:
    """Also where the cap is reached within the first instant, before anything has started."""
    stream = run_stream(chain(3, 8, 5), periodic(interval))
    assert stream.overloaded
    assert stream.period == 8
    machine = Machine(chain(3, 8, 5), periodic(interval))
    machine.run()
    machine.arrival = machine.arrival._replace(frames=machine[kernel.NEXT_FRAME])
    machine.run()
    assert machine[kernel.LEFT] == machine[kernel.NEXT_FRAME]
    assert machine[kernel.NOW] == 8 + 8 * machine[kernel.LEFT]


def test_mild_overload_grows_a_backlog_without_recurrence() -> None:
    stream = run_stream(chain(3, 8, 5), periodic(Fraction(79, 10)), budget=30_000)
    assert not stream.exact
    assert not stream.overloaded
    assert stream.backlog > 50
    assert stream.horizon_frames > 9_000
    assert stream.period_range[0] == 8


def test_capacity_grows_without_changing_what_happens() -> None:
    program = chain(3, 8, 5, delay=1)
    small = Machine(program, periodic(7), frames=3000)
    large = Machine(program, periodic(7), frames=3000)
    slots = len(large.state.remaining)
    while len(large.state.remaining) < 1024:
        assert large.grow()
    assert small.run() == large.run() == kernel.DRAINED
    assert len(small.state.remaining) > 4 * slots
    assert np.array_equal(small.state.latency, large.state.latency)
    assert np.array_equal(small.state.left_at, large.state.left_at)


def test_stepping_changes_nothing() -> None:
    program = uneven()
    whole, steps = Machine(program, saturated(5), frames=200), Machine(program, saturated(5), frames=200)
    whole.run()
    for target in range(1, 201):
        steps.run(target=target)
        assert steps[kernel.OLDEST] >= target
    steps.run()
    assert np.array_equal(whole.state.scalar, steps.state.scalar)
    assert np.array_equal(whole.state.latency, steps.state.latency)


def test_horizon_when_frames_run_out() -> None:
    stream = run_stream(uneven(), saturated(5), frames=2)
    assert (stream.exact, stream.horizon_frames, stream.backlog) == (False, 2, 0)
    assert stream.period_range[0] == max_load(uneven()).ticks
    one = run_stream(uneven(), saturated(5), frames=1)
    assert one.period == run_single(uneven())[0]


def test_frames_do_not_leave_faster_than_they_enter() -> None:
    """Without recurrence the interval between releases is a lower end, and the measured period never below it."""
    interval = Fraction(1009, 100)
    stream = run_stream(chain(3, 8, 5), periodic(interval), budget=150)
    assert not stream.exact
    assert stream.period_range[0] == interval
    assert stream.period_range[1] == stream.period >= interval


def test_budget_smaller_than_a_frame_still_measures_one() -> None:
    stream = run_stream(uneven(), saturated(5), budget=2)
    assert (stream.exact, stream.horizon_frames >= 1) == (False, True)


def test_nothing_takes_time() -> None:
    stream = run_stream(chain(0, 0), saturated(4))
    assert (stream.period, stream.exact) == (0, True)
    assert run_stream(chain(0, 0), periodic(Fraction(1, 3))).period == Fraction(1, 3)


def test_huge_times_stop_before_they_overflow() -> None:
    stream = run_stream(chain(10**17, 3 * 10**17), periodic(2 * 10**17 + 1), budget=10**6)
    assert not stream.exact
    assert stream.period >= 3 * 10**17


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux")
def test_memory_does_not_grow_with_the_frames() -> None:
    """Each in a process of its own: what a process has used at most, it never gives back."""
    Machine(uneven(), saturated(16), frames=1).run()  # compiled before, so that neither process does it

    def peak_kib(frames: int) -> int:
        program = (
            "import re; from pathlib import Path; from tests.emulator.test_stream import *;"
            f"Machine(uneven(), saturated(16), frames={frames}).run();"
            "print(re.search(r'VmHWM:\\s*(\\d+)', Path('/proc/self/status').read_text())[1])"
        )
        ran = subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        return int(ran.stdout)

    first = peak_kib(70_000)
    assert peak_kib(1_000_000) - first < 1024


@pytest.mark.parametrize(
    ("frames", "budget", "message"),
    [
        (0, 10, "frames: is 0"),
        (-3, 10, "frames: is -3"),
        (3 * 10**9, 10, "at most 1000000000 are run; ask for at most 333333333 frames"),
        (None, 0, "budget: is 0"),
        (None, 10**10, "budget: is 10000000000"),
    ],
)
def test_bad_horizons(frames: int | None, budget: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        run_stream(chain(1, 1, 1), saturated(2), frames=frames, budget=budget)


@pytest.mark.parametrize("window", [0, -1, 5000])
def test_bad_windows(window: int) -> None:
    with pytest.raises(InputError, match="window: is"):
        saturated(window)


def test_window_is_bounded_by_memory_and_patterns() -> None:
    wide = Program.build(["a"], [ProgramPattern([ProgramTask(0, 1)] * 20_000, [])])
    with pytest.raises(InputError, match=r"window: 4000 frames of 20000 tasks are over .* at most 3355"):
        run_stream(wide, saturated(4000))
    many = Program.build(["a"], [ProgramPattern([ProgramTask(0, 1)], [])] * 20)
    with pytest.raises(InputError, match="window: is 4096 with 20 patterns"):
        run_stream(many, saturated(4096))


@pytest.mark.parametrize("interval", [Fraction(0), Fraction(-1), Fraction(1, 10**19), Fraction(10**19)])
def test_bad_intervals(interval: Fraction) -> None:
    with pytest.raises(InputError, match="interval: is"):
        periodic(interval)
