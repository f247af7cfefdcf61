"""Parametric list scheduling: the least largest load first, then lists by weighted priorities at that period."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mapopt.instance import Instance, IntArray
from mapopt.mapping import Mapping
from mapopt.placement.problem import Problem
from mapopt.search.elastic import Choice, FloatArray, Net, circles_of
from mapopt.search.list_search import longest_paths, packed
from mapopt.search.placing import Board, board_of, place_nodes
from mapopt.search.priorities import Found, Rules, best_list
from mapopt.search.random_numbers import random_state
from mapopt.search.schedule import Hops, Schedule, finish, hops_of
from mapopt.search.tables import DELAYED, ROUTED, Tables

FEATURES = ("rank_up", "rank_down", "time", "class_load", "fan_out", "traffic", "crossbars")
"""What a priority is made of, each from 0 to 1; see :func:`_features`."""

USUAL_RULES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.3))
"""Weights of the first three features in rules that are tried beside the one given."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What there is to choose in a parametric list scheduler.

    Parameters
    ----------
    weights
        Of :data:`FEATURES`; nodes with large sums come first.
    choice
        What a place costs a node beside its end.
    examine
        Places looked at on each unit beyond the first.
    tight
        A class whose work is above this share of its units' time keeps the loads of the assignment given.
    lists
        Lists made; the first by rules, the others by changes of the best.
    changes, reach
        Keys changed at a time on average, and by what share of the span of all keys at most.
    margin
        Largest factor of the ticks that a tensor travels over links; 1 and the mean of both are tried too.
    """

    weights: tuple[float, ...]
    choice: Choice
    examine: int
    tight: float
    lists: int
    changes: float
    reach: float
    margin: float


def parametric_list(
    problem: Problem,
    tables: Tables,
    period: int,
    homes: IntArray,
    parameters: Parameters,
    *,
    seed: int = 0,
    target: int = 0,
) -> Schedule | None:
    """Make list schedules, forward and in reverse, and return the best.

    Parameters
    ----------
    period
        Ticks.
    homes
        Shape (groups,): an assignment whose loads are within the period. Where sending occupies units, and where nodes
        take no time, it is kept.
    target
        A latency that is good enough.

    Returns
    -------
    Schedule or None
        ``None`` if no list had room for all nodes and a load exceeds the period.
    """
    instance = problem.instance
    best: _Placed | None = None
    board, none = board_of(tables), np.full(len(tables.group), -1, dtype=np.int64)
    if tables.travel in (DELAYED, ROUTED) and not (tables.duration == 0).any():
        for start, units in _elastic(problem, tables, period, homes, parameters, seed, target):
            if tables.travel == DELAYED:
                return finish(instance, period, units, start, {})
            key = start.astype(np.float64)
            chosen = np.array([units[nodes[0]] for nodes in problem.groups], dtype=np.int64)
            # With its units; with its offsets too; and with its order alone.
            for unit_of, fixed in ((chosen, none), (chosen, start % period), (-np.ones_like(chosen), none)):
                best = _better(best, instance, tables, period, key, unit_of, fixed, board)
    if best is None:
        key = -longest_paths(tables, instance)[1]
        best = _better(None, instance, tables, period, key, homes, none, board)
    if best is None:
        return packed(instance, Mapping.of(instance, problem.units(homes.tolist())), period)
    return finish(instance, period, best.units, best.starts, best.hops)


def _elastic(
    problem: Problem,
    tables: Tables,
    period: int,
    homes: IntArray,
    parameters: Parameters,
    seed: int,
    target: int,
) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield starts and units of the best elastic list, transfers being delays; over links, for several margins."""
    instance, nodes = problem.instance, len(tables.group)
    kind, strict = _kinds(problem, tables, homes)
    slot = strict.copy()
    work = np.bincount(homes[tables.group], tables.duration[np.arange(nodes), homes[tables.group]])
    for units in problem.units_of:
        here = [unit for unit in units if unit < len(work)]
        if work[here].sum() <= parameters.tight * period * len(units):
            slot[np.ix_(_free(problem, kind, len(strict)), np.array(units, dtype=np.int64))] = nodes
    head, tail = longest_paths(tables, instance)
    shortest = np.where(tables.duration >= 0, tables.duration, tables.duration.max()).min(axis=1)
    choice = np.flatnonzero(tables.duration >= 0) % tables.duration.shape[1]
    choice_offset = np.concatenate([[0], np.cumsum((tables.duration >= 0).sum(axis=1))])
    entering = tables.entering_offset, tables.entering_node, tables.entering_tensor
    leaving = tables.leaving_offset, tables.leaving_node, tables.leaving_tensor
    shared = choice_offset, choice, kind, slot, tables.twin
    after = (tail - shortest).astype(np.int64)
    weights = np.zeros((1 + len(USUAL_RULES), len(FEATURES)))
    weights[0] = parameters.weights
    weights[1:, : len(USUAL_RULES[0])] = USUAL_RULES
    rules = Rules(_features(problem, head, tail, shortest), weights)
    margins = sorted({1.0, (1.0 + parameters.margin) / 2.0, parameters.margin})
    if tables.travel == DELAYED:
        margins = [1.0]
    random = random_state(seed)
    for margin in margins:
        delay = _delays(tables, margin)
        turned = np.ascontiguousarray(delay.transpose(0, 2, 1))
        forward = Net(period, tables.duration, *entering, *leaving, delay, after, *shared)
        backward = Net(period, tables.duration, *leaving, *entering, turned, head.astype(np.int64), *shared)
        found = Found(
            np.zeros(nodes, dtype=np.int64),
            np.zeros(nodes, dtype=np.int64),
            np.zeros(nodes),
            np.array([-1, 0, 0], dtype=np.int64),
        )
        best_list(
            forward,
            backward,
            strict,
            rules,
            parameters.choice,
            parameters.examine,
            -(-parameters.lists // len(margins)),
            parameters.changes,
            parameters.reach,
            target,
            circles_of(forward),
            found,
            random,
        )
        latency, is_reverse, _ = found.value.tolist()
        if latency < 0:
            continue
        start = found.start
        if is_reverse:
            start = latency - start - tables.duration[np.arange(nodes), found.unit]
        yield start - start.min(), found.unit


def _kinds(problem: Problem, tables: Tables, homes: IntArray) -> tuple[IntArray, IntArray]:
    """Return which nodes can change places, and how many of each kind are on each unit.

    Nodes in groups of several, or of groups that have to be apart from others, are of a kind of their own.
    """
    numbers: dict[object, int] = {}
    kind = np.zeros(len(tables.group), dtype=np.int64)
    for node, group in enumerate(problem.group_of):
        alike: object = (tables.duration[node].tobytes(), tables.need[group].tobytes())
        if len(problem.groups[group]) > 1 or problem.apart[group]:
            alike = node
        kind[node] = numbers.setdefault(alike, len(numbers))
    strict = np.zeros((len(numbers), tables.duration.shape[1]), dtype=np.int64)
    np.add.at(strict, (kind, homes[tables.group]), 1)
    return kind, strict


def _free(problem: Problem, kind: IntArray, kinds: int) -> IntArray:
    """Return the kinds whose nodes may go to any unit with idle time: none where anything else limits units."""
    if problem.is_limited:
        return np.zeros(0, dtype=np.int64)
    free = np.ones(kinds, dtype=np.bool_)
    for node, group in enumerate(problem.group_of):
        if len(problem.groups[group]) > 1 or problem.apart[group]:
            free[kind[node]] = False
    return np.flatnonzero(free)


def _delays(tables: Tables, margin: float) -> IntArray:
    """Return the ticks of each tensor between any two units, shape (tensors, units, units)."""
    units = len(tables.capacity)
    delay = np.zeros((len(tables.once), units, units), dtype=np.int64)
    if tables.travel == DELAYED:
        delay[:] = tables.once[:, None, None]
        delay[:, range(units), range(units)] = 0
    elif len(tables.route):
        hops = np.zeros((units * units, len(tables.latency)), dtype=np.int64)
        np.add.at(hops, (np.repeat(np.arange(units * units), np.diff(tables.route_offset)), tables.route), 1)
        ticks = tables.ticks @ hops.T
        delay[:] = (np.ceil(margin * ticks).astype(np.int64) + hops @ tables.latency).reshape(delay.shape)
    return delay


def _features(problem: Problem, head: FloatArray, tail: FloatArray, shortest: IntArray) -> FloatArray:
    """Return :data:`FEATURES` of every node, shape (2, nodes, features): forward, and in reverse.

    The longest path from a node's start to the end of the frame (in reverse, to its beginning); how early it can start;
    its time; its class's work per unit; its readers; the bytes it reads and writes; and the crossbars it needs.
    """
    instance = problem.instance
    size = np.array([tensor.size_bytes for tensor in instance.tensors], dtype=np.float64)
    traffic, fan = np.zeros(len(head)), np.zeros((2, len(head)))
    load = np.zeros(len(problem.units_of))
    crossbars = np.zeros(len(head))
    own = [problem.classes[group][0] for group in problem.group_of]
    for node, kind in enumerate(own):
        load[kind] += shortest[node] / len(problem.units_of[kind])
        crossbars[node] = problem.crossbars[kind][problem.group_of[node]]
    for before, after, tensor in instance.edges:
        traffic[[before, after]] += size[tensor]
        fan[0, before] += 1
        fan[1, after] += 1
    common = (_scaled(traffic), _scaled(crossbars))
    ways = (
        (tail, head.max() - head, fan[0]),
        (head + shortest, tail.max() - tail, fan[1]),
    )
    return np.stack(
        [
            np.stack(
                [
                    _scaled(up),
                    _scaled(down),
                    _scaled(shortest),
                    _scaled(load[own]),
                    _scaled(readers),
                    *common,
                ],
                axis=1,
            )
            for up, down, readers in ways
        ]
    )


def _scaled(values: IntArray | FloatArray) -> FloatArray:
    return np.asarray(values / max(1.0, float(values.max())), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A schedule of nodes and transfers, not yet judged."""

    latency: int
    units: IntArray
    starts: IntArray
    hops: Hops


def _better(
    best: _Placed | None,
    instance: Instance,
    tables: Tables,
    period: int,
    key: FloatArray,
    chosen: IntArray,
    fixed: IntArray,
    board: Board,
) -> _Placed | None:
    """Place nodes by their keys on chosen units, transfers with them; return the better of this and the best so far."""
    latency, missing = place_nodes(tables, period, key, chosen, fixed, 0.0, False, board)
    if missing or (best is not None and latency >= best.latency):
        return best
    hops = hops_of(instance, tables, board.unit, board.hop)
    return _Placed(latency, board.unit.copy(), board.start.copy(), hops)
