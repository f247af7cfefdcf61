import numpy as np
import pytest
from onnx import TensorProto, helper

from mapopt.errors import InputError
from mapopt.network.model import WeightMatrix
from mapopt.network.reader import network_from_model

from .graphs import model, node, read, stripped


def test_reads_without_touching_external_weights() -> None:
    network = read(node("Conv", "x w b", "y"), weights={"w": (6, 4, 3, 3), "b": (6,)})
    assert network.nodes[0].matrix == WeightMatrix(36, 6, 1, 36)
    assert network.total_weights == 6 * 36 + 6


def test_symbolic_batch_is_one_and_other_extents_need_a_shape() -> None:
    conv = node("Conv", "x w", "y")
    network = read(conv, weights={"w": (6, 4, 3, 3)}, inputs={"x": ("batch", 4, 8, 8)})
    assert network.tensors["x"].shape == (1, 4, 8, 8)
    dynamic = model([conv], weights={"w": (6, 4, 3, 3)}, inputs={"x": ("batch", 4, "height", None)})
    with pytest.raises(InputError, match=r"input 'x': extent 2 is symbolic \('height'\).*--shape x="):
        network_from_model(dynamic, "test")
    resized = network_from_model(dynamic, "test", shapes={"x": (2, 4, 5, 6)})
    assert resized.tensors["y"].shape == (2, 6, 3, 4)
    assert resized.nodes[0].matrix == WeightMatrix(36, 6, 1, 24)


def test_shape_arithmetic_is_folded() -> None:
    """The flattening of an exporter with dynamic axes: view(x.size(0), -1), in floating point on the way."""
    network = read(
        node("Conv", "x w", "c"),
        node("Shape", "c", "shape"),
        node("Constant", "", "zero", value_int=0),
        node("Gather", "shape zero", "batch", axis=0),
        node("Cast", "batch", "real", to=TensorProto.FLOAT),
        node("Floor", "real", "floored"),
        node("Cast", "floored", "whole", to=TensorProto.INT64),
        node("Unsqueeze", "whole axes", "first"),
        node("Concat", "first rest", "target", axis=0),
        node("Reshape", "c target", "flat"),
        node("Gemm", "flat fc", "y", transB=1),
        weights={"w": (6, 4, 3, 3), "fc": (10, 216)},
        values={"axes": np.array([0]), "rest": np.array([-1])},
    )
    assert [entry.op for entry in network.nodes] == ["Conv", "Gemm"]
    assert network.nodes[1].inputs == ("c",)
    assert network.nodes[1].matrix == WeightMatrix(216, 10, 1, 1)


def test_resize_to_a_computed_size() -> None:
    network = read(
        node("Shape", "x", "shape"),
        node("Slice", "shape from to", "spatial"),
        node("Cast", "spatial", "real", to=TensorProto.FLOAT),
        node("Mul", "real two", "double"),
        node("Cast", "double", "size", to=TensorProto.INT64),
        node("Slice", "shape zero from", "front"),
        node("Concat", "front size", "sizes", axis=0),
        node("Resize", "x - - sizes", "y", mode="nearest"),
        values={"from": [2], "to": [4], "zero": [0], "two": np.array(2.0, np.float32)},
    )
    assert network.tensors["y"].shape == (1, 4, 16, 16)
    assert [(entry.op, entry.operations) for entry in network.nodes] == [("Resize", 1024)]
    assert network.total_weights == 0


def test_a_chain_of_computed_shapes_is_read_in_one_pass() -> None:
    nodes = [
        step
        for index in range(50)
        for step in (
            node("Shape", f"t{index}", f"s{index}"),
            node("Mod", f"s{index} big", f"m{index}"),
            node("Expand", f"t{index} m{index}", f"t{index + 1}"),
        )
    ]
    network = read(*nodes, inputs={"t0": (1, 4)}, outputs="t50", values={"big": 1000})
    assert network.tensors["t50"].shape == (1, 4)


def test_quantised_convolution_and_product() -> None:
    scales = {name: np.array(0.1, np.float32) for name in ("xs", "ws", "ys")}
    zeros = {name: np.array(0, np.uint8) for name in ("xz", "yz")} | {"wz": np.array(0, np.int8)}
    quantised = model(
        [
            node("QuantizeLinear", "x xs xz", "q"),
            node("QLinearConv", "q xs xz w ws wz ys yz b", "c"),
            node("Reshape", "c flat", "f"),
            node("QLinearMatMul", "f ys yz m ws wz ys yz", "p"),
            node("DequantizeLinear", "p ys yz", "y"),
        ],
        values=scales | zeros | {"flat": [1, -1]},
    )
    quantised.graph.initializer.extend(
        [
            stripped("w", (6, 4, 3, 3), TensorProto.INT8),
            stripped("b", (6,), TensorProto.INT32),
            stripped("m", (216, 10), TensorProto.INT8),
        ]
    )
    network = network_from_model(quantised, "test")
    assert [entry.op for entry in network.nodes] == ["QLinearConv", "QLinearMatMul"]
    assert network.nodes[0].matrix == WeightMatrix(36, 6, 1, 36)
    assert network.nodes[1].matrix == WeightMatrix(216, 10, 1, 1)
    assert network.total_weights == 216 + 6 + 2160
    assert network.outputs == ("p",)


