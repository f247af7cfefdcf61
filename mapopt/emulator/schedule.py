"""Scheduling: any assignment made time-triggered, with its own largest load as the period.

H is the work of K frames on the busiest unit or link. Each task starts in the earliest gap of its resource modulo
H. Where the gaps of a resource no longer hold a task, that resource's tasks form one block without gaps, which always
fits, each delayed to the next turn of its offset; this is why any assignment attains its largest load. Several
orders are tried and the shortest latency is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import msgspec
import numpy as np

from mapopt.documents import MAX_TICKS
from mapopt.emulator import timetriggered
from mapopt.emulator.analysis import max_load
from mapopt.emulator.circles import place_all
from mapopt.emulator.explain import explain
from mapopt.emulator.lower import lower
from mapopt.emulator.machine import Machine, saturated
from mapopt.emulator.paths import longest_tails
from mapopt.emulator.program import Program
from mapopt.emulator.stream import run_single
from mapopt.errors import InputError, MapoptError
from mapopt.instance import Instance, IntArray
from mapopt.mapping import Claims, Mapping, Pattern, TransferStart

GREEDY_ROUNDS = 8
"""So often resources that failed are packed and the rest is tried again; then all are packed."""


def schedule(instance: Instance, mapping: Mapping) -> Mapping:
    """Make a mapping time-triggered with a period of exactly its largest load per frame.

    Starts that the mapping has are dropped, its priorities kept. Deterministic; time grows with the tasks times the
    gaps on their resource.

    Returns
    -------
    Mapping
        With starts, ``horizon`` H = K * largest load (at least 1 tick, so that a mapping without any work has period
        1/K), and claims of period, latency and largest load.

    Raises
    ------
    InputError
        If the mapping does not fit the instance, or its starts would exceed ``MAX_TICKS``.
    """
    bare = msgspec.structs.replace(
        mapping,
        patterns=tuple(Pattern(units=pattern.units) for pattern in mapping.patterns),
        horizon=None,
        claims=None,
    )
    program = lower(instance, bare)
    load = max_load(program).ticks
    horizon = max(1, int(load * program.n_patterns))
    timed = schedule_program(program, horizon)
    if int(timed.timed_starts.max()) > MAX_TICKS:
        raise InputError(
            f"mapping: its schedule would start tasks after tick {MAX_TICKS:.0e}; use a larger tick_ps in the instance"
        )
    outcome = timetriggered.judge(timed)
    if isinstance(outcome, timetriggered.Conflict):
        raise MapoptError(
            f"the schedule made for this mapping is infeasible: {explain(instance, timed, outcome)}"
        )
    claims = Claims(
        max_load_ticks=str(load),
        latency_single_ticks=max(run_single(program)),
        period_ticks=str(Fraction(horizon, program.n_patterns)),
        latency_ticks=int(outcome.latencies.max()),
    )
    return msgspec.structs.replace(
        bare,
        patterns=tuple(_pattern(instance, bare, timed, number) for number in range(timed.n_patterns)),
        horizon=horizon,
        claims=claims,
    )


def schedule_program(program: Program, horizon: int) -> Program:
    """Return the program with starts and the given H.

    Raises
    ------
    InputError
        If a resource has more work in K frames than H.
    """
    if horizon < max(1, int(program.loads().max())):
        raise InputError(
            f"horizon: is {horizon} ticks; it must be >= 1 and hold the {program.loads().max()} ticks of work of "
            f"{program.resources[int(np.argmax(program.loads()))]!r}"
        )
    alone = _alone(program, horizon)
    candidates = [
        start
        for order in (alone, _most_remaining_first(program, alone))
        for start in _placements(program, order, horizon)
    ]
    return program.timed(min(candidates, key=lambda start: _latency(program, start, horizon)), horizon)


def _alone(program: Program, horizon: int) -> IntArray:
    """Return a topological order: by start, from its release on, of a frame of each pattern alone in the machine."""
    tasks, starts = [], []
    for number in range(program.n_patterns):
        part = program.only(number)
        machine = Machine(part, saturated(1), frames=1, log=part.n_tasks)
        machine.run()
        keys, start = machine.state.log.T
        tasks.append(keys + program.offset[number])
        starts.append(start + number * horizon // program.n_patterns)
    by_start: IntArray = np.argsort(np.concatenate(starts), kind="stable")
    order: IntArray = np.concatenate(tasks)[by_start]
    return order


def _most_remaining_first(program: Program, alone: IntArray) -> IntArray:
    """Return a topological order: by the longest path to the end of the frame."""
    tail = longest_tails(alone, program.arc_offset, program.arc_target, program.arc_delay, program.duration)
    order: IntArray = alone[np.argsort(-tail[alone], kind="stable")]
    return order


def _placements(program: Program, order: IntArray, horizon: int) -> Iterator[IntArray]:
    """Yield the starts with as few packed resources as turn out to be needed, and those with all packed."""
    pattern = np.repeat(np.arange(program.n_patterns), np.diff(program.offset))
    release = pattern * horizon // program.n_patterns
    packed = np.zeros(len(program.resources), dtype=np.bool_)
    delay = _cautious_delays(program)
    for tried in range(GREEDY_ROUNDS + 1):
        if tried == GREEDY_ROUNDS:
            packed[:] = True
        start, failed = place_all(
            order,
            release,
            horizon,
            program.resource,
            program.duration + program.hold,
            program.duration,
            (program.arc_offset, program.arc_target, delay),
            packed,
        )
        if not failed.any():
            yield start
            if packed.all():
                return
            packed[:] = True
        packed |= failed


def _cautious_delays(program: Program) -> IntArray:
    """Return arc delays where what follows a task of no duration also waits for its sends.

    Else a task of zero length could come to stand at the very start of the sends that its own data depend on.
    """
    before = np.repeat(np.arange(program.n_tasks), np.diff(program.arc_offset))
    instant = (program.duration == 0)[before]
    return np.where(instant, np.maximum(program.arc_delay, program.hold[before]), program.arc_delay)


def _latency(program: Program, start: IntArray, horizon: int) -> int:
    ends = np.maximum.reduceat(start + program.duration, program.offset[:-1])
    return int((ends - np.arange(program.n_patterns) * horizon // program.n_patterns).max())


def _pattern(instance: Instance, mapping: Mapping, program: Program, number: int) -> Pattern:
    """Write the starts of one pattern under the names of the mapping."""
    first, last = int(program.offset[number]), int(program.offset[number + 1])
    starts = program.timed_starts[first:last].tolist()
    node_start = [0] * len(instance.nodes)
    transfers: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for (node, tensor, unit, hop), start in zip(program.label[first:last].tolist(), starts, strict=True):
        if node >= 0:
            node_start[node] = start
        else:
            transfers.setdefault((tensor, unit), []).append((hop, start))
    return Pattern(
        units=mapping.patterns[number].units,
        starts=tuple(node_start[instance.node_index[name]] for name in mapping.nodes),
        transfers=tuple(
            TransferStart(
                tensor=instance.tensors[tensor].name,
                unit=instance.units[unit].name,
                starts=tuple(start for _, start in sorted(hops)),
            )
            for (tensor, unit), hops in sorted(transfers.items())
        ),
    )
