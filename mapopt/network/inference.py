"""Shapes of every operator's results, by ONNX's own shape functions, one operator at a time."""

from __future__ import annotations

import onnx

from mapopt.errors import InputError, UnsupportedError
from mapopt.network.constants import MAX_EVALUATED, Constants
from mapopt.network.onnx_graph import OnnxGraph, Operator
from mapopt.network.operators import GENERIC, KINDS, NORMALISATION, Shape
from mapopt.network.shapes import checked, declared_types, known_shape, tensor_type

_DATA_DEPENDENT = frozenset(["NonZero", "Compress", "Unique"])
_FLOAT_SHAPE_ARITHMETIC = frozenset(["Resize", "Upsample", "Range"])
_INDEX_TYPES = frozenset({onnx.TensorProto.INT64, onnx.TensorProto.INT32})


class ShapeInference:
    """The types of all tensors seen so far.

    Parameters
    ----------
    graph
        A checked graph.
    constants
        Its constants, filled by the caller as operators are visited.

    Attributes
    ----------
    declared
        Types that the file states for inner tensors; the last resort for operators without a shape function.
    """

    def __init__(self, graph: OnnxGraph, constants: Constants) -> None:
        self.declared = declared_types(graph.model.graph)
        self._constants = constants
        self._types: dict[str, onnx.TypeProto] = {}
        self._versions = graph.opsets
        self._opsets = [onnx.helper.make_opsetid(*entry) for entry in graph.opsets.items()]
        self._ir_version = graph.model.ir_version
        self._needed = {name for operator in graph.operators for name in operator.proto.input}
        self._needed.update(value.name for value in graph.model.graph.output)

    def enter(self, name: str, shape: Shape, element_type: int) -> None:
        """Add an input of the graph."""
        self._types[name] = tensor_type(element_type, shape)

    def results(self, operator: Operator, *, folded: bool) -> dict[str, tuple[Shape, int]]:
        """Shape and element type of the first result and of those that something reads.

        Parameters
        ----------
        operator
            All its operands must have been seen before.
        folded
            Whether all its operands are constants.

        Raises
        ------
        InputError
            If the operator breaks its schema, its operands do not fit, or the shape depends on data.
        """
        node = operator.proto
        if folded and node.op_type in _DATA_DEPENDENT:
            values = self._constants.compute(node) or []
            for name, value in zip(node.output, values, strict=False):
                if name:
                    self._constants.know(name, value)
            if values:
                return {}
        types, data = self._operand_types(operator)
        inferred = _infer(operator, types, data, self._opsets, self._ir_version)
        results: dict[str, tuple[Shape, int]] = {}
        for index, name in enumerate(node.output):
            if not name or (index and name not in self._needed):
                continue
            result = inferred.get(name)
            shape = known_shape(result)
            if shape is None:
                result, shape = self._fallback(operator, name, result)
            if shape is None or result is None:
                raise self._unknown_shape(operator, name)
            remedy = "mend the operator's attributes or the input shape"
            what = f"result {name!r} of node {operator.name!r} ({operator.op})"
            checked(shape, what, remedy, least=0 if folded else 1)
            element_type = result.tensor_type.elem_type
            if operator.untyped:
                element_type = self._types[next(iter(types))].tensor_type.elem_type
            results[name] = (shape, element_type)
            self._types[name] = tensor_type(element_type, shape)
        return results

    def _operand_types(
        self, operator: Operator
    ) -> tuple[dict[str, onnx.TypeProto], dict[str, onnx.TensorProto]]:
        types: dict[str, onnx.TypeProto] = {}
        data: dict[str, onnx.TensorProto] = {}
        for name in operator.proto.input:
            if not name or name in types:
                continue
            if name not in self._types:
                constant = self._constants[name]
                self._types[name] = tensor_type(constant.element_type, constant.shape)
            types[name] = self._types[name]
            if operator.untyped:
                types[name] = tensor_type(onnx.TensorProto.FLOAT, known_shape(self._types[name]) or ())
            if name in self._constants and self._may_shape(operator.op, name):
                value = self._constants.value(name)
                if value is not None:
                    data[name] = onnx.numpy_helper.from_array(value, name)
        return types, data

    def _may_shape(self, op: str, name: str) -> bool:
        constant = self._constants[name]
        return constant.elements <= MAX_EVALUATED and (
            constant.element_type in _INDEX_TYPES or op in _FLOAT_SHAPE_ARITHMETIC
        )

    def _fallback(
        self, operator: Operator, name: str, inferred: onnx.TypeProto | None
    ) -> tuple[onnx.TypeProto | None, Shape | None]:
        """Shape of a result without a shape function: that of the operand, or the one the file declares."""
        if inferred is not None and not inferred.HasField("tensor_type"):
            raise UnsupportedError(
                f"node {operator.name!r} ({operator.op}): result {name!r} is not a tensor; sequences and "
                "optional values cannot be mapped"
            )
        kind = KINDS.get(operator.op, GENERIC)
        first = operator.proto.input[0] if operator.proto.input else ""
        if first and (kind is NORMALISATION or (kind.elementwise and len(operator.proto.input) == 1)):
            return self._types[first], known_shape(self._types[first])
        declared = self.declared.get(name)
        return declared, known_shape(declared)

    def _unknown_shape(self, operator: Operator, name: str) -> InputError:
        op, domain = operator.proto.op_type, operator.domain
        if not onnx.defs.has(op, domain):
            cause = "the operator is unknown and the file declares no shape for it"
            remedy = "store the tensor's shape in the file's value_info"
        elif not onnx.defs.has(op, self._versions.get(domain, 0), domain):
            cause = f"the operator does not exist in opset {self._versions.get(domain)}"
            remedy = "correct the file's opset_import"
        else:
            cause = "ONNX's shape function does not tell it, mostly because it depends on data"
            remedy = "export the network with fixed shapes, or cut the graph before this node"
        return InputError(
            f"node {operator.name!r} ({operator.op}): the shape of result {name!r} cannot be found, {cause}; {remedy}"
        )


def _infer(
    operator: Operator,
    types: dict[str, onnx.TypeProto],
    data: dict[str, onnx.TensorProto],
    opsets: list[onnx.OperatorSetIdProto],
    ir_version: int,
) -> dict[str, onnx.TypeProto]:
    """Types of an operator's results by ONNX's shape function; empty for an operator without a schema."""
    domain, op = operator.domain, operator.proto.op_type
    version = next((entry.version for entry in opsets if entry.domain == domain), None)
    if version is None or not onnx.defs.has(op, domain):
        return {}
    try:
        schema = onnx.defs.get_schema(op, version, domain)
    except onnx.defs.SchemaError:  # not defined in that version
        return {}
    try:
        return onnx.shape_inference.infer_node_outputs(
            schema, operator.proto, types, data, opset_imports=opsets, ir_version=ir_version
        )
    except Exception as error:  # the C++ library raises several types, all of them mean a bad operator
        reason = " ".join(str(error).split())
        raise InputError(
            f"node {operator.name!r} ({operator.op}): ONNX's shape inference rejects it ({reason}); "
            "mend the operands or the input shape"
        ) from error
