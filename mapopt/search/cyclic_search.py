"""Annealed cyclic sequences for the least latency at a period that leaves units hardly any idle time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mapopt.instance import Instance, IntArray
from mapopt.mapping import Mapping
from mapopt.placement.problem import Problem
from mapopt.search.assignment import homes_of, homes_within
from mapopt.search.blocks import Blocks, Places, blocks_of, expand, graph_of, move_shares, ring_of
from mapopt.search.effort import Effort, check_request, never
from mapopt.search.fitting import fit
from mapopt.search.fusion import fuse
from mapopt.search.list_search import longest_paths, packed
from mapopt.search.load_annealing import excess
from mapopt.search.random_numbers import RandomState, random_state
from mapopt.search.relaxation import movable_nodes, tight_units
from mapopt.search.ring import FloatArray, Graph
from mapopt.search.ring_annealing import Cooling, RingWalk, anneal_ring, ring_walk_of
from mapopt.search.schedule import Schedule, as_given, finish
from mapopt.search.tables import Tables, tables_of
from mapopt.transfers import Delay, Free, Links

CALIBRATION = 4096
"""Moves by which the speed is measured."""


def rejection(instance: Instance) -> str | None:
    """Return why cyclic sequences cannot schedule the instance, or ``None``."""
    if isinstance(instance.transfer, (Free, Delay)):
        return None
    model = type(instance.transfer).__name__.lower()
    return (
        f"schedules nodes only, and the '{model}' transfers of instance {instance.name!r} occupy units or links; "
        f"use {'annealed-elastic' if isinstance(instance.transfer, Links) else 'annealed-list'}"
    )


def ignore(schedule: Schedule) -> None:
    """Do nothing with a schedule."""


def annealed_cyclic(
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
    """Anneal the cyclic order of nodes on their units, first of chains in one piece, then of single nodes.

    For periods close to the largest load; with more idle time list schedules are better.

    Parameters
    ----------
    instance
        One whose transfers occupy nobody.
    period
        Ticks; one turn of every sequence.
    iterations, seconds
        Limits in moves and time; with neither, rounds go on until ``target`` or ``stop`` ends them.
    target
        A latency that is good enough, such as a lower bound.
    start
        Assignment to begin with, loads within the period; without it one is searched for. If it is time-triggered
        with this horizon, its schedule is the first that is improved.
    temperature
        A factor of all temperatures.
    stop
        Asked about every tenth of a second.
    on_better
        Called with every schedule at the end of a phase that is better than all before.

    Returns
    -------
    Schedule or None
        ``None`` if no assignment within the period was found.

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
    S. Kirkpatrick, C. D. Gelatt and M. P. Vecchi, "Optimization by simulated annealing", Science 220, 1983; the cyclic
    sequences are those of cyclic scheduling, C. Hanen and A. Munier, "A study of the cyclic scheduling problem on
    parallel processors", Discrete Applied Mathematics 57, 1995.
    """
    check_request("annealed_cyclic", period, rejection(instance))
    effort = Effort(iterations, seconds, stop, time.perf_counter())
    problem = Problem(instance)
    tables = tables_of(problem)
    if start is not None:
        homes: IntArray | None = homes_of(problem, start.assignment(instance)[0])
    else:
        homes = homes_within(problem, tables, period, seed, stop)
    if homes is None:
        return None
    units = problem.units(homes.tolist())
    first = packed(instance, Mapping.of(instance, units), period)
    if first is None:
        return None
    search = _Search(problem, tables, period, seed, effort, target, temperature, on_better)
    search.offer(first)
    if start is not None and start.horizon == period and len(start.patterns) == 1:
        search.offer(as_given(instance, start, period))
    search.run(units)
    return search.best


@dataclass(frozen=True, slots=True)
class _Phase:
    """One annealing: its share of a round's moves, temperatures as shares of the period, and the penalties."""

    share: float
    first_heat: float
    last_heat: float
    first_steepness: float = 3.0
    last_steepness: float = 1000.0
    smooth: float = 0.9

    def cooling(self, moves: int, heat: float) -> Cooling:
        return Cooling(
            max(1, moves),
            self.first_heat * heat,
            self.last_heat * heat,
            self.first_steepness,
            self.last_steepness,
            self.smooth,
        )


