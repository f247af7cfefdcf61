"""Which constant operands of an operator are weights."""

from __future__ import annotations

from collections.abc import Mapping

from mapopt.network.constants import Constant
from mapopt.network.onnx_graph import OnnxGraph
from mapopt.network.operators import GENERIC, NARY, Kind

WEIGHT_OPERANDS: dict[str, tuple[int, ...]] = {
    "Conv": (1, 2),
    "ConvTranspose": (1, 2),
    "ConvInteger": (1,),
    "QLinearConv": (3, 8),
    "Gemm": (0, 1, 2),
    "MatMul": (0, 1),
    "MatMulInteger": (0, 1),
    "QLinearMatMul": (0, 3),
    "BatchNormalization": (1, 2),
    "InstanceNormalization": (1, 2),
    "LayerNormalization": (1, 2),
    "GroupNormalization": (1, 2),
    "RMSNormalization": (1,),
    "PRelu": (1,),
    "Gather": (0,),
}
"""Operands that are weights whenever they are constant. BatchNormalization's mean and variance are statistics."""

PURE_WEIGHTS: dict[str, tuple[int, ...]] = {
    "Conv": (1, 2),
    "ConvTranspose": (1, 2),
    "ConvInteger": (1,),
    "QLinearConv": (3, 8),
    "BatchNormalization": (1, 2, 3, 4),
}
"""Operands that no network computes: a graph input found here is a weight whose data was stripped."""

LIKELY_WEIGHTS: dict[str, tuple[int, ...]] = {**PURE_WEIGHTS, "Gemm": (1, 2), "MatMul": (1,), "PRelu": (1,)}
"""Operands that hold stripped weights in a network that has stripped weights elsewhere."""


def is_weight(op: str, kind: Kind, operand: int, constant: Constant) -> bool:
    """Whether a constant operand counts as a weight.

    Matrices, biases, scales and shifts of the operators in ``WEIGHT_OPERANDS`` always do. In element-wise
    arithmetic and in unknown operators a stored floating-point tensor of more than one element does; numbers
    written into the graph (Constant nodes) do not.
    """
    if op in WEIGHT_OPERANDS:
        return operand in WEIGHT_OPERANDS[op] and (op != "Gather" or constant.is_float)
    if kind not in (NARY, GENERIC):
        return False
    return constant.is_float and constant.elements > 1 and not constant.literal


def stripped_weights(graph: OnnxGraph) -> list[str]:
    """Graph inputs that can only be weights whose data was removed."""

    def found(operands: Mapping[str, tuple[int, ...]]) -> list[str]:
        names: dict[str, None] = {}
        for operator in graph.operators:
            for index in operands.get(operator.op, ()):
                if index < len(operator.proto.input) and operator.proto.input[index] in graph.inputs:
                    names[operator.proto.input[index]] = None
        return list(names)

    return found(LIKELY_WEIGHTS) if found(PURE_WEIGHTS) else []
