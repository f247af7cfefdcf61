"""MobileNetV2 for ImageNet, in the definition of torchvision."""

from __future__ import annotations

import onnx

from mapopt.network.generators.builder import Builder

_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Expansion, output channels, repetitions, stride of the first."""


def mobilenet_v2() -> onnx.ModelProto:
    """Build MobileNetV2: 3,504,872 parameters, 300,774,272 MACs.

    References
    ----------
    Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018, table 2.
    """
    net = Builder("mobilenet_v2", (1, 3, 224, 224))
    low = net.constant("relu6.min", [0.0], [])
    high = net.constant("relu6.max", [6.0], [])

    def conv(
        prefix: str, source: str, channels: int, kernel: int, *, stride: int = 1, groups: int = 1
    ) -> str:
        x = net.conv(
            f"{prefix}.0", source, channels, kernel, stride=stride, padding=kernel // 2, groups=groups
        )
        return net.node("Clip", f"{prefix}.2", [net.batch_norm(f"{prefix}.1", x), low, high], channels)

    def inverted_residual(prefix: str, source: str, expansion: int, channels: int, stride: int) -> str:
        x, position, hidden = source, 0, net.channels[source] * expansion
        if expansion != 1:
            x, position = conv(f"{prefix}.0", x, hidden, 1), 1
        x = conv(f"{prefix}.{position}", x, hidden, 3, stride=stride, groups=hidden)
        x = net.conv(f"{prefix}.{position + 1}", x, channels, 1)
        x = net.batch_norm(f"{prefix}.{position + 2}", x)
        joins = stride == 1 and net.channels[source] == channels
        return net.add(f"{prefix}.add", source, x) if joins else x

    x, position = conv("features.0", net.input, 32, 3, stride=2), 1
    for expansion, channels, count, first_stride in _STAGES:
        for block in range(count):
            stride = 1 if block else first_stride
            x = inverted_residual(f"features.{position}.conv", x, expansion, channels, stride)
            position += 1
    x = conv(f"features.{position}", x, 1280, 1)
    x = net.flatten("flatten", net.global_average_pool("avgpool", x))
    return net.model(net.linear("classifier.1", x, 1280, 1000), (1, 1000))
