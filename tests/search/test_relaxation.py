"""Chains between a full class and a loose one, whose nodes only delay until they are fitted in."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest

from formulations.latency_modulo import LatencyModulo
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.placement.problem import Problem
from mapopt.search.annealing import Relaxation, annealed_cyclic
from mapopt.search.assignment import assign_within
from mapopt.search.blocks import Blocks, blocks_of, expand, graph_of
from mapopt.search.fitting import fit
from mapopt.search.relaxation import movable_nodes, tight_units
from mapopt.search.tables import tables_of
from mapopt.solvers.base import Task
from mapopt.solvers.model import Objective, PeriodRange
from mapopt.transfers import Delay
from tests.search.test_list_search import assert_is_what_it_claims

PERIOD = 20


def alternating(seed: int, loose_units: int = 3) -> Instance:
    """A chain in which nodes of one DPU, busy all the time, alternate with those of IMC units that are often idle."""
    draw = random.Random(seed)
    cuts = sorted(draw.sample(range(1, PERIOD), 4))
    busy = [end - begin for begin, end in pairwise([0, *cuts, PERIOD])]
    nodes = []
    for number, time in enumerate(busy):
        nodes.append(InstanceNode(f"d{number}", (None, time)))
        if number % 2:
            nodes.append(InstanceNode(f"i{number}", (draw.randint(1, 4), None)))
        nodes.append(InstanceNode(f"j{number}", (draw.randint(1, 4), None)))
    return Instance(
        "alternating",
        classes=("imc", "dpu"),
        units=(*(Unit(f"i{number}", "imc") for number in range(loose_units)), Unit("d", "dpu")),
        nodes=tuple(nodes),
        tensors=tuple(InstanceTensor(one.name, one.name, (other.name,), 1) for one, other in pairwise(nodes)),
        transfer=Delay(10**9),
    )


def least(instance: Instance) -> int:
    answer = LatencyModulo().solve(Task(instance, Objective.LATENCY, period=PeriodRange(PERIOD, PERIOD)))
    assert answer.value == answer.bound
    assert answer.value is not None
    return answer.value


def parted(instance: Instance, seed: int = 0) -> tuple[list[int], Blocks]:
    problem = Problem(instance)
    mapping = assign_within(instance, PERIOD, seed=seed)
    assert mapping is not None
    units = list(mapping.assignment(instance)[0])
    tight = tight_units(problem, tables_of(problem), units, movable_nodes(problem), PERIOD)
    assert tight == [False, False, False, True]
    return units, blocks_of(instance, units, (), tight)


@pytest.mark.parametrize("seed", range(6))
def test_annealing_around_the_full_class_finds_the_optimum(seed: int) -> None:
    instance = alternating(seed)
    schedule = annealed_cyclic(instance, PERIOD, seed=seed, iterations=60_000)
    assert schedule is not None
    assert_is_what_it_claims(instance, PERIOD, schedule)
    assert schedule.latency == least(instance)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_solved_without_the_loose_class_is_fitted_in(seed: int) -> None:
    instance = alternating(seed)
    problem = Problem(instance)
    relaxation = Relaxation(problem, parted(instance)[0], PERIOD, seed)
    assert relaxation.instance is not None
    found = LatencyModulo().solve(
        Task(relaxation.instance, Objective.LATENCY, period=PeriodRange(PERIOD, PERIOD))
    )
    assert found.mapping is not None
    schedule = relaxation.fitted(found.mapping)
    assert schedule is not None
    assert_is_what_it_claims(instance, PERIOD, schedule)
    assert schedule.latency == found.value == least(instance)
    assert relaxation.fitted(relaxation.relaxed(schedule.mapping)) is not None


def test_no_class_is_left_out_where_all_are_full() -> None:
    instance = alternating(0, loose_units=1)
    problem = Problem(instance)
    mapping = assign_within(instance, 2 * PERIOD, seed=0)
    assert mapping is not None
    assert Relaxation(problem, mapping.assignment(instance)[0], PERIOD, 0).instance is None


def test_passages_are_contracted_and_nothing_changes() -> None:
    for seed in range(10):
        instance = alternating(seed)
        _, blocks = parted(instance)
        tables = tables_of(Problem(instance))
        graph, length, kept = graph_of(instance, tables, blocks, [True] * len(instance.nodes), PERIOD)
        assert kept.timed.count(False) == 1  # the last node delays nobody
        assert [length[at] for at in np.flatnonzero(graph.timed)] == [
            int(instance.times[chain[0], 1]) for chain in kept.members[:-1]
        ]
        start = dict.fromkeys(range(len(kept.members)), 0)
        for node in range(len(kept.members)):
            for edge in range(graph.entering_offset[node], graph.entering_offset[node + 1]):
                start[node] = max(start[node], start[int(graph.entering[edge])] + int(graph.apart[edge]))
        placed = {
            chain[0]: (3, start[number])
            for number, (chain, timed) in enumerate(zip(kept.members, kept.timed, strict=True))
            if timed
        }
        times = expand(instance, tables, blocks, placed)[1]
        ready = 0
        for node in instance.topological_order:  # every tensor travels
            assert times[node] == ready
            ready += int(instance.times[node].max()) + 1


def test_blocks_that_do_not_fit_are_not_placed() -> None:
    """Two nodes of the loose class have to run at the same time; its one unit cannot."""
    instance = Instance(
        "fork",
        classes=("imc", "dpu"),
        units=(Unit("i", "imc"), Unit("d", "dpu"), Unit("e", "dpu")),
        nodes=tuple(
            InstanceNode(name, times)
            for name, times in (("a", (None, 3)), ("b", (2, None)), ("c", (2, None)), ("z", (None, 3)))
        ),
        tensors=(
            InstanceTensor("a", "a", ("b", "c"), 1),
            InstanceTensor("b", "b", ("z",), 1),
            InstanceTensor("c", "c", ("z",), 1),
        ),
        transfer=Delay(10**9),
    )
    tables = tables_of(Problem(instance))
    blocks = blocks_of(instance, [1, 0, 0, 2], (), [False, True, True])
    places = {0: (1, 0), 3: (2, 7)}
    assert fit(instance, tables, blocks, places, range(10), 6, 0) is None
    later = {0: (1, 0), 3: (2, 9)}
    found = fit(instance, tables, blocks, later, range(12), 6, 0)
    assert found is not None
    assert sorted(found[node][1] for node in (1, 2)) == [4, 6]
