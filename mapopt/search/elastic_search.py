"""Annealed elastic rings: units and cyclic orders of nodes and transfers together, for the latency at a period."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from mapopt.instance import Instance, IntArray
from mapopt.mapping import Mapping
from mapopt.placement.problem import Problem
from mapopt.search.assignment import homes_within
from mapopt.search.cyclic_search import ignore
from mapopt.search.effort import Effort, check_request, never
from mapopt.search.elastic_insertion import MOST_NODES, Best, Pass, anneal_elastic
from mapopt.search.elastic_rings import (
    CAPACITY_KINDS,
    SIZE,
    Desk,
    Frame,
    Rings,
    link,
    restart,
    sort_active,
)
from mapopt.search.list_search import longest_paths, packed
from mapopt.search.random_numbers import RandomState, random_state
from mapopt.search.rounds import Heats, advance_within, heats_of, moves_within
from mapopt.search.schedule import Hops, Schedule, as_given, finish, hops_in, hops_of
from mapopt.search.tables import Tables, tables_of
from mapopt.transfers import Blocking, Host, Links

ROUND_MOVES = 1500
"""Moves per node of one round, where the limits allow several; each begins with the best schedule."""

HEATS, LEAST_FIRST = Heats(0.002, 0.00005), 3.0
"""Temperatures as shares of the latency that a round begins with, and the first one in ticks at least."""


def rejection(instance: Instance) -> str | None:
    """Return why elastic rings cannot schedule the instance, or ``None``."""
    if not isinstance(instance.transfer, (Blocking, Host)):
        return None
    model = type(instance.transfer).__name__.lower()
    return (
        f"knows transfers that are free, delays or over links, and the '{model}' transfers of instance "
        f"{instance.name!r} occupy units; use annealed-list"
    )


def annealed_elastic(
    instance: Instance,
    period: int,
    *,
    seed: int = 0,
    iterations: int | None = None,
    seconds: float | None = None,
    target: int = 0,
    start: Mapping | None = None,
    temperature: float = 1.0,
    stop: Callable[[], bool] = never,
    on_better: Callable[[Schedule], None] = ignore,
) -> Schedule | None:
    """Anneal the units of nodes and the order of all that runs on a unit or a link; starts are as early as these allow.

    For periods that leave units and links some idle time; with hardly any, cyclic sequences are better.

    Parameters
    ----------
    instance
        One whose transfers are free, delays, or over links.
    period
        Ticks; one turn of every ring.
    iterations, seconds
        Limits in moves and time; with neither, rounds go on until ``target`` or ``stop`` ends them.
    target
        A latency that is good enough, such as a lower bound.
    start
        Assignment to begin with, loads within the period; without it one is searched for. If it is time-triggered with
        this horizon, its schedule is the first that is improved.
    temperature
        A factor of all temperatures.
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
        If transfers occupy units.
    InputError
        If the period is below 1, or ``start`` is not of this instance.
    InfeasibleError
        If the instance has no mapping.

    References
    ----------
    Insertion between heads and tails: M. Mastrolilli and L. M. Gambardella, "Effective neighbourhood functions for the
    flexible job shop problem", Journal of Scheduling 3, 2000. Periods: P. Brucker and T. Kampmeyer, "A general model
    for cyclic machine scheduling problems", Discrete Applied Mathematics 156, 2008. Taking out and putting back:
    R. Ruiz and T. Stützle, "A simple and effective iterated greedy algorithm for the permutation flowshop scheduling
    problem", European Journal of Operational Research 177, 2007.
    """
    check_request("annealed_elastic", period, rejection(instance))
    effort = Effort(iterations, seconds, stop, time.perf_counter())
    problem = Problem(instance)
    tables = tables_of(problem)
    best = first_schedule(problem, tables, period, seed, start, stop)
    if best is None:
        return None
    on_better(best)
    frame, number = frame_of(instance, tables, period), 0
    while best.latency > target and not effort.is_spent:
        walk = _Walk.of(instance, tables, frame, best, seed, number)
        trial = partial(_Walk.of, instance, tables, frame, best, 0, 0)
        moves = moves_within(effort, ROUND_MOVES * frame.nodes, trial)
        advance_within(walk, effort, moves, heats_of(best.latency, HEATS, temperature, LEAST_FIRST), target)
        if walk.latency < best.latency:
            best = walk.schedule()
            on_better(best)
        number += 1
    return best


def first_schedule(
    problem: Problem,
    tables: Tables,
    period: int,
    seed: int,
    start: Mapping | None,
    stop: Callable[[], bool],
) -> Schedule | None:
    """Return the schedule to begin with: the start's, or one of an assignment that is searched for."""
    instance = problem.instance
    if start is None:
        homes = homes_within(problem, tables, period, seed, stop)
        if homes is None:
            return None
        start = Mapping.of(instance, problem.units(homes.tolist()))
    if start.horizon == period and start.is_time_triggered and len(start.patterns) == 1:
        return as_given(instance, start, period)
    return packed(instance, start, period)


