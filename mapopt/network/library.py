"""Networks by name: files, built-in generators, and the light models of the onnx package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from mapopt.errors import InputError
from mapopt.network.model import Network

if TYPE_CHECKING:
    import onnx

_VGG = "Simonyan and Zisserman, Very Deep Convolutional Networks, ICLR 2015"
_RESNET = "He et al., Deep Residual Learning for Image Recognition, CVPR 2016"


@dataclass(frozen=True, slots=True)
class NetworkInfo:
    """A built-in network.

    Parameters
    ----------
    name
        What users type.
    description
        One line: task, input size, parameters and multiply-accumulates.
    reference
        Where the architecture is published.
    """

    name: str
    description: str
    reference: str


_BUILTIN: tuple[tuple[NetworkInfo, str], ...] = (
    (
        NetworkInfo(
            "resnet8",
            "MLPerf Tiny image classification, CIFAR-10, 32x32: 78 k parameters, 12.5 M MACs",
            "Banbury et al., MLPerf Tiny Benchmark, NeurIPS Datasets and Benchmarks 2021",
        ),
        "resnet8:resnet8",
    ),
    (
        NetworkInfo(
            "resnet20", "CIFAR-10, 32x32, option A shortcuts: 0.27 M parameters, 40.6 M MACs", _RESNET
        ),
        "resnet_cifar:resnet20",
    ),
    (
        NetworkInfo(
            "resnet32", "CIFAR-10, 32x32, option A shortcuts: 0.46 M parameters, 68.9 M MACs", _RESNET
        ),
        "resnet_cifar:resnet32",
    ),
    (
        NetworkInfo(
            "resnet56", "CIFAR-10, 32x32, option A shortcuts: 0.85 M parameters, 125 M MACs", _RESNET
        ),
        "resnet_cifar:resnet56",
    ),
    (
        NetworkInfo("resnet18", "ImageNet, 224x224: 11.7 M parameters, 1.81 G MACs", _RESNET),
        "resnet:resnet18",
    ),
    (
        NetworkInfo("resnet34", "ImageNet, 224x224: 21.8 M parameters, 3.66 G MACs", _RESNET),
        "resnet:resnet34",
    ),
    (
        NetworkInfo(
            "resnet50", "ImageNet, 224x224, stride in the 3x3: 25.6 M parameters, 4.09 G MACs", _RESNET
        ),
        "resnet:resnet50",
    ),
    (
        NetworkInfo(
            "resnet101",
            "ImageNet, 224x224: 44.5 M parameters, 7.80 G MACs",
            _RESNET,
        ),
        "resnet:resnet101",
    ),
    (
        NetworkInfo(
            "resnet152",
            "ImageNet, 224x224: 60.2 M parameters, 11.5 G MACs",
            _RESNET,
        ),
        "resnet:resnet152",
    ),
    (
        NetworkInfo(
            "densenet121",
            "ImageNet, 224x224: 7.98 M parameters, 2.83 G MACs",
            "Huang et al., Densely Connected Convolutional Networks, CVPR 2017",
        ),
        "densenet:densenet121",
    ),
    (
        NetworkInfo(
            "alexnet",
            "ImageNet, 224x224, one column: 61.1 M parameters, 0.71 G MACs",
            "Krizhevsky, One weird trick for parallelizing convolutional neural networks, arXiv:1404.5997",
        ),
        "alexnet:alexnet",
    ),
    (
        NetworkInfo(
            "vgg16",
            "ImageNet, 224x224, configuration D: 138 M parameters, 15.5 G MACs",
            _VGG,
        ),
        "vgg:vgg16",
    ),
    (
        NetworkInfo(
            "vgg19",
            "ImageNet, 224x224, configuration E: 144 M parameters, 19.6 G MACs",
            _VGG,
        ),
        "vgg:vgg19",
    ),
    (
        NetworkInfo(
            "googlenet",
            "ImageNet, 224x224, with BatchNorm, no auxiliary heads: 6.6 M parameters, 1.50 G MACs",
            "Szegedy et al., Going Deeper with Convolutions, CVPR 2015",
        ),
        "googlenet:googlenet",
    ),
    (
        NetworkInfo(
            "squeezenet1_1",
            "ImageNet, 224x224: 1.24 M parameters, 0.35 G MACs",
            "Iandola et al., SqueezeNet, arXiv:1602.07360",
        ),
        "squeezenet:squeezenet1_1",
    ),
    (
        NetworkInfo(
            "mobilenet_v1",
            "ImageNet, 224x224, width 1: 4.2 M parameters, 0.57 G MACs",
            "Howard et al., MobileNets, arXiv:1704.04861",
        ),
        "mobilenet:mobilenet_v1",
    ),
    (
        NetworkInfo(
            "mobilenet_v2",
            "ImageNet, 224x224: 3.5 M parameters, 0.30 G MACs",
            "Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, CVPR 2018",
        ),
        "mobilenet:mobilenet_v2",
    ),
    (
        NetworkInfo(
            "yolov8n",
            "COCO object detection, 640x640, BatchNorm folded: 3.2 M parameters, 4.37 G MACs",
            "Jocher et al., Ultralytics YOLOv8, 2023",
        ),
        "yolo:yolov8n",
    ),
)


def builtin_networks() -> tuple[NetworkInfo, ...]:
    """Return the built-in networks, small ones first."""
    return tuple(info for info, _ in _BUILTIN)


def build_model(name: str) -> onnx.ModelProto:
    """Build a built-in network as an ONNX model without weight data.

    Raises
    ------
    InputError
        If there is no such network.
    """
    for info, target in _BUILTIN:
        if info.name == name:
            module, function = target.split(":")
            generator = import_module(f"mapopt.network.generators.{module}")
            model: onnx.ModelProto = getattr(generator, function)()
            return model
    raise _unknown(name)


def load_network(
    spec: str,
    *,
    shapes: Mapping[str, Sequence[int]] | None = None,
    fuse: bool = True,
    strict: bool = False,
) -> Network:
    """Load a network by file, by built-in name, or from the onnx package.

    Parameters
    ----------
    spec
        A built-in name (``resnet18``), a light model of the onnx package (``onnx:resnet50``), or the path of an
        ONNX file. A built-in name wins over a file of the same name; write ``./resnet18`` for the file.
    shapes, fuse, strict
        As for :func:`mapopt.network.reader.read_onnx`.

    Raises
    ------
    InputError
        If nothing of that name exists or it cannot be read.

    Examples
    --------
    >>> load_network("resnet8").total_macs
    12501632
    """
    from mapopt.network.reader import network_from_model, read_onnx

    if any(info.name == spec for info, _ in _BUILTIN):
        return network_from_model(build_model(spec), spec, shapes=shapes, fuse=fuse, strict=strict)
    if spec.startswith("onnx:"):
        return read_onnx(_light_model(spec), shapes=shapes, fuse=fuse, strict=strict)
    if spec.endswith(".onnx") or Path(spec).exists():
        return read_onnx(spec, shapes=shapes, fuse=fuse, strict=strict)
    raise _unknown(spec)


def light_models() -> dict[str, Path]:
    """Files of the light models in the installed onnx package, by the name after ``onnx:``."""
    import onnx

    folder = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
    files = sorted(folder.glob("light_*.onnx"))
    return {file.stem.removeprefix("light_"): file for file in files}


def _light_model(spec: str) -> Path:
    models = light_models()
    name = spec.removeprefix("onnx:")
    if name not in models:
        known = ", ".join(models) or "none: this build of the package comes without test data"
        raise InputError(f"network {spec!r}: the onnx package has no such light model; it has {known}")
    return models[name]


def _unknown(name: str) -> InputError:
    names = [info.name for info, _ in _BUILTIN]
    close = get_close_matches(name, names, n=3)
    hint = f"did you mean {', '.join(close)}?" if close else f"built-in networks: {', '.join(names)};"
    return InputError(
        f"network {name!r} is no built-in network and no file; {hint} "
        "A file's path ends with .onnx, a light model of the onnx package is written onnx:resnet50"
    )
