"""The same program as a SimPy model: one server process per resource, a priority store of ready tasks before it."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from mapopt.emulator.program import Program


def run_simpy(program: Program, interval: int, frames: int) -> int:
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
