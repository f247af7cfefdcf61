import numpy as np
import pytest
from onnx import TensorProto

from mapopt.errors import InputError
from mapopt.network.model import WeightMatrix
from mapopt.network.reader import network_from_model

from .graphs import model, node, read, stripped

MS = "com.microsoft"
SCALES = {"s": np.array(0.1, np.float32), "z": np.array(0, np.uint8)}


def test_quantised_residual_network_of_onnx_runtime() -> None:
    built = model(
        [
            node("QuantizeLinear", "x s z", "q"),
            node("QLinearConv", "q s z w s z s z", "a"),
            node("QLinearConv", "q s z w s z s z", "b"),
            node("QLinearAdd", "a s z b s z s z", "c", domain=MS),
            node("QLinearAveragePool", "c s z s z", "d", domain=MS, kernel_shape=[2, 2], strides=[2, 2]),
            node("QLinearConcat", "s z d s z d s z", "e", domain=MS, axis=1),
            node("QLinearGlobalAveragePool", "e s z s z", "g", domain=MS, channels_last=0),
            node("Flatten", "g", "f"),
            node("QGemm", "f s z m s z k s z", "h", domain=MS, transB=1, alpha=1.0),
            node("DequantizeLinear", "h s z", "y"),
        ],
        values=SCALES,
    )
    built.graph.initializer.extend(
        [
            stripped("w", (4, 4, 3, 3), TensorProto.UINT8),
            stripped("m", (10, 8), TensorProto.UINT8),
            stripped("k", (10,), TensorProto.INT32),
        ]
    )
    network = network_from_model(built, "test")
    ops = ["QLinearConv", "QLinearConv", "Add", "AveragePool", "Concat", "GlobalAveragePool", "Gemm"]
    assert [entry.op for entry in network.nodes] == ops
    assert [network.tensors[entry.outputs[0]].shape for entry in network.nodes[3:]] == [
        (1, 4, 3, 3),
        (1, 8, 3, 3),
        (1, 8, 1, 1),
        (1, 10),
    ]
    assert network.nodes[-1].matrix == WeightMatrix(8, 10, 1, 1)
    assert network.total_weights == 144 + 80 + 10
    assert network.warnings == ()


def test_namesakes_of_onnx_are_views_of_activations_and_weights() -> None:
    network = read(
        node("DequantizeLinear", "w s z", "v", domain=MS),
        node("Conv", "x v", "c"),
        node("QuantizeLinear", "c s z", "q", domain=MS),
        node("DequantizeLinear", "q s z", "d", domain=MS),
        node("Gelu", "d", "y", domain=MS),
        values=SCALES | {"w": np.zeros((4, 4, 1, 1), np.uint8)},
    )
    assert [(entry.op, entry.fused, entry.weights) for entry in network.nodes] == [("Conv", ("Gelu",), 16)]


def test_fused_convolution_and_its_attributes() -> None:
    network = read(
        node("FusedConv", "x w b", "y", domain=MS, activation="Relu", kernel_shape=[3, 3]),
        weights={"w": (6, 4, 3, 3), "b": (6,)},
    )
    assert network.nodes[0].matrix == WeightMatrix(36, 6, 1, 36)
    assert network.total_weights == 222


def test_channels_last_is_refused() -> None:
    pooled = node("QLinearGlobalAveragePool", "x s z s z", "y", "pool", domain=MS, channels_last=1)
    with pytest.raises(InputError, match=r"'pool'.*channels_last"):
        read(pooled, values=SCALES)


def test_others_of_the_domain_are_unknown() -> None:
    network = read(node("NhwcMaxPool", "x", "y", domain=MS), declared={"y": (1, 4, 4, 4)})
    assert network.nodes[0].op == "com.microsoft.NhwcMaxPool"
    assert network.warnings
