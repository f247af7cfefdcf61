"""GoogLeNet (Inception v1) for ImageNet, in the definition of torchvision.

That definition has BatchNorm after every convolution and a 3x3 where the paper has a 5x5 convolution.
"""

from __future__ import annotations

import onnx

from mapopt.network.generators.builder import Builder

_INCEPTION: dict[str, tuple[int, int, int, int, int, int]] = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
"""Channels: 1x1; 3x3 reduced and full; second 3x3 reduced and full; projection behind the pooling."""


def googlenet() -> onnx.ModelProto:
    """Build GoogLeNet without auxiliary classifiers: 6,624,904 parameters, 1,498,376,192 MACs.

    References
    ----------
    Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, table 1.
    """
    net = Builder("googlenet", (1, 3, 224, 224))
    x = _conv(net, "conv1", net.input, 64, 7, stride=2, padding=3)
    x = net.max_pool("maxpool1", x, 3, stride=2, ceil_mode=True)
    x = _conv(net, "conv2", x, 64, 1)
    x = _conv(net, "conv3", x, 192, 3, padding=1)
    x = net.max_pool("maxpool2", x, 3, stride=2, ceil_mode=True)
    for name, channels in _INCEPTION.items():
        x = _inception(net, f"inception{name}", x, channels)
        if name == "3b":
            x = net.max_pool("maxpool3", x, 3, stride=2, ceil_mode=True)
        if name == "4e":
            x = net.max_pool("maxpool4", x, 2, stride=2, ceil_mode=True)
    x = net.flatten("flatten", net.global_average_pool("avgpool", x))
    return net.model(net.linear("fc", x, 1024, 1000), (1, 1000))


def _conv(
    net: Builder, prefix: str, source: str, channels: int, kernel: int, *, stride: int = 1, padding: int = 0
) -> str:
    x = net.conv(f"{prefix}.conv", source, channels, kernel, stride=stride, padding=padding)
    return net.relu(f"{prefix}.relu", net.batch_norm(f"{prefix}.bn", x))


def _inception(net: Builder, prefix: str, source: str, channels: tuple[int, int, int, int, int, int]) -> str:
    one, three_reduced, three, five_reduced, five, projected = channels
    branch1 = _conv(net, f"{prefix}.branch1", source, one, 1)
    branch2 = _conv(net, f"{prefix}.branch2.0", source, three_reduced, 1)
    branch2 = _conv(net, f"{prefix}.branch2.1", branch2, three, 3, padding=1)
    branch3 = _conv(net, f"{prefix}.branch3.0", source, five_reduced, 1)
    branch3 = _conv(net, f"{prefix}.branch3.1", branch3, five, 3, padding=1)
    branch4 = net.max_pool(f"{prefix}.branch4.0", source, 3, stride=1, padding=1)
    branch4 = _conv(net, f"{prefix}.branch4.1", branch4, projected, 1)
    return net.concat(f"{prefix}.concat", [branch1, branch2, branch3, branch4])
