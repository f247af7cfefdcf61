"""Shapes of tensors: limits, ONNX types, and the concrete shapes of the graph's inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

import onnx

from mapopt.errors import InputError
from mapopt.network.operators import Shape

MAX_ELEMENTS = 2**62
"""Elements of the largest tensor that is read; larger counts would not fit 64-bit integers downstream."""


def checked(shape: Sequence[int], what: str, remedy: str, *, least: int = 1) -> Shape:
    """Return a shape whose extents and product are in range.

    Raises
    ------
    InputError
        If an extent is below ``least`` or the product exceeds 2**62; the message starts with ``what``.
    """
    for extent in shape:
        if extent < least:
            raise InputError(f"{what} has shape {list(shape)}; every extent must be >= {least}: {remedy}")
    if prod(shape) > MAX_ELEMENTS:
        raise InputError(f"{what} has shape {list(shape)}; it may hold at most 2**62 elements: {remedy}")
    return tuple(shape)


def input_shapes(
    inputs: Mapping[str, onnx.ValueInfoProto], given: Mapping[str, Sequence[int]]
) -> dict[str, Shape]:
    """Return the concrete shape of every graph input.

    A leading symbolic extent (the batch) becomes 1. A shape in ``given`` replaces the declared one.

    Raises
    ------
    InputError
        If ``given`` names no input of the graph, or an extent is symbolic or out of range.
    """
    for name in given:
        if name not in inputs:
            known = ", ".join(repr(entry) for entry in inputs) or "none"
            raise InputError(f"shape given for {name!r}, which is no input of the graph; its inputs: {known}")
    return {name: _input_shape(name, value, given.get(name)) for name, value in inputs.items()}


def _input_shape(name: str, value: onnx.ValueInfoProto, given: Sequence[int] | None) -> Shape:
    what = f"input {name!r}"
    if not value.type.HasField("tensor_type"):
        raise InputError(f"{what} is not a tensor; sequences, maps and optional values cannot be mapped")
    tensor = value.type.tensor_type
    declared = list(tensor.shape.dim) if tensor.HasField("shape") else None
    remedy = f"give one with --shape {name}=1x3x224x224"
    if given is not None:
        if declared is not None and len(given) != len(declared):
            raise InputError(
                f"{what}: shape {list(given)} given, but the graph declares {len(declared)} extents"
            )
        return checked(given, what, "mend the given shape")
    if declared is None:
        raise InputError(f"{what} declares no shape; {remedy}")
    extents: list[int] = []
    for index, extent in enumerate(declared):
        if extent.HasField("dim_value"):
            extents.append(extent.dim_value)
        elif index == 0 and len(declared) > 1:
            extents.append(1)
        else:
            symbol = f"{extent.dim_param!r}" if extent.dim_param else "unknown"
            raise InputError(f"{what}: extent {index} is symbolic ({symbol}); {remedy}")
    return checked(extents, what, remedy)


def tensor_type(element_type: int, shape: Shape) -> onnx.TypeProto:
    """Return the ONNX type of a tensor."""
    result = onnx.TypeProto()
    result.tensor_type.elem_type = element_type
    dims = result.tensor_type.shape.dim
    for extent in shape:
        dims.add().dim_value = extent
    if not shape:
        result.tensor_type.shape.SetInParent()
    return result


def declared_types(graph: onnx.GraphProto) -> dict[str, onnx.TypeProto]:
    """Types with a known shape that the file itself states for inner tensors and outputs."""
    stated = [*graph.value_info, *graph.output]
    return {value.name: value.type for value in stated if known_shape(value.type) is not None}


def known_shape(value_type: onnx.TypeProto | None) -> Shape | None:
    """Shape of a tensor type, or ``None`` if any extent is unknown."""
    if value_type is None or not value_type.HasField("tensor_type"):
        return None
    tensor = value_type.tensor_type
    if not tensor.HasField("shape"):
        return None
    extents = tensor.shape.dim
    if not all(extent.HasField("dim_value") for extent in extents):
        return None
    return tuple(extent.dim_value for extent in extents)