def frame_of(instance: Instance, tables: Tables, period: int) -> Frame:
    """Return what does not change in an annealing at a period."""
    head, tail = longest_paths(tables, instance)
    durations = np.where(tables.duration >= 0, tables.duration, tables.duration.max())
    linked = isinstance(instance.transfer, Links)
    members = _zeros(len(tables.need))
    members[tables.group] = np.arange(len(tables.group))
    return Frame(
        nodes=len(tables.group),
        units=len(tables.capacity),
        hops=max(1, int(np.diff(tables.route_offset).max(initial=1))),
        period=period,
        linked=linked,
        duration=tables.duration,
        entering_offset=tables.entering_offset,
        entering=tables.entering_node,
        entering_tensor=tables.entering_tensor,
        leaving_offset=tables.leaving_offset,
        leaving=tables.leaving_node,
        leaving_tensor=tables.leaving_tensor,
        outgoing_offset=tables.outgoing_offset,
        outgoing=tables.outgoing,
        producer=np.array([instance.node_index[each.producer] for each in instance.tensors], dtype=np.int64),
        once=tables.once,
        route_offset=tables.route_offset,
        route=tables.route,
        ticks=tables.ticks if linked else np.zeros((0, 0), dtype=np.int64),
        lag=tables.latency,
        choice_offset=tables.choice_offset,
        choice=tables.choice,
        group=tables.group,
        alone=np.bincount(tables.group)[tables.group] == 1,
        need=tables.need,
        capacity=tables.capacity,
        apart_offset=tables.apart_offset,
        apart=tables.apart,
        member=members,
        head=head.astype(np.int64),
        tail=(tail - durations.min(axis=1)).astype(np.int64),
    )


@dataclass(frozen=True, slots=True)
class _Walk:
    """One annealing."""

    instance: Instance
    tables: Tables
    frame: Frame
    rings: Rings
    desk: Desk
    way: Pass
    best: Best
    random: RandomState

    @classmethod
    def of(
        cls, instance: Instance, tables: Tables, frame: Frame, schedule: Schedule, seed: int, number: int
    ) -> _Walk:
        """Begin with a schedule."""
        rings = rings_of(frame, schedule, hops_in(instance, schedule.mapping))
        tasks = len(rings.next)
        desk = _desk(frame, tasks)
        restart(frame, rings, desk)
        rings.start[:], rings.tail[:] = rings.trial_start, rings.trial_tail
        sort_active(rings)
        nodes = slice(0, frame.nodes)
        latency = int((rings.start[nodes] + rings.length[nodes]).max())
        best = Best(np.array([latency, latency], dtype=np.int64), rings.start.copy(), rings.home.copy())
        places = 2 * tasks + frame.units
        way = Pass(
            _zeros(places),
            _zeros(places),
            _zeros(places),
            np.zeros(places),
            _zeros(MOST_NODES + 1),
            _zeros(tasks),
            _zeros(frame.nodes),
        )
        return cls(instance, tables, frame, rings, desk, way, best, random_state(seed, number))

    @property
    def latency(self) -> int:
        """The least latency so far."""
        return int(self.best.latency[1])

    def advance(self, begin: int, until: int, total: int, heats: Heats, target: int) -> int:
        """Make moves; return the number made since the first."""
        return anneal_elastic(
            self.frame,
            self.rings,
            self.desk,
            self.way,
            self.best,
            begin,
            until,
            total,
            *heats,
            target,
            self.random,
        )

    def schedule(self) -> Schedule:
        """Return the best schedule."""
        frame = self.frame
        units, starts = self.best.home[: frame.nodes].copy(), self.best.start[: frame.nodes].copy()
        hop = self.best.start[frame.nodes :].reshape(-1, frame.units, frame.hops)
        hops = hops_of(self.instance, self.tables, units, hop)
        return finish(self.instance, frame.period, units, starts, hops)


