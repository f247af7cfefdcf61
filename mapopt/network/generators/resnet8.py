"""ResNet8, the image-classification network of MLPerf Tiny."""

from __future__ import annotations

import onnx

from mapopt.network.generators.builder import Builder

_SAME_STRIDED = (0, 0, 1, 1)
"""TensorFlow's "same" padding of a 3x3 convolution with stride 2 on an even image."""


def resnet8() -> onnx.ModelProto:
    """Build ResNet8: 78,186 parameters (78,666 with BatchNorm's running statistics), 12,501,632 MACs.

    Convolutions have biases although BatchNorm follows, and the 1x1 shortcuts have no BatchNorm, as in the
    reference implementation.

    References
    ----------
    Banbury et al., "MLPerf Tiny Benchmark", NeurIPS Datasets and Benchmarks 2021.
    """
    net = Builder("resnet8", (1, 3, 32, 32))
    x = net.conv("conv1", net.input, 16, 3, padding=1, bias=True)
    x = net.relu("relu", net.batch_norm("bn1", x))
    for stage, width in enumerate((16, 32, 64), start=1):
        x = _block(net, f"stack{stage}", x, width, stride=1 if stage == 1 else 2)
    x = net.node("AveragePool", "avgpool", [x], 64, kernel_shape=[8, 8], strides=[8, 8])
    x = net.linear("fc", net.flatten("flatten", x), 64, 10)
    return net.model(net.node("Softmax", "softmax", [x], 10), (1, 10))


def _block(net: Builder, prefix: str, source: str, width: int, stride: int) -> str:
    padding = 1 if stride == 1 else _SAME_STRIDED
    x = net.conv(f"{prefix}.conv1", source, width, 3, stride=stride, padding=padding, bias=True)
    x = net.relu(f"{prefix}.relu1", net.batch_norm(f"{prefix}.bn1", x))
    x = net.batch_norm(f"{prefix}.bn2", net.conv(f"{prefix}.conv2", x, width, 3, padding=1, bias=True))
    shortcut = source
    if stride == 2:
        shortcut = net.conv(f"{prefix}.shortcut", source, width, 1, stride=2, bias=True)
    return net.relu(f"{prefix}.relu", net.add(f"{prefix}.add", shortcut, x))
