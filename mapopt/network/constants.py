"""Constants of an ONNX graph: their shapes, where their elements are stored, and small values on demand.

Weights are never read; shape arithmetic (Shape, Gather, Concat, Cast...) is evaluated when a shape depends on
it, by the reference evaluator of the onnx package, and only where every tensor involved is small.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np
import onnx
from numpy.typing import NDArray

from mapopt.errors import InputError, UnsupportedError
from mapopt.network.operators import Shape
from mapopt.network.shapes import checked

MAX_EVALUATED = 4096
"""Elements of the largest tensor whose value is evaluated."""

FLOATS = frozenset(
    {
        onnx.TensorProto.FLOAT,
        onnx.TensorProto.FLOAT16,
        onnx.TensorProto.BFLOAT16,
        onnx.TensorProto.DOUBLE,
    }
)
"""Element types of floating-point numbers."""

RENAMING = frozenset(
    [
        "Identity",
        "Reshape",
        "Flatten",
        "Squeeze",
        "Unsqueeze",
        "Transpose",
        "Cast",
        "CastLike",
        "Dropout",
        "QuantizeLinear",
        "DequantizeLinear",
    ]
)
"""Operators whose result holds the same elements as their first operand."""

Value = NDArray[np.generic]


@dataclass(slots=True)
class Constant:
    """A tensor that does not depend on the network's inputs.

    Parameters
    ----------
    shape, element_type
        Extents and ONNX element type.
    root
        Name of the stored tensor that its elements come from.
    root_elements
        Elements of that tensor.
    literal
        Whether it is written into the graph as a number (a Constant node, or computed from such nodes) and not
        stored as an initializer.
    """

    shape: Shape
    element_type: int
    root: str
    root_elements: int
    literal: bool
    stored: onnx.TensorProto | None = None
    source: onnx.NodeProto | None = None
    value: Value | None = None
    tried: bool = False

    @property
    def elements(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def is_float(self) -> bool:
        """Whether the elements are floating-point numbers."""
        return self.element_type in FLOATS


@dataclass(slots=True)
class Constants:
    """All constants of a graph by tensor name."""

    opsets: Mapping[str, int]
    table: dict[str, Constant] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.table

    def __getitem__(self, name: str) -> Constant:
        return self.table[name]

    def store(self, name: str, tensor: onnx.TensorProto, *, literal: bool) -> Constant:
        """Add a stored tensor; its data may be missing or external."""
        shape = tuple(tensor.dims)
        constant = Constant(shape, tensor.data_type, name, prod(shape), literal, stored=tensor)
        self.table[name] = constant
        return constant

    def store_literal(self, node_name: str, node: onnx.NodeProto) -> None:
        """Add the result of a Constant node.

        Raises
        ------
        InputError
            If the node is malformed or its constant is not numeric.
        """
        what = f"node {node_name!r} (Constant)"
        remedy = "the file is damaged, export it again"
        if len(node.output) != 1 or not node.output[0] or len(node.attribute) != 1:
            raise InputError(f"{what}: it needs one result and one attribute; {remedy}")
        name, attribute = node.output[0], node.attribute[0]
        if attribute.HasField("t"):
            checked(attribute.t.dims, what, remedy, least=0)
            self.store(name, attribute.t, literal=True)
        elif attribute.HasField("sparse_tensor"):
            shape = checked(attribute.sparse_tensor.dims, what, remedy, least=0)
            self.declare(name, shape, attribute.sparse_tensor.values.data_type)
        elif attribute.name == "value_int":
            self.know(name, np.array(attribute.i, dtype=np.int64))
        elif attribute.name == "value_ints":
            self.know(name, np.array(attribute.ints, dtype=np.int64))
        elif attribute.name == "value_float":
            self.know(name, np.array(attribute.f, dtype=np.float32))
        elif attribute.name == "value_floats":
            self.know(name, np.array(attribute.floats, dtype=np.float32))
        else:
            raise UnsupportedError(
                f"{what}: attribute {attribute.name!r} is not supported; store a tensor instead"
            )

    def declare(self, name: str, shape: Shape, element_type: int) -> Constant:
        """Add a tensor of which only the shape is known."""
        constant = Constant(shape, element_type, name, prod(shape), literal=False, tried=True)
        self.table[name] = constant
        return constant

    def know(self, name: str, value: Value) -> Constant:
        """Add a computed number or vector, such as a shape."""
        element_type = onnx.helper.np_dtype_to_tensor_dtype(value.dtype)
        constant = Constant(
            value.shape, element_type, name, value.size, literal=True, value=value, tried=True
        )
        self.table[name] = constant
        return constant

    def derive(self, name: str, node: onnx.NodeProto, shape: Shape, element_type: int) -> Constant:
        """Add a result of ``node``, all of whose operands are constants."""
        if node.op_type in RENAMING:
            constant = self.rename(name, node.input[0], shape, element_type)
            constant.tried = False
        else:
            constant = Constant(shape, element_type, name, prod(shape), literal=False)
            if node.op_type != "ConstantOfShape":
                constant.literal = all(self.table[operand].literal for operand in node.input if operand)
            self.table[name] = constant
        constant.source = node
        return constant

    def rename(self, name: str, of: str, shape: Shape, element_type: int) -> Constant:
        """Add a view of the constant ``of``, its value unknown."""
        origin = self.table[of]
        constant = Constant(
            shape, element_type, origin.root, origin.root_elements, origin.literal, tried=True
        )
        self.table[name] = constant
        return constant

    def value(self, name: str) -> Value | None:
        """Value of a small constant, or ``None`` if it is large, missing, external or cannot be computed."""
        pending = [name]
        while pending:
            constant = self.table[pending[-1]]
            operands = self._operands(constant)
            missing = [operand for operand in operands if not self.table[operand].tried]
            if missing and not constant.tried:
                pending.extend(missing)
                continue
            if not constant.tried:
                constant.value = self._evaluate(pending[-1], constant)
                constant.tried = True
            pending.pop()
        return self.table[name].value

    def compute(self, node: onnx.NodeProto) -> list[Value] | None:
        """Results of an operator on small constants, or ``None`` if they cannot be computed."""
        operands = {name: self.value(name) for name in node.input if name}
        if any(value is None for value in operands.values()):
            return None
        try:
            return _run(node, operands, self.opsets)
        except Exception:  # whatever the evaluator dislikes stays unknown
            return None

    def _operands(self, constant: Constant) -> list[str]:
        if constant.source is None or constant.elements > MAX_EVALUATED:
            return []
        return [name for name in constant.source.input if name]

    def _evaluate(self, name: str, constant: Constant) -> Value | None:
        if constant.elements > MAX_EVALUATED:
            return None
        if constant.stored is not None:
            return _stored_value(constant.stored)
        if constant.source is None:
            return None
        results = self.compute(constant.source)
        if results is None:
            return None
        value = results[list(constant.source.output).index(name)]
        return value if value.shape == constant.shape else None


def _stored_value(tensor: onnx.TensorProto) -> Value | None:
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        return None
    try:
        return onnx.numpy_helper.to_array(tensor)
    except Exception:  # data stripped or damaged: the value is unknown
        return None


def _run(
    node: onnx.NodeProto, operands: Mapping[str, Value | None], opsets: Mapping[str, int]
) -> list[Value]:
    """Evaluate one operator with the reference evaluator of the onnx package."""
    from onnx import helper
    from onnx.reference import ReferenceEvaluator

    graph = helper.make_graph(
        [node],
        "constant",
        [onnx.ValueInfoProto(name=name) for name in operands],
        [onnx.ValueInfoProto(name=name) for name in node.output if name],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(*entry) for entry in opsets.items()])
    with np.errstate(all="ignore"):
        results = ReferenceEvaluator(model).run(None, dict(operands))
    return [np.asarray(result) for result in results]
