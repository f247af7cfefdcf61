"""SqueezeNet for ImageNet, in the definition of torchvision."""

from __future__ import annotations

import onnx

from mapopt.network.generators.builder import Builder

_FIRE = {
    3: (16, 64),
    4: (16, 64),
    6: (32, 128),
    7: (32, 128),
    9: (48, 192),
    10: (48, 192),
    11: (64, 256),
    12: (64, 256),
}
"""Channels of the squeeze and of each expand convolution, by position."""


def squeezenet1_1() -> onnx.ModelProto:
    """Build SqueezeNet 1.1: 1,235,496 parameters, 349,151,936 MACs.

    References
    ----------
    Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size",
    arXiv:1602.07360; version 1.1 is the authors' later release.
    """
    net = Builder("squeezenet1_1", (1, 3, 224, 224))
    x = net.conv("features.0", net.input, 64, 3, stride=2, bias=True)
    x = net.relu("features.1", x)
    for position in range(2, 13):
        if position in _FIRE:
            x = _fire(net, f"features.{position}", x, *_FIRE[position])
        else:
            x = net.max_pool(f"features.{position}", x, 3, stride=2, ceil_mode=True)
    x = net.conv("classifier.1", x, 1000, 1, bias=True)
    x = net.global_average_pool("classifier.3", net.relu("classifier.2", x))
    return net.model(net.flatten("flatten", x), (1, 1000))


def _fire(net: Builder, prefix: str, source: str, squeeze: int, expand: int) -> str:
    x = net.conv(f"{prefix}.squeeze", source, squeeze, 1, bias=True)
    x = net.relu(f"{prefix}.squeeze_activation", x)
    left = net.conv(f"{prefix}.expand1x1", x, expand, 1, bias=True)
    right = net.conv(f"{prefix}.expand3x3", x, expand, 3, padding=1, bias=True)
    branches = [
        net.relu(f"{prefix}.expand1x1_activation", left),
        net.relu(f"{prefix}.expand3x3_activation", right),
    ]
    return net.concat(f"{prefix}.concat", branches)
