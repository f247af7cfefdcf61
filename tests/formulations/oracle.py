"""Least latencies by brute force in plain Python: every assignment, every start that can matter; no solver."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mapopt.emulator.lower import lower
from mapopt.emulator.program import Program
from mapopt.instance import Instance
from mapopt.mapping import Mapping
from mapopt.solvers.model import PeriodRange
from tests.bounds.cases import assignments


def least_latency(instance: Instance, period: PeriodRange | None) -> int | None:
    """The least latency of any schedule with one pattern, ``None`` if there is none.

    Without ``period`` a frame is alone in the machine.
    """
    best: int | None = None
    for tasks in sorted(map(Tasks.of, _programs(instance)), key=lambda each: each.longest):
        if best is not None and tasks.longest >= best:
            break
        if period is None:
            best = tasks.alone(best)
        else:
            for length in range(period.low, period.high + 1):
                best = tasks.repeated(length, best)
    return best


def _programs(instance: Instance) -> Iterator[Program]:
    for units in assignments(instance):
        yield lower(instance, Mapping.of(instance, units))


@dataclass(frozen=True)
class Tasks:
    """One assignment's tasks in a topological order, arcs by their later end, and the shortest time left after each."""

    resource: list[int]
    duration: list[int]
    hold: list[int]
    before: list[list[tuple[int, int]]]
    tail: list[int]

    @classmethod
    def of(cls, program: Program) -> Tasks:
        count = program.n_tasks
        after = [
            [
                (int(program.arc_target[arc]), int(program.arc_delay[arc]))
                for arc in range(program.arc_offset[task], program.arc_offset[task + 1])
            ]
            for task in range(count)
        ]
        order, waiting = [], program.predecessors.tolist()
        while len(order) < count:
            task = next(each for each in range(count) if waiting[each] == 0)
            waiting[task] = -1
            order.append(task)
            for other, _ in after[task]:
                waiting[other] -= 1
        place = {task: at for at, task in enumerate(order)}
        before: list[list[tuple[int, int]]] = [[] for _ in order]
        tail = [0] * count
        for task in reversed(order):
            for other, delay in after[task]:
                before[place[other]].append((place[task], delay))
                rest = delay + int(program.duration[other]) + tail[place[other]]
                tail[place[task]] = max(tail[place[task]], rest)
        columns = (program.resource, program.duration, program.hold)
        return cls(*([int(column[task]) for task in order] for column in columns), before, tail)

    @property
    def longest(self) -> int:
        """The longest path, which no start can beat."""
        return max(ticks + rest for ticks, rest in zip(self.duration, self.tail, strict=True))

    def ready(self, task: int, start: list[int]) -> int:
        return max((start[one] + self.duration[one] + delay for one, delay in self.before[task]), default=0)

    def repeated(self, period: int, best: int | None) -> int | None:
        """The least latency below ``best`` when a frame enters every ``period`` ticks, else ``best``.

        A start later than a whole period after its data arrived is as good as one a period earlier.
        """
        count = len(self.resource)
        start: list[int] = []
        busy = [self.duration[task] + self.hold[task] for task in range(count)]
        load: dict[int, int] = {}
        for task in range(count):
            load[self.resource[task]] = load.get(self.resource[task], 0) + busy[task]
        if max(load.values()) > period:
            return best

        def clash(one: int, two: int) -> bool:
            """Whether one starts strictly inside the other's time, or both take time and start together."""
            if self.resource[one] != self.resource[two]:
                return False
            lag = (start[two] - start[one]) % period
            if lag == 0:
                return busy[one] > 0 and busy[two] > 0
            return lag < busy[one] or period - lag < busy[two]

        def place(task: int) -> None:
            nonlocal best
            if task == count:
                if self._instants_work(start, period):
                    best = max(start[each] + self.duration[each] for each in range(count))
                return
            ready = self.ready(task, start)
            for begin in range(ready, ready + period + 1):
                if best is not None and begin + self.duration[task] + self.tail[task] >= best:
                    return
                start.append(begin)
                if not any(clash(other, task) for other in range(task)):
                    place(task + 1)
                start.pop()

        place(0)
        return best

    def _instants_work(self, start: list[int], period: int) -> bool:
        """Whether the tasks of no duration can run in some order at each instant.

        At one instant a resource runs its tasks of no length before the one that holds it for its sends; what follows
        a task in the same frame at the same time runs after it.
        """
        none = [task for task in range(len(start)) if self.duration[task] == 0]
        for instant in {start[task] % period for task in none if self.hold[task] > 0}:
            left = [task for task in none if start[task] % period == instant]
            while left:
                free = [
                    task
                    for task in left
                    if not any(one in left and start[one] == start[task] for one, _ in self.before[task])
                    and not (
                        self.hold[task] > 0
                        and any(
                            self.resource[one] == self.resource[task] and self.hold[one] == 0 for one in left
                        )
                    )
                ]
                if not free:
                    return False
                left = [task for task in left if task not in free]
        return True

    def alone(self, best: int | None) -> int | None:
        """The least latency below ``best`` of a frame alone, else ``best``: every order, all as early as it allows."""
        count = len(self.resource)
        start = [0] * count
        free = [0] * (max(self.resource) + 1)

        def place(done: int, latency: int) -> None:
            nonlocal best
            if done == (1 << count) - 1:
                best = latency
                return
            for task in range(count):
                if done >> task & 1 or any(not done >> one & 1 for one, _ in self.before[task]):
                    continue
                at = self.resource[task]
                start[task] = begin = max(self.ready(task, start), free[at])
                end = begin + self.duration[task]
                if best is not None and max(latency, end + self.tail[task]) >= best:
                    continue
                was, free[at] = free[at], end + self.hold[task]
                place(done | 1 << task, max(latency, end))
                free[at] = was

        place(0, 0)
        return best
