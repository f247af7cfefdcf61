"""Local functions of an ONNX model, as one of PyTorch's exporters writes them, expanded in place."""

from __future__ import annotations

from collections.abc import Sequence

import onnx

from mapopt.errors import InputError

MAX_INLINED_NODES = 200_000
"""Operators that a model may have after its local functions are expanded."""


def expand_functions(model: onnx.ModelProto) -> onnx.ModelProto:
    """Replace calls of local functions by their bodies.

    Raises
    ------
    InputError
        If a function calls itself or the expanded model would be absurdly large.
    """
    _check_expansion(model)
    from onnx.inliner import inline_local_functions

    try:
        expanded = inline_local_functions(model)
    except Exception as error:
        raise InputError(
            f"the model's local functions cannot be expanded: {error}; export it again"
        ) from error
    if not expanded.graph.node:
        raise InputError("the model's graph has no nodes; a network needs at least one operator")
    return expanded


def _check_expansion(model: onnx.ModelProto) -> None:
    """Refuse functions that call themselves or that expand to an absurd number of operators."""
    bodies = {(function.domain, function.name): function for function in model.functions}
    sizes: dict[tuple[str, str], int] = {}

    def size(nodes: Sequence[onnx.NodeProto]) -> int:
        return sum(sizes.get((node.domain, node.op_type), 1) for node in nodes)

    open_calls: dict[tuple[str, str], None] = {}
    stack = list(reversed(bodies))
    while stack:
        key = stack[-1]
        if key in sizes:
            stack.pop()
            continue
        open_calls[key] = None
        callees = [(node.domain, node.op_type) for node in bodies[key].node]
        missing = [callee for callee in callees if callee in bodies and callee not in sizes]
        for callee in missing:
            if callee in open_calls:
                raise InputError(f"local function {callee[1]!r} calls itself; recursion cannot be expanded")
        if missing:
            stack.append(missing[0])
            continue
        sizes[key] = size(bodies[key].node)
        del open_calls[key]
        stack.pop()
    total = size(model.graph.node)
    if total > MAX_INLINED_NODES:
        raise InputError(
            f"the model expands to {total} operators; at most {MAX_INLINED_NODES} are read: export a smaller part"
        )
