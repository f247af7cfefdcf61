"""Cyclic sequences of all tasks of one assignment: nodes on their units and hops on their links.

The tasks of a lowered mapping are the nodes of another instance, where each resource is a unit of a class of its own.
So the moves that order nodes on units order hops on links as well.
"""

from __future__ import annotations

import time
from heapq import heapify, heappop, heappush

import numpy as np

from mapopt.emulator.program import Program
from mapopt.instance import Instance, InstanceNode, InstanceTensor, IntArray, Unit
from mapopt.placement.problem import Problem
from mapopt.search.blocks import blocks_of, graph_of, move_shares, ring_of
from mapopt.search.circle import earliest, insert
from mapopt.search.compaction import compacted
from mapopt.search.effort import Effort
from mapopt.search.random_numbers import random_state
from mapopt.search.ring_annealing import Cooling, anneal_ring, ring_walk_of
from mapopt.search.tables import tables_of
from mapopt.transfers import Delay

TICK_PS, BYTES_PER_S = 1000, 10**9
"""A byte travels for one tick."""


def task_instance(program: Program) -> Instance:
    """Return the tasks of a program of one pattern, without holds, as the nodes of an instance.

    Task t is node t and resource r is unit r; arcs with a delay are tensors that travel for as long.
    """
    count, tasks = len(program.resources), range(program.n_tasks)
    tensors = []
    for task in tasks:
        arcs = slice(int(program.arc_offset[task]), int(program.arc_offset[task + 1]))
        readers: dict[int, list[int]] = {}
        for target, delay in zip(
            program.arc_target[arcs].tolist(), program.arc_delay[arcs].tolist(), strict=True
        ):
            readers.setdefault(delay, []).append(target)
        for delay, targets in sorted(readers.items()):
            names = tuple(f"t{target}" for target in dict.fromkeys(targets))
            tensors.append(InstanceTensor(f"t{task}+{delay}", f"t{task}", names, delay))
    return Instance(
        "tasks",
        tuple(f"r{resource}" for resource in range(count)),
        tuple(Unit(f"r{resource}", f"r{resource}") for resource in range(count)),
        tuple(
            InstanceNode(
                f"t{task}",
                tuple(
                    int(program.duration[task]) if resource == program.resource[task] else None
                    for resource in range(count)
                ),
            )
            for task in tasks
        ),
        tuple(tensors),
        Delay(BYTES_PER_S),
        tick_ps=TICK_PS,
    )


def places(program: Program, node_start: IntArray, period: int) -> IntArray | None:
    """Give every task a place on its circle where no task overlaps another, whether or not its data are there.

    Parameters
    ----------
    program
        Of one pattern and without holds.
    node_start
        Shape (nodes,): starts of the nodes, whose places on the units do not overlap and are kept.
    period
        Ticks.

    Returns
    -------
    IntArray or None
        Shape (tasks,). Hops get the first free place from when their data are there; ``None`` if a link has none left.
    """
    count = program.n_tasks
    place, ready, waiting = np.zeros(count, np.int64), np.zeros(count, np.int64), program.predecessors.copy()
    size = np.bincount(program.resource, minlength=len(program.resources)).tolist()
    begin, length = ([np.zeros(each, np.int64) for each in size] for _ in range(2))
    filled = [0] * len(size)
    node = program.label[:, 0]

    def entry(task: int) -> tuple[int, int]:
        return int(ready[task] if node[task] < 0 else node_start[node[task]]), task

    heap = [entry(task) for task in range(count) if waiting[task] == 0]
    heapify(heap)
    while heap:
        at, task = heappop(heap)
        ticks = int(program.duration[task])
        if node[task] < 0:
            link = int(program.resource[task])
            at = int(earliest(begin[link], length[link], filled[link], period, at, ticks)[0])
            if at < 0:
                return None
            insert(begin[link], length[link], filled[link], at % period, ticks)
            filled[link] += 1
        place[task] = at
        for arc in range(int(program.arc_offset[task]), int(program.arc_offset[task + 1])):
            target = int(program.arc_target[arc])
            ready[target] = max(ready[target], at + ticks + int(program.arc_delay[arc]))
            waiting[target] -= 1
            if waiting[target] == 0:
                heappush(heap, entry(target))
    return place


def anneal_tasks(
    program: Program,
    start: IntArray,
    period: int,
    *,
    seed: int,
    moves: int,
    heat: tuple[float, float],
    effort: Effort,
    target: int = 0,
) -> IntArray | None:
    """Anneal the order of the tasks on every resource.

    Parameters
    ----------
    program
        Of one pattern and without holds.
    start
        Shape (tasks,): places on the circles, without overlaps, where the annealing begins.
    period
        Ticks.
    moves, heat
        Length of the annealing; first and last temperature as shares of the period.
    effort
        Ends the annealing early, and is charged for it.
    target
        A latency that is good enough.

    Returns
    -------
    IntArray or None
        Compacted starts of the best schedule found; ``None`` if every one broke a rule, or if data wait between two
        tasks of one resource, as between hops over one link with latency: sequences do not know of that.
    """
    before = np.repeat(np.arange(program.n_tasks), np.diff(program.arc_offset))
    if (program.arc_delay[program.resource[before] == program.resource[program.arc_target]] > 0).any():
        return None
    instance = task_instance(program)
    tables, units = tables_of(Problem(instance)), program.resource.tolist()
    blocks = blocks_of(instance, units)
    tasks = np.array([chain[0] for chain in blocks.members])
    graph, length, _ = graph_of(instance, tables, blocks, [False] * len(units), period)
    ring = ring_of(graph, blocks, length, period, start[tasks] % period, exact=True)
    walk, cooling = ring_walk_of(ring), Cooling(moves, heat[0] * period, heat[1] * period, 3.0, 1000.0, 0.9)
    timed, shares, random = np.flatnonzero(graph.timed), move_shares(graph, ring), random_state(seed, 0)
    while not effort.is_spent and walk.value[2] < moves and walk.value[1] > target:
        done, clock = int(walk.value[2]), time.perf_counter()
        until = min(moves, done + effort.chunk())
        anneal_ring(graph, walk, period, cooling, until, target, timed, shares, random)
        effort.book(int(walk.value[2]) - done, time.perf_counter() - clock)
    if walk.value[1] == np.inf:
        return None
    found = np.zeros_like(start)
    found[tasks] = walk.start
    return compacted(program, found - found.min(), period)
