"""Sequences of all tasks: the places they begin from, and what comes of them."""

import time

import numpy as np

from mapopt.emulator import timetriggered
from mapopt.emulator.lower import lower
from mapopt.emulator.program import Program, ProgramPattern, ProgramTask
from mapopt.emulator.schedule import schedule
from mapopt.instance import IntArray
from mapopt.mapping import Mapping
from mapopt.search.effort import Effort, never
from mapopt.search.task_rings import anneal_tasks, places, task_instance
from tests.bounds.cases import assignments
from tests.formulations.cases import tiny_instance


def annealed(program: Program, place: IntArray, period: int, **limits: int) -> IntArray | None:
    effort = Effort(None, None, never, time.perf_counter())
    settings = {"seed": 1, "moves": 3000, "heat": (0.2, 0.01), **limits}
    return anneal_tasks(program, place, period, effort=effort, **settings)


def test_schedules_are_feasible_and_better_than_where_they_begin() -> None:
    better = 0
    for seed in range(60):
        instance = tiny_instance(seed, "links")
        mapping = schedule(instance, Mapping.of(instance, next(assignments(instance))))
        program, period = lower(instance, mapping), mapping.horizon or 1
        found = annealed(program, program.timed_starts, period)
        if found is None:
            continue
        verdict = timetriggered.judge(program.timed(found, period))
        assert isinstance(verdict, timetriggered.Feasible), seed
        before = timetriggered.judge(program)
        assert isinstance(before, timetriggered.Feasible)
        better += verdict.latencies.max() < before.latencies.max()
    assert better >= 3


def test_places_do_not_overlap_and_keep_the_nodes() -> None:
    for seed in range(60):
        instance = tiny_instance(seed, "links")
        mapping = schedule(instance, Mapping.of(instance, next(assignments(instance))))
        program, period = lower(instance, mapping), mapping.horizon or 1
        nodes = program.label[:, 0] >= 0
        node_start = np.zeros(len(instance.nodes), dtype=np.int64)
        node_start[program.label[nodes, 0]] = program.timed_starts[nodes]
        place = places(program, node_start, period)
        if place is None:
            continue
        assert (place[nodes] == program.timed_starts[nodes]).all()
        for resource in range(len(program.resources)):
            busy = [
                tick % period
                for task in np.flatnonzero(program.resource == resource).tolist()
                for tick in range(place[task], place[task] + program.duration[task])
            ]
            assert len(busy) == len(set(busy)), seed


def test_a_full_link_gives_no_place() -> None:
    tasks = [
        ProgramTask(0, 1, label=(0, -1, -1, -1)),
        *(ProgramTask(1, 3, label=(-1, tensor, 1, 0)) for tensor in range(3)),
    ]
    program = Program.build(["unit", "link"], [ProgramPattern(tasks, [(0, task, 0) for task in (1, 2, 3)])])
    assert places(program, np.zeros(1, dtype=np.int64), 8) is None
    assert places(program, np.zeros(1, dtype=np.int64), 9) is not None


def test_delays_of_arcs_are_kept_and_those_within_a_resource_are_refused() -> None:
    tasks = [ProgramTask(0, 2), ProgramTask(1, 2)]
    program = Program.build(["a", "b"], [ProgramPattern(tasks, [(0, 1, 7)])])
    assert task_instance(program).tensors[0].size_bytes == 7
    start = annealed(program, np.array([0, 1]), 5)
    assert start is not None
    assert start.tolist() == [0, 9]
    same = Program.build(["a"], [ProgramPattern([ProgramTask(0, 2), ProgramTask(0, 2)], [(0, 1, 7)])])
    assert annealed(same, np.array([0, 2]), 5) is None
