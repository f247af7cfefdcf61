"""Recording a run in full, and writing it for trace viewers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from mapopt.documents import write_atomic
from mapopt.emulator import kernel, timetriggered
from mapopt.emulator.explain import explain, task_name
from mapopt.emulator.lower import lower
from mapopt.emulator.machine import HISTORY, Machine
from mapopt.emulator.measurement import Dispatch
from mapopt.emulator.options import DEFAULT_WINDOW, Interval, RunOptions
from mapopt.emulator.program import Program
from mapopt.errors import InfeasibleError, InputError
from mapopt.instance import Instance, IntArray
from mapopt.mapping import Mapping

MAX_RECORDED = 5 * 10**6
"""Most firings in a recording."""

DEFAULT_FRAMES = 32


@dataclass(frozen=True, slots=True)
class Trace:
    """Every firing of a run.

    Parameters
    ----------
    program
        What ran.
    arrival
        How frames were released, for people.
    frame, task, start, end, free
        One entry per firing, by start, then resource: the frame, the task's number in the program, and in ticks the
        start, the end of its work and the end of its hold.
    released, left
        Ticks, one entry per frame.
    """

    program: Program
    arrival: str
    frame: IntArray
    task: IntArray
    start: IntArray
    end: IntArray
    free: IntArray
    released: IntArray
    left: IntArray


def record(
    instance: Instance,
    mapping: Mapping,
    *,
    dispatch: Dispatch | None = None,
    interval: Interval = None,
    window: int = DEFAULT_WINDOW,
    frames: int = DEFAULT_FRAMES,
) -> Trace:
    """Run ``frames`` frames from an empty machine and record every firing.

    Self-timed frames are released as for the measured latency unless ``interval`` says otherwise: every
    ceil(1.05 * max load) ticks.

    Raises
    ------
    InputError
        If an option is out of range, or the recording would be longer than 5 million firings.
    InfeasibleError
        If a time-triggered mapping's starts contradict each other.
    """
    options = RunOptions(dispatch, interval, window)
    return record_program(instance, lower(instance, mapping), options, frames=frames)


def record_program(instance: Instance, program: Program, options: RunOptions, *, frames: int) -> Trace:
    """Record a program lowered from ``instance``; parameters and errors are those of :func:`record`."""
    largest = int(np.diff(program.offset).max())
    most = min(HISTORY, MAX_RECORDED // largest)
    if not 1 <= frames <= most:
        raise InputError(
            f"frames: is {frames}; a recording of {largest} tasks per frame holds 1..{most} frames"
        )
    options = options.paced(program)
    if options.dispatch == "time-triggered":
        return _scheduled(instance, program, frames)
    machine = Machine(program, options.arrival(), frames=frames, log=frames * largest)
    if options.interval == "saturated":
        arrival = f"saturated, window {options.window}"
    else:
        arrival = f"released every {float(Fraction(options.interval or 0) * program.tick_ps / 1000):,.9g} ns"
    if machine.run() == kernel.SLOTS_FULL:
        raise InputError(
            f"interval: {machine[kernel.IN_FLIGHT]} frames are in flight after {machine[kernel.NEXT_FRAME]} releases; "
            "record fewer frames, or release them less often"
        )
    keys, start = machine.state.log[: machine[kernel.FIRINGS]].T
    frame = keys >> machine.tables.bits
    task = program.offset[frame % program.n_patterns] + (keys & ((1 << machine.tables.bits) - 1))
    left = machine.state.left_at[:frames]
    return _sorted(program, arrival, frame, task, start, left - machine.state.latency[:frames], left)


def _scheduled(instance: Instance, program: Program, frames: int) -> Trace:
    outcome = timetriggered.judge(program)
    if isinstance(outcome, timetriggered.Conflict):
        raise InfeasibleError(explain(instance, program, outcome))
    count, horizon = program.n_patterns, program.horizon or 1
    pattern = np.repeat(np.arange(count), np.diff(program.offset))
    turns = -(-frames // count)
    frame = (np.arange(turns)[:, None] * count + pattern).reshape(-1)
    task = np.tile(np.arange(program.n_tasks), turns)
    start = (np.arange(turns)[:, None] * horizon + program.timed_starts).reshape(-1)
    shown = frame < frames
    numbers = np.arange(frames)
    released = numbers // count * horizon + timetriggered.releases(program)[numbers % count]
    return _sorted(
        program,
        "released as scheduled",
        frame[shown],
        task[shown],
        start[shown],
        released,
        released + outcome.latencies[numbers % count],
    )


def _sorted(
    program: Program,
    arrival: str,
    frame: IntArray,
    task: IntArray,
    start: IntArray,
    released: IntArray,
    left: IntArray,
) -> Trace:
    order = np.lexsort((task, frame, program.resource[task], start))
    frame, task, start = frame[order], task[order], start[order]
    end = start + program.duration[task]
    return Trace(
        program, arrival, frame, task, start, end, end + program.hold[task], released.copy(), left.copy()
    )


def write_trace(
    path: str | Path,
    instance: Instance,
    mapping: Mapping,
    *,
    dispatch: Dispatch | None = None,
    interval: Interval = None,
    window: int = DEFAULT_WINDOW,
    frames: int = DEFAULT_FRAMES,
) -> None:
    """Write a recording (see :func:`record`) as Chrome trace JSON, for ui.perfetto.dev or chrome://tracing.

    One track per unit and per link, times in microseconds, a firing's frame among its arguments; what a unit is
    held for after its work is a slice named ``sending``. The frames themselves are asynchronous slices.

    References
    ----------
    Trace Event Format, Google, 2016.
    """
    trace = record(instance, mapping, dispatch=dispatch, interval=interval, window=window, frames=frames)
    mapper = "unknown" if mapping.mapper is None else mapping.mapper.name
    document = {
        "traceEvents": [*_tracks(trace.program), *_slices(instance, trace), *_frames(trace)],
        "displayTimeUnit": "ns",
        "otherData": {
            "instance": instance.name,
            "digest": instance.digest,
            "mapper": mapper,
            "arrival": trace.arrival,
        },
    }
    write_atomic(path, msgspec.json.encode(document) + b"\n")


_UNITS, _LINKS, _FRAMES = 1, 2, 3


def _process(program: Program, resource: int) -> int:
    return _UNITS if resource < program.n_units else _LINKS


def _tracks(program: Program) -> list[dict[str, Any]]:
    """Return the metadata that names processes (units, links, frames) and tracks."""
    events: list[dict[str, Any]] = [
        {"ph": "M", "name": "process_name", "pid": pid, "args": {"name": name}}
        for pid, name in ((_UNITS, "units"), (_LINKS, "links"), (_FRAMES, "frames"))
    ]
    for resource, name in enumerate(program.resources):
        track = {"ph": "M", "pid": _process(program, resource), "tid": resource}
        events.append({**track, "name": "thread_name", "args": {"name": name}})
        events.append({**track, "name": "thread_sort_index", "args": {"sort_index": resource}})
    return events


def _slices(instance: Instance, trace: Trace) -> list[dict[str, Any]]:
    program, scale = trace.program, trace.program.tick_ps / 10**6
    names = [task_name(instance, program, task) for task in range(program.n_tasks)]
    events: list[dict[str, Any]] = []
    for frame, task, start, end, free in zip(
        trace.frame.tolist(),
        trace.task.tolist(),
        trace.start.tolist(),
        trace.end.tolist(),
        trace.free.tolist(),
        strict=True,
    ):
        resource = int(program.resource[task])
        track = {"ph": "X", "pid": _process(program, resource), "tid": resource, "args": {"frame": frame}}
        kind = names[task].split(" ", 1)[0]
        events.append(
            {**track, "name": names[task], "cat": kind, "ts": start * scale, "dur": (end - start) * scale}
        )
        if free > end:
            events.append(
                {**track, "name": "sending", "cat": "hold", "ts": end * scale, "dur": (free - end) * scale}
            )
    return events


def _frames(trace: Trace) -> list[dict[str, Any]]:
    scale = trace.program.tick_ps / 10**6
    events: list[dict[str, Any]] = []
    for frame, (released, left) in enumerate(zip(trace.released.tolist(), trace.left.tolist(), strict=True)):
        span = {"cat": "frame", "id": frame, "name": f"frame {frame}", "pid": _FRAMES, "tid": 0}
        events.append({**span, "ph": "b", "ts": released * scale})
        events.append({**span, "ph": "e", "ts": left * scale})
    return events
