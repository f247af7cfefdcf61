import itertools
import os
import subprocess
import sys
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from mapopt.errors import InputError
from mapopt.network.library import light_models
from mapopt.network.reader import read_onnx

from .graphs import DATA, node, read

EXPORTED = {
    "resnet18.torchscript": (1_814_073_344, 11_684_712, 31),
    "resnet18.dynamo": (1_814_073_344, 11_684_712, 31),
    "resnet50.torchscript": (4_089_184_256, 25_530_472, 72),
    "resnet50.dynamo": (4_089_184_256, 25_530_472, 72),
    "mobilenet_v2.torchscript": (300_774_272, 3_487_816, 64),
    "mobilenet_v2.dynamo": (300_774_272, 3_487_816, 64),
    "googlenet.torchscript": (1_498_376_192, 6_617_624, 81),
    "densenet121.torchscript": (2_834_161_664, 7_971_368, 188),
    "squeezenet1_1.torchscript": (349_151_936, 1_235_496, 38),
    "mlperf_tiny_resnet8": (12_501_632, 77_706, 16),
}

LIGHT = {
    "bvlc_alexnet": (654_560_384, 60_965_224),
    "densenet121": (2_834_161_664, 8_062_504),
    "inception_v1": (1_431_556_352, 6_998_552),
    "inception_v2": (2_018_851_840, 11_214_888),
    "resnet50": (4_089_184_256, 25_557_032),
    "shufflenet": (124_664_528, 1_393_320),
    "squeezenet": (349_151_936, 1_235_496),
    "vgg19": (19_632_062_464, 143_667_240),
    "zfnet512": (1_481_727_008, 87_250_536),
}


@pytest.mark.parametrize("name", EXPORTED)
def test_exported_files_have_the_published_figures(name: str) -> None:
    network = read_onnx(DATA / f"{name}.onnx")
    assert (network.total_macs, network.total_weights, len(network.nodes)) == EXPORTED[name]
    assert network.warnings == ()
    assert sum(entry.macs for entry in network.nodes if entry.is_base) == network.total_macs
    assert sum(entry.weights for entry in network.nodes) == network.total_weights


@pytest.mark.parametrize("name", LIGHT)
def test_light_models_of_the_onnx_package(name: str) -> None:
    network = read_onnx(light_models()[name])
    assert (network.total_macs, network.total_weights) == LIGHT[name]
    assert network.warnings == ()


def test_light_weights_equal_an_independent_sum_over_the_file() -> None:
    for path in light_models().values():
        graph = onnx.load(path).graph
        statistics = {
            name for entry in graph.node if entry.op_type == "BatchNormalization" for name in entry.input[3:]
        }
        used = {name for entry in graph.node for name in entry.input} - statistics
        stored = {t.name: t for t in graph.initializer}
        total = sum(
            int(np.prod(t.dims))
            for t in graph.initializer
            if t.data_type == TensorProto.FLOAT and t.name in used
        )
        for entry in graph.node:
            if entry.op_type == "ConstantOfShape" and entry.output[0] in used:
                total += int(np.prod(numpy_helper.to_array(stored[entry.input[0]])))
        assert read_onnx(path).total_weights == total


def test_both_exporters_give_the_same_nodes() -> None:
    for name in ("resnet18", "resnet50", "mobilenet_v2"):
        old, new = (read_onnx(DATA / f"{name}.{exporter}.onnx") for exporter in ("torchscript", "dynamo"))
        for left, right in zip(old.nodes, new.nodes, strict=True):
            assert left.matrix == right.matrix
            assert left.fused == right.fused
            assert left.operations == right.operations


def test_shapes_equal_those_that_the_exporter_stored() -> None:
    for name in EXPORTED:
        path = DATA / f"{name}.onnx"
        declared = {
            value.name: tuple(extent.dim_value for extent in value.type.tensor_type.shape.dim)
            for value in onnx.load(path, load_external_data=False).graph.value_info
        }
        tensors = read_onnx(path, fuse=False).tensors
        compared = [tensor for tensor in tensors.values() if tensor.name in declared]
        assert compared
        for tensor in compared:
            assert tensor.shape == declared[tensor.name]


def test_given_shape_replaces_a_concrete_one() -> None:
    small = read_onnx(DATA / "resnet18.torchscript.onnx", shapes={"input": (1, 3, 64, 64)})
    assert small.total_weights == 11_684_712
    assert small.total_macs < 1_814_073_344 // 10


def test_fusing_can_be_switched_off() -> None:
    nodes = [node("Conv", "x w", "c"), node("Relu", "c", "y")]
    apart = read(*nodes, fuse=False, weights={"w": (6, 4, 3, 3)})
    together = read(*nodes, weights={"w": (6, 4, 3, 3)})
    assert [entry.op for entry in apart.nodes] == ["Conv", "Relu"]
    assert [(entry.op, entry.fused) for entry in together.nodes] == [("Conv", ("Relu",))]
    assert apart.total_macs == together.total_macs


def test_residual_addition_is_a_node_that_takes_its_followers() -> None:
    network = read(
        node("Conv", "x w", "a"), node("Conv", "x w", "b"), node("Add", "a b", "s"), node("Relu", "s", "y"),
        weights={"w": (4, 4, 1, 1)},
    )  # fmt: skip
    assert [(entry.op, entry.fused) for entry in network.nodes] == [
        ("Conv", ()),
        ("Conv", ()),
        ("Add", ("Relu",)),
    ]


def test_output_that_is_a_view_names_the_tensor_itself() -> None:
    network = read(node("Relu", "x", "a"), node("Flatten", "a", "y"))
    assert network.outputs == ("a",)


def test_constant_output_is_left_out_with_a_warning() -> None:
    network = read(node("Relu", "x", "y"), node("Constant", "", "k", value_int=3), outputs="y k")
    assert network.outputs == ("y",)
    assert "'k' is constant" in network.warnings[0]


def test_multi_output_nodes() -> None:
    network = read(node("Split", "x", "a b", axis=1), node("Relu", "a", "c"), node("Add", "c b", "y"))
    assert network.nodes[0].outputs == ("a", "b")
    assert [entry.op for entry in network.nodes] == ["Split", "Relu", "Add"]


def test_order_of_the_file_does_not_change_the_result() -> None:
    nodes = [
        node("Conv", "x w", "a", "n0"),
        node("Relu", "a", "b", "n1"),
        node("MaxPool", "b", "y", "n2", kernel_shape=[2, 2]),
    ]
    results = {
        tuple(entry.name for entry in read(*order, weights={"w": (4, 4, 1, 1)}).nodes)
        for order in itertools.permutations(nodes)
    }
    assert results == {("n0", "n2")}


def test_file_that_is_no_network(tmp_path: Any) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_onnx(tmp_path / "missing.onnx")
    with pytest.raises(InputError, match="directory"):
        read_onnx(tmp_path)
    file = tmp_path / "text.onnx"
    file.write_text("this is no protobuf")
    with pytest.raises(InputError, match="not an ONNX model"):
        read_onnx(file)
    file.write_bytes(b"")
    with pytest.raises(InputError, match="no nodes"):
        read_onnx(file)


def test_result_does_not_depend_on_the_hash_seed() -> None:
    script = "import sys; from mapopt.network.reader import read_onnx; print(read_onnx(sys.argv[1]))"
    printed = {
        subprocess.run(
            [sys.executable, "-c", script, str(DATA / "googlenet.torchscript.onnx")],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(printed) == 1
