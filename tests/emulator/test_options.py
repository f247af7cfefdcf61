from __future__ import annotations

from fractions import Fraction

import pytest

from mapopt.emulator.machine import periodic, saturated
from mapopt.emulator.options import RunOptions
from mapopt.emulator.program import Program, ProgramPattern, ProgramTask
from mapopt.errors import InputError

SELF_TIMED = Program.build(["a"], [ProgramPattern([ProgramTask(0, 30)], [])])
SCHEDULED = Program.build(["a"], [ProgramPattern([ProgramTask(0, 30)], [], [0])], horizon=30)


def test_starts_are_kept_unless_told_otherwise() -> None:
    assert RunOptions().resolved(SELF_TIMED).dispatch == "self-timed"
    assert RunOptions().resolved(SCHEDULED).dispatch == "time-triggered"
    assert RunOptions("self-timed").resolved(SCHEDULED).dispatch == "self-timed"


@pytest.mark.parametrize("dispatch", [None, "time-triggered"])
def test_a_schedule_takes_no_interval(dispatch: None) -> None:
    with pytest.raises(InputError, match="leave the interval out"):
        RunOptions(dispatch, Fraction(40)).resolved(SCHEDULED)


def test_a_program_without_starts_is_not_time_triggered() -> None:
    with pytest.raises(InputError, match="has no start times"):
        RunOptions("time-triggered").resolved(SELF_TIMED)


def test_latency_is_measured_at_a_twentieth_more_than_the_largest_load() -> None:
    assert RunOptions().paced(SELF_TIMED).arrival() == periodic(32)  # ceil(31.5)
    assert RunOptions(interval=Fraction(7, 2)).paced(SELF_TIMED).arrival() == periodic(Fraction(7, 2))
    assert RunOptions(interval="saturated", window=3).paced(SELF_TIMED).arrival() == saturated(3)
    assert RunOptions().paced(SCHEDULED).interval is None
