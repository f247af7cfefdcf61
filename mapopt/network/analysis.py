"""One pass over a graph's operators: shapes, constants, views, and the work of every remaining operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from mapopt.errors import InputError, UnsupportedError
from mapopt.network.constants import Constants
from mapopt.network.fusion import Step
from mapopt.network.inference import ShapeInference
from mapopt.network.matrices import weight_matrix
from mapopt.network.model import WeightMatrix
from mapopt.network.onnx_graph import OnnxGraph, Operator
from mapopt.network.operators import BASE, GENERIC, KINDS, Call, Kind, Shape
from mapopt.network.shapes import MAX_ELEMENTS, checked, input_shapes, known_shape
from mapopt.network.weights import LIKELY_WEIGHTS, is_weight, stripped_weights

_RANDOM = frozenset(["RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli"])


@dataclass(frozen=True, slots=True)
class Work:
    """An operator that remains in the network, with everything that is counted of it."""

    name: str
    op: str
    step: Step
    matrix: WeightMatrix | None
    macs: int
    operations: int
    weights: Mapping[str, int]
    """Elements per stored weight tensor."""


class Analysis:
    """The state of the pass.

    Parameters
    ----------
    graph
        A checked graph.
    shapes
        Concrete shapes that replace those of graph inputs.
    strict
        Whether an operator without a cost formula is an error.

    Attributes
    ----------
    work
        The operators that remain, in topological order.
    shapes
        Shape of every activation.
    constants
        Everything that does not depend on the inputs.
    warnings
        What was assumed.
    """

    def __init__(self, graph: OnnxGraph, shapes: Mapping[str, Sequence[int]], *, strict: bool) -> None:
        self.graph = graph
        self.strict = strict
        self.work: list[Work] = []
        self.warnings: list[str] = []
        self.shapes: dict[str, Shape] = {}
        self.constants = Constants(graph.opsets)
        self._inference = ShapeInference(graph, self.constants)
        self._alias: dict[str, str] = {}
        self._unknown: dict[str, list[str]] = {}
        self._store_initializers()
        self._open_inputs(shapes)
        for operator in graph.operators:
            self._visit(operator)
        self._warn_of_unknown()

    def resolve(self, name: str) -> str:
        """Return the tensor that ``name`` is a view of."""
        return self._alias.get(name, name)

    def _store_initializers(self) -> None:
        remedy = "the file is damaged, export it again"
        for tensor in self.graph.model.graph.initializer:
            checked(tensor.dims, f"initializer {tensor.name!r}", remedy, least=0)
            self.constants.store(tensor.name, tensor, literal=False)
        for sparse in self.graph.model.graph.sparse_initializer:
            name = sparse.values.name
            shape = checked(sparse.dims, f"initializer {name!r}", remedy, least=0)
            self.constants.declare(name, shape, sparse.values.data_type)

    def _open_inputs(self, given: Mapping[str, Sequence[int]]) -> None:
        stripped = dict.fromkeys(stripped_weights(self.graph))
        for name, shape in input_shapes(self.graph.inputs, given).items():
            element_type = self.graph.inputs[name].type.tensor_type.elem_type
            if name in stripped:
                self.constants.declare(name, shape, element_type)
            else:
                self.shapes[name] = shape
                self._inference.enter(name, shape, element_type)
            declared = known_shape(self.graph.inputs[name].type)
            if declared is not None and declared != shape:
                self._inference.declared = {}  # inner shapes of the file belong to the declared input shape
        if stripped:
            self.warnings.append(
                f"{len(stripped)} graph inputs, the first is {next(iter(stripped))!r}, are read as weights without data"
            )

    def _visit(self, operator: Operator) -> None:
        node = operator.proto
        if operator.op == "Constant":
            self.constants.store_literal(operator.name, node)
            return
        for index, name in enumerate(node.input):
            if name and name not in self.constants and name not in self.shapes:
                self._missing_operand(operator, index, name)
        if operator.op in ("Shape", "Size") and node.input and node.input[0]:
            self._fold_shape(operator)
            return
        operands = [name for name in node.input if name]
        folded = (
            bool(operands) and all(name in self.constants for name in operands) and operator.op not in _RANDOM
        )
        types = self._inference.results(operator, folded=folded)
        if folded:
            for name, (shape, element_type) in types.items():
                self.constants.derive(name, node, shape, element_type)
            return
        kind = KINDS.get(operator.op, GENERIC)
        if kind.view and node.input and node.input[0]:
            self._view(operator, types)
            return
        self._keep(operator, kind, types)

    def _missing_operand(self, operator: Operator, index: int, name: str) -> None:
        declared = self._inference.declared.get(name)
        shape = known_shape(declared)
        if index not in LIKELY_WEIGHTS.get(operator.op, ()) or declared is None or shape is None:
            raise InputError(
                f"node {operator.name!r} ({operator.op}) reads tensor {name!r}, which is no graph input, no "
                "initializer and written by no node; export the network again, or declare the tensor's shape"
            )
        remedy = "the file is damaged, export it again"
        self.constants.declare(
            name, checked(shape, f"tensor {name!r}", remedy), declared.tensor_type.elem_type
        )
        self.warnings.append(f"tensor {name!r} is missing; it is read as a weight of shape {list(shape)}")

    def _fold_shape(self, operator: Operator) -> None:
        node = operator.proto
        name = node.input[0]
        shape = self.constants[name].shape if name in self.constants else self.shapes[name]
        if operator.op == "Size":
            value = np.array(prod(shape), dtype=np.int64)
        else:
            call = Call(operator.name, operator.op, operator.attributes(), (shape,), (False,), ())
            value = np.array(
                shape[call.integer("start", 0) : call.integer("end", len(shape))], dtype=np.int64
            )
        self.constants.know(node.output[0], value)

    def _view(self, operator: Operator, types: Mapping[str, tuple[Shape, int]]) -> None:
        source, *_ = operator.proto.input
        for index, (name, (shape, element_type)) in enumerate(types.items()):
            if index:  # the mask of Dropout, all ones in inference
                self.constants.declare(name, shape, element_type)
            elif source in self.constants:
                self.constants.rename(name, source, shape, element_type)
            else:
                if prod(shape) != prod(self.shapes[source]):
                    raise InputError(
                        f"node {operator.name!r} ({operator.op}) turns shape {list(self.shapes[source])} into "
                        f"{list(shape)}; both must have the same number of elements: mend the shape"
                    )
                self.shapes[name] = shape
                self._alias[name] = self.resolve(source)

    def _keep(self, operator: Operator, kind: Kind, types: Mapping[str, tuple[Shape, int]]) -> None:
        node = operator.proto
        if not types:
            raise InputError(
                f"node {operator.name!r} ({operator.op}) has no results; remove it or export again"
            )
        if kind is GENERIC:
            if self.strict:
                raise UnsupportedError(
                    f"node {operator.name!r}: operator {operator.op!r} has no cost formula; "
                    "read without strictness to give it the generic digital cost"
                )
            self._unknown.setdefault(operator.op, []).append(operator.name)
        for name, (shape, _) in types.items():
            self.shapes[name] = shape
        call = Call(
            operator.name,
            operator.op,
            operator.attributes(),
            tuple(self._shape(name) for name in node.input),
            tuple(name in self.constants for name in node.input),
            tuple(shape for shape, _ in types.values()),
        )
        matrix = weight_matrix(call) if kind is BASE else None
        operations = kind.operations(call)
        if operations > MAX_ELEMENTS:
            raise InputError(
                f"node {operator.name!r} ({operator.op}) needs {operations} operations per frame; "
                "at most 2**62 are counted: mend the shapes"
            )
        activations = dict.fromkeys(self.resolve(name) for name in node.input if name in self.shapes)
        step = Step(tuple(activations), tuple(types), kind.elementwise, prod(call.outputs[0]))
        weights = {
            self.constants[name].root: self.constants[name].root_elements
            for index, name in enumerate(node.input)
            if name in self.constants and is_weight(operator.op, kind, index, self.constants[name])
        }
        macs = operations if kind is BASE else 0
        self.work.append(Work(operator.name, operator.op, step, matrix, macs, operations, weights))

    def _shape(self, name: str) -> Shape | None:
        if not name:
            return None
        return self.constants[name].shape if name in self.constants else self.shapes[name]

    def _warn_of_unknown(self) -> None:
        for op, names in self._unknown.items():
            others = f" and {len(names) - 1} more" if len(names) > 1 else ""
            self.warnings.append(
                f"operator {op!r} has no cost formula (node {names[0]!r}{others}); one operation per "
                "result element is assumed"
            )
