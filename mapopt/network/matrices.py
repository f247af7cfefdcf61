"""The weight matrix of the operators that multiply by one (base nodes), and their multiply-accumulates."""

from __future__ import annotations

from math import prod

from mapopt.errors import InputError
from mapopt.network.model import WeightMatrix
from mapopt.network.operators import Call, Shape

_CONVOLUTIONS: dict[str, int] = {"Conv": 1, "ConvInteger": 1, "QLinearConv": 3, "ConvTranspose": 1}
"""Operand that holds the filters."""

_PRODUCTS: dict[str, tuple[int, int]] = {
    "Gemm": (0, 1),
    "MatMul": (0, 1),
    "MatMulInteger": (0, 1),
    "QLinearMatMul": (0, 3),
}
"""Operands that hold the left and the right factor."""


def weight_matrix(call: Call) -> WeightMatrix | None:
    """Constant weight matrix of a base operator.

    Returns
    -------
    The matrix that an in-memory-computing unit would hold, or ``None`` if both factors are activations.
    A convolution is lowered by im2col: ``kernel * channels_in / groups`` rows, ``channels_out / groups`` columns,
    one vector per output pixel. A transposed convolution multiplies each *input* pixel by a matrix of
    ``channels_in / groups`` rows and ``kernel * channels_out / groups`` columns and adds the overlapping results.
    A product takes its constant factor as the matrix (transposed if it stands on the left); stacked constant
    matrices are groups.

    Raises
    ------
    InputError
        If the shapes contradict the operator's rules.
    """
    if call.op in _CONVOLUTIONS:
        operand = _CONVOLUTIONS[call.op]
        return _convolution(call, operand) if call.is_constant(operand) else None
    left, right = _PRODUCTS[call.op]
    if call.is_constant(right):
        return _product(call, left, right, transposed=False)
    if call.is_constant(left):
        return _product(call, left, right, transposed=True)
    return None


def macs(call: Call) -> int:
    """Multiply-accumulates of a base operator, whether or not one of its factors is constant."""
    if call.op in _CONVOLUTIONS:
        return _convolution(call, _CONVOLUTIONS[call.op]).macs
    left, right = _PRODUCTS[call.op]
    return _product(call, left, right, transposed=False).macs


def _convolution(call: Call, operand: int) -> WeightMatrix:
    image, filters, result = call.operand(0), call.operand(operand), call.outputs[0]
    _check_convolution(call, image, filters)
    groups = call.integer("group", 1)
    kernel = prod(filters[2:])
    if call.op == "ConvTranspose":
        pixels = image[0] * prod(image[2:])
        return WeightMatrix(image[1] // groups, kernel * filters[1], groups, pixels)
    pixels = result[0] * prod(result[2:])
    return WeightMatrix(kernel * filters[1], filters[0] // groups, groups, pixels)


def _check_convolution(call: Call, image: Shape, filters: Shape) -> None:
    where = f"node {call.name!r} ({call.op})"
    if len(image) < 3 or len(image) != len(filters):
        raise InputError(
            f"{where}: input shape {image} and filter shape {filters}; both must have the same rank, >= 3"
        )
    if min(filters) < 1:
        raise InputError(f"{where}: filter shape is {filters}; every extent must be >= 1")
    groups = call.integer("group", 1)
    if groups < 1:
        raise InputError(f"{where}: group is {groups}; it must be >= 1")
    channels, first, second = image[1], filters[0], filters[1]
    expected = first if call.op == "ConvTranspose" else second * groups
    if channels != expected:
        raise InputError(
            f"{where}: the input has {channels} channels but the filters of shape {filters} in {groups} "
            f"group(s) need {expected}; mend the filters, the group attribute or the input shape"
        )
    if first % groups:
        raise InputError(f"{where}: group is {groups}; it must divide the {first} channels of the filters")
    for attribute in ("kernel_shape", "strides", "dilations"):
        values = call.integers(attribute)
        if values is not None and (len(values) != len(filters) - 2 or min(values) < 1):
            raise InputError(
                f"{where}: {attribute} is {values}; it must list {len(filters) - 2} numbers >= 1"
            )
    kernel = call.integers("kernel_shape")
    if kernel is not None and kernel != filters[2:]:
        raise InputError(
            f"{where}: kernel_shape is {kernel} but the filters have shape {filters}; both must agree"
        )


def _product(call: Call, left: int, right: int, *, transposed: bool) -> WeightMatrix:
    """View the product as constant matrix times vectors; ``transposed``: the left factor is the matrix."""
    a, b, result = call.operand(left), call.operand(right), call.outputs[0]
    if call.op == "Gemm":
        if len(a) != 2 or len(b) != 2:
            raise InputError(
                f"node {call.name!r} (Gemm): operand shapes are {a} and {b}; both must have rank 2"
            )
        a = a[::-1] if call.integer("transA", 0) else a
        b = b[::-1] if call.integer("transB", 0) else b
    if not a or not b:
        raise InputError(
            f"node {call.name!r} ({call.op}): operand shapes are {a} and {b}; a factor needs rank >= 1"
        )
    inner = a[-1]
    if inner != (b[-2] if len(b) > 1 else b[0]):
        raise InputError(
            f"node {call.name!r} ({call.op}): shapes {a} and {b} cannot be multiplied; "
            "the inner extents must be equal"
        )
    matrix = a if transposed else b
    if min(matrix) < 1:
        raise InputError(
            f"node {call.name!r} ({call.op}): shape {matrix} is empty; every extent must be >= 1"
        )
    columns = matrix[-2 if transposed else -1] if len(matrix) > 1 else 1
    groups = prod(matrix[:-2])
    return WeightMatrix(inner, columns, groups, prod(result) // (columns * groups))
