"""MobileNets for ImageNet: V1 in the definition of its paper, V2 in that of torchvision."""

from __future__ import annotations

import onnx

from mapopt.network.generators.builder import Builder

_SEPARABLE = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *((512, 1),) * 5,
    (1024, 2),
    (1024, 1),
)
"""V1: output channels and stride of each depthwise separable convolution."""

_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""V2: expansion, output channels, repetitions, stride of the first."""


def mobilenet_v1() -> onnx.ModelProto:
    """Build MobileNetV1 of width 1: 4,231,976 parameters, 568,740,352 MACs.

    Rectifiers are plain ones, padding is the same on all sides, and every convolution has BatchNorm instead of a bias.

    References
    ----------
    Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
    arXiv:1704.04861, table 1; the stride of the last depthwise convolution is 1, as its shapes demand.
    """
    net = Builder("mobilenet_v1", (1, 3, 224, 224))

    def conv(
        prefix: str, source: str, channels: int, kernel: int, *, stride: int = 1, groups: int = 1
    ) -> str:
        x = net.conv(
            f"{prefix}.conv", source, channels, kernel, stride=stride, padding=kernel // 2, groups=groups
        )
        return net.relu(f"{prefix}.relu", net.batch_norm(f"{prefix}.bn", x))

    x = conv("features.0", net.input, 32, 3, stride=2)
    for position, (channels, stride) in enumerate(_SEPARABLE, 1):
        width = net.channels[x]
        x = conv(f"features.{position}.depthwise", x, width, 3, stride=stride, groups=width)
        x = conv(f"features.{position}.pointwise", x, channels, 1)
    x = net.flatten("flatten", net.global_average_pool("avgpool", x))
    return net.model(net.linear("classifier", x, 1024, 1000), (1, 1000))


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
