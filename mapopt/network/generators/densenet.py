"""DenseNet for ImageNet, in the definition of torchvision."""

from __future__ import annotations

import onnx

from mapopt.network.generators.builder import Builder

_GROWTH = 32
_BOTTLENECK = 4


def densenet121() -> onnx.ModelProto:
    """Build DenseNet-121: 7,978,856 parameters, 2,834,161,664 MACs.

    References
    ----------
    Huang et al., "Densely Connected Convolutional Networks", CVPR 2017, table 1.
    """
    net = Builder("densenet121", (1, 3, 224, 224))
    x = net.conv("features.conv0", net.input, 64, 7, stride=2, padding=3)
    x = net.max_pool("features.pool0", _activated(net, "features", "0", x), 3, stride=2, padding=1)
    for number, layers in enumerate((6, 12, 24, 16), 1):
        x = _dense_block(net, f"features.denseblock{number}", x, layers)
        if number < 4:
            x = _transition(net, f"features.transition{number}", x)
    x = net.relu("relu", net.batch_norm("features.norm5", x))
    features = net.channels[x]
    x = net.flatten("flatten", net.global_average_pool("avgpool", x))
    return net.model(net.linear("classifier", x, features, 1000), (1, 1000))


def _activated(net: Builder, prefix: str, suffix: str, source: str) -> str:
    return net.relu(f"{prefix}.relu{suffix}", net.batch_norm(f"{prefix}.norm{suffix}", source))


def _dense_block(net: Builder, prefix: str, source: str, layers: int) -> str:
    """Let each layer read what all before it have written, side by side."""
    parts = [source]
    for number in range(1, layers + 1):
        name = f"{prefix}.denselayer{number}"
        x = net.concat(f"{name}.concat", parts)
        x = net.conv(f"{name}.conv1", _activated(net, name, "1", x), _BOTTLENECK * _GROWTH, 1)
        x = net.conv(f"{name}.conv2", _activated(net, name, "2", x), _GROWTH, 3, padding=1)
        parts.append(x)
    return net.concat(f"{prefix}.concat", parts)


def _transition(net: Builder, prefix: str, source: str) -> str:
    """Halve the channels, then the pixels."""
    x = net.conv(f"{prefix}.conv", _activated(net, prefix, "", source), net.channels[source] // 2, 1)
    attributes = {"kernel_shape": [2, 2], "strides": [2, 2]}
    return net.node("AveragePool", f"{prefix}.pool", [x], net.channels[x], **attributes)
