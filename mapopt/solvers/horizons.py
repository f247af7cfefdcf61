"""How far a latency model has to look: the largest latency of interest."""

from __future__ import annotations

from mapopt.emulator import timetriggered
from mapopt.emulator.lower import lower
from mapopt.errors import InputError
from mapopt.feasibility import check
from mapopt.instance import Instance
from mapopt.mapping import Mapping
from mapopt.placement.communication import Communication
from mapopt.solvers.base import Task
from mapopt.solvers.model import PeriodRange
from mapopt.transfers import Links


def horizon(task: Task) -> int:
    """Return a latency such that nothing above it is wanted.

    It is below the cutoff, at most that of the start, and suffices for some optimum: there every task starts at most
    one period after its data.
    """
    instance, period = task.instance, 0 if task.period is None else task.period.high
    transfers = sum(len(tensor.consumers) for tensor in instance.tensors)
    limits = [work(instance) + (len(instance.nodes) + transfers * longest_route(instance)) * period]
    if task.cutoff is not None:
        limits.append(task.cutoff - 1)
    known = None if task.start is None else latency_in_class(instance, task.start, task.period)
    return min(limits if known is None else [*limits, known])


def latency_in_class(instance: Instance, mapping: Mapping, period: PeriodRange | None) -> int | None:
    """Return the latency of a time-triggered mapping.

    It is ``None`` if the mapping is infeasible, some of its starts are missing, or its period is not asked for.
    """
    if mapping.horizon is None or len(mapping.patterns) != 1 or check(instance, mapping):
        return None
    if period is not None and not period.low <= mapping.horizon <= period.high:
        return None
    try:
        verdict = timetriggered.judge(lower(instance, mapping))
    except InputError:
        return None
    return None if isinstance(verdict, timetriggered.Conflict) else int(verdict.latencies.max())


def work(instance: Instance) -> int:
    """Return at least the ticks of all nodes and of all transfers of any mapping, each at its slowest."""
    communication, model = Communication(instance), instance.transfer
    total = int(instance.times.max(axis=1).clip(min=0).sum())
    for number, tensor in enumerate(instance.tensors):
        if isinstance(model, Links):
            slowest = max((communication.over(number, link) for link in model.links), default=0)
            ticks = longest_route(instance) * slowest
        else:
            ticks = 2 * communication.once(number)  # of ``host`` at both ends
        total += ticks * len(tensor.consumers)
    return total


def longest_route(instance: Instance) -> int:
    """Return the most tasks that one transfer can have."""
    model = instance.transfer
    if not isinstance(model, Links):
        return 1
    default = max(map(len, model.egress)) + max(map(len, model.ingress))
    return max([default, *(len(route.links) for route in model.routes)])
