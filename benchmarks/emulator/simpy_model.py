"""The same program as two SimPy models.

`run_processes` is written the way SimPy's documentation writes models: a process per task that waits for its inputs,
requests its resource by priority, and takes its time. `run_servers` is tuned by hand: one process per resource that
serves a priority store, and counters instead of events for the inputs. SimPy grants a free resource at once, not after
everything that happens at the same instant, so that ties may fall differently than in mapopt's model.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

from mapopt.emulator.program import Program


def run_processes(program: Program, interval: int, frames: int) -> int:
    """Release frames periodically, run all to their end and return the time."""
    env = simpy.Environment()
    units = [simpy.PriorityResource(env) for _ in program.resources]
    resource, duration, hold = program.resource.tolist(), program.duration.tolist(), program.hold.tolist()
    before = np.repeat(np.arange(program.n_tasks), np.diff(program.arc_offset)).tolist()
    inputs: list[list[tuple[int, int]]] = [[] for _ in range(program.n_tasks)]
    for source, target, delay in zip(
        before, program.arc_target.tolist(), program.arc_delay.tolist(), strict=True
    ):
        inputs[target].append((source, delay))

    def transfer(end: simpy.Event, delay: int) -> Generator[Any, Any, None]:
        yield end
        yield env.timeout(delay)

    def run(frame: int, task: int, ends: list[simpy.Event]) -> Generator[Any, Any, None]:
        if inputs[task]:
            yield env.all_of(
                [
                    env.process(transfer(ends[each], delay)) if delay else ends[each]
                    for each, delay in inputs[task]
                ]
            )
        with units[resource[task]].request(priority=(frame, task)) as turn:
            yield turn
            yield env.timeout(duration[task])
            ends[task].succeed()
            if hold[task]:
                yield env.timeout(hold[task])

    def release() -> Generator[Any, Any, None]:
        for frame in range(frames):
            ends = [env.event() for _ in range(program.n_tasks)]
            for task in range(program.n_tasks):
                env.process(run(frame, task, ends))
            yield env.timeout(interval)

    env.process(release())
    env.run()
    return int(env.now)


def run_servers(program: Program, interval: int, frames: int) -> int:
    """Release frames periodically, run all to their end and return the time."""
    env = simpy.Environment()
    stores = [simpy.PriorityStore(env) for _ in program.resources]
    resource, duration, hold = program.resource.tolist(), program.duration.tolist(), program.hold.tolist()
    bounds, targets, delays = (
        program.arc_offset.tolist(),
        program.arc_target.tolist(),
        program.arc_delay.tolist(),
    )
    arcs = [
        [(targets[arc], delays[arc]) for arc in range(bounds[task], bounds[task + 1])]
        for task in range(program.n_tasks)
    ]
    predecessors = program.predecessors.tolist()
    sources = [task for task, count in enumerate(predecessors) if count == 0]
    waiting: dict[int, list[int]] = {}
    unfinished: dict[int, int] = {}

    def arrive(frame: int, task: int) -> None:
        counts = waiting[frame]
        counts[task] -= 1
        if counts[task] == 0:
            stores[resource[task]].put((frame, task))

    def deliver(event: Any) -> None:
        arrive(*event.value)

    def serve(store: simpy.PriorityStore) -> Generator[Any, Any, None]:
        while True:
            frame, task = yield store.get()
            yield env.timeout(duration[task])
            for after, delay in arcs[task]:
                if delay:
                    env.timeout(delay, (frame, after)).callbacks.append(deliver)
                else:
                    arrive(frame, after)
            unfinished[frame] -= 1
            if unfinished[frame] == 0:
                del unfinished[frame], waiting[frame]
            if hold[task]:
                yield env.timeout(hold[task])

    def release() -> Generator[Any, Any, None]:
        for frame in range(frames):
            waiting[frame] = predecessors.copy()
            unfinished[frame] = program.n_tasks
            for task in sources:
                stores[resource[task]].put((frame, task))
            yield env.timeout(interval)

    for store in stores:
        env.process(serve(store))
    env.process(release())
    env.run()
    return int(env.now)
