"""ResNet for ImageNet, in the definition of torchvision (bottlenecks have their stride in the 3x3 convolution)."""

from __future__ import annotations

import onnx

from mapopt.network.generators.builder import Builder


def resnet18() -> onnx.ModelProto:
    """Build ResNet-18: 11,689,512 parameters, 1,814,073,344 MACs."""
    return _resnet("resnet18", (2, 2, 2, 2), bottleneck=False)


def resnet34() -> onnx.ModelProto:
    """Build ResNet-34: 21,797,672 parameters, 3,663,761,408 MACs."""
    return _resnet("resnet34", (3, 4, 6, 3), bottleneck=False)


def resnet50() -> onnx.ModelProto:
    """Build ResNet-50: 25,557,032 parameters, 4,089,184,256 MACs."""
    return _resnet("resnet50", (3, 4, 6, 3), bottleneck=True)


def resnet101() -> onnx.ModelProto:
    """Build ResNet-101: 44,549,160 parameters, 7,801,405,440 MACs."""
    return _resnet("resnet101", (3, 4, 23, 3), bottleneck=True)


def resnet152() -> onnx.ModelProto:
    """Build ResNet-152: 60,192,808 parameters, 11,513,626,624 MACs."""
    return _resnet("resnet152", (3, 8, 36, 3), bottleneck=True)


def _resnet(name: str, blocks: tuple[int, ...], *, bottleneck: bool) -> onnx.ModelProto:
    """Build a ResNet.

    References
    ----------
    He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, table 1.
    """
    net = Builder(name, (1, 3, 224, 224))
    x = net.conv("conv1", net.input, 64, 7, stride=2, padding=3)
    x = net.relu("relu", net.batch_norm("bn1", x))
    x = net.max_pool("maxpool", x, 3, stride=2, padding=1)
    for stage, count in enumerate(blocks):
        width = 64 * 2**stage
        for block in range(count):
            stride = 2 if stage and not block else 1
            prefix = f"layer{stage + 1}.{block}"
            x = (
                _bottleneck(net, prefix, x, width, stride)
                if bottleneck
                else _basic(net, prefix, x, width, stride)
            )
    features = net.channels[x]
    x = net.flatten("flatten", net.global_average_pool("avgpool", x))
    return net.model(net.linear("fc", x, features, 1000), (1, 1000))


def _basic(net: Builder, prefix: str, source: str, width: int, stride: int) -> str:
    x = net.conv(f"{prefix}.conv1", source, width, 3, stride=stride, padding=1)
    x = net.relu(f"{prefix}.relu1", net.batch_norm(f"{prefix}.bn1", x))
    x = net.batch_norm(f"{prefix}.bn2", net.conv(f"{prefix}.conv2", x, width, 3, padding=1))
    return _joined(net, prefix, x, source, stride)


def _bottleneck(net: Builder, prefix: str, source: str, width: int, stride: int) -> str:
    x = net.conv(f"{prefix}.conv1", source, width, 1)
    x = net.relu(f"{prefix}.relu1", net.batch_norm(f"{prefix}.bn1", x))
    x = net.conv(f"{prefix}.conv2", x, width, 3, stride=stride, padding=1)
    x = net.relu(f"{prefix}.relu2", net.batch_norm(f"{prefix}.bn2", x))
    x = net.batch_norm(f"{prefix}.bn3", net.conv(f"{prefix}.conv3", x, 4 * width, 1))
    return _joined(net, prefix, x, source, stride)


def _joined(net: Builder, prefix: str, x: str, shortcut: str, stride: int) -> str:
    """Add the shortcut: the identity, or a 1x1 projection where the shape changes (option B)."""
    if stride != 1 or net.channels[shortcut] != net.channels[x]:
        shortcut = net.conv(f"{prefix}.downsample.0", shortcut, net.channels[x], 1, stride=stride)
        shortcut = net.batch_norm(f"{prefix}.downsample.1", shortcut)
    return net.relu(f"{prefix}.relu", net.add(f"{prefix}.add", x, shortcut))