def rings_of(frame: Frame, schedule: Schedule, hops: Hops) -> Rings:
    """Return the rings of a schedule; starts and tails are not computed yet."""
    tensors, resources = len(frame.producer), len(frame.lag)
    tasks = frame.nodes + tensors * frame.units * frame.hops
    sizes = [tasks] * 5 + [resources] * 2 + [frame.units * CAPACITY_KINDS, tensors * frame.units]
    sizes += [tasks, tasks, 1]
    part = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    book = _zeros(int(part[-1]))
    entries = book.size + 64 * tasks
    rings = Rings(
        book,
        part,
        *(book[begin:end] for begin, end in itertools.pairwise(part)),
        *(_zeros(size) for size in (*[tasks] * 4, entries, entries, 1)),
    )
    assert len(part) == SIZE + 2
    rings.home[:], rings.first[:], rings.place[:] = -1, -1, -1
    placed = []
    for node, (unit, start) in enumerate(zip(schedule.units, schedule.starts, strict=True)):
        placed.append((start, unit, node, int(frame.duration[node, unit])))
        if frame.alone[node]:
            need = frame.need[frame.group[node], unit]
            rings.used[unit * CAPACITY_KINDS : (unit + 1) * CAPACITY_KINDS] += need
        for arc in range(frame.entering_offset[node], frame.entering_offset[node + 1]):
            rings.readers[frame.entering_tensor[arc] * frame.units + unit] += 1
    _use_by_larger_groups(frame, rings, schedule)
    for (tensor, target), starts in hops.items():
        source = schedule.units[frame.producer[tensor]]
        first = frame.route_offset[source * frame.units + target]
        task = frame.nodes + (tensor * frame.units + target) * frame.hops
        for number, start in enumerate(starts):
            resource = int(frame.route[first + number])
            placed.append((start, resource, task + number, int(frame.ticks[tensor, resource])))
    last: dict[int, tuple[int, int]] = {}
    for start, home, task, length in sorted(placed, key=lambda each: (each[0] % frame.period, each[3], each)):
        turn = start // frame.period
        left, turns = last.get(home, (-1, 0))
        link(rings, task, home, length, left, turn - turns)
        last[home] = (task, turn)
    for place, (_, _, task, _) in enumerate(sorted(placed)):
        rings.active[place], rings.place[task] = task, place
    rings.size[0] = len(placed)
    rings.noted[0] = 0
    return rings


def _use_by_larger_groups(frame: Frame, rings: Rings, schedule: Schedule) -> None:
    """Book what groups of several nodes need, once each."""
    for group in np.unique(frame.group[~frame.alone]).tolist():
        unit = schedule.units[int(frame.member[group])]
        rings.used[unit * CAPACITY_KINDS : (unit + 1) * CAPACITY_KINDS] += frame.need[group, unit]


def _desk(frame: Frame, tasks: int) -> Desk:
    degree = 2 + int(max(np.diff(frame.entering_offset).max(), np.diff(frame.leaving_offset).max()))
    return Desk(
        np.zeros(tasks, dtype=np.int8),
        np.zeros(tasks, dtype=np.int8),
        *(_zeros(size) for size in (degree, degree, tasks, tasks, tasks, 2)),
    )


def _zeros(size: int) -> IntArray:
    return np.zeros(size, dtype=np.int64)
