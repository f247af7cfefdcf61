"""Compaction against its definition, on schedules of random programs."""

import random

import numpy as np

from mapopt.emulator import timetriggered
from mapopt.emulator.lower import lower
from mapopt.emulator.program import Program, ProgramPattern, ProgramTask
from mapopt.emulator.schedule import schedule
from mapopt.instance import IntArray
from mapopt.mapping import Mapping
from mapopt.search.compaction import compacted
from tests.bounds.cases import assignments
from tests.formulations.cases import MODELS, tiny_instance


def is_held(program: Program, start: IntArray, period: int, task: int) -> bool:
    """Return whether something ends exactly where a task starts: its data, or its resource's work."""
    for before in range(program.n_tasks):
        for arc in range(program.arc_offset[before], program.arc_offset[before + 1]):
            arrival = start[before] + program.duration[before] + program.arc_delay[arc]
            if program.arc_target[arc] == task and arrival == start[task]:
                return True
        freed = start[before] + program.duration[before] + program.hold[before]
        same = before != task and program.resource[before] == program.resource[task]
        if same and (freed - start[task]) % period == 0:
            return True
    return False


def test_nothing_can_start_earlier() -> None:
    delayed = 0
    for seed in range(150):
        draw = random.Random(seed)
        instance = tiny_instance(seed, MODELS[seed % len(MODELS)])
        mapping = schedule(instance, Mapping.of(instance, next(assignments(instance))))
        program, period = lower(instance, mapping), mapping.horizon or 1
        given = program.timed_starts.copy()
        for _ in range(10):
            later = given.copy()
            later[draw.randrange(program.n_tasks)] += draw.randint(1, 3)
            if isinstance(timetriggered.judge(program.timed(later, period)), timetriggered.Feasible):
                given = later
        start = compacted(program, given, period)
        assert isinstance(timetriggered.judge(program.timed(start, period)), timetriggered.Feasible), seed
        assert (start <= given).all()
        delayed += bool((start < given).any())
        for task in np.flatnonzero(start > 0).tolist():
            assert is_held(program, start, period, task), (seed, task)
    assert delayed > 30


def test_the_order_on_the_circle_and_the_turns_are_kept() -> None:
    tasks = [ProgramTask(0, 3), ProgramTask(1, 2), ProgramTask(0, 2)]
    program = Program.build(["a", "b"], [ProgramPattern(tasks, [(0, 1, 1), (1, 2, 0)])])
    start = np.array([0, 6, 14])  # on a: 0-3 and, a turn later, 4-6 of 10
    assert compacted(program, start, 10).tolist() == [0, 4, 13]
