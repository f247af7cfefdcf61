from mapopt.instance import Instance, InstanceNode, InstanceTensor, SideConstraints, Unit
from mapopt.placement.flows import Flow, flows
from mapopt.placement.problem import Problem


def test_tensors_with_the_same_ends_are_one_flow():
    instance = Instance(
        "i",
        classes=("c",),
        units=(Unit("u", "c"),),
        nodes=tuple(InstanceNode(name, (1,)) for name in "abcd"),
        tensors=(
            InstanceTensor("t0", "a", ("c", "d"), 1),
            InstanceTensor("t1", "a", ("b",), 2),
            InstanceTensor("t2", "b", ("d", "c"), 4),
            InstanceTensor("t3", "c", (), 8),
        ),
        side_constraints=SideConstraints(colocate=(("a", "b"),)),
    )
    assert flows(Problem(instance)) == [Flow(0, (1, 2), (0, 2))]