FUSED = _Phase(0.45, 0.10, 0.002)
ALONE = _Phase(1.0, 0.20, 0.002, smooth=0.7)
SINGLE = _Phase(0.55, 0.05, 0.001)
AGAIN = _Phase(0.55, 0.08, 0.001)

ROUND_MOVES = 50_000
"""About the moves per node of one round where the limits allow several: other chains in one piece do more than time.

Where the nodes of a loose class only delay, a round is over with its first phase, :data:`ALONE`."""


class _Search:
    """The phases of one search, and the best schedule so far."""

    def __init__(
        self,
        problem: Problem,
        tables: Tables,
        period: int,
        seed: int,
        effort: Effort,
        target: int,
        temperature: float,
        on_better: Callable[[Schedule], None],
    ) -> None:
        self.problem = problem
        self.instance = problem.instance
        self.tables = tables
        self.period = period
        self.seed = seed
        self.effort = effort
        self.target = target
        self.heat = temperature * period
        self.on_better = on_better
        self.best: Schedule | None = None
        self.movable = movable_nodes(problem)
        self.head = longest_paths(tables, problem.instance)[0]

    def offer(self, schedule: Schedule | None) -> None:
        """Keep a schedule if it is the best."""
        if schedule is not None and (self.best is None or schedule.latency < self.best.latency):
            self.best = schedule
            self.on_better(schedule)

    @property
    def is_done(self) -> bool:
        """Whether the limits or the target are reached."""
        return self.effort.is_spent or (self.best is not None and self.best.latency <= self.target)

    def run(self, units: Sequence[int]) -> None:
        """Make rounds until the limits or the target end them: from scratch, then from the best, and so on.

        Where a class is left out, a best schedule is gone on with only once.
        """
        number, polished = 0, None
        tight = tight_units(self.problem, self.tables, units, self.movable, self.period)
        while not self.is_done:
            if number % 2 == 0 or self.best is None or (self.best is polished and not all(tight)):
                self._from_scratch(units, tight, self.seed + number)
            else:
                polished = self.best
                moves = self._moves(self.best.units)
                cooling = AGAIN.cooling(self._last(moves) or int(moves * AGAIN.share), self.heat)
                single = blocks_of(self.instance, self.best.units)
                self.offer(self._anneal(single, cooling, self.seed + number, 1, self.best.starts))
            number += 1

    def _from_scratch(self, units: Sequence[int], tight: Sequence[bool], seed: int) -> None:
        """Join chains, anneal them in one piece, then node by node."""
        fusion = fuse(self.instance, self.tables, units, self.movable, self.period, seed)
        homes, edges = (tuple(units), ()) if fusion is None else (fusion.units, fusion.edges)
        if excess(self.tables, self.period, homes_of(self.problem, homes)) > 0:
            homes, edges = tuple(units), ()  # the integer program knows no capacities
        moves = self._moves(homes)
        last = self._last(moves) is not None
        fused = blocks_of(self.instance, homes, edges, tight)
        phase = FUSED if all(tight) else ALONE
        found = self._anneal(fused, phase.cooling(int(moves * phase.share), self.heat), seed, 0, None)
        self.offer(found)
        if found is not None and all(tight) and not self.is_done:
            single = blocks_of(self.instance, found.units)
            left = self.effort.iterations if last and self.effort.iterations else int(moves * SINGLE.share)
            self.offer(self._anneal(single, SINGLE.cooling(left, self.heat), seed, 1, found.starts))

    def _last(self, moves: int) -> int | None:
        """Return the moves if they are all that are left."""
        return moves if moves == self.effort.iterations else None

    def _moves(self, units: Sequence[int]) -> int:
        """Return how many moves a round makes, so that all rounds are about as long and end with the limits."""
        left, usual = self._moves_left(units), ROUND_MOVES * len(units)
        return usual if left is None else max(1, left // max(1, left // usual))

    def _moves_left(self, units: Sequence[int]) -> int | None:
        """Return the moves that the limits allow, by the speed of a trial where they are of time."""
        effort = self.effort
        if effort.iterations is not None or effort.seconds is None:
            return effort.iterations
        blocks = blocks_of(self.instance, units)
        pace = 1.0
        for moves in (1, CALIBRATION):
            clock = time.perf_counter()
            self._walk(blocks, FUSED.cooling(moves, self.heat), self.seed, 2, None).advance(moves, 0)
            pace = moves / (time.perf_counter() - clock)
        return int(pace * (effort.seconds - (time.perf_counter() - effort.began)))

    def _anneal(
        self, blocks: Blocks, cooling: Cooling, seed: int, stream: int, starts: Sequence[int] | None
    ) -> Schedule | None:
        """Anneal blocks from given starts, or from their earliest ones; without limits hit, all moves are made."""
        walk = self._walk(blocks, cooling, seed, stream, starts)
        while not self.effort.is_spent and walk.done < cooling.iterations:
            done, clock = walk.done, time.perf_counter()
            walk.advance(min(cooling.iterations, done + self.effort.chunk()), self.target)
            self.effort.book(walk.done - done, time.perf_counter() - clock)
            if walk.latency <= self.target:
                break
        if walk.latency == np.inf:
            return None
        if self.best is not None and walk.latency >= self.best.latency:
            return None
        places: Places | None = walk.placed
        if not all(blocks.timed):
            first = int(walk.walk.start[walk.graph.source].min())
            span = range(first, first + int(walk.latency))
            places = fit(self.instance, self.tables, blocks, walk.placed, span, self.period, seed)
        if places is None:
            return None
        return finish(self.instance, self.period, *expand(self.instance, self.tables, blocks, places), {})

    def _walk(
        self, blocks: Blocks, cooling: Cooling, seed: int, stream: int, starts: Sequence[int] | None
    ) -> _Walk:
        graph, length, blocks = graph_of(self.instance, self.tables, blocks, self.movable, self.period)
        times = self.head if starts is None else starts
        offset = np.array([int(times[chain[0]]) % self.period for chain in blocks.members], dtype=np.int64)
        ring = ring_of(graph, blocks, length, self.period, offset, exact=starts is not None)
        return _Walk(
            blocks,
            graph,
            ring_walk_of(ring),
            self.period,
            cooling,
            np.flatnonzero(graph.timed),
            move_shares(graph, ring),
            random_state(seed, stream),
        )


@dataclass(frozen=True, slots=True)
class _Walk:
    """An annealing of blocks with all that the compiled function needs."""

    blocks: Blocks
    graph: Graph
    walk: RingWalk
    period: int
    cooling: Cooling
    timed: IntArray
    shares: FloatArray
    random: RandomState

    @property
    def done(self) -> int:
        """Moves tried."""
        return int(self.walk.value[2])

    @property
    def latency(self) -> float:
        """The least latency without penalty, infinite before there is any."""
        return float(self.walk.value[1])

    def advance(self, until: int, target: int) -> None:
        """Go on to a number of moves."""
        anneal_ring(
            self.graph,
            self.walk,
            self.period,
            self.cooling,
            until,
            target,
            self.timed,
            self.shares,
            self.random,
        )

    @property
    def placed(self) -> Places:
        """Unit and start of the blocks that have a place in the best sequences, by their first nodes."""
        return {
            chain[0]: (int(unit), int(start))
            for chain, timed, unit, start in zip(
                self.blocks.members, self.blocks.timed, self.walk.unit, self.walk.start, strict=True
            )
            if timed
        }
