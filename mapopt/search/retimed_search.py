"""Annealed retiming: the turns of nodes and the order within one period, for the latency at a period."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import ceil

import numpy as np

from mapopt.instance import Instance, IntArray
from mapopt.mapping import Mapping
from mapopt.placement.problem import Problem
from mapopt.search.cyclic_search import ignore, rejection
from mapopt.search.effort import Effort, check_request, never
from mapopt.search.elastic_rings import CAPACITY_KINDS, Frame
from mapopt.search.elastic_search import annealed_elastic, first_schedule, frame_of
from mapopt.search.random_numbers import RandomState, random_state
from mapopt.search.retiming import NEVER, Board, Found, anneal_retimed, dispatch, justify, measure
from mapopt.search.rounds import Heats, advance_within, heats_of, moves_within
from mapopt.search.schedule import Schedule, finish
from mapopt.search.tables import tables_of

ROUND_MOVES = 4000
"""Moves per node of one round, where the limits allow several."""

FIRST_TURNS = (2.0, 1.6, 2.5, 1.25)
"""Turns that rounds begin with, one after the other, as multiples of the longest path in periods."""

HEATS = Heats(0.01, 0.0002)
"""Temperatures as shares of the latency that a round begins with."""

POLISH = 0.25
"""Share of the effort of a round for elastic rings, which begin with its best schedule."""


def annealed_retimed(
    instance: Instance,
    period: int,
    *,
    seed: int = 0,
    iterations: int | None = None,
    seconds: float | None = None,
    target: int = 0,
    start: Mapping | None = None,
    temperature: float = 1.0,
    first_round: int = 0,
    stop: Callable[[], bool] = never,
    on_better: Callable[[Schedule], None] = ignore,
) -> Schedule | None:
    """Anneal the turns of nodes and their order within a period; units are chosen as nodes are dispatched.

    The turn of a node says in which period after the frame's begin it runs. With the turns fixed, one period is a shop
    without cycles, in which list schedules do well. Too long a period is a cost, so that the search needs no assignment
    within the period. Elastic rings improve the best schedule of each round.

    Parameters
    ----------
    instance
        One whose transfers are free or delays.
    period
        Ticks.
    iterations, seconds
        Limits in moves and time; with neither, rounds go on until ``target`` or ``stop`` ends them.
    target
        A latency that is good enough, such as a lower bound.
    start
        Assignment whose schedule is returned if no better one is found; without it one is searched for if need be. If
        it is time-triggered with this horizon, its schedule is the first. Rounds begin anew.
    temperature
        A factor of all temperatures.
    first_round
        Number of the first round, which says how many turns it begins with, see :data:`FIRST_TURNS`.
    stop
        Asked about every tenth of a second.
    on_better
        Called with the best schedule after every round that has found a better one.

    Returns
    -------
    Schedule or None
        ``None`` if no assignment or no first schedule within the period was found.

    Raises
    ------
    UnsupportedError
        If transfers occupy units or links.
    InputError
        If the period is below 1, or ``start`` is not of this instance.
    InfeasibleError
        If the instance has no mapping.

    References
    ----------
    Turns first, then one period as a list schedule: F. Gasperoni and U. Schwiegelshohn, "Generating close to optimum
    loop schedules on parallel processors", Parallel Processing Letters 4, 1994; P.-Y. Calland, A. Darte and Y. Robert,
    "Circuit retiming applied to decomposed software pipelining", IEEE Transactions on Parallel and Distributed Systems
    9, 1998. Forwards and backwards: V. Valls, F. Ballestín and S. Quintanilla, "Justification and RCPSP: a technique
    that pays", European Journal of Operational Research 165, 2005.
    """
    check_request("annealed_retimed", period, rejection(instance))
    effort = Effort(iterations, seconds, stop, time.perf_counter())
    problem = Problem(instance)
    tables = tables_of(problem)
    best: Schedule | None = None
    if start is not None:
        best = first_schedule(problem, tables, period, seed, start, stop)
    frame, number = frame_of(instance, tables, period), first_round
    if _Walk.of(instance, frame, seed, 0) is None:
        best = best or first_schedule(problem, tables, period, seed, None, stop)
        if best is None:
            return None
        frame = _pinned(frame, np.array(best.units, dtype=np.int64)[frame.member])
    while (best is None or best.latency > target) and not effort.is_spent:
        walk = _Walk.of(instance, frame, seed, number)
        if walk is None:
            break
        moves = moves_within(
            effort, ROUND_MOVES * frame.nodes, partial(_trial, instance, frame, seed, number), 1 - POLISH
        )
        advance_within(walk, effort, moves, heats_of(walk.found.cost[0], HEATS, temperature), target)
        if walk.latency < NEVER:
            found = _polished(
                walk.schedule(), instance, period, effort, moves, seed + number, target, temperature
            )
            if best is None or found.latency < best.latency:
                best = found
                on_better(best)
        elif best is None:
            best = first_schedule(problem, tables, period, seed, None, stop)
            if best is None:
                return None
            on_better(best)
        number += 1
    return best


def _polished(
    schedule: Schedule,
    instance: Instance,
    period: int,
    effort: Effort,
    moves: int,
    seed: int,
    target: int,
    temperature: float,
) -> Schedule:
    """Improve the schedule of a round of so many moves by elastic rings, within what is left of the limits."""
    iterations = max(1, int(POLISH / (1 - POLISH) * moves))
    if effort.iterations is not None:
        iterations = min(iterations, effort.iterations)
        effort.iterations -= iterations
    seconds = None if effort.seconds is None else effort.seconds - (time.perf_counter() - effort.began)
    if iterations < 1 or effort.stop() or (seconds is not None and seconds <= 0):
        return schedule
    found = annealed_elastic(
        instance,
        period,
        seed=seed,
        iterations=iterations,
        seconds=seconds,
        target=target,
        start=schedule.mapping,
        temperature=temperature,
        stop=effort.stop,
    )
    return found or schedule


@dataclass(frozen=True, slots=True)
class _Walk:
    """One annealing."""

    instance: Instance
    frame: Frame
    board: Board
    found: Found
    random: RandomState

    @classmethod
    def of(cls, instance: Instance, frame: Frame, seed: int, number: int) -> _Walk | None:
        """Begin with as many turns as the number of the round says, ``None`` if the nodes do not fit on the units."""
        board = board_of(frame, _turns(frame, FIRST_TURNS[number % len(FIRST_TURNS)]))
        board.order[:] = frame.tail
        if dispatch(frame, board, True) == NEVER or justify(frame, board) == NEVER:
            return None
        ticks, excess = measure(frame, board)
        found = Found(
            -board.start.astype(np.float64),
            np.array([ticks, NEVER, excess], dtype=np.float64),
            *(_zeros(frame.nodes) for _ in range(3)),
        )
        return cls(instance, frame, board, found, random_state(seed, number))

    @property
    def latency(self) -> int:
        """The least latency within the period so far."""
        return int(self.found.cost[1])

    def advance(self, begin: int, until: int, total: int, heats: Heats, target: int) -> int:
        """Make moves; return the number made since the first."""
        return anneal_retimed(
            self.frame, self.board, self.found, begin, until, total, *heats, target, self.random
        )

    def schedule(self) -> Schedule:
        """Return the best schedule."""
        starts = self.found.turn * self.frame.period + self.found.start
        return finish(self.instance, self.frame.period, self.found.unit.copy(), starts - starts.min(), {})


def _trial(instance: Instance, frame: Frame, seed: int, number: int) -> _Walk:
    """Begin a round once more."""
    walk = _Walk.of(instance, frame, seed, number)
    assert walk is not None
    return walk


def _turns(frame: Frame, factor: float) -> IntArray:
    """Cut the longest path into turns of equal length."""
    longest = max(1, int((frame.head + frame.duration.max(axis=1)).max()))
    count = max(1, ceil(factor * longest / frame.period))
    return np.minimum(frame.head * count // longest, count - 1)


def _pinned(frame: Frame, homes: IntArray) -> Frame:
    """Leave each group that takes room on a unit no other unit than its home."""
    bound = (frame.need[np.arange(len(homes)), homes] > 0).sum(axis=1) > 0
    choice = [
        [home] if bound[group] else frame.choice[frame.choice_offset[group] : frame.choice_offset[group + 1]]
        for group, home in enumerate(homes.tolist())
    ]
    offset = np.concatenate([[0], np.cumsum([len(each) for each in choice])])
    return frame._replace(
        choice_offset=offset.astype(np.int64), choice=np.concatenate(choice).astype(np.int64)
    )


def board_of(frame: Frame, turn: IntArray) -> Board:
    """Return an empty board with the turns given."""
    nodes, units = frame.nodes, frame.units
    return Board(
        turn=turn,
        order=np.zeros(nodes),
        start=_zeros(nodes),
        unit=_zeros(nodes),
        end=_zeros(nodes),
        sequence=_zeros(nodes),
        after=_zeros(nodes),
        latest=_zeros(nodes),
        ready=_zeros(nodes),
        missing=_zeros(nodes),
        near=_zeros(nodes),
        far=_zeros(nodes),
        beside=_zeros(nodes),
        begin=_zeros(units),
        last=_zeros(units),
        free=_zeros(units),
        used=np.zeros((units, CAPACITY_KINDS), dtype=np.int64),
        home=_zeros(len(frame.member)),
        kind=_kinds(frame),
        idle=_zeros(len(frame.member)),
    )


def _kinds(frame: Frame) -> IntArray:
    """Return the number of the set of equal units of each group, -1 where they differ in time, room, or other uses."""
    groups = range(len(frame.member))
    units = [
        tuple(frame.choice[frame.choice_offset[group] : frame.choice_offset[group + 1]].tolist())
        for group in groups
    ]
    users: dict[int, set[tuple[tuple[int, ...], bool]]] = {}
    for group in groups:
        choice = list(units[group])
        plain = (
            len(np.unique(frame.duration[frame.member[group], choice])) == 1
            and not frame.need[group, choice].any()
            and frame.apart_offset[group] == frame.apart_offset[group + 1]
            and bool(frame.alone[frame.member[group]])
        )
        for unit in choice:
            users.setdefault(unit, set()).add((units[group], plain))
    numbers: dict[tuple[int, ...], int] = {}
    return np.array(
        [
            numbers.setdefault(units[group], len(numbers))
            if all(users[unit] == {(units[group], True)} for unit in units[group])
            else -1
            for group in groups
        ],
        dtype=np.int64,
    )


def _zeros(size: int) -> IntArray:
    return np.zeros(size, dtype=np.int64)
