"""The structure of an ONNX model, checked: opset, names, and the operators in a topological order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from pathlib import Path

import onnx

from mapopt.documents import read_bytes
from mapopt.errors import InputError, UnsupportedError
from mapopt.network.contrib import lowered
from mapopt.network.functions import expand_functions
from mapopt.network.operators import Attribute


@dataclass(frozen=True, slots=True)
class Operator:
    """One ONNX operator under a unique name.

    ``untyped``: its operands need not have the element types that ONNX demands, because it stands for a
    quantised operator of another domain.
    """

    name: str
    domain: str
    proto: onnx.NodeProto
    untyped: bool = False

    @property
    def op(self) -> str:
        """Operator type, with its domain unless that is ONNX's own."""
        return f"{self.domain}.{self.proto.op_type}" if self.domain else self.proto.op_type

    def attributes(self) -> dict[str, Attribute]:
        """Integers, floats, strings and their lists; other attributes do not bear on work."""
        types = onnx.AttributeProto
        found: dict[str, Attribute] = {}
        for attribute in self.proto.attribute:
            if attribute.type == types.INT:
                found[attribute.name] = attribute.i
            elif attribute.type == types.INTS:
                found[attribute.name] = tuple(attribute.ints)
            elif attribute.type == types.FLOAT:
                found[attribute.name] = attribute.f
            elif attribute.type == types.FLOATS:
                found[attribute.name] = tuple(attribute.floats)
            elif attribute.type == types.STRING:
                found[attribute.name] = attribute.s.decode(errors="replace")
        return found


@dataclass(frozen=True, slots=True)
class OnnxGraph:
    """A checked ONNX graph.

    Parameters
    ----------
    model
        The model with its local functions expanded.
    opsets
        Version per operator set; ONNX's own has the key ``""``.
    operators
        In a topological order; the file's order where that is one already.
    inputs
        Graph inputs that are not initializers, by name.
    """

    model: onnx.ModelProto
    opsets: dict[str, int]
    operators: tuple[Operator, ...]
    inputs: dict[str, onnx.ValueInfoProto]


def load_model(path: Path) -> onnx.ModelProto:
    """Parse an ONNX file without touching external weight files.

    Raises
    ------
    InputError
        If the file cannot be read or is not an ONNX model.
    """
    data = read_bytes(path)
    try:
        return onnx.load_model_from_string(data)
    except Exception as error:  # protobuf's own exception type, or a text that is not UTF-8
        raise InputError(
            f"network file {str(path)!r}: not an ONNX model or cut off ({len(data)} bytes); export or download it again"
        ) from error


def check_graph(model: onnx.ModelProto) -> OnnxGraph:
    """Check a model's structure and order its operators.

    Raises
    ------
    InputError
        If the model has no operators or no opset, if names repeat, or if the graph has a cycle.
    UnsupportedError
        If it has control flow.
    """
    opsets = _opsets(model)
    if not model.graph.node:
        raise InputError("the model's graph has no nodes; a network needs at least one operator")
    if model.functions:
        model = expand_functions(model)
    _check_text(model.graph)
    names = _node_names(model.graph.node)
    operators = [_operator(name, node) for name, node in zip(names, model.graph.node, strict=True)]
    for operator in operators:
        _check_operator(operator, opsets)
    inputs = _graph_inputs(model.graph)
    return OnnxGraph(model, opsets, tuple(_ordered(operators, _writers(model.graph, operators))), inputs)


def _check_text(graph: onnx.GraphProto) -> None:
    """Refuse names that are not UTF-8, which protobuf hands out as bytes."""
    names = [value.name for value in [*graph.input, *graph.output, *graph.value_info, *graph.initializer]]
    names.extend(sparse.values.name for sparse in graph.sparse_initializer)
    for node in graph.node:
        names.extend((node.name, node.op_type, node.domain, *node.input, *node.output))
    for name in names:
        if not isinstance(name, str):
            raise InputError(f"name {name!r} is not valid UTF-8; the file is damaged, export it again")


def _opsets(model: onnx.ModelProto) -> dict[str, int]:
    newest = onnx.defs.onnx_opset_version()
    opsets: dict[str, int] = {}
    for entry in model.opset_import:
        if not isinstance(entry.domain, str) or not 1 <= entry.version < 2**31:
            raise InputError(
                f"the model imports version {entry.version} of operator set {entry.domain!r}; the version must be "
                "in 1..2**31-1 and the name UTF-8: export the network again"
            )
        opsets["" if entry.domain == "ai.onnx" else entry.domain] = entry.version
    if opsets.get("", 1) > newest:
        raise InputError(
            f"the model's opset is {opsets['']}; the installed onnx package knows 1..{newest}: "
            "upgrade the package or export with an older opset"
        )
    return opsets


