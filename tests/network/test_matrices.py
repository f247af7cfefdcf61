import itertools
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx.reference import ReferenceEvaluator

from mapopt.network.model import WeightMatrix
from mapopt.network.reader import network_from_model

from .graphs import model, node, read


@st.composite
def convolutions(draw: st.DrawFn) -> dict[str, int]:
    sizes = {
        "batch": st.integers(1, 2),
        "group": st.integers(1, 3),
        "inner": st.integers(1, 3),
        "outer": st.integers(1, 3),
        "height": st.integers(3, 7),
        "width": st.integers(3, 7),
        "kernel": st.integers(1, 3),
        "stride": st.integers(1, 3),
        "pad": st.integers(0, 2),
        "dilation": st.integers(1, 2),
    }
    drawn = {name: draw(strategy) for name, strategy in sizes.items()}
    if drawn["dilation"] * (drawn["kernel"] - 1) + 1 > 3:
        drawn["dilation"] = 1
    return drawn


@given(convolutions())
@settings(max_examples=60, deadline=None)
def test_convolution_against_a_run_of_it(c: dict[str, int]) -> None:
    """Ones convolved with ones, without padding counted out: every output sums rows-of-the-matrix products."""
    image = (c["batch"], c["group"] * c["inner"], c["height"], c["width"])
    filters = (c["group"] * c["outer"], c["inner"], c["kernel"], c["kernel"])
    conv = node(
        "Conv",
        "x w",
        "y",
        group=c["group"],
        strides=[c["stride"]] * 2,
        pads=[c["pad"]] * 4,
        dilations=[c["dilation"]] * 2,
    )
    built = model([conv], inputs={"x": image}, values={"w": np.ones(filters, np.float32)})
    network = network_from_model(built, "test")
    (result,) = ReferenceEvaluator(built).run(None, {"x": np.ones(image, np.float32)})
    assert network.tensors["y"].shape == result.shape
    matrix = network.nodes[0].matrix
    assert matrix is not None
    assert matrix.vectors == result.shape[0] * result.shape[2] * result.shape[3]
    assert matrix.rows * matrix.columns * matrix.groups == prod(filters) == network.total_weights
    assert network.total_macs == result.size * matrix.rows
    if c["pad"] == 0:
        assert network.total_macs == round(float(result.sum()))


@given(convolutions())
@settings(max_examples=60, deadline=None)
def test_transposed_convolution_against_a_run_of_it(c: dict[str, int]) -> None:
    """Without cropping, the sum over a transposed convolution of ones is its number of products."""
    image = (c["batch"], c["group"] * c["inner"], c["height"], c["width"])
    filters = (c["group"] * c["inner"], c["outer"], c["kernel"], c["kernel"])
    conv = node(
        "ConvTranspose",
        "x w",
        "y",
        group=c["group"],
        strides=[c["stride"]] * 2,
        dilations=[c["dilation"]] * 2,
    )
    built = model([conv], inputs={"x": image}, values={"w": np.ones(filters, np.float32)})
    network = network_from_model(built, "test")
    matrix = network.nodes[0].matrix
    pixels = c["batch"] * c["height"] * c["width"]
    assert matrix == WeightMatrix(c["inner"], c["outer"] * c["kernel"] ** 2, c["group"], pixels)
    if c["group"] == 1:  # the reference evaluator knows one group only
        (result,) = ReferenceEvaluator(built).run(None, {"x": np.ones(image, np.float32)})
        assert network.tensors["y"].shape == result.shape
        assert network.total_macs == round(float(result.sum()))


@pytest.mark.parametrize(
    ("left", "right", "constant", "matrix"),
    [
        ((5, 3), (3, 7), "right", WeightMatrix(3, 7, 1, 5)),
        ((5, 3), (3, 7), "left", WeightMatrix(3, 5, 1, 7)),
        ((2, 5, 3), (3, 7), "right", WeightMatrix(3, 7, 1, 10)),
        ((2, 5, 3), (2, 3, 7), "right", WeightMatrix(3, 7, 2, 5)),
        ((1, 5, 3), (2, 3, 7), "right", WeightMatrix(3, 7, 2, 5)),
        ((2, 5, 3), (2, 3, 7), "left", WeightMatrix(3, 5, 2, 7)),
        ((3,), (3, 7), "right", WeightMatrix(3, 7, 1, 1)),
        ((5, 3), (3,), "right", WeightMatrix(3, 1, 1, 5)),
        ((3,), (3, 7), "left", WeightMatrix(3, 1, 1, 7)),
    ],
)
def test_products(left: tuple[int, ...], right: tuple[int, ...], constant: str, matrix: WeightMatrix) -> None:
    shapes = {"left": left, "right": right}
    stored = shapes.pop(constant)
    network = read(node("MatMul", "left right", "y"), inputs=shapes, weights={constant: stored})
    assert network.nodes[0].matrix == matrix
    assert network.total_weights == prod(stored)
    result = np.ones(left) @ np.ones(right)
    assert network.total_macs == result.size * left[-1]


def test_dense_layer_in_all_orientations() -> None:
    for trans_a, trans_b in itertools.product((0, 1), repeat=2):
        network = read(
            node("Gemm", "x w", "y", transA=trans_a, transB=trans_b),
            inputs={"x": (3, 5) if trans_a else (5, 3)},
            weights={"w": (7, 3) if trans_b else (3, 7)},
        )
        assert network.nodes[0].matrix == WeightMatrix(3, 7, 1, 5)


def test_depthwise_and_three_dimensional() -> None:
    depthwise = read(node("Conv", "x w", "y", group=4), weights={"w": (8, 1, 3, 3)})
    assert depthwise.nodes[0].matrix == WeightMatrix(9, 2, 4, 36)
    volume = read(node("Conv", "x w", "y"), inputs={"x": (1, 2, 5, 5, 5)}, weights={"w": (3, 2, 3, 3, 3)})
    assert volume.nodes[0].matrix == WeightMatrix(54, 3, 1, 27)


def test_filters_that_are_computed_are_no_constant_matrix() -> None:
    network = read(node("Conv", "x w", "y"), inputs={"x": (1, 4, 8, 8), "w": (6, 4, 3, 3), "z": (1,)})
    assert network.warnings  # a graph input in that place is a stripped weight
    computed = read(
        node("Relu", "v", "w"), node("Conv", "x w", "y"), inputs={"x": (1, 4, 8, 8), "v": (6, 4, 3, 3)}
    )  # fmt: skip
    assert not computed.nodes[1].is_base
    assert computed.nodes[1].macs == 216 * 36
    assert computed.total_macs == 0
