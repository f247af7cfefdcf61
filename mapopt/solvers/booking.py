"""Booking: times on links for the transfers of a schedule that was made as if they never waited for each other."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from mapopt.emulator.lower import lower
from mapopt.emulator.program import Program
from mapopt.instance import Instance, IntArray
from mapopt.mapping import Mapping
from mapopt.search.compaction import compacted
from mapopt.search.effort import Effort, never
from mapopt.search.list_search import packed
from mapopt.search.schedule import Hops, Schedule, finish
from mapopt.search.task_rings import anneal_tasks, places
from mapopt.solvers.contention import bare

MOVES, HEATS = 5000, ((0.002, 0.0001), (0.01, 0.0002))
"""Moves of each annealing per task, and their first and last temperatures as shares of the period: nodes hardly
move."""

ENOUGH = 0.001
"""How much later than without contention a frame may end, as a share of its latency, without another annealing."""


def book(
    instance: Instance,
    mapping: Mapping,
    period: int,
    *,
    seed: int = 0,
    moves: int | None = None,
    stop: Callable[[], bool] = never,
) -> Schedule | None:
    """Schedule nodes and transfers with the units of a mapping, close to its starts.

    Nodes keep their places in the period and hops get the nearest free ones; then the order of all tasks is annealed
    until all data are in time.

    Parameters
    ----------
    instance
        One with links.
    mapping
        Time-triggered with one pattern and this horizon, feasible where transfers do not wait; of an instance with the
        same names.
    period
        Ticks.
    moves
        Of each annealing, at most :data:`MOVES` per task.
    seed, stop
        Of the annealings; ``stop`` is asked about every tenth of a second.

    Returns
    -------
    Schedule or None
        ``None`` if a unit or link has more work than the period.
    """
    kept = bare(mapping, instance)
    units = Mapping.of(instance, kept.assignment(instance)[0])
    program = lower(instance, units)
    if int(program.loads().max()) > period:
        return None
    starts = kept.patterns[0].starts or ()
    node_start = np.array([starts[at] for at in kept.positions(instance)], dtype=np.int64)
    place = places(program, node_start, period)
    best = packed(instance, units, period)
    duration = instance.times[
        np.arange(len(node_start)), instance.unit_class[list(units.assignment(instance)[0])]
    ]
    without = int((node_start + duration).max())
    most = MOVES * program.n_tasks if moves is None else min(moves, MOVES * program.n_tasks)
    for number, heat in enumerate(HEATS):
        if place is None or (best is not None and best.latency <= (1 + ENOUGH) * without):
            break
        effort = Effort(None, None, stop, time.perf_counter())
        found = anneal_tasks(
            program,
            place,
            period,
            seed=seed + number,
            moves=most,
            heat=heat,
            effort=effort,
        )
        if found is not None:
            schedule = schedule_of(instance, program, found, period)
            if best is None or schedule.latency < best.latency:
                best = schedule
    return best


def compact(instance: Instance, mapping: Mapping) -> Schedule:
    """Start all tasks of a time-triggered mapping of one pattern as early as their orders let them."""
    program = lower(instance, mapping)
    period = mapping.horizon or 1
    return schedule_of(instance, program, compacted(program, program.timed_starts, period), period)


def schedule_of(instance: Instance, program: Program, start: IntArray, period: int) -> Schedule:
    """Return starts of all tasks of a lowered mapping as a schedule; shape (tasks,)."""
    nodes = len(instance.nodes)
    starts, units = np.zeros(nodes, dtype=np.int64), np.zeros(nodes, dtype=np.int64)
    hops: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for (node, tensor, unit, hop), resource, at in zip(
        program.label.tolist(), program.resource.tolist(), start.tolist(), strict=True
    ):
        if node >= 0:
            starts[node], units[node] = at, resource
        else:
            hops.setdefault((tensor, unit), []).append((hop, at))
    ordered: Hops = {key: tuple(at for _, at in sorted(found)) for key, found in hops.items()}
    return finish(instance, period, units, starts, ordered)