def test_quantise_dequantise_pairs_vanish() -> None:
    """Conv between Q/DQ pairs, weights and bias through DequantizeLinear of an integer initializer."""
    scales = {"s": np.array(0.1, np.float32), "z": np.array(0, np.int8), "zb": np.array(0, np.int32)}
    pairs = model(
        [
            node("QuantizeLinear", "x s z", "xq"),
            node("DequantizeLinear", "xq s z", "xd"),
            node("DequantizeLinear", "w s z", "wd"),
            node("DequantizeLinear", "b s zb", "bd"),
            node("Conv", "xd wd bd", "c"),
            node("QuantizeLinear", "c s z", "cq"),
            node("DequantizeLinear", "cq s z", "cd"),
            node("Relu", "cd", "y"),
        ],
        values=scales,
    )
    pairs.graph.initializer.extend(
        [stripped("w", (6, 4, 3, 3), TensorProto.INT8), stripped("b", (6,), TensorProto.INT32)]
    )
    network = network_from_model(pairs, "test")
    assert [(entry.op, entry.fused, entry.weights) for entry in network.nodes] == [("Conv", ("Relu",), 222)]


def test_integer_convolution_with_dynamic_quantisation() -> None:
    dynamic = model(
        [
            node("DynamicQuantizeLinear", "x", "q s z"),
            node("ConvInteger", "q w z", "c"),
            node("Cast", "c", "f", to=TensorProto.FLOAT),
            node("Mul", "f s", "y"),
        ]
    )
    dynamic.graph.initializer.append(stripped("w", (6, 4, 3, 3), TensorProto.INT8))
    network = network_from_model(dynamic, "test")
    assert [entry.op for entry in network.nodes] == ["DynamicQuantizeLinear", "ConvInteger", "Mul"]
    assert network.total_macs == 216 * 36
    assert network.nodes[0].operations == 4 * 256


def test_product_of_two_activations_is_no_base_node() -> None:
    network = read(node("MatMul", "x z", "y"), inputs={"x": (2, 5, 3), "z": (2, 3, 7)})
    (product,) = network.nodes
    assert not product.is_base
    assert (product.macs, product.operations, network.total_macs) == (210, 210, 0)


def test_shared_weight_counts_once() -> None:
    network = read(
        node("MatMul", "x w", "a"), node("Relu", "a", "r"), node("MatMul", "r w", "y"), inputs={"x": (3, 4)},
        weights={"w": (4, 4)},
    )  # fmt: skip
    assert [entry.weights for entry in network.nodes] == [16, 16]
    assert network.total_weights == 16
    assert network.total_macs == 96


def test_transposed_weight_is_the_stored_one() -> None:
    network = read(
        node("Transpose", "w", "t", perm=[1, 0]), node("MatMul", "x t", "a"), node("Gemm", "a w", "y"),
        inputs={"x": (3, 5)}, weights={"w": (4, 5)},
    )  # fmt: skip
    assert network.total_weights == 20
    assert [entry.op for entry in network.nodes] == ["MatMul", "Gemm"]


def test_batch_norm_counts_scale_and_shift_but_no_statistics() -> None:
    network = read(
        node("Conv", "x w", "c"), node("BatchNormalization", "c g b m v", "n"), node("Relu", "n", "y"),
        weights={"w": (6, 4, 1, 1), "g": (6,), "b": (6,), "m": (6,), "v": (6,)},
    )  # fmt: skip
    (only,) = network.nodes
    assert only.fused == ("BatchNormalization", "Relu")
    assert only.weights == network.total_weights == 24 + 12
    assert only.fused_operations == 3 * 6 * 64


def test_scale_layer_counts_stored_vectors_but_no_numbers() -> None:
    network = read(
        node("Unsqueeze", "g axes", "gs"), node("Mul", "x gs", "a"), node("Constant", "", "half", value_float=0.5),
        node("Mul", "a half", "b"), node("Add", "b one", "y"), weights={"g": (4,)},
        values={"axes": [1, 2], "one": np.array([1.0], np.float32)},
    )  # fmt: skip
    assert network.total_weights == 4


def test_unknown_operator_gets_the_generic_cost_with_a_warning() -> None:
    odd = node("Deform", "x w", "y", name="odd", domain="org.example", size=3)
    network = read(odd, declared={"y": (1, 6, 8, 8)}, weights={"w": (6, 4)})
    assert (network.nodes[0].op, network.nodes[0].operations) == ("org.example.Deform", 384)
    assert network.total_weights == 24
    assert "'org.example.Deform'" in network.warnings[0]
    with pytest.raises(InputError, match=r"'odd'.*no cost formula"):
        read(odd, strict=True, declared={"y": (1, 6, 8, 8)}, weights={"w": (6, 4)})
    with pytest.raises(InputError, match=r"'odd'.*shape of result 'y' cannot be found.*value_info"):
        read(odd, weights={"w": (6, 4)})


