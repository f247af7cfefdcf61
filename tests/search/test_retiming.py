"""Turns and dispatching against a plain reading of the rules, and against the emulator."""

import random
from collections import Counter

import numpy as np

from mapopt.instance import Instance
from mapopt.placement.problem import Problem
from mapopt.search.elastic_search import frame_of
from mapopt.search.random_numbers import random_state
from mapopt.search.retimed_search import _Walk, board_of
from mapopt.search.retiming import NEVER, Board, Frame, anneal_retimed, dispatch, justify, measure
from mapopt.search.schedule import finish
from mapopt.search.tables import tables_of
from mapopt.transfers import Delay, Free
from tests.search.cases import cases


def frames(first: int, last: int) -> list[tuple[int, Instance, Frame]]:
    """What does not change, of the random instances without contention."""
    return [
        (number, instance, frame_of(instance, tables_of(Problem(instance)), period))
        for number, instance, period in cases(first, last)
        if isinstance(instance.transfer, (Free, Delay))
    ]


def random_board(number: int, instance: Instance, frame: Frame) -> Board:
    """Turns that never fall along the data, and any order."""
    draw = random.Random(number)
    turn = [0] * frame.nodes
    for node in instance.topological_order:
        before = [turn[frame.entering[arc]] for arc in arcs_into(frame, node)]
        turn[node] = max(before, default=0) + (draw.random() < 0.3)
    board = board_of(frame, np.array(turn, dtype=np.int64))
    board.order[:] = [draw.random() for _ in range(frame.nodes)]
    return board


def arcs_into(frame: Frame, node: int) -> range:
    return range(frame.entering_offset[node], frame.entering_offset[node + 1])


def arrival(frame: Frame, board: Board, node: int, unit: int, arcs: list[tuple[int, int]]) -> int:
    """When the data of a node are on a unit, by the rule: an end, and a delay unless it is the same unit."""
    there = [
        int(board.end[other]) + (0 if board.unit[other] == unit else int(frame.once[tensor]))
        for other, tensor in arcs
        if board.turn[other] == board.turn[node]
    ]
    return max(there, default=0)


def check_dispatched(frame: Frame, board: Board, makespan: int, *, forward: bool) -> None:
    """Every node runs once on a unit that may take it, after its data, and as soon as these and the unit let it."""
    last = [0] * frame.units
    begun = 0
    assert sorted(board.sequence.tolist()) == list(range(frame.nodes))
    for node in board.sequence.tolist():
        unit = int(board.unit[node])
        offsets = frame.entering_offset if forward else frame.leaving_offset
        others = frame.entering if forward else frame.leaving
        tensors = frame.entering_tensor if forward else frame.leaving_tensor
        arcs = [(int(others[arc]), int(tensors[arc])) for arc in range(offsets[node], offsets[node + 1])]
        assert frame.duration[node, unit] >= 0
        assert board.start[node] == max(last[unit], arrival(frame, board, node, unit, arcs))
        if (board.kind >= 0).all():  # units are equal: what can start first has started first
            assert board.start[node] >= begun
        begun = int(board.start[node])
        last[unit] = int(board.end[node])
        assert board.end[node] == board.start[node] + frame.duration[node, unit]
    assert makespan == board.end.max()


def test_dispatching_keeps_the_rules_forwards_and_backwards() -> None:
    tried, full = Counter[str](), 0
    for number, instance, frame in frames(0, 400):
        board = random_board(number, instance, frame)
        makespan = dispatch(frame, board, True)
        if makespan == NEVER:
            full += 1
            continue
        check_dispatched(frame, board, makespan, forward=True)
        back = dispatch(frame, board, False)
        if back != NEVER:
            check_dispatched(frame, board, back, forward=False)
        if justify(frame, board) != NEVER:
            check_dispatched(frame, board, int(board.end.max()), forward=True)
        tried[type(instance.transfer).__name__] += 1
    assert min(tried["Free"], tried["Delay"]) > 30
    assert full < sum(tried.values()) / 4


def test_the_order_decides_among_those_that_can_start_together() -> None:
    changed = 0
    for number, instance, frame in frames(0, 60):
        board = random_board(number, instance, frame)
        if dispatch(frame, board, True) == NEVER:
            continue
        first = [node for node in board.sequence.tolist() if board.start[node] == 0]
        for node in first:
            board.order[node] = 2.0
            dispatch(frame, board, True)
            assert board.start[node] == 0
            board.order[node] = -1.0
        changed += len(first) > 1
    assert changed > 10


def test_the_emulator_confirms_period_and_latency() -> None:
    """At the period that the measure implies, the schedule is feasible and its latency what was measured."""
    confirmed = several = 0
    for number, instance, frame in frames(0, 300):
        board = random_board(number, instance, frame)
        if dispatch(frame, board, True) == NEVER:
            continue
        ticks, excess = measure(frame, board)
        period = frame.period
        while excess > 0:  # the least period at which nothing is too long
            period += 1
            longer = frame._replace(period=period)
            ticks, excess = measure(longer, board)
        first = board.turn.min()
        starts = board.turn * period + np.where(board.turn == first, board.latest, board.start)
        schedule = finish(instance, period, board.unit.copy(), starts - starts.min(), {})
        assert schedule.latency == ticks, number
        confirmed += 1
        several += int(board.turn.max() > first)
    assert min(confirmed, several) > 40


def test_annealing_keeps_turns_in_the_order_of_the_data_and_what_it_found_is_feasible() -> None:
    found = 0
    for number, instance, frame in frames(0, 120):
        walk = _Walk.of(instance, frame, number, 0)
        if walk is None:
            continue
        for move in range(0, 300, 30):
            reached = anneal_retimed(
                frame, walk.board, walk.found, move, move + 30, 300, 2.0, 0.1, -1, random_state(number, move)
            )
            assert reached == move + 30
            for producer, consumer, _ in instance.edges:
                assert walk.board.turn[producer] <= walk.board.turn[consumer]
        if walk.latency < NEVER:
            assert walk.schedule().latency <= walk.latency
            found += 1
    assert found > 30
