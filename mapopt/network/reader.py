"""Read an ONNX file as a network: concrete shapes, folded constants, fused followers, counted work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

import onnx

from mapopt.errors import InputError
from mapopt.network.analysis import Analysis, Work
from mapopt.network.fusion import fused_groups
from mapopt.network.model import Network, Node, Tensor
from mapopt.network.onnx_graph import check_graph, load_model


def read_onnx(
    path: str | PathLike[str],
    *,
    shapes: Mapping[str, Sequence[int]] | None = None,
    fuse: bool = True,
    strict: bool = False,
) -> Network:
    """Read an ONNX file.

    Weights are never loaded: they may be stored, external, missing or given by ConstantOfShape nodes.

    Parameters
    ----------
    path
        The file; its stem becomes the network's name.
    shapes
        Concrete shape per graph input, e.g. ``{"input": (1, 3, 224, 224)}``. A symbolic batch defaults to 1.
    fuse
        Whether element-wise followers are fused into their producer.
    strict
        Whether an operator without a cost formula is an error instead of a warning.

    Returns
    -------
    The network.

    Raises
    ------
    InputError
        If the file is not a network that can be mapped; the message names the object, the rule and the remedy.
    """
    file = Path(path)
    return network_from_model(load_model(file), file.stem, shapes=shapes, fuse=fuse, strict=strict)


def network_from_model(
    model: onnx.ModelProto,
    name: str,
    *,
    shapes: Mapping[str, Sequence[int]] | None = None,
    fuse: bool = True,
    strict: bool = False,
) -> Network:
    """Turn a parsed ONNX model into a network; see :func:`read_onnx`."""
    graph = check_graph(model)
    analysis = Analysis(graph, shapes or {}, strict=strict)
    outputs = _outputs(graph.model.graph, analysis)
    steps = [work.step for work in analysis.work]
    groups = fused_groups(steps, outputs) if fuse else [[index] for index in range(len(steps))]
    nodes = tuple(_node([analysis.work[index] for index in group]) for group in groups)
    inputs = tuple(entry for entry in graph.inputs if entry in analysis.shapes)
    names = [*inputs, *(tensor for node in nodes for tensor in (*node.inputs, *node.outputs))]
    weights = {root: elements for work in analysis.work for root, elements in work.weights.items()}
    return Network(
        name,
        nodes,
        {tensor: Tensor(tensor, analysis.shapes[tensor]) for tensor in dict.fromkeys(names)},
        inputs,
        tuple(outputs),
        sum(work.macs for work in analysis.work if work.matrix is not None),
        sum(weights.values()),
        tuple(analysis.warnings),
    )


def _outputs(graph: onnx.GraphProto, analysis: Analysis) -> dict[str, None]:
    """Activations that the network hands out, views resolved, each once."""
    found: dict[str, None] = {}
    for value in graph.output:
        if value.name in analysis.shapes:
            found[analysis.resolve(value.name)] = None
        elif value.name in analysis.constants:
            analysis.warnings.append(f"graph output {value.name!r} is constant and left out")
        else:
            raise InputError(f"graph output {value.name!r} is written by no node; export the network again")
    if not found:
        raise InputError("the graph has no output that depends on its inputs; declare one")
    return found


def _node(group: list[Work]) -> Node:
    leader, *followers = group
    weights = {root: elements for work in group for root, elements in work.weights.items()}
    return Node(
        leader.name,
        leader.op,
        leader.step.inputs,
        group[-1].step.outputs,
        fused=tuple(work.op for work in followers),
        matrix=leader.matrix,
        macs=leader.macs,
        weights=sum(weights.values()),
        operations=leader.operations,
        fused_operations=sum(work.operations for work in followers),
    )
