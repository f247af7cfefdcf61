"""Annealed list scheduling for the least latency at a period."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mapopt.emulator.lower import lower
from mapopt.emulator.schedule import schedule_program
from mapopt.instance import Instance, IntArray
from mapopt.mapping import Mapping
from mapopt.placement.problem import Problem
from mapopt.search.assignment import homes_of, homes_within
from mapopt.search.effort import Effort, check_request, never
from mapopt.search.list_annealing import FloatArray, Shares, Walk, anneal, walk_of
from mapopt.search.random_numbers import random_state
from mapopt.search.schedule import Schedule, backwards, finish, hops_of
from mapopt.search.tables import DELAYED, ROUTED, Tables, tables_of

LAST_DOUBLING = 7
"""How often the iterations of a round are doubled at most."""

USUAL_SHARES = Shares()


@dataclass(frozen=True, slots=True)
class Tactics:
    """How an annealing goes about it.

    Parameters
    ----------
    temperature
        A factor of all first temperatures.
    first_round
        Iterations before it starts again; after two starts each way they are doubled, up to 128 times as many.
    shares
        Of the kinds of change.
    """

    temperature: float = 1.0
    first_round: int = 1000
    shares: Shares = USUAL_SHARES


USUAL = Tactics()


def annealed_list(
    instance: Instance,
    period: int,
    *,
    seed: int = 0,
    iterations: int | None = None,
    seconds: float | None = None,
    target: int = 0,
    start: Mapping | None = None,
    tactics: Tactics = USUAL,
    stop: Callable[[], bool] = never,
) -> Schedule | None:
    """Anneal the priorities and units of list schedules, of the graph and of its reverse in turn.

    Parameters
    ----------
    instance
        Any instance; where sending occupies units (``blocking``, ``host``) only the graph itself is scheduled.
    period
        Ticks; tasks of one unit or link do not overlap modulo it. Larger than all work together: one frame.
    iterations, seconds
        Limits; with neither, ``target`` or ``stop`` has to end the search. The result depends on the seconds only by
        where they end it.
    target
        A latency that is good enough, such as a lower bound.
    start
        Assignment to begin with, loads within the period; without it one is searched for.
    tactics
        Temperatures, restarts and kinds of change.
    stop
        Asked about every tenth of a second.

    Returns
    -------
    Schedule or None
        ``None`` if no assignment within the period was found and no list schedule held all tasks.

    Raises
    ------
    InputError
        If the period is below 1, or ``start`` is not of this instance.
    InfeasibleError
        If the instance has no mapping.

    References
    ----------
    B. R. Rau, "Iterative modulo scheduling", MICRO 1994, for the circles; priorities annealed as in S. Kirkpatrick,
    C. D. Gelatt and M. P. Vecchi, "Optimization by simulated annealing", Science 220, 1983.
    """
    check_request("annealed_list", period)
    problem = Problem(instance)
    tables = tables_of(problem)
    effort = Effort(iterations, seconds, stop, time.perf_counter())
    if start is not None:
        homes: IntArray | None = homes_of(problem, start.assignment(instance)[0])
    else:
        homes = homes_within(problem, tables, period, seed, stop)
    best: Schedule | None = None
    if homes is not None:
        best = packed(instance, Mapping.of(instance, problem.units(homes.tolist())), period)
    elif tables.travel not in (DELAYED, ROUTED):
        return None
    rounds = _Rounds(instance, problem, tables, period, seed, homes, tactics)
    number = 0
    while not (effort.is_spent or (best is not None and best.latency <= target)):
        found = rounds.run(number, effort, best, target)
        if found is not None and (best is None or found.latency < best.latency):
            best = found
        number += 1
    return best


def packed(instance: Instance, mapping: Mapping, period: int) -> Schedule | None:
    """Return the schedule that :mod:`mapopt.emulator.schedule` makes, ``None`` if a load exceeds the period."""
    program = lower(instance, mapping)
    if int(program.loads().max()) > period:
        return None
    timed = schedule_program(program, period)
    starts = np.zeros(len(instance.nodes), dtype=np.int64)
    hops: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for (node, tensor, unit, hop), at in zip(timed.label.tolist(), timed.timed_starts.tolist(), strict=True):
        if node >= 0:
            starts[node] = at
        else:
            hops.setdefault((tensor, unit), []).append((hop, at))
    ordered = {key: tuple(at for _, at in sorted(found)) for key, found in hops.items()}
    units = np.array(mapping.assignment(instance)[0], dtype=np.int64)
    return finish(instance, period, units, starts, ordered)


class _Rounds:
    """The annealings of one search: each from another order of nodes, twice as long after a while."""

    def __init__(
        self,
        instance: Instance,
        problem: Problem,
        tables: Tables,
        period: int,
        seed: int,
        homes: IntArray | None,
        tactics: Tactics,
    ) -> None:
        self.instance = instance
        self.problem = problem
        self.tables = tables
        self.period = period
        self.seed = seed
        self.homes = homes
        self.tactics = tactics
        self.fixed = np.full(len(instance.nodes), -1, dtype=np.int64)
        self.head, self.tail = longest_paths(tables, instance)
        self.can_reverse = tables.travel in (DELAYED, ROUTED)

    def run(self, number: int, effort: Effort, best: Schedule | None, target: int) -> Schedule | None:
        """Anneal once and return what is better than ``best``."""
        backward = self.can_reverse and number % 2 == 1
        turn = number // 2 if self.can_reverse else number
        random = random_state(self.seed, 1000 + number)
        iterations = self.tactics.first_round << min(LAST_DOUBLING, turn // 2)
        key, chosen = self._rules(turn, backward, best)
        walk = walk_of(self.tables, key, chosen)
        mean = float(self.tables.duration.max(axis=1).mean()) + 1.0
        heat = self.tactics.temperature * mean * (0.01, 0.03, 0.1, 0.3)[turn % 4]
        while not effort.is_spent and walk.value[3] < iterations and not 0 <= walk.value[2] <= target:
            done = int(walk.value[3])
            clock = time.perf_counter()
            anneal(
                self.tables,
                self.period,
                walk,
                heat,
                iterations,
                min(iterations, done + effort.chunk()),
                target,
                backward,
                self.fixed,
                self.tactics.shares,
                random,
            )
            effort.book(int(walk.value[3]) - done, time.perf_counter() - clock)
        latency = int(walk.value[2])
        if latency < 0 or (best is not None and latency >= best.latency):
            return None
        return self._schedule(walk, backward)

    def _rules(self, turn: int, backward: bool, best: Schedule | None) -> tuple[FloatArray, IntArray]:
        """Return the first order and units of a round."""
        head, tail = (self.tail, self.head) if backward else (self.head, self.tail)
        open_units = np.full(len(self.problem.groups), -1, dtype=np.int64)
        if self.homes is not None and (not self.can_reverse or turn % 4 == 2):
            open_units = self.homes
        if best is not None and turn % 2 == 1:
            starts = np.array(best.starts, dtype=np.float64)
            units = np.array(best.units, dtype=np.int64)
            ends = starts + self.tables.duration[np.arange(len(units)), units]
            return (-ends if backward else starts), homes_of(self.problem, best.units)
        if turn % 4 == 0:
            return -tail, open_units
        return head, open_units

    def _schedule(self, walk: Walk, backward: bool) -> Schedule:
        starts, hops = walk.start, hops_of(self.instance, self.tables, walk.unit, walk.hop)
        if backward:
            starts, hops = backwards(self.tables, int(walk.value[2]), walk.unit, starts, hops)
        early = int(starts.min())
        shifted = {key: tuple(at - early for at in times) for key, times in hops.items()}
        return finish(self.instance, self.period, walk.unit, starts - early, shifted)


def longest_paths(tables: Tables, instance: Instance) -> tuple[FloatArray, FloatArray]:
    """Return the longest paths to the start of each node, and from its start to the end of the frame.

    Nodes take their shortest time; tensors between nodes without a common unit take theirs.
    """
    can_run = tables.duration >= 0
    shortest = np.where(can_run, tables.duration, tables.duration.max()).min(axis=1)
    head, tail = np.zeros(len(shortest)), np.zeros(len(shortest))

    def hop(before: int, after: int, tensor: int) -> int:
        return 0 if (can_run[before] & can_run[after]).any() else int(tables.once[tensor])

    for node in instance.topological_order:
        for before, tensor in instance.entering[node]:
            head[node] = max(head[node], head[before] + shortest[before] + hop(before, node, tensor))
    for node in reversed(instance.topological_order):
        for after, tensor in instance.leaving[node]:
            tail[node] = max(tail[node], tail[after] + hop(node, after, tensor))
        tail[node] += shortest[node]
    return head, tail
