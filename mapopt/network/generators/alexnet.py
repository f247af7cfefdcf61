"""AlexNet for ImageNet, in the definition of torchvision.

That definition is the one-column variant: no groups, no response normalisation, 64 channels in the first layer.
"""

from __future__ import annotations

import onnx

from mapopt.network.generators.builder import Builder

_LAYERS = (
    (64, 11, 4, 2, True),
    (192, 5, 1, 2, True),
    (384, 3, 1, 1, False),
    (256, 3, 1, 1, False),
    (256, 3, 1, 1, True),
)
"""Channels, kernel, stride, padding, and whether a 3x3 maximum pooling of stride 2 follows."""


def alexnet() -> onnx.ModelProto:
    """Build AlexNet: 61,100,840 parameters, 714,188,480 MACs.

    Names count layers as torchvision's sequential containers do. The adaptive pooling in front of the classifier has
    nothing to do at this input size and is left out.

    References
    ----------
    Krizhevsky, "One weird trick for parallelizing convolutional neural networks", arXiv:1404.5997.
    """
    net = Builder("alexnet", (1, 3, 224, 224))
    x, position = net.input, 0
    for channels, kernel, stride, padding, pooled in _LAYERS:
        x = net.conv(f"features.{position}", x, channels, kernel, stride=stride, padding=padding, bias=True)
        x = net.relu(f"features.{position + 1}", x)
        position += 2
        if pooled:
            x = net.max_pool(f"features.{position}", x, 3, stride=2)
            position += 1
    x = net.flatten("flatten", x)
    x = net.relu("classifier.2", net.linear("classifier.1", x, 256 * 6 * 6, 4096))
    x = net.relu("classifier.5", net.linear("classifier.4", x, 4096, 4096))
    return net.model(net.linear("classifier.6", x, 4096, 1000), (1, 1000))
