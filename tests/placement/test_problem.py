import pytest

from mapopt.errors import InfeasibleError
from mapopt.instance import Instance, InstanceNode, NodeUnits, SideConstraints, Unit
from mapopt.placement.problem import Problem


def instance(rules: SideConstraints) -> Instance:
    return Instance(
        "i",
        classes=("imc", "dpu"),
        units=(Unit("a", "imc", crossbars=9), Unit("b", "imc", crossbars=9), Unit("d", "dpu")),
        nodes=(
            InstanceNode("n0", (4, 2), crossbars=(1, 0), memory_bytes=10),
            InstanceNode("n1", (3, None), crossbars=(2, 0), memory_bytes=20),
            InstanceNode("n2", (1, 5), crossbars=(4, 0), memory_bytes=40),
        ),
        side_constraints=rules,
    )


def test_colocated_nodes_are_one_group_with_summed_needs() -> None:
    problem = Problem(instance(SideConstraints(colocate=(("n2", "n1"),))))
    assert problem.groups == [(0,), (1, 2)]
    assert problem.group_of == [0, 1, 1]
    assert problem.time == [[4, 4], [2, -1]]
    assert problem.crossbars[0] == [1, 6]
    assert problem.memory_bytes == [10, 60]
    assert problem.classes == [(1, 0), (0,)]
    assert problem.own_time == [2, 4]
    assert problem.units([2, 1]) == [2, 1, 1]
    assert problem.duration(2, 2) == 5


def test_pin_forbid_and_separate_meet_the_group() -> None:
    problem = Problem(
        instance(
            SideConstraints(
                pin=(NodeUnits("n0", ("a", "d")),),
                forbid=(NodeUnits("n2", ("a",)),),
                colocate=(("n1", "n2"),),
                separate=(("n0", "n2"),),
            )
        )
    )
    assert problem.allowed == [{0, 2}, {1}]
    assert problem.apart == [(1,), (0,)]
    assert problem.is_limited


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (SideConstraints(pin=(NodeUnits("n1", ("d",)),)), "node 'n1': classes, pin and forbid leave no unit"),
        (
            SideConstraints(colocate=(("n1", "n2"),), pin=(NodeUnits("n2", ("d",)),)),
            "colocated nodes 'n1', 'n2': classes",
        ),
        (
            SideConstraints(colocate=(("n0", "n1"), ("n1", "n2")), separate=(("n0", "n2"),)),
            "both together .* and apart",
        ),
    ],
)
def test_contradictions_are_named(rules: SideConstraints, message: str) -> None:
    with pytest.raises(InfeasibleError, match=message):
        Problem(instance(rules))
