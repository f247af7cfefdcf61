import pytest

from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.mappers.ranks import (
    Ranks,
    by_priority_among_ready,
    by_upward_rank,
    harmonic_mean_times,
    is_close,
    mean_times,
)
from mapopt.placement.communication import Communication
from mapopt.placement.problem import Problem
from tests.mappers.cases import topcuoglu


def test_ranks_of_the_published_example() -> None:
    problem = Problem(topcuoglu())
    ranks = Ranks(problem, Communication(problem.instance), "paper")
    assert ranks.upward == pytest.approx(
        [108, 77, 80, 80, 69, 63.333, 42.667, 35.667, 44.333, 14.667], abs=1e-3
    )
    assert [node + 1 for node in by_upward_rank(problem, ranks)] == [1, 3, 4, 2, 5, 6, 9, 7, 8, 10]
    through = ranks.through
    assert through[0] == through[1] == through[8] == through[9] == pytest.approx(108)
    assert by_priority_among_ready(problem.instance, through)[:2] == [0, 1]


def test_means_are_over_the_units_that_can_run_the_node() -> None:
    instance = Instance(
        "means",
        classes=("fast", "slow", "none"),
        units=(Unit("f", "fast"), Unit("s", "slow"), Unit("t", "slow")),
        nodes=(
            InstanceNode("both", (2, 8, 1)),
            InstanceNode("slow", (None, 8, None)),
            InstanceNode("no time", (0, 6, None)),
        ),
    )
    problem = Problem(instance)
    assert mean_times(problem) == [6, 8, 4]
    assert harmonic_mean_times(problem) == [4, 8, 0]  # 3 / (1/2 + 2/8)


def test_only_ready_nodes_are_in_the_queue() -> None:
    instance = Instance(
        "queue",
        classes=("imc",),
        units=(Unit("u", "imc"),),
        nodes=tuple(InstanceNode(f"n{number}", (1,)) for number in range(4)),
        tensors=(InstanceTensor("t", "n0", ("n3",), 0),),
    )
    assert by_priority_among_ready(instance, [1, 5, 5, 9]) == [1, 2, 0, 3]


def test_ranks_that_differ_by_rounding_are_close() -> None:
    assert is_close(1.000009, 1)
    assert not is_close(1.00002, 1)
    assert is_close(0, 1e-8)
