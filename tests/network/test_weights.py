import numpy as np
import pytest

from mapopt.network.operators import KINDS
from mapopt.network.weights import LIKELY_WEIGHTS, PURE_WEIGHTS, WEIGHT_OPERANDS

from .graphs import node, read


def test_tables_name_known_operators_and_nest() -> None:
    for op in (*WEIGHT_OPERANDS, *LIKELY_WEIGHTS):
        assert op in KINDS
    for op, operands in PURE_WEIGHTS.items():
        assert LIKELY_WEIGHTS[op] == operands


@pytest.mark.parametrize(
    ("nodes", "weights", "counted"),
    [
        ([node("PRelu", "x a", "y")], {"a": (4, 1, 1)}, 4),
        ([node("Add", "x a", "y")], {"a": (4, 1, 1)}, 4),
        ([node("Add", "x a", "y")], {"a": (1,)}, 0),
        ([node("Clip", "x a a", "y")], {"a": ()}, 0),
        ([node("Gemm", "x a b", "y")], {"a": (4, 3), "b": (3,)}, 15),
        ([node("Resize", "x - a", "y")], {}, 0),
    ],
)
def test_roles_of_constants(nodes: list, weights: dict[str, tuple[int, ...]], counted: int) -> None:  # type: ignore[type-arg]
    inputs = {"x": (2, 4)} if nodes[0].op_type == "Gemm" else {"x": (1, 4, 8, 8)}
    values = {"a": np.array([1, 1, 2, 2], np.float32)} if nodes[0].op_type == "Resize" else {}
    assert read(*nodes, inputs=inputs, weights=weights, values=values).total_weights == counted


def test_integer_tables_and_indices_are_no_weights() -> None:
    floats = read(node("Gather", "t x", "y"), inputs={"x": (3,)}, weights={"t": (5, 4)}, element_type=7)
    assert floats.total_weights == 20
    integers = read(node("Gather", "x i", "y"), values={"i": np.array([0, 1])})
    assert integers.total_weights == 0


def test_products_of_two_graph_inputs_are_not_taken_for_weights() -> None:
    network = read(node("Gemm", "x z", "y"), inputs={"x": (2, 3), "z": (3, 4)})
    assert network.inputs == ("x", "z")
    assert network.warnings == ()