def test_declared_shape_is_not_trusted_at_another_input_size() -> None:
    odd = model([node("Odd", "x", "y", domain="org.example")], declared={"y": (1, 6, 8, 8)})
    with pytest.raises(InputError, match="cannot be found"):
        network_from_model(odd, "test", shapes={"x": (1, 4, 16, 16)})


def test_onnx_operator_without_formula_is_generic() -> None:
    network = read(node("GridSample", "x grid", "y"), inputs={"x": (1, 4, 8, 8), "grid": (1, 5, 5, 2)})
    assert network.nodes[0].operations == 100
    assert "GridSample" in network.warnings[0]


def test_weights_listed_as_inputs_without_data() -> None:
    network = read(
        node("Conv", "x w", "c"), node("Flatten", "c", "f"), node("Gemm", "f m b", "y"),
        inputs={"x": (1, 4, 8, 8), "w": (6, 4, 8, 8), "m": (6, 10), "b": (10,)},
    )  # fmt: skip
    assert network.inputs == ("x",)
    assert network.total_weights == 6 * 256 + 60 + 10
    assert "3 graph inputs" in network.warnings[0]


def test_missing_weight_with_declared_shape() -> None:
    network = read(node("Conv", "x w", "y"), declared={"w": (6, 4, 3, 3)})
    assert network.total_weights == 216
    assert "'w' is missing" in network.warnings[0]


def test_local_functions_are_expanded() -> None:
    block = helper.make_function(
        "local", "Block", ["a", "w"], ["b"],
        [node("Conv", "a w", "c"), node("Relu", "c", "b")], [helper.make_opsetid("", 17)],
    )  # fmt: skip
    calls = model([node("Block", "x w", "m", domain="local"), node("Block", "m w", "y", domain="local")],
                  weights={"w": (4, 4, 1, 1)})  # fmt: skip
    calls.functions.append(block)
    network = network_from_model(calls, "test")
    assert [(entry.op, entry.fused) for entry in network.nodes] == [("Conv", ("Relu",))] * 2


def test_given_shape_must_name_an_input_and_fit_its_rank() -> None:
    good = model([node("Relu", "x", "y")])
    with pytest.raises(InputError, match=r"'z'.*its inputs: 'x'"):
        network_from_model(good, "test", shapes={"z": (1,)})
    with pytest.raises(InputError, match="declares 4 extents"):
        network_from_model(good, "test", shapes={"x": (1, 4)})
    with pytest.raises(InputError, match="every extent must be >= 1"):
        network_from_model(good, "test", shapes={"x": (1, 4, -8, 8)})


def test_shape_of_a_part_of_the_extents() -> None:
    for attributes, shape in (({"start": 1, "end": -1}, (3, 4)), ({"start": 2}, (4, 5)), ({"end": 1}, (2,))):
        network = read(
            node("Shape", "x", "s", **attributes), node("Expand", "z s", "y"),
            inputs={"x": (2, 3, 4, 5), "z": (1,)},
        )  # fmt: skip
        assert network.tensors["y"].shape == shape


def test_weight_from_constant_of_shape_with_a_literal_shape() -> None:
    network = read(
        node("Constant", "", "s", value_ints=[4, 1, 1]), node("ConstantOfShape", "s", "k"), node("Mul", "x k", "y")
    )  # fmt: skip
    assert network.total_weights == 4


def test_random_numbers_are_no_constants() -> None:
    network = read(node("RandomNormalLike", "k", "r"), node("Add", "x r", "y"), values={"k": np.zeros(4, np.float32)},
                   inputs={"x": (4,)})  # fmt: skip
    assert [entry.op for entry in network.nodes] == ["RandomNormalLike", "Add"]


@pytest.mark.slow
def test_time_grows_linearly_with_the_nodes() -> None:
    """A chain and a fan of 100,000 nodes; a quadratic reader would need hours."""
    count = 100_000
    pairs = [
        node(op, f"t{i}" + " w" * (op == "Conv"), f"t{i + 1}")
        for i, op in enumerate(["Conv", "Relu"] * (count // 2))
    ]
    chain = read(*pairs, inputs={"t0": (1, 4, 8, 8)}, outputs=f"t{count}", weights={"w": (4, 4, 1, 1)})
    assert len(chain.nodes) == count // 2
    fan = [node("Relu", "x", f"r{i}") for i in range(count)]
    wide = read(*fan, node("Concat", " ".join(f"r{i}" for i in range(count)), "y", axis=1))
    assert len(wide.nodes) == count + 1
