"""Build ONNX graphs layer by layer, with weights that have a shape but no stored data.

Every weight is the result of a ConstantOfShape node, as in the light models of the onnx package: the model stays
a few kilobytes, is valid ONNX and runs in any runtime.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import onnx
from onnx import TensorProto, helper

OPSET = 17
IR_VERSION = 8


class Builder:
    """An ONNX graph under construction; a layer's method returns the name of the tensor it writes.

    Nodes and their results carry the layer's name, e.g. ``layer1.0.conv1``; weights are called after the
    layer and their role, e.g. ``layer1.0.conv1.weight``.

    Parameters
    ----------
    name
        Name of the graph.
    shape
        Shape of the single input, ``(batch, channels, height, width)``.
    """

    def __init__(self, name: str, shape: Sequence[int]) -> None:
        self.name = name
        self.input = "input"
        self.channels = {self.input: shape[1]}
        self._inputs = [helper.make_tensor_value_info(self.input, TensorProto.FLOAT, shape)]
        self._nodes: list[onnx.NodeProto] = []
        self._stored: list[onnx.TensorProto] = []

    def node(self, op: str, name: str, inputs: Sequence[str], channels: int, **attributes: Any) -> str:
        """Add any operator with one result of ``channels`` channels."""
        return self.nodes(op, name, inputs, [name], [channels], **attributes)[0]

    def nodes(
        self,
        op: str,
        name: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        channels: Sequence[int],
        **attributes: Any,
    ) -> list[str]:
        """Add any operator with several results."""
        self._nodes.append(helper.make_node(op, inputs, outputs, name, **attributes))
        self.channels.update(zip(outputs, channels, strict=True))
        return list(outputs)

    def weight(self, name: str, shape: Sequence[int]) -> str:
        """Add a weight tensor without data."""
        self._stored.append(helper.make_tensor(f"{name}.shape", TensorProto.INT64, [len(shape)], shape))
        self._nodes.append(helper.make_node("ConstantOfShape", [f"{name}.shape"], [name], name))
        return name

    def constant(self, name: str, values: Sequence[int] | Sequence[float], shape: Sequence[int]) -> str:
        """Add numbers that belong to the computation and are not weights: floats or int64 by their type."""
        element_type = TensorProto.INT64 if isinstance(values[0], int) else TensorProto.FLOAT
        tensor = helper.make_tensor(f"{name}.value", element_type, shape, values)
        self._nodes.append(helper.make_node("Constant", [], [name], name, value=tensor))
        return name

    def conv(
        self,
        name: str,
        source: str,
        channels: int,
        kernel: int,
        *,
        stride: int = 1,
        padding: int | tuple[int, int, int, int] = 0,
        groups: int = 1,
        bias: bool = False,
    ) -> str:
        """Add a square convolution; ``padding`` on all sides, or (top, left, bottom, right)."""
        shape = [channels, self.channels[source] // groups, kernel, kernel]
        operands = [source, self.weight(f"{name}.weight", shape)]
        if bias:
            operands.append(self.weight(f"{name}.bias", [channels]))
        pads = [padding] * 4 if isinstance(padding, int) else list(padding)
        return self.node(
            "Conv",
            name,
            operands,
            channels,
            kernel_shape=[kernel] * 2,
            strides=[stride] * 2,
            pads=pads,
            group=groups,
        )

    def batch_norm(self, name: str, source: str) -> str:
        """Add a BatchNormalization with its four per-channel vectors."""
        channels = self.channels[source]
        roles = ("weight", "bias", "running_mean", "running_var")
        operands = [source, *(self.weight(f"{name}.{role}", [channels]) for role in roles)]
        return self.node("BatchNormalization", name, operands, channels)

    def relu(self, name: str, source: str) -> str:
        """Add a rectifier."""
        return self.node("Relu", name, [source], self.channels[source])

    def add(self, name: str, left: str, right: str) -> str:
        """Add the sum of two activations."""
        return self.node("Add", name, [left, right], self.channels[left])

    def concat(self, name: str, sources: Sequence[str]) -> str:
        """Concatenate along the channels."""
        return self.node("Concat", name, sources, sum(self.channels[source] for source in sources), axis=1)

    def max_pool(
        self, name: str, source: str, kernel: int, *, stride: int, padding: int = 0, ceil_mode: bool = False
    ) -> str:
        """Add a square maximum pooling."""
        return self.node(
            "MaxPool",
            name,
            [source],
            self.channels[source],
            kernel_shape=[kernel] * 2,
            strides=[stride] * 2,
            pads=[padding] * 4,
            ceil_mode=int(ceil_mode),
        )

    def global_average_pool(self, name: str, source: str) -> str:
        """Add an average over all pixels of each channel."""
        return self.node("GlobalAveragePool", name, [source], self.channels[source])

    def linear(self, name: str, source: str, inputs: int, outputs: int) -> str:
        """Add a dense layer with bias on an ``(batch, inputs)`` tensor."""
        operands = [
            source,
            self.weight(f"{name}.weight", [outputs, inputs]),
            self.weight(f"{name}.bias", [outputs]),
        ]
        return self.node("Gemm", name, operands, outputs, transB=1)

    def flatten(self, name: str, source: str) -> str:
        """Flatten all but the batch."""
        return self.node("Flatten", name, [source], self.channels[source])

    def model(self, output: str, shape: Sequence[int]) -> onnx.ModelProto:
        """Finish: the model with one output of the given shape."""
        outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)]
        graph = helper.make_graph(self._nodes, self.name, self._inputs, outputs, self._stored)
        opsets = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="mapopt")
