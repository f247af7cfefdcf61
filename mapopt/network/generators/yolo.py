"""YOLOv8n object detection on COCO, with BatchNorm folded into the convolutions as in deployed models."""

from __future__ import annotations

import onnx

from mapopt.network.generators.builder import Builder

_SIZE, _CLASSES, _BINS = 640, 80, 16
_STRIDES = (8, 16, 32)
_ANCHORS = sum((_SIZE // stride) ** 2 for stride in _STRIDES)


def yolov8n() -> onnx.ModelProto:
    """Build YOLOv8n at 640x640 with the decoding of its boxes: 3,151,904 parameters, 4.37 G MACs.

    The output has shape (1, 84, 8400): 4 box coordinates and 80 class scores per anchor point.

    References
    ----------
    Jocher et al., "Ultralytics YOLOv8", 2023; architecture from the published configuration ``yolov8.yaml``, scale n
    (depth 0.33, width 0.25).
    """
    net = Builder("yolov8n", (1, 3, _SIZE, _SIZE))
    x = _conv(net, "model.0", net.input, 16, 3, stride=2)
    x = _conv(net, "model.1", x, 32, 3, stride=2)
    x = _c2f(net, "model.2", x, 32, 1, shortcut=True)
    x = _conv(net, "model.3", x, 64, 3, stride=2)
    eighth = _c2f(net, "model.4", x, 64, 2, shortcut=True)
    x = _conv(net, "model.5", eighth, 128, 3, stride=2)
    sixteenth = _c2f(net, "model.6", x, 128, 2, shortcut=True)
    x = _conv(net, "model.7", sixteenth, 256, 3, stride=2)
    x = _c2f(net, "model.8", x, 256, 1, shortcut=True)
    deep = _sppf(net, "model.9", x, 256)

    x = net.concat("model.11", [_doubled(net, "model.10", deep), sixteenth])
    middle = _c2f(net, "model.12", x, 128, 1, shortcut=False)
    x = net.concat("model.14", [_doubled(net, "model.13", middle), eighth])
    fine = _c2f(net, "model.15", x, 64, 1, shortcut=False)
    x = net.concat("model.17", [_conv(net, "model.16", fine, 64, 3, stride=2), middle])
    medium = _c2f(net, "model.18", x, 128, 1, shortcut=False)
    x = net.concat("model.20", [_conv(net, "model.19", medium, 128, 3, stride=2), deep])
    coarse = _c2f(net, "model.21", x, 256, 1, shortcut=False)
    return net.model(_detect(net, "model.22", [fine, medium, coarse]), (1, 4 + _CLASSES, _ANCHORS))


def _conv(net: Builder, prefix: str, source: str, channels: int, kernel: int, *, stride: int = 1) -> str:
    """Add a convolution with SiLU."""
    x = net.conv(f"{prefix}.conv", source, channels, kernel, stride=stride, padding=kernel // 2, bias=True)
    gate = net.node("Sigmoid", f"{prefix}.act.sigmoid", [x], channels)
    return net.node("Mul", f"{prefix}.act", [x, gate], channels)


def _c2f(net: Builder, prefix: str, source: str, channels: int, count: int, *, shortcut: bool) -> str:
    """Add a cross-stage block: half of the channels pass ``count`` bottlenecks, all results are joined."""
    half = channels // 2
    x = _conv(net, f"{prefix}.cv1", source, channels, 1)
    outputs = [f"{prefix}.split.{part}" for part in range(2)]
    parts = net.nodes("Split", f"{prefix}.split", [x], outputs, [half, half], axis=1)
    for block in range(count):
        x = _conv(net, f"{prefix}.m.{block}.cv1", parts[-1], half, 3)
        x = _conv(net, f"{prefix}.m.{block}.cv2", x, half, 3)
        parts.append(net.add(f"{prefix}.m.{block}.add", parts[-1], x) if shortcut else x)
    return _conv(net, f"{prefix}.cv2", net.concat(f"{prefix}.concat", parts), channels, 1)


def _sppf(net: Builder, prefix: str, source: str, channels: int) -> str:
    """Add a spatial pyramid pooling of three successive 5x5 windows."""
    parts = [_conv(net, f"{prefix}.cv1", source, channels // 2, 1)]
    for index in range(3):
        parts.append(net.max_pool(f"{prefix}.m.{index}", parts[-1], 5, stride=1, padding=2))
    return _conv(net, f"{prefix}.cv2", net.concat(f"{prefix}.concat", parts), channels, 1)


def _doubled(net: Builder, prefix: str, source: str) -> str:
    scales = net.constant(f"{prefix}.scales", [1.0, 1.0, 2.0, 2.0], [4])
    return net.node("Resize", prefix, [source, "", scales], net.channels[source], mode="nearest")


def _detect(net: Builder, prefix: str, features: list[str]) -> str:
    """Add the decoupled heads per scale and the decoding of distances to boxes."""
    box_channels, class_channels, values = 64, 80, 4 * _BINS + _CLASSES
    shape = net.constant(f"{prefix}.view.shape", [1, values, -1], [3])
    flat: list[str] = []
    for index, feature in enumerate(features):
        heads: list[str] = []
        for branch, hidden, channels in (("cv2", box_channels, 4 * _BINS), ("cv3", class_channels, _CLASSES)):
            x = _conv(net, f"{prefix}.{branch}.{index}.0", feature, hidden, 3)
            x = _conv(net, f"{prefix}.{branch}.{index}.1", x, hidden, 3)
            heads.append(net.conv(f"{prefix}.{branch}.{index}.2", x, channels, 1, bias=True))
        joined = net.concat(f"{prefix}.concat.{index}", heads)
        flat.append(net.node("Reshape", f"{prefix}.view.{index}", [joined, shape], values))
    x = net.node("Concat", f"{prefix}.concat", flat, values, axis=2)
    sizes = net.constant(f"{prefix}.split.sizes", [4 * _BINS, _CLASSES], [2])
    outputs = [f"{prefix}.box", f"{prefix}.cls"]
    box, scores = net.nodes("Split", f"{prefix}.split", [x, sizes], outputs, [4 * _BINS, _CLASSES], axis=1)
    classes = net.node("Sigmoid", f"{prefix}.sigmoid", [scores], _CLASSES)
    return net.concat(
        f"{prefix}.output", [_boxes(net, prefix, _distances(net, f"{prefix}.dfl", box)), classes]
    )


def _distances(net: Builder, prefix: str, box: str) -> str:
    """Take the expectation of each side's distribution over the bins, a 1x1 convolution with fixed weights."""
    split = net.constant(f"{prefix}.view.shape", [1, 4, _BINS, _ANCHORS], [4])
    x = net.node("Reshape", f"{prefix}.view", [box, split], 4)
    x = net.node("Transpose", f"{prefix}.transpose", [x], _BINS, perm=[0, 2, 1, 3])
    x = net.conv(f"{prefix}.conv", net.node("Softmax", f"{prefix}.softmax", [x], _BINS, axis=1), 1, 1)
    joined = net.constant(f"{prefix}.sides.shape", [1, 4, _ANCHORS], [3])
    return net.node("Reshape", f"{prefix}.sides", [x, joined], 4)


def _boxes(net: Builder, prefix: str, distances: str) -> str:
    """Turn distances from the anchor points (left, top, right, bottom) into centre, width and height."""
    grid = [(x + 0.5, y + 0.5) for s in _STRIDES for y in range(_SIZE // s) for x in range(_SIZE // s)]
    anchors = net.constant(f"{prefix}.anchors", [x for x, _ in grid] + [y for _, y in grid], [1, 2, _ANCHORS])
    scale = [float(stride) for stride in _STRIDES for _ in range((_SIZE // stride) ** 2)]
    strides = net.constant(f"{prefix}.strides", scale, [1, _ANCHORS])
    half = net.constant(f"{prefix}.half", [0.5], [])
    sides = net.nodes(
        "Split", f"{prefix}.sides", [distances], [f"{prefix}.lt", f"{prefix}.rb"], [2, 2], axis=1
    )
    first = net.node("Sub", f"{prefix}.sub", [anchors, sides[0]], 2)
    second = net.node("Add", f"{prefix}.add", [anchors, sides[1]], 2)
    centre = net.node("Mul", f"{prefix}.centre", [net.add(f"{prefix}.sum", first, second), half], 2)
    size = net.node("Sub", f"{prefix}.size", [second, first], 2)
    return net.node("Mul", f"{prefix}.scaled", [net.concat(f"{prefix}.boxes", [centre, size]), strides], 4)
