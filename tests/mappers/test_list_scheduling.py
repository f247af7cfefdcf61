from itertools import pairwise

import pytest

from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.mappers import registry
from mapopt.mappers.list_scheduling import Cpop, FrameSchedule, Heft, ListScheduler
from mapopt.mappers.packing import Packing
from mapopt.mappers.ranks import RankOptions
from mapopt.placement.problem import Problem
from mapopt.transfers import Delay
from tests.bounds.cases import delay, random_instance
from tests.mappers.cases import topcuoglu


def schedule(kind: type[ListScheduler], instance: Instance) -> FrameSchedule:
    problem = Problem(instance)
    return kind(RankOptions()).frame_schedule(problem, Packing(problem))


def test_makespans_of_the_published_example() -> None:
    heft = schedule(Heft, topcuoglu())
    assert heft.makespan == 80
    assert [heft.units[number - 1] + 1 for number in (1, 3, 4, 2, 5, 6, 9, 7, 8, 10)] == [
        3, 3, 2, 1, 3, 2, 2, 3, 1, 2,
    ]  # fmt: skip
    cpop = schedule(Cpop, topcuoglu())
    assert cpop.makespan == 86
    assert {cpop.units[number - 1] for number in (1, 2, 9, 10)} == {1}


@pytest.mark.parametrize("kind", [Heft, Cpop])
def test_schedules_wait_for_producers_and_transfers_and_never_overlap(kind: type[ListScheduler]) -> None:
    for seed in range(150):
        instance = random_instance(seed, max_nodes=9, constrained=False)
        found = schedule(kind, instance)
        unit = [instance.units[number] for number in found.units]
        for node, (start, end) in enumerate(zip(found.starts, found.ends, strict=True)):
            assert end - start == instance.nodes[node].times[instance.classes.index(unit[node].unit_class)]
        for before, after, tensor in instance.edges:
            size = instance.tensors[tensor].size_bytes
            wait = delay(instance, size, unit[before].name, unit[after].name)
            assert found.starts[after] >= found.ends[before] + wait
        runs = sorted(
            (unit[node].name, found.starts[node], found.ends[node])
            for node in range(len(unit))
            if found.ends[node] > found.starts[node]
        )
        for one, other in pairwise(runs):
            assert one[0] != other[0] or one[2] <= other[1]


def test_heft_inserts_into_a_gap() -> None:
    # "late" waits 50 for its data on the other unit; "short" is ranked last but fits before it.
    instance = Instance(
        "gap",
        classes=("x", "y"),
        units=(Unit("X", "x"), Unit("Y", "y")),
        nodes=(
            InstanceNode("first", (10, None)),
            InstanceNode("late", (None, 30)),
            InstanceNode("short", (None, 5)),
        ),
        tensors=(InstanceTensor("t", "first", ("late",), 50),),
        transfer=Delay(10**9),
    )
    found = schedule(Heft, instance)
    assert found.starts == (0, 60, 0)


def test_priorities_follow_the_starts() -> None:
    instance = topcuoglu()
    mapping = registry.get("heft").map(instance)
    starts = schedule(Heft, instance).starts
    assert mapping.priorities is not None
    assert sorted(mapping.priorities) == list(range(10))
    by_priority = sorted(range(10), key=lambda node: mapping.priorities[node] if mapping.priorities else 0)
    assert [starts[node] for node in by_priority] == sorted(starts)


def test_cpop_gives_each_class_of_the_critical_path_a_unit() -> None:
    instance = Instance(
        "classes",
        classes=("imc", "dpu"),
        units=(Unit("i0", "imc"), Unit("i1", "imc"), Unit("d0", "dpu")),
        nodes=tuple(
            InstanceNode(f"n{number}", (9, None) if number % 2 == 0 else (None, 4)) for number in range(5)
        ),
        tensors=tuple(
            InstanceTensor(f"t{number}", f"n{number}", (f"n{number + 1}",), 3) for number in range(4)
        ),
        transfer=Delay(10**9),
    )
    assert registry.get("cpop").map(instance).assignment(instance)[0] == (0, 2, 0, 2, 0)
