"""VGG for ImageNet, in the definition of torchvision (without BatchNorm)."""

from __future__ import annotations

import onnx

from mapopt.network.generators.builder import Builder

_VGG16 = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)
"""Configuration D: channels of each 3x3 convolution, 0 for a 2x2 maximum pooling."""

_VGG19 = (
    *(64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0),
    *(512, 512, 512, 512, 0, 512, 512, 512, 512, 0),
)
"""Configuration E."""


def vgg16() -> onnx.ModelProto:
    """Build VGG-16: 138,357,544 parameters, 15,470,264,320 MACs."""
    return _vgg("vgg16", _VGG16)


def vgg19() -> onnx.ModelProto:
    """Build VGG-19: 143,667,240 parameters, 19,632,062,464 MACs."""
    return _vgg("vgg19", _VGG19)


def _vgg(name: str, layers: tuple[int, ...]) -> onnx.ModelProto:
    """Build a VGG.

    Names count layers as torchvision's sequential containers do, rectifiers included.

    References
    ----------
    Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015, table 1.
    """
    net = Builder(name, (1, 3, 224, 224))
    x, position = net.input, 0
    for channels in layers:
        if channels:
            x = net.conv(f"features.{position}", x, channels, 3, padding=1, bias=True)
            x = net.relu(f"features.{position + 1}", x)
            position += 2
        else:
            x = net.max_pool(f"features.{position}", x, 2, stride=2)
            position += 1
    x = net.flatten("flatten", x)
    x = net.relu("classifier.1", net.linear("classifier.0", x, 512 * 7 * 7, 4096))
    x = net.relu("classifier.4", net.linear("classifier.3", x, 4096, 4096))
    return net.model(net.linear("classifier.6", x, 4096, 1000), (1, 1000))
