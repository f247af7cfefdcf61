from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapopt.emulator.kernel import NEXT_RELEASE
from mapopt.emulator.lower import lower
from mapopt.emulator.machine import Machine, periodic, saturated
from mapopt.emulator.program import Program, ProgramPattern, ProgramTask
from mapopt.emulator.recurrence import same
from mapopt.emulator.reference import ReferenceEmulator
from mapopt.emulator.stream import run_stream

from .cases import MODELS, Case, cases

FRAMES = 300


@pytest.mark.parametrize("kind", MODELS)
def test_recurrence_is_that_of_a_dictionary_of_all_states(kind: str) -> None:
    """Period, cycle and transient as found by remembering every state of the slow emulator."""
    found = 0

    @settings(max_examples=60, deadline=None, database=None, derandomize=True)
    @given(cases(kind))
    def check(case: Case) -> None:
        nonlocal found
        slow = ReferenceEmulator(
            case.instance, case.mapping, frames=FRAMES, window=case.window, interval=case.interval
        ).recurrence()
        program = lower(case.instance, case.mapping)
        arrival = saturated(case.window) if case.window else periodic(case.interval or 0)
        if slow is None:
            return
        stream = run_stream(program, arrival)
        assert stream.exact
        assert stream.period == slow.period
        if stream.period > 0:
            assert stream.cycle_frames == slow.cycle_frames
            assert (stream.transient_frames, stream.transient_exact) == (slow.transient_frames, True)
        found += 1

    check()
    assert found > 40


@given(st.integers(1, 50), st.integers(1, 30), st.integers(1, 5))
@settings(max_examples=50, deadline=None, database=None, derandomize=True)
def test_one_unit_alone_follows_a_rational_interval(numerator: int, denominator: int, load: int) -> None:
    """An unloaded unit repeats with the fraction of the release times: after ``denominator`` frames at the latest."""
    interval = load + Fraction(numerator, denominator)
    program = Program.build(["a"], [ProgramPattern([ProgramTask(0, load)], [])])
    stream = run_stream(program, periodic(interval))
    assert stream.period == interval
    assert stream.cycle_frames == interval.denominator


def test_transient_beyond_the_budget_is_an_upper_bound() -> None:
    case = ProgramPattern([ProgramTask(0, 7), ProgramTask(1, 5), ProgramTask(0, 6)], [(0, 1, 3), (1, 2, 4)])
    program = Program.build(["a", "b"], [case])
    exact = run_stream(program, saturated(4))
    firings = 3 * (exact.horizon_frames + 8)
    bounded = run_stream(program, saturated(4), budget=firings)
    assert exact.transient_exact
    assert not bounded.transient_exact
    assert bounded.period == exact.period
    assert bounded.transient_frames is not None
    assert exact.transient_frames is not None
    assert bounded.transient_frames >= exact.transient_frames


def test_same_state_needs_the_same_data_under_way() -> None:
    """Two machines alike in all but an arrival time must not count as equal: the delay decides the period."""
    pattern = ProgramPattern([ProgramTask(0, 1), ProgramTask(1, 1)], [(0, 1, 25)])
    program = Program.build(["a", "b"], [pattern])
    for interval in (Fraction(7, 3), Fraction(11, 4)):
        stream = run_stream(program, periodic(interval))
        assert (stream.exact, stream.period) == (True, interval)
        assert set(stream.latencies.tolist()) == {27}


def test_same_state_needs_the_same_next_release() -> None:
    """Of periodic arrivals; saturated ones release when a frame leaves."""
    program = Program.build(["a"], [ProgramPattern([ProgramTask(0, 3)], [])])
    for arrival, counts in ((periodic(10), True), (saturated(1), False)):
        one, two = Machine(program, arrival), Machine(program, arrival)
        for machine in (one, two):
            machine.run(target=1)
        assert same(one.tables, one.arrival, one.state, two.state)
        two.state.scalar[NEXT_RELEASE] += 1
        assert same(one.tables, one.arrival, one.state, two.state) is not counts
