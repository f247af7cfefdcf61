from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from mapopt.network.operators import KINDS

from .graphs import node, read

BOX = 4 * 8 * 8


@pytest.mark.parametrize(
    ("op", "attributes", "operations"),
    [
        ("Relu", {}, BOX),
        ("Gelu", {}, BOX),
        ("GlobalAveragePool", {}, BOX),
        ("ReduceMean", {}, BOX),
        ("MaxPool", {"kernel_shape": [3, 2]}, 4 * 6 * 7 * 6),
        ("AveragePool", {"kernel_shape": [2, 2], "strides": [2, 2]}, 4 * 16 * 4),
        ("Softmax", {}, 5 * BOX),
        ("LRN", {"size": 5}, 9 * BOX),
        ("MeanVarianceNormalization", {}, 7 * BOX),
        ("Transpose", {"perm": [0, 2, 3, 1]}, BOX),
        ("DepthToSpace", {"blocksize": 2}, BOX),
    ],
)
def test_operations_of_one_operand(op: str, attributes: dict[str, Any], operations: int) -> None:
    network = read(node(op, "x", "y", **attributes), opset=20)
    assert [(entry.op, entry.operations) for entry in network.nodes] == [(op, operations)]
    assert network.warnings == ()


@pytest.mark.parametrize(("count", "operations"), [(1, BOX), (2, BOX), (3, 2 * BOX)])
def test_element_wise_arithmetic(count: int, operations: int) -> None:
    names = [f"x{index}" for index in range(count)]
    network = read(node("Sum", " ".join(names), "y"), inputs=dict.fromkeys(names, (1, 4, 8, 8)))
    assert network.nodes[0].operations == operations


def test_moves_count_what_is_written() -> None:
    concat = read(node("Concat", "x z", "y", axis=1), inputs={"x": (1, 4, 8, 8), "z": (1, 2, 8, 8)})
    assert concat.nodes[0].operations == 6 * 64
    split = read(node("Split", "x", "y z", axis=1), outputs="y z")
    assert split.nodes[0].operations == BOX
    pad = read(node("Pad", "x p", "y"), values={"p": np.array([0, 0, 1, 1, 0, 0, 1, 1])})
    assert pad.nodes[0].operations == 4 * 100
    sliced = read(node("Slice", "x s e a", "y"), values={"s": [2], "e": [4], "a": [1]})
    assert sliced.nodes[0].operations == 128


@pytest.mark.parametrize("op", ["LayerNormalization", "InstanceNormalization", "GroupNormalization"])
def test_normalisations(op: str) -> None:
    attributes = {"num_groups": 2} if op == "GroupNormalization" else {}
    shape = (8,) if op == "LayerNormalization" else (4,)
    network = read(node(op, "x g b", "y", **attributes), weights={"g": shape, "b": shape}, opset=21)
    assert network.nodes[0].operations == 7 * BOX
    assert network.total_weights == 2 * prod(shape)


@pytest.mark.parametrize("op", ["Identity", "Flatten", "Dropout"])
def test_views_vanish(op: str) -> None:
    network = read(node("Softmax", "x", "a"), node(op, "a", "b"), node("Softmax", "b", "y"))
    assert [entry.op for entry in network.nodes] == ["Softmax", "Softmax"]
    assert network.nodes[1].inputs == ("a",)


def test_base_nodes_cost_their_macs_on_a_digital_unit() -> None:
    (conv,) = read(node("Conv", "x w", "y"), weights={"w": (6, 4, 3, 3)}).nodes
    assert conv.operations == conv.macs == 216 * 36


def test_every_operator_of_the_table_exists_in_onnx() -> None:
    for op in KINDS:
        assert onnx.defs.has(op, ""), op


def test_documentation_lists_every_operator() -> None:
    text = (Path(__file__).parents[2] / "docs" / "networks.md").read_text(encoding="utf-8")
    for op in KINDS:
        assert op in text, op
