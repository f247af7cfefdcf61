"""ONNX Runtime's own operators (domain ``com.microsoft``) that stand for operators of ONNX.

Its quantiser and optimiser write them. Their scales and zero points bear neither on shapes nor on work, so each is
read as its ONNX counterpart on the data operands alone.
"""

from __future__ import annotations

import onnx

from mapopt.errors import UnsupportedError

DOMAIN = "com.microsoft"

_COUNTERPARTS: dict[str, tuple[str, slice | tuple[int, ...]]] = {
    "QLinearAdd": ("Add", (0, 3)),
    "QLinearMul": ("Mul", (0, 3)),
    "QLinearSigmoid": ("Sigmoid", (0,)),
    "QLinearLeakyRelu": ("LeakyRelu", (0,)),
    "QLinearSoftmax": ("Softmax", (0,)),
    "QLinearAveragePool": ("AveragePool", (0,)),
    "QLinearGlobalAveragePool": ("GlobalAveragePool", (0,)),
    "QLinearReduceMean": ("ReduceMean", (0,)),
    "QLinearConcat": ("Concat", slice(2, None, 3)),
    "QGemm": ("Gemm", (0, 3, 6)),
    "FusedConv": ("Conv", (0, 1, 2)),
    "FusedGemm": ("Gemm", (0, 1, 2)),
    "Gelu": ("Gelu", (0,)),
    "QuickGelu": ("Gelu", (0,)),
}
"""Counterpart and the operands that it keeps."""

_SAME = frozenset({"QuantizeLinear", "DequantizeLinear"})
"""Operators with the operands of their ONNX namesakes."""


def lowered(node: onnx.NodeProto, name: str) -> onnx.NodeProto | None:
    """Return the ONNX operator that ``node`` stands for, or ``None`` if it has no counterpart.

    Parameters
    ----------
    node
        Any operator.
    name
        Its name, for messages.

    Raises
    ------
    UnsupportedError
        If its channels come last, which ONNX's counterparts do not know.
    """
    if node.domain != DOMAIN:
        return None
    result = onnx.NodeProto()
    result.CopyFrom(node)
    result.domain = ""
    if node.op_type in _SAME:
        return result
    if node.op_type not in _COUNTERPARTS:
        return None
    result.op_type, kept = _COUNTERPARTS[node.op_type]
    if any(attribute.name == "channels_last" and attribute.i for attribute in node.attribute):
        raise UnsupportedError(
            f"node {name!r} ({node.op_type}): channels_last is set; export the network with channels first"
        )
    names = list(node.input)
    operands = (
        names[kept] if isinstance(kept, slice) else [names[index] for index in kept if index < len(names)]
    )
    known = onnx.defs.get_schema(result.op_type).attributes
    attributes = [attribute for attribute in node.attribute if attribute.name in known]
    del result.input[:], result.attribute[:]
    result.input.extend(operands)
    result.attribute.extend(attributes)
    return result
