"""Chosen units and starts without the rule that nodes on one unit do not overlap: paths are all that counts."""

from __future__ import annotations

import pytest

from mapopt.bounds.modulo import Windows
from mapopt.placement.communication import Communication
from mapopt.placement.problem import Problem
from mapopt.solvers.base import Task
from mapopt.solvers.horizons import work
from mapopt.solvers.intervals import IntervalModel
from mapopt.solvers.model import Limits, Objective, PeriodRange, Status
from mapopt.solvers.timed import timed_mapping
from mapopt.solvers.watch import Watch
from tests.bounds.cases import assignments
from tests.formulations.cases import tiny_instance


class Overlapping(IntervalModel):
    def __init__(self, task, by_paths=True, horizon=None):
        windows = Windows(Problem(task.instance), None)
        super().__init__(
            task, windows, 0, work(task.instance) if horizon is None else horizon, by_paths=by_paths
        )
        self.choose_units()
        self.start_in_windows()
        self.precede()
        self.keep_apart()
        self.keep_capacities()
        order = range(len(self.problem.groups))
        self.order_units(order)
        if task.start is not None:
            self.hint_units(task.start, order)
        self.model.minimize(self.latency)

    def decode(self, value):
        starts = [value(start) for start in self.start]
        mapping = timed_mapping(self.task.instance, self.units(value), starts, {}, 10**6)
        return mapping, value(self.latency)


def least_path(instance):
    """The least latency of any assignment if nobody waits for a unit."""
    communication = Communication(instance)

    def latency(units):
        ends = {}
        for node in instance.topological_order:
            ready = [
                ends[before] + communication.delay(tensor, units[before], units[node])
                for before, tensor in instance.entering[node]
            ]
            ends[node] = max(ready, default=0) + int(instance.times[node, instance.unit_class[units[node]]])
        return max(ends.values())

    return min(map(latency, assignments(instance)))


def task(instance, **wishes):
    return Task(instance, Objective.LATENCY, Watch(Limits(time_s=30, workers=1)), **wishes)


@pytest.mark.parametrize("by_paths", [True, False])
@pytest.mark.parametrize("kind", ["free", "delay"])
def test_the_least_latency_is_that_of_the_paths(kind, by_paths):
    for seed in range(60):
        instance = tiny_instance(seed, kind)
        answer = Overlapping(task(instance), by_paths).solve({}, strong_propagation=True)
        expected = least_path(instance)
        assert (answer.status, answer.value, answer.bound) == (Status.OPTIMAL, expected, expected), seed


def test_a_start_is_hinted_at_and_a_horizon_refuted():
    instance = tiny_instance(5, "delay")
    first = Overlapping(task(instance)).solve({}, strong_propagation=True)
    again = Overlapping(task(instance, start=first.mapping)).solve({}, strong_propagation=True)
    assert again.value == first.value
    late = Overlapping(task(instance, cutoff=first.value), horizon=first.value - 1)
    refuted = late.solve({}, strong_propagation=True)
    assert (refuted.status, refuted.bound) == (Status.INFEASIBLE, first.value)


def test_only_streams_have_a_period():
    instance = tiny_instance(0, "free")
    assert Overlapping(task(instance)).period is None
    assert Overlapping(task(instance, period=PeriodRange(3, 5))).period is not None
