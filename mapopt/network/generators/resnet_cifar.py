"""ResNet for CIFAR-10 with parameter-free shortcuts (option A: subsample, pad the channels with zeros)."""

from __future__ import annotations

import onnx

from mapopt.network.generators.builder import Builder


def resnet20() -> onnx.ModelProto:
    """Build ResNet-20: 269,722 parameters."""
    return _resnet(20)


def resnet32() -> onnx.ModelProto:
    """Build ResNet-32: 464,154 parameters."""
    return _resnet(32)


def resnet56() -> onnx.ModelProto:
    """Build ResNet-56: 853,018 parameters."""
    return _resnet(56)


def _resnet(depth: int) -> onnx.ModelProto:
    """Build a ResNet of ``6 n + 2`` layers.

    References
    ----------
    He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, section 4.2.
    """
    net = Builder(f"resnet{depth}", (1, 3, 32, 32))
    x = net.conv("conv1", net.input, 16, 3, padding=1)
    x = net.relu("relu", net.batch_norm("bn1", x))
    for stage in range(3):
        for block in range((depth - 2) // 6):
            stride = 2 if stage and not block else 1
            x = _block(net, f"layer{stage + 1}.{block}", x, 16 * 2**stage, stride)
    x = net.flatten("flatten", net.global_average_pool("avgpool", x))
    return net.model(net.linear("fc", x, 64, 10), (1, 10))


def _block(net: Builder, prefix: str, source: str, width: int, stride: int) -> str:
    x = net.conv(f"{prefix}.conv1", source, width, 3, stride=stride, padding=1)
    x = net.relu(f"{prefix}.relu1", net.batch_norm(f"{prefix}.bn1", x))
    x = net.batch_norm(f"{prefix}.bn2", net.conv(f"{prefix}.conv2", x, width, 3, padding=1))
    shortcut = _subsampled(net, f"{prefix}.shortcut", source, width) if stride == 2 else source
    return net.relu(f"{prefix}.relu", net.add(f"{prefix}.add", x, shortcut))


def _subsampled(net: Builder, prefix: str, source: str, width: int) -> str:
    """Take every second pixel and put half of the missing channels before, half behind."""
    channels = net.channels[source]
    bounds = [
        net.constant(f"{prefix}.{role}", values, [2])
        for role, values in (
            ("starts", [0, 0]),
            ("ends", [2**31, 2**31]),
            ("axes", [2, 3]),
            ("steps", [2, 2]),
        )
    ]
    x = net.node("Slice", f"{prefix}.slice", [source, *bounds], channels)
    before = (width - channels) // 2
    pads = net.constant(f"{prefix}.pads", [0, before, 0, 0, 0, width - channels - before, 0, 0], [8])
    return net.node("Pad", f"{prefix}.pad", [x, pads], width)
