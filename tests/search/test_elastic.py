from random import Random

import numpy as np
import pytest
from msgspec.structs import replace

from mapopt.emulator import timetriggered
from mapopt.emulator.lower import lower
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.placement.problem import Problem
from mapopt.search.balancing import balanced
from mapopt.search.elastic import Choice
from mapopt.search.parametric import FEATURES, Parameters, _elastic, parametric_list
from mapopt.search.placing import board_of, place_nodes
from mapopt.search.tables import tables_of
from mapopt.transfers import Blocking, Delay, Free, Link, Links
from tests.bounds.cases import assignments, random_instance

USUAL = Parameters(
    weights=(1.0,) + (0.0,) * (len(FEATURES) - 1),
    choice=Choice(3.0, 0.3, 0.02, 0.1, 0.001),
    examine=2,
    tight=0.9,
    lists=12,
    changes=5.0,
    reach=0.2,
    margin=1.4,
)


def scheduled(instance, period=None, parameters=USUAL, **options):
    problem = Problem(instance)
    tables = tables_of(problem)
    homes, load = balanced(problem, tables, 0, moves=2000)
    schedule = parametric_list(problem, tables, period or max(1, load), homes, parameters, **options)
    assert schedule is not None
    verdict = timetriggered.judge(lower(instance, schedule.mapping))
    assert isinstance(verdict, timetriggered.Feasible)
    assert int(verdict.latencies.max()) == schedule.latency
    return schedule


def chain(times, units, transfer=None):
    names = [f"n{at}" for at in range(len(times))]
    return Instance(
        "chain",
        classes=("imc",),
        units=tuple(Unit(f"imc{at}", "imc") for at in range(units)),
        nodes=tuple(InstanceNode(name, (time,)) for name, time in zip(names, times, strict=True)),
        tensors=tuple(
            InstanceTensor(f"t{at}", names[at], (names[at + 1],), 3) for at in range(len(times) - 1)
        ),
        transfer=transfer or Free(),
    )


@pytest.mark.parametrize("case", range(60))
def test_schedules_of_random_instances_keep_all_rules_at_the_balanced_load(case):
    instance = random_instance(case, max_nodes=9, constrained=case % 2 == 0)
    if next(assignments(instance), None) is None:
        return
    problem = Problem(instance)
    homes, load = balanced(problem, tables_of(problem), 0, moves=200)
    schedule = parametric_list(problem, tables_of(problem), max(1, load), homes, USUAL, seed=case)
    assert schedule is not None
    assert isinstance(timetriggered.judge(lower(instance, schedule.mapping)), timetriggered.Feasible)


def test_full_circles_are_filled_where_a_list_schedule_finds_no_room():
    """Two units, 100% loaded; the last node of 6 ticks meets idle time in two pieces of 3."""
    times = (3, 5, 3, 5, 6, 2)
    instance = chain(times, 2)
    period = sum(times) // 2
    problem = Problem(instance)
    tables = tables_of(problem)
    _, load = balanced(problem, tables, period, moves=2000)
    assert load == period
    key = np.arange(len(times), dtype=np.float64)
    open_, none = np.full(len(times), -1), np.full(len(times), -1)
    _, missing = place_nodes(tables, period, key, open_, none, 0.0, False, board_of(tables))
    assert missing > 0
    assert scheduled(instance, period).latency <= 2 * sum(times)


def test_with_time_to_spare_a_chain_runs_without_waiting():
    assert scheduled(chain((4, 7, 2, 9, 1), 2), 30).latency == 23
    assert scheduled(chain((4, 7, 2, 9, 1), 2, Delay(10**9, 5)), 30).latency == 23


def test_alike_nodes_change_places_to_save_travel():
    """Loads are balanced with two nodes on each unit; the pairs that talk share a unit."""
    pairs = (("a", "b"), ("c", "d"))
    instance = Instance(
        "pairs",
        classes=("imc",),
        units=(Unit("u", "imc"), Unit("v", "imc")),
        nodes=tuple(InstanceNode(name, (5,)) for name in "acbd"),
        tensors=tuple(InstanceTensor(f"{one}{two}", one, (two,), 50) for one, two in pairs),
        transfer=Delay(10**9, 1),
    )
    assert scheduled(instance, 10).latency == 10


@pytest.mark.parametrize("transfer", [Blocking(10**9), "links"])
def test_other_transfers_are_scheduled_too(transfer):
    if transfer == "links":
        links = tuple(Link(f"imc{at}.{way}", 10**9) for at in range(2) for way in ("out", "in"))
        ports = {f"imc{at}": (f"imc{at}.out",) for at in range(2)}
        transfer = Links(
            links,
            egress=tuple((links[2 * at].name,) for at in range(len(ports))),
            ingress=tuple((links[2 * at + 1].name,) for at in range(2)),
        )
    scheduled(chain((3, 5, 3, 5, 6, 2), 2, transfer))


def test_the_seed_decides_and_a_target_ends_the_search():
    instance = random_instance(11, max_nodes=14, constrained=False)
    assert scheduled(instance, seed=3) == scheduled(instance, seed=3)
    assert scheduled(instance, target=10**9).latency >= scheduled(instance).latency


def tight(seed):
    """A random graph of 16 nodes on three units."""
    random = Random(seed)
    instance = chain([random.randint(1, 30) for _ in range(16)], 3)
    edges = [(one, other) for other in range(1, 16) for one in random.sample(range(other), min(other, 2))]
    return replace(
        instance,
        tensors=tuple(
            InstanceTensor(f"t{one}-{other}", f"n{one}", (f"n{other}",), 1) for one, other in edges
        ),
    )


def test_lists_mostly_end_with_all_nodes_placed_at_loads_without_slack():
    """The rest keeps the balanced units; with readers that cannot wait for the next turn there are five more."""
    without = 0
    for seed in range(40):
        problem = Problem(tight(seed))
        tables = tables_of(problem)
        homes, load = balanced(problem, tables, 0, moves=500)
        without += not list(_elastic(problem, tables, load, homes, USUAL, seed, 0))
        assert parametric_list(problem, tables, load, homes, USUAL, seed=seed) is not None
    assert without <= 7
