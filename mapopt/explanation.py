"""What binds a mapping's period and latency, and what a larger platform could buy at most."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from mapopt.bounds.every import lower_bounds
from mapopt.bounds.model import Bound
from mapopt.documents import Part
from mapopt.emulator import timetriggered
from mapopt.emulator.analysis import critical_paths
from mapopt.emulator.explain import explain, task_name
from mapopt.emulator.lower import lower
from mapopt.emulator.machine import Machine, saturated
from mapopt.emulator.program import Program
from mapopt.errors import InfeasibleError, UnsupportedError
from mapopt.feasibility import require
from mapopt.instance import Instance, IntArray
from mapopt.mapping import Mapping
from mapopt.transfers import Free, Links
from mapopt.whatif import with_faster_transfers, with_unit

FASTER = Fraction(11, 10)
"""How much faster links are imagined."""


class ResourceLoad(Part, frozen=True, omit_defaults=False):
    """The work per frame of a unit or link, in ticks, and its share of the period."""

    name: str
    kind: str
    ticks: int
    share: float | None
    longest: tuple[str, ...]


class Step(Part, frozen=True, omit_defaults=False):
    """A task on the path that binds the latency.

    Parameters
    ----------
    task, resource
        What it is and where it runs.
    start, duration
        In ticks from the frame's release.
    waits
        Ticks between the arrival of its data and its start.
    waits_for
        The task that occupies the resource until then, or ``""``.
    """

    task: str
    resource: str
    start: int
    duration: int
    waits: int
    waits_for: str


class WhatIf(Part, frozen=True, omit_defaults=False):
    """What a change of the platform could buy at most: the mapping's figures less the changed platform's bounds.

    Parameters
    ----------
    change
        For people.
    period_bound, latency_bound
        Lower bounds in ticks on the changed platform.
    period_gain, latency_gain
        The largest possible gain as a fraction of the mapping's figure; ``None`` where that is 0.
    """

    change: str
    period_bound: int
    latency_bound: int
    period_gain: float | None
    latency_gain: float | None


class Explanation(Part, frozen=True, omit_defaults=False):
    """See :func:`explain_mapping`; times in ticks."""

    period: int
    period_bound: int
    period_bound_reason: str
    loads: tuple[ResourceLoad, ...]
    latency: int
    latency_kind: str
    latency_bound: int
    latency_bound_reason: str
    critical_path: int
    waiting: int
    path: tuple[Step, ...]
    what_if: tuple[WhatIf, ...]


def explain_mapping(instance: Instance, mapping: Mapping) -> Explanation:
    """Say what binds the period and the latency of a mapping, and what one more unit or faster links could buy.

    The latency is the schedule's own for time-triggered mappings, else that of a single frame run self-timed.

    Raises
    ------
    UnsupportedError
        If the mapping has several patterns.
    InputError
        If it breaks a rule of the instance, or its schedule is not feasible.
    """
    if len(mapping.patterns) != 1:
        raise UnsupportedError(
            f"mapping: has {len(mapping.patterns)} patterns; only mappings with one pattern are explained"
        )
    require(instance, mapping)
    program = lower(instance, mapping)
    loads = program.loads()
    period = mapping.horizon or int(loads.max())
    bounds = lower_bounds(instance)
    start, kind = _starts(program, mapping)
    latency = int((start + program.duration).max())
    path = _path(instance, program, start, mapping.horizon)
    return Explanation(
        period=period,
        period_bound=bounds.period.ticks,
        period_bound_reason=_reason(bounds.period),
        loads=tuple(_loads(instance, program, period)),
        latency=latency,
        latency_kind=kind,
        latency_bound=bounds.latency.ticks,
        latency_bound_reason=_reason(bounds.latency),
        critical_path=max(critical_paths(program)),
        waiting=sum(step.waits for step in path),
        path=path,
        what_if=tuple(_what_if(instance, program, period, latency)),
    )


def _reason(bound: Bound) -> str:
    return f"{bound.name}: {bound.explanation}"


def _starts(program: Program, mapping: Mapping) -> tuple[IntArray, str]:
    """Return the start of every task, and what kind of latency they show."""
    if mapping.is_time_triggered:
        return program.timed_starts, "time-triggered"
    machine = Machine(program, saturated(1), frames=1, log=program.n_tasks)
    machine.run()
    keys, times = machine.state.log.T
    start: IntArray = np.empty(program.n_tasks, dtype=np.int64)
    start[keys] = times
    return start, "single frame, self-timed"


def _loads(instance: Instance, program: Program, period: int) -> Iterator[ResourceLoad]:
    """Yield the resources that work at all, the busiest first, each with its three longest tasks."""
    busy, loads = program.duration + program.hold, program.loads()
    for resource in np.argsort(-loads, kind="stable").tolist():
        if loads[resource] == 0:
            return
        tasks = np.flatnonzero(program.resource == resource)
        longest = tasks[np.argsort(-busy[tasks], kind="stable")][:3].tolist()
        yield ResourceLoad(
            program.resources[resource],
            "unit" if resource < program.n_units else "link",
            int(loads[resource]),
            int(loads[resource]) / period if period else None,
            tuple(f"{task_name(instance, program, task)} ({busy[task]})" for task in longest),
        )


def _path(instance: Instance, program: Program, start: IntArray, horizon: int | None) -> tuple[Step, ...]:
    """Follow the last task back, each time to the data that arrived last or the task that was in the way."""
    if horizon is not None:
        verdict = timetriggered.judge(program)
        if isinstance(verdict, timetriggered.Conflict):
            raise InfeasibleError(f"mapping: {explain(instance, program, verdict)}")
    before = np.repeat(np.arange(program.n_tasks), np.diff(program.arc_offset))
    arrival = start[before] + program.duration[before] + program.arc_delay
    steps: list[Step] = []
    task = int(np.argmax(start + program.duration))
    while True:
        entering = np.flatnonzero(program.arc_target == task)
        ready = int(arrival[entering].max()) if entering.size else 0
        in_the_way = _in_the_way(program, start, horizon, task) if start[task] > ready else None
        steps.append(
            Step(
                task_name(instance, program, task),
                program.resources[program.resource[task]],
                int(start[task]),
                int(program.duration[task]),
                int(start[task]) - ready,
                "" if in_the_way is None else task_name(instance, program, in_the_way),
            )
        )
        if not entering.size:
            return tuple(steps[::-1])
        task = int(before[entering[np.argmax(arrival[entering])]])


def _in_the_way(program: Program, start: IntArray, horizon: int | None, task: int) -> int | None:
    """Return the task, of this frame or another, that ends on the resource just when ``task`` starts."""
    mates = np.flatnonzero(program.resource == program.resource[task])
    lag = start[task] - (start[mates] + program.duration[mates] + program.hold[mates])
    touching = mates[(lag % horizon if horizon else lag) == 0]
    others = touching[touching != task]
    return int(others[0]) if others.size else None


def _what_if(instance: Instance, program: Program, period: int, latency: int) -> Iterator[WhatIf]:
    """Yield the platform as it is, one more unit of each class, and every kind of faster transfer."""
    yield _gain("the same platform, mapped better", instance, period, latency)
    for unit_class in dict.fromkeys(unit.unit_class for unit in instance.units):
        yield _gain(f"one more {unit_class!r} unit", with_unit(instance, unit_class), period, latency)
    if isinstance(instance.transfer, Free) or not instance.tensors:
        return
    percent = f"{float(FASTER - 1):.0%} faster"
    yield _gain(f"all transfers {percent}", with_faster_transfers(instance, FASTER), period, latency)
    if isinstance(instance.transfer, Links):
        loads = program.loads()[program.n_units :]
        if loads.any():
            link = instance.transfer.links[int(np.argmax(loads))].name
            yield _gain(
                f"the busiest link {link!r} {percent}",
                with_faster_transfers(instance, FASTER, link),
                period,
                latency,
            )


def _gain(change: str, instance: Instance, period: int, latency: int) -> WhatIf:
    bounds = lower_bounds(instance)
    return WhatIf(
        change,
        bounds.period.ticks,
        bounds.latency.ticks,
        max(0.0, 1 - bounds.period.ticks / period) if period else None,
        max(0.0, 1 - bounds.latency.ticks / latency) if latency else None,
    )
