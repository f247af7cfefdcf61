import onnx
import pytest
from onnx import helper

from mapopt.errors import InputError
from mapopt.network.reader import network_from_model

from .graphs import model, node

OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("f", 1)]


def function(name: str, *callees: str) -> onnx.FunctionProto:
    """Make a function of one operand that calls others one after the other."""
    tensors = ["a", *(f"t{index}" for index in range(len(callees) - 1)), "b"]
    body = [
        node(op, left, right, domain="" if op == "Relu" else "f")
        for op, left, right in zip(callees, tensors[:-1], tensors[1:], strict=True)
    ]
    return helper.make_function("f", name, ["a"], ["b"], body, OPSETS)


def calling(*functions: onnx.FunctionProto) -> onnx.ModelProto:
    result = model([node(functions[0].name, "x", "y", domain="f")])
    result.functions.extend(functions)
    return result


def test_nested_functions_are_expanded() -> None:
    nested = calling(function("Outer", "Inner", "Inner"), function("Inner", "Relu", "Relu"))
    network = network_from_model(nested, "test", fuse=False)
    assert [entry.op for entry in network.nodes] == ["Relu"] * 4


@pytest.mark.parametrize(
    "functions",
    [
        pytest.param((function("A", "A"),), id="itself"),
        pytest.param((function("A", "B"), function("B", "Relu", "A")), id="each other"),
    ],
)
def test_recursion_is_refused(functions: tuple[onnx.FunctionProto, ...]) -> None:
    with pytest.raises(InputError, match="calls itself"):
        network_from_model(calling(*functions), "test")


def test_exponential_expansion_is_refused() -> None:
    levels = [function(f"L{level}", *[f"L{level + 1}"] * 10) for level in range(9)]
    with pytest.raises(InputError, match="expands to 1000000000 operators"):
        network_from_model(calling(*levels, function("L9", "Relu")), "test")
