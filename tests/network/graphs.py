"""Small ONNX graphs for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mapopt.network.model import Network
from mapopt.network.reader import network_from_model

DATA = Path(__file__).parent.parent / "data" / "onnx"


def node(
    op: str, inputs: str, outputs: str, name: str = "", domain: str = "", **attributes: Any
) -> onnx.NodeProto:
    """Make a node; operands and results are separated by blanks, ``-`` omits an operand."""
    operands = ["" if entry == "-" else entry for entry in inputs.split()]
    return helper.make_node(op, operands, outputs.split(), name, domain=domain, **attributes)


def model(
    nodes: Sequence[onnx.NodeProto],
    *,
    inputs: Mapping[str, Sequence[int | str | None]] | None = None,
    outputs: str = "y",
    weights: Mapping[str, Sequence[int]] | None = None,
    values: Mapping[str, Any] | None = None,
    declared: Mapping[str, Sequence[int]] | None = None,
    opset: int = 17,
    element_type: int = TensorProto.FLOAT,
) -> onnx.ModelProto:
    """Make a model: ``weights`` have a shape but no data, ``values`` are initializers with data."""
    given = {"x": (1, 4, 8, 8)} if inputs is None else inputs
    stored = [stripped(name, shape) for name, shape in (weights or {}).items()]
    stored += [numpy_helper.from_array(np.asarray(value), name) for name, value in (values or {}).items()]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, element_type, shape) for name, shape in given.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs.split()],
        stored,
        value_info=[
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in (declared or {}).items()
        ],
    )
    opsets = [helper.make_opsetid("", opset)]
    if any(entry.domain for entry in nodes):
        opsets += [helper.make_opsetid(domain, 1) for domain in sorted({n.domain for n in nodes} - {""})]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def stripped(name: str, shape: Sequence[int], element_type: int = TensorProto.FLOAT) -> onnx.TensorProto:
    """Make an initializer whose data lies in an external file that does not exist."""
    tensor = TensorProto(name=name, dims=shape, data_type=element_type)
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="nowhere.bin")
    return tensor


def read(*nodes: onnx.NodeProto, fuse: bool = True, strict: bool = False, **options: Any) -> Network:
    """Read a model of these nodes; options as for ``model``."""
    return network_from_model(model(nodes, **options), "test", fuse=fuse, strict=strict)
