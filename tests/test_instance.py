import msgspec
import numpy as np
import pytest

from mapopt.errors import InputError
from mapopt.instance import Instance, InstanceNode, InstanceTensor, NodeUnits, SideConstraints, Unit
from mapopt.transfers import Host, Link, Links, Route


def instance(**changes):
    fields = {
        "name": "tiny",
        "classes": ("imc", "dpu"),
        "units": (Unit("imc0", "imc"), Unit("imc1", "imc"), Unit("dpu0", "dpu")),
        "nodes": (
            InstanceNode("add", (None, 2)),
            InstanceNode("conv1", (5, None), crossbars=(3, 0)),
            InstanceNode("conv2", (7, 9), memory_bytes=4),
        ),
        "tensors": (
            InstanceTensor("a", "conv1", ("add", "conv2"), 10),
            InstanceTensor("b", "conv2", ("add",)),
        ),
    }
    return Instance(**{**fields, **changes})


def test_derived_arrays_follow_the_listed_order():
    problem = instance()
    assert problem.times.tolist() == [[-1, 2], [5, -1], [7, 9]]
    assert problem.crossbars.tolist() == [[0, 0], [3, 0], [0, 0]]
    assert problem.memory_bytes.tolist() == [0, 0, 4]
    assert problem.unit_class.tolist() == [0, 0, 1]
    assert problem.edges == ((1, 0, 0), (1, 2, 0), (2, 0, 1))
    assert problem.entering == (((1, 0), (2, 1)), (), ((1, 0),))
    assert problem.leaving == ((), ((0, 0), (2, 0)), ((0, 1),))
    assert problem.predecessors == ((1, 2), (), (1,))
    assert problem.successors == ((), (0, 2), (0,))
    assert problem.topological_order == (1, 2, 0)
    with pytest.raises(ValueError, match="read-only"):
        problem.times[0, 0] = 1
    assert problem.times.dtype == np.int64


def test_digest_ignores_names_for_people_and_nothing_else():
    base = instance()
    assert msgspec.structs.replace(base, name="other", source="elsewhere").digest == base.digest
    assert msgspec.structs.replace(base, tick_ps=2).digest != base.digest
    slower = (*base.nodes[:2], msgspec.structs.replace(base.nodes[2], times=(8, 9)))
    assert msgspec.structs.replace(base, nodes=slower).digest != base.digest


def test_digest_survives_a_new_optional_key():
    class Later(Instance, frozen=True, dict=True):
        energy: int | None = None

    base = instance()
    assert (
        Later.from_data({"schema": Instance.schema_id(), **msgspec.to_builtins(base)}).digest == base.digest
    )


CYCLE = (
    InstanceTensor("a", "conv1", ("add",)),
    InstanceTensor("b", "add", ("conv2",)),
    InstanceTensor("c", "conv2", ("conv1",)),
)
PORTS = Links((Link("l", 1),), (("l",),) * 3, (("l",),) * 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": ("imc", "imc")}, "class 'imc' appears twice"),
        ({"units": (Unit("u", "imc"), Unit("u", "imc"))}, "unit 'u' appears twice"),
        ({"units": (Unit("u", "gpu"),)}, "unit 'u': class 'gpu' does not exist; did you mean 'dpu'"),
        ({"nodes": (InstanceNode("n", (1, 1)),) * 2, "tensors": ()}, "node 'n' appears twice"),
        ({"nodes": (InstanceNode("n", (None, None)),), "tensors": ()}, "node 'n': no class can run it"),
        ({"nodes": (InstanceNode("n", (1,)),), "tensors": ()}, "node 'n': has 1 times for 2 classes"),
        (
            {"nodes": (InstanceNode("n", (1, 1), crossbars=(1,)),), "tensors": ()},
            "1 crossbar counts for 2 classes",
        ),
        (
            {"nodes": tuple(InstanceNode(f"n{i}", (10**15, 1)) for i in range(101)), "tensors": ()},
            "larger tick_ps",
        ),
        (
            {"tensors": (InstanceTensor("a", "conv1", ("nobody",)),)},
            "tensor 'a': node 'nobody' does not exist",
        ),
        (
            {"tensors": (InstanceTensor("a", "conv1", ("add", "add")),)},
            "consumer of tensor 'a': 'add' appears twice",
        ),
        ({"tensors": (InstanceTensor("a", "conv1", ("add",)),) * 2}, "tensor 'a' appears twice"),
        ({"tensors": CYCLE}, "cycle add -> conv2 -> conv1 -> add"),
        ({"tensors": (InstanceTensor("a", "add", ("add",)),)}, "cycle add -> add"),
        ({"transfer": Host(1, 0, ("cpu0",))}, "host unit 'cpu0' does not exist"),
        ({"transfer": msgspec.structs.replace(PORTS, egress=())}, "egress has 0 entries for 3 units"),
        ({"transfer": msgspec.structs.replace(PORTS, links=())}, "link 'l' does not exist"),
        (
            {"transfer": msgspec.structs.replace(PORTS, routes=(Route("x", "imc0", ()),))},
            "a route's unit 'x' does not exist",
        ),
        (
            {"side_constraints": SideConstraints(pin=(NodeUnits("n", ("imc0",)),))},
            "pin: node 'n' does not exist",
        ),
        (
            {"side_constraints": SideConstraints(forbid=(NodeUnits("add", ("u",)),))},
            "forbid: unit 'u' does not exist",
        ),
        ({"side_constraints": SideConstraints(separate=(("add", "add"),))}, "'add' appears twice"),
        (
            {"side_constraints": SideConstraints(colocate=(("add", "n"),))},
            "colocate: node 'n' does not exist",
        ),
    ],
)
def test_broken_rules_are_named(changes, message):
    with pytest.raises(InputError, match=message):
        instance(**changes)


def test_a_broken_rule_in_a_file_is_an_input_error_too():
    data = instance().to_json().replace(b'"conv1"', b'"add"', 1)
    with pytest.raises(InputError, match=r"f\.json: .*node 'add' appears twice"):
        Instance.from_json(data, "f.json")


def test_a_hundred_thousand_nodes_are_read_in_linear_time():
    count = 100_000
    nodes = tuple(InstanceNode(f"n{i}", (i % 7, None)) for i in range(count))
    tensors = tuple(InstanceTensor(f"t{i}", f"n{i}", (f"n{i + 1}",), i) for i in range(count - 1))
    problem = instance(nodes=nodes, tensors=tensors)
    assert problem.topological_order == tuple(range(count))
    assert Instance.from_json(problem.to_json()).digest == problem.digest
