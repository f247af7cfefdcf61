from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings

from mapopt.emulator.analysis import max_load
from mapopt.emulator.lower import lower
from mapopt.emulator.measure import measure
from mapopt.emulator.program import PatternColumns, Program, ProgramPattern, ProgramTask
from mapopt.emulator.reference import ReferenceEmulator
from mapopt.emulator.schedule import schedule, schedule_program
from mapopt.emulator.timetriggered import Feasible, judge
from mapopt.errors import InputError
from mapopt.instance import Instance, InstanceNode, Unit
from mapopt.mapping import Mapping

from .cases import MODELS, Case, cases


@pytest.mark.parametrize("kind", MODELS)
def test_period_is_the_largest_load_exactly(kind: str) -> None:
    @settings(max_examples=120, deadline=None, database=None, derandomize=True)
    @given(cases(kind))
    def check(case: Case) -> None:
        load = max_load(lower(case.instance, case.mapping)).ticks
        timed = schedule(case.instance, case.mapping)
        found = measure(case.instance, timed)
        size = len(case.mapping.patterns)
        assert Fraction(found.period_ticks) == (load or Fraction(1, size))
        assert (found.exact, found.dispatch) == (True, "time-triggered")
        assert timed.claims is not None
        assert timed.claims.period_ticks == found.period_ticks
        assert timed.claims.latency_ticks == found.latency_ns.max
        assert timed.claims.latency_single_ticks == found.latency_single_ns
        slow = ReferenceEmulator(case.instance, timed, frames=3 * size, time_triggered=True).run()
        latencies = [slow.left[frame] - slow.released[frame] for frame in range(size)]
        assert max(latencies) == found.latency_ns.max

    check()


def test_a_fragmented_unit_is_packed() -> None:
    """Loads of 100%: b's middle piece no longer fits a gap of the circle, and it still attains the period."""
    tasks = [
        ProgramTask(0, 5),
        ProgramTask(1, 4),
        ProgramTask(0, 5),
        ProgramTask(1, 6),
        ProgramTask(0, 5),
        ProgramTask(1, 5),
    ]
    arcs = [(index, index + 1, 1) for index in range(5)]
    built = Program.build(["a", "b"], [ProgramPattern(tasks, arcs)])
    timed = schedule_program(built, 15)
    outcome = judge(timed)
    assert isinstance(outcome, Feasible)
    assert outcome.period == 15


def test_the_longest_remaining_path_may_go_first() -> None:
    """Alone, a frame runs task 0 first and ends at 8; with task 1 first, which task 2 waits for, it ends at 6."""
    tasks = [ProgramTask(0, 2), ProgramTask(0, 4), ProgramTask(1, 2)]
    timed = schedule_program(Program.build(["a", "b"], [ProgramPattern(tasks, [(1, 2, 0)])]), 6)
    assert timed.timed_starts.tolist() == [4, 0, 4]


def test_an_uncontended_chain_is_not_delayed() -> None:
    tasks = [ProgramTask(0, 5), ProgramTask(1, 4)]
    timed = schedule_program(Program.build(["a", "b"], [ProgramPattern(tasks, [(0, 1, 3)])]), 5)
    assert timed.timed_starts.tolist() == [0, 8]


def test_horizon_must_hold_the_load() -> None:
    built = Program.build(["a"], [ProgramPattern([ProgramTask(0, 5)], [])])
    with pytest.raises(InputError, match=r"horizon: is 4 ticks; .* 5 ticks of work of 'a'"):
        schedule_program(built, 4)


def test_a_schedule_can_be_scheduled_again() -> None:
    instance = Instance(
        name="two",
        classes=("u",),
        units=(Unit("u", "u"),),
        nodes=(InstanceNode("n", (3,)), InstanceNode("m", (0,))),
    )
    once = schedule(instance, Mapping.of(instance, (0, 0)))
    assert schedule(instance, once) == once
    assert once.horizon == 3


def test_thousands_of_tasks_in_a_second_and_always_the_same() -> None:
    count, units = 20_000, 16
    rng = np.random.default_rng(3)
    after = np.arange(1, count)
    columns = PatternColumns(
        resource=rng.integers(0, units, count),
        duration=rng.integers(1, 400, count),
        hold=np.zeros(count, dtype=np.int64),
        label=np.column_stack([np.arange(count), *[np.full(count, -1)] * 3]),
        before=np.maximum(0, after - rng.integers(1, 200, count - 1)),
        after=after,
        delay=rng.integers(0, 9, count - 1),
    )
    built = Program.of_columns(
        [f"u{index}" for index in range(units)], [columns], n_units=units, tick_ps=1, horizon=None
    )
    horizon = int(built.loads().max())
    schedule_program(built, horizon)
    begin = time.perf_counter()
    one = schedule_program(built, horizon)
    assert time.perf_counter() - begin < 10
    assert isinstance(judge(one), Feasible)
    assert np.array_equal(one.timed_starts, schedule_program(built, horizon).timed_starts)