def _operator(name: str, node: onnx.NodeProto) -> Operator:
    counterpart = lowered(node, name)
    if counterpart is not None:
        return Operator(name, "", counterpart, untyped=counterpart.op_type != node.op_type)
    return Operator(name, "" if node.domain == "ai.onnx" else node.domain, node)


def _check_operator(operator: Operator, opsets: dict[str, int]) -> None:
    node = operator.proto
    if not node.op_type:
        raise InputError(f"node {operator.name!r} has no operator type; the file is damaged, export it again")
    if not any(node.output):
        raise InputError(
            f"node {operator.name!r} ({operator.op}) has no results; the file is damaged, export it again"
        )
    if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
        raise UnsupportedError(
            f"node {operator.name!r} ({operator.op}) has a subgraph; control flow cannot be mapped: "
            "export the network with fixed shapes and no If, Loop or Scan"
        )
    if operator.domain == "" and "" not in opsets:
        raise InputError(
            f"the model imports no ONNX opset, but node {operator.name!r} ({operator.op}) needs one; "
            "set opset_import or export the network again"
        )


def _node_names(nodes: Sequence[onnx.NodeProto]) -> list[str]:
    """Name every node; one without a name is called after its operator type and a running number."""
    given = Counter(node.name for node in nodes if node.name)
    for name, count in given.items():
        if count > 1:
            raise InputError(
                f"node name {name!r} appears {count} times; node names must be unique, rename them"
            )
    names: list[str] = []
    running: Counter[str] = Counter()
    for node in nodes:
        name = node.name
        while not name or (not node.name and name in given):
            name = f"{node.op_type or 'node'}_{running[node.op_type]}"
            running[node.op_type] += 1
        names.append(name)
    return names


def _graph_inputs(graph: onnx.GraphProto) -> dict[str, onnx.ValueInfoProto]:
    stored: set[str] = set()
    for name in [tensor.name for tensor in graph.initializer] + [
        t.values.name for t in graph.sparse_initializer
    ]:
        if name in stored:
            raise InputError(f"initializer {name!r} appears twice; tensor names must be unique")
        stored.add(name)
    inputs: dict[str, onnx.ValueInfoProto] = {}
    for value in graph.input:
        if not value.name:
            raise InputError("a graph input has no name; the file is damaged, export it again")
        if value.name in inputs:
            raise InputError(f"graph input {value.name!r} appears twice; tensor names must be unique")
        if value.name not in stored:
            inputs[value.name] = value
    return inputs


def _writers(graph: onnx.GraphProto, operators: Sequence[Operator]) -> dict[str, int]:
    """Index of the operator that writes each tensor."""
    given = {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}
    writers: dict[str, int] = {}
    for index, operator in enumerate(operators):
        for name in operator.proto.output:
            if not name:
                continue
            if name in writers:
                first = operators[writers[name]].name
                raise InputError(
                    f"tensor {name!r} is written by nodes {first!r} and {operator.name!r}; "
                    "a tensor must be written once"
                )
            if name in given:
                raise InputError(
                    f"tensor {name!r} is a graph input or initializer and is written by node {operator.name!r}; "
                    "a tensor must be written once"
                )
            writers[name] = index
    return writers


def _ordered(operators: Sequence[Operator], writers: dict[str, int]) -> list[Operator]:
    """Sort topologically, earliest position in the file first (Kahn's algorithm with a heap)."""
    waiting = [0] * len(operators)
    readers: list[list[int]] = [[] for _ in operators]
    for index, operator in enumerate(operators):
        sources = {writers[name] for name in operator.proto.input if name in writers}
        waiting[index] = len(sources)
        for source in sorted(sources):
            readers[source].append(index)
    ready = [index for index, count in enumerate(waiting) if not count]
    heapify(ready)
    order: list[Operator] = []
    while ready:
        index = heappop(ready)
        order.append(operators[index])
        for reader in readers[index]:
            waiting[reader] -= 1
            if not waiting[reader]:
                heappush(ready, reader)
    if len(order) < len(operators):
        cycle = _cycle(operators, writers, waiting)
        raise InputError(f"the graph has a cycle: {' -> '.join(cycle)}; a network must be acyclic")
    return order


def _cycle(operators: Sequence[Operator], writers: dict[str, int], waiting: list[int]) -> list[str]:
    """Follow unfinished predecessors until one repeats."""
    index = next(index for index, count in enumerate(waiting) if count)
    seen: dict[int, int] = {}
    trail: list[int] = []
    while index not in seen:
        seen[index] = len(trail)
        trail.append(index)
        index = next(
            writers[name]
            for name in operators[index].proto.input
            if name in writers and waiting[writers[name]]
        )
    names = [operators[entry].name for entry in reversed(trail[seen[index] :])]
    shown = names if len(names) <= 6 else [*names[:5], "..."]
    return [*shown, names[0]]
