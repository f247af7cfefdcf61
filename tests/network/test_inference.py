import pytest
from onnx import TensorProto

from mapopt.errors import InputError
from mapopt.network.constants import Constants
from mapopt.network.inference import ShapeInference
from mapopt.network.onnx_graph import check_graph

from .graphs import model, node, read


def test_types_flow_from_operator_to_operator() -> None:
    graph = check_graph(model([node("Conv", "x w", "c"), node("Cast", "c", "y", to=TensorProto.INT8)]))
    constants = Constants(graph.opsets)
    constants.declare("w", (6, 4, 3, 3), TensorProto.FLOAT)
    inference = ShapeInference(graph, constants)
    inference.enter("x", (2, 4, 8, 8), TensorProto.FLOAT)
    conv, cast = graph.operators
    assert inference.results(conv, folded=False) == {"c": ((2, 6, 6, 6), TensorProto.FLOAT)}
    assert inference.results(cast, folded=False) == {"y": ((2, 6, 6, 6), TensorProto.INT8)}


def test_optional_results_that_nobody_reads_need_no_shape() -> None:
    unread = read(node("Odd", "x", "y extra", domain="org.example"), declared={"y": (1, 4)})
    assert unread.nodes[0].outputs == ("y",)
    pool = read(node("MaxPool", "x", "p indices", kernel_shape=[2, 2]), node("Relu", "p", "y"))
    assert [(entry.op, entry.fused) for entry in pool.nodes] == [("MaxPool", ("Relu",))]
    with pytest.raises(InputError, match="result 'extra' cannot be found"):
        read(
            node("Odd", "x", "y extra", domain="org.example"),
            node("Relu", "extra", "z"),
            declared={"y": (1, 4)},
        )


def test_operator_that_is_newer_than_the_opset() -> None:
    with pytest.raises(InputError, match=r"GridSample.*does not exist in opset 12"):
        read(node("GridSample", "x z", "y"), inputs={"x": (1, 4, 8, 8), "z": (1, 5, 5, 2)}, opset=12)


def test_element_wise_operator_without_a_shape_function_keeps_the_shape() -> None:
    network = read(node("Gelu", "x", "y"), opset=17)  # a function of opset 20
    assert network.tensors["y"].shape == (1, 4, 8, 8)
