from __future__ import annotations

import random
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapopt.emulator.lower import lower
from mapopt.emulator.measure import measure
from mapopt.emulator.program import Program, ProgramPattern, ProgramTask
from mapopt.emulator.reference import ReferenceEmulator
from mapopt.emulator.schedule import schedule
from mapopt.emulator.timetriggered import Conflict, Feasible, Rule, judge, modulo_conflict
from mapopt.errors import InfeasibleError, InputError
from mapopt.mapping import Mapping

from .cases import MODELS, Case, cases


def program(
    tasks: list[tuple[int, ...]],
    starts: list[int],
    horizon: int,
    arcs: list[tuple[int, int, int]] | None = None,
) -> Program:
    built = [ProgramTask(*task) for task in tasks]
    return Program.build(["a", "b"], [ProgramPattern(built, arcs or [], starts)], horizon=horizon)


def test_a_feasible_schedule() -> None:
    outcome = judge(program([(0, 4), (1, 6), (0, 2)], [0, 5, 16], 6, [(0, 1, 1), (1, 2, 3)]))
    assert isinstance(outcome, Feasible)
    assert outcome.period == 6
    assert outcome.latencies.tolist() == [18]


def test_late_data() -> None:
    outcome = judge(program([(0, 4), (1, 6)], [0, 4], 10, [(0, 1, 1)]))
    assert outcome == Conflict(Rule.DATA, 1, 0, 4, 0, 0, 5)


def test_busy_by_another_frame() -> None:
    outcome = judge(program([(0, 4), (0, 4)], [0, 9], 8))
    assert outcome == Conflict(Rule.BUSY, 1, 0, 9, 0, 1, 12)


def test_a_task_longer_than_the_horizon_meets_itself() -> None:
    outcome = judge(program([(0, 9)], [0], 8))
    assert outcome == Conflict(Rule.BUSY, 0, 1, 8, 0, 0, 9)


def test_holds_count() -> None:
    assert isinstance(judge(program([(0, 4, 4)], [0], 8)), Feasible)
    assert isinstance(judge(program([(0, 4, 5)], [0], 8)), Conflict)


def test_starts_before_the_release_of_their_pattern() -> None:
    patterns = [ProgramPattern([ProgramTask(0, 1)], [], [start]) for start in (0, 4)]
    outcome = judge(Program.build(["a"], patterns, horizon=11))  # frame 1 is released at floor(11 / 2) = 5
    assert outcome == Conflict(Rule.RELEASE, 1, 1, 4, -1, -1, 5)
    later = [ProgramPattern([ProgramTask(0, 1)], [], [start]) for start in (0, 6)]
    fine = judge(Program.build(["a"], later, horizon=11))
    assert isinstance(fine, Feasible)
    assert (fine.period, fine.latencies.tolist()) == (Fraction(11, 2), [1, 2])


@pytest.mark.parametrize(
    ("start", "feasible"), [(0, True), (1, False), (3, False), (4, True), (6, True), (8, True)]
)
def test_zero_length_at_the_edges_of_another_but_not_inside(start: int, feasible: bool) -> None:
    timed = program([(0, 4), (0, 0)], [0, start], 8)
    assert isinstance(judge(timed), Feasible) == feasible
    assert (modulo_conflict(timed) is None) == feasible


def test_zero_length_cannot_run_before_the_send_it_waits_for() -> None:
    """Task 0 has no duration but is held for 5; task 1, on its unit, needs its data and so starts after the hold."""
    assert isinstance(judge(program([(0, 0, 5), (0, 0)], [0, 0], 8, [(0, 1, 0)])), Conflict)
    assert isinstance(judge(program([(0, 0, 5), (0, 0)], [0, 5], 8, [(0, 1, 0)])), Feasible)
    assert isinstance(judge(program([(0, 0, 5), (0, 0)], [0, 0], 8, [(1, 0, 0)])), Feasible)
    detour = program([(0, 0, 5), (1, 0), (0, 0)], [0, 0, 0], 8, [(0, 1, 0), (1, 2, 0)])
    assert isinstance(judge(detour), Conflict)


def test_self_timed_programs_have_no_judge() -> None:
    with pytest.raises(InputError, match="has no start times"):
        judge(Program.build(["a"], [ProgramPattern([ProgramTask(0, 1)], [])]))


@pytest.mark.parametrize("kind", MODELS)
def test_verdict_and_latency_are_the_slow_emulators(kind: str) -> None:
    """Schedules with one start moved: both emulators accept or refuse, and measure the same."""
    verdicts = {True: 0, False: 0}

    @settings(max_examples=150, deadline=None, database=None, derandomize=True)
    @given(cases(kind), st.integers(0, 2**32))
    def check(case: Case, seed: int) -> None:
        timed = moved(schedule(case.instance, case.mapping), random.Random(seed))
        outcome = judge(lower(case.instance, timed))
        size = len(timed.patterns)
        latest = max(start for each in timed.patterns for start in each.starts or ())
        frames = min(400, size * (latest // (timed.horizon or 1) + 60 // (timed.horizon or 1) + 4))
        emulator = ReferenceEmulator(case.instance, timed, frames=frames, time_triggered=True)
        try:
            recording = emulator.run()
        except InfeasibleError:
            assert isinstance(outcome, Conflict)
            with pytest.raises(InfeasibleError, match=r"starts .* before|resource is busy"):
                measure(case.instance, timed)
            verdicts[False] += 1
        else:
            assert isinstance(outcome, Feasible), outcome
            latencies = [recording.left[frame] - recording.released[frame] for frame in range(size)]
            assert outcome.latencies.tolist() == latencies
            verdicts[True] += 1

    check()
    assert min(verdicts.values()) > 15, verdicts


def moved(mapping: Mapping, rng: random.Random) -> Mapping:
    number = rng.randrange(len(mapping.patterns))
    pattern = mapping.patterns[number]
    starts = list(pattern.starts or ())
    node = rng.randrange(len(starts))
    starts[node] = max(0, starts[node] + rng.choice([-2, -1, 0, 1, 2, mapping.horizon or 1]))
    patterns = list(mapping.patterns)
    patterns[number] = msgspec.structs.replace(pattern, starts=tuple(starts))
    return msgspec.structs.replace(mapping, patterns=tuple(patterns))
