import numpy as np
import onnx
import pytest
from onnx import helper

from mapopt.errors import InputError, UnsupportedError
from mapopt.network.reader import network_from_model

from .graphs import model, node, read

SUBGRAPH = helper.make_graph(
    [node("Relu", "x", "r")], "then", [], [helper.make_tensor_value_info("r", 1, None)]
)
BAD: dict[str, tuple[onnx.ModelProto, str]] = {
    "no nodes": (model([]), "has no nodes"),
    "only views": (model([node("Identity", "x", "y")]), "no nodes|has no nodes"),
    "cycle": (
        model([node("Add", "x b", "a", "p"), node("Relu", "a", "b", "q"), node("Relu", "b", "y")]),
        "cycle: .*'?p'?",
    ),
    "self loop": (model([node("Add", "x y", "y", "loop")]), "cycle: loop -> loop"),
    "control flow": (
        model([node("If", "x", "y", "branch", then_branch=SUBGRAPH, else_branch=SUBGRAPH)]),
        "'branch'.*control flow",
    ),
    "duplicate node": (model([node("Relu", "x", "a", "n"), node("Relu", "a", "y", "n")]), "'n' appears 2 times"),
    "duplicate tensor": (
        model([node("Relu", "x", "y", "p"), node("Tanh", "x", "y", "q")]),
        "'y' is written by nodes 'p' and 'q'",
    ),
    "overwritten input": (model([node("Relu", "x", "x")]), "'x' is a graph input"),
    "missing input": (model([node("Add", "x nothing", "y", "n")]), "'n'.*'nothing'.*no graph input"),
    "missing output": (model([node("Relu", "x", "z")]), "output 'y' is written by no node"),
    "no outputs": (model([node("Relu", "x", "y")], outputs=""), "no output"),
    "zero extent": (model([node("Relu", "x", "y")], inputs={"x": (1, 0, 4)}), r"'x' has shape \[1, 0, 4\]"),
    "negative extent": (model([node("Relu", "x", "y")], inputs={"x": (-1, 3)}), r"'x' has shape \[-1, 3\].*--shape"),
    "absurd extent": (model([node("Relu", "x", "y")], inputs={"x": (2**40, 2**40)}), r"'x'.*2\*\*62"),
    "absurd work": (
        model([node("MatMul", "x w", "y", "n")], inputs={"x": (2**30, 2**30)}, weights={"w": (2**30, 2**30)}),
        r"'n'.*2\*\*62",
    ),
    "negative weight": (model([node("Conv", "x w", "y")], weights={"w": (6, -4, 3, 3)}), "'w' has shape"),
    "empty weight": (model([node("Conv", "x w", "y")], weights={"w": (0, 4, 3, 3)}), r"every extent must be >= 1"),
    "channels": (model([node("Conv", "x w", "y", "n")], weights={"w": (6, 5, 3, 3)}), "'n'.*4 channels"),
    "group": (model([node("Conv", "x w", "y", "n", group=4)], weights={"w": (6, 1, 3, 3)}), "'n'.*group is 4"),
    "zero group": (model([node("Conv", "x w", "y", "n", group=0)], weights={"w": (6, 4, 3, 3)}), "'n'.*group"),
    "attribute type": (model([node("Conv", "x w", "y", "n", group=1.5)], weights={"w": (6, 4, 3, 3)}), "'n'.*group"),
    "zero stride": (model([node("Conv", "x w", "y", "n", strides=[0])], weights={"w": (6, 4, 3, 3)}), "'n'.*strides"),
    "kernel too large": (model([node("Conv", "x w", "y", "n")], weights={"w": (6, 4, 9, 9)}), "'n'.*every extent"),
    "no results": (model([node("Shape", "x", "", "n"), node("Relu", "x", "y")]), "'n'.*no results"),
    "unknown attribute": (model([node("Relu", "x", "y", "n", speed=3)]), "'n'.*speed"),
    "operand count": (model([node("Conv", "x", "y", "n")]), "'n'"),
    "gemm rank": (model([node("Gemm", "x w", "y", "n")], weights={"w": (8, 8)}), "'n'"),
    "bad reshape": (model([node("Reshape", "x s", "y", "n")], values={"s": [1, 3, 5]}), "'n'"),
    "bad sum": (model([node("Add", "x z", "y", "n")], inputs={"x": (1, 3), "z": (1, 4)}), "'n'"),
    "data-dependent": (model([node("NonZero", "x", "y", "n")]), "'n'.*'y' cannot be found, .* depends on data"),
    "sequence": (model([node("SequenceConstruct", "x", "y", "n")]), "'n'.*not a tensor"),
    "deprecated": (model([node("Upsample", "x s", "y", "n")], values={"s": np.ones(4, np.float32)}), "'n'.*deprecated"),
    "future opset": (model([node("Relu", "x", "y")], opset=10**6), "opset is 1000000"),
    "negative opset": (model([node("Relu", "x", "y")], opset=-3), "version -3 of operator set ''"),
}  # fmt: skip


def test_nodes_without_a_name_get_a_unique_one() -> None:
    network = read(
        node("Relu", "x", "a", name="Relu_0"), node("Relu", "a", "b"), node("Relu", "b", "y"), fuse=False
    )  # fmt: skip
    assert [entry.name for entry in network.nodes] == ["Relu_0", "Relu_1", "Relu_2"]


def test_nodes_out_of_order_are_sorted() -> None:
    network = read(node("Relu", "a", "y", name="second"), node("Sigmoid", "x", "a", name="first"), fuse=False)
    assert [entry.name for entry in network.nodes] == ["first", "second"]


@pytest.mark.parametrize("case", BAD)
def test_bad_graphs_are_refused_by_name(case: str) -> None:
    bad, message = BAD[case]
    with pytest.raises(InputError, match=message):
        network_from_model(bad, "test")


def test_missing_opset() -> None:
    bad = model([node("Relu", "x", "y", "n")])
    del bad.opset_import[:]
    with pytest.raises(InputError, match="imports no ONNX opset"):
        network_from_model(bad, "test")


def test_control_flow_is_unsupported_not_merely_wrong() -> None:
    with pytest.raises(UnsupportedError):
        network_from_model(BAD["control flow"][0], "test")


def test_order_of_independent_nodes_is_that_of_the_file() -> None:
    network = read(
        node("Tanh", "c", "d", "late"), node("Relu", "x", "a", "first"), node("Abs", "x", "c", "second"),
        node("Exp", "a", "b", "last"), node("Add", "b d", "y", "sum"), fuse=False,
    )  # fmt: skip
    assert [entry.name for entry in network.nodes] == ["first", "second", "late", "last", "sum"]


def test_name_that_is_not_utf8_is_refused() -> None:
    data = (
        model([node("Relu", "x", "y", "somename")])
        .SerializeToString()
        .replace(b"somename", b"some\xff\xfeme")
    )
    with pytest.raises(InputError, match="UTF-8"):
        network_from_model(onnx.ModelProto.FromString(data), "test")
