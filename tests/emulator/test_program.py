from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from mapopt.emulator.analysis import critical_paths, max_load
from mapopt.emulator.machine import saturated
from mapopt.emulator.program import Program, ProgramPattern, ProgramTask
from mapopt.emulator.stream import run_single, run_stream
from mapopt.errors import InputError


def rows_of_convolutions(layers: int, rows: int, padding: int, ticks: int) -> Program:
    """A chain of convolutions, one unit each, cut into rows: stride 1, kernel 2 * padding + 1, same size.

    Row r of a layer reads rows r - padding .. r + padding of the layer before; its unit takes rows in order.
    """
    tasks = [ProgramTask(layer, ticks) for layer in range(layers) for _ in range(rows)]
    arcs = [
        ((layer - 1) * rows + source, layer * rows + row, 0)
        for layer in range(1, layers)
        for row in range(rows)
        for source in range(max(0, row - padding), min(rows, row + padding + 1))
    ]
    return Program.build([f"conv{layer}" for layer in range(layers)], [ProgramPattern(tasks, arcs)])


@pytest.mark.parametrize(
    ("layers", "rows", "padding", "ticks"), [(1, 8, 1, 5), (4, 16, 1, 7), (3, 20, 2, 3), (6, 9, 3, 1)]
)
def test_rows_of_a_chain_of_convolutions(layers: int, rows: int, padding: int, ticks: int) -> None:
    """A layer begins when the one before has done padding + 1 rows, and from then on keeps pace with it."""
    program = rows_of_convolutions(layers, rows, padding, ticks)
    makespan = ticks * (rows + (padding + 1) * (layers - 1))
    assert run_single(program) == (makespan,)
    stream = run_stream(program, saturated(layers + 1))
    assert stream.exact
    assert stream.period == rows * ticks == max_load(program).ticks


def test_layer_by_layer_is_the_whole_sum() -> None:
    """With a padding of the whole height nothing overlaps within a frame."""
    program = rows_of_convolutions(3, 10, 10, 2)
    assert run_single(program) == (3 * 10 * 2,)
    assert critical_paths(program) == (3 * 2,)


def test_build_joins_patterns() -> None:
    one = ProgramPattern([ProgramTask(0, 2), ProgramTask(1, 3, hold=4)], [(0, 1, 5)])
    two = ProgramPattern([ProgramTask(1, 7)], [])
    program = Program.build(["a", "b"], [one, two])
    assert program.n_patterns == 2
    assert program.offset.tolist() == [0, 2, 3]
    assert program.loads().tolist() == [2, 14]
    assert max_load(program).ticks == Fraction(7)
    assert max_load(program).resource == "b"
    assert critical_paths(program) == (10, 7)
    assert program.only(1).duration.tolist() == [7]
    assert program.only(0).arc_target.tolist() == [1]
    with pytest.raises(ValueError, match="read-only"):
        program.duration[0] = 1


def test_only_of_a_later_pattern_keeps_its_arcs() -> None:
    one = ProgramPattern([ProgramTask(0, 2), ProgramTask(0, 2)], [(0, 1, 9)])
    two = ProgramPattern([ProgramTask(0, 1), ProgramTask(1, 1), ProgramTask(1, 1)], [(0, 2, 4), (1, 2, 0)])
    part = Program.build(["a", "b"], [one, two]).only(1)
    assert part.arc_offset.tolist() == [0, 1, 2, 2]
    assert part.arc_target.tolist() == [2, 2]
    assert part.arc_delay.tolist() == [4, 0]
    assert part.predecessors.tolist() == [0, 0, 2]


def test_critical_path_adds_the_hold_between_tasks_of_one_unit() -> None:
    pattern = ProgramPattern(
        [ProgramTask(0, 2, hold=10), ProgramTask(0, 1), ProgramTask(1, 1)], [(0, 1, 0), (0, 2, 3)]
    )
    program = Program.build(["a", "b"], [pattern])
    assert critical_paths(program) == (13,)
    assert run_single(program) == (13,)


@pytest.mark.parametrize(
    ("patterns", "horizon", "message"),
    [
        ([], None, "no patterns"),
        ([ProgramPattern([], [])], None, "pattern 0 has no tasks"),
        ([ProgramPattern([ProgramTask(2, 1)], [])], None, "on resource 2 of 2"),
        ([ProgramPattern([ProgramTask(0, -1)], [])], None, "duration -1"),
        ([ProgramPattern([ProgramTask(0, 10**30)], [])], None, "must be in 0..1e"),
        ([ProgramPattern([ProgramTask(0, 9 * 10**17)] * 2, [])], None, "larger tick_ps"),
        ([ProgramPattern([ProgramTask(0, 1)], [(0, 1, 0)])], None, "out of range"),
        ([ProgramPattern([ProgramTask(0, 1)] * 2, [(0, 1, 0), (1, 0, 0)])], None, "have a cycle"),
        ([ProgramPattern([ProgramTask(0, 1)], [], [0])], None, "go together"),
        ([ProgramPattern([ProgramTask(0, 1)], [])], 5, "go together"),
        ([ProgramPattern([ProgramTask(0, 1)], [], [0, 1])], 5, "2 starts for 1 tasks"),
    ],
)
def test_bad_programs(patterns: list[ProgramPattern], horizon: int | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Program.build(["a", "b"], patterns, horizon=horizon)


def test_starts() -> None:
    program = Program.build(["a"], [ProgramPattern([ProgramTask(0, 1)], [])])
    with pytest.raises(InputError, match="has no start times"):
        _ = program.timed_starts
    timed = program.timed(np.array([3]), 7)
    assert (timed.timed_starts.tolist(), timed.horizon) == ([3], 7)
