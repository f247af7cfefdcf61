"""No bytes whatsoever make the reader raise anything but InputError."""

import random
from collections.abc import Sequence
from pathlib import Path

import onnx
import pytest
from google.protobuf.descriptor import FieldDescriptor as Field
from google.protobuf.message import Message

from mapopt.errors import InputError
from mapopt.network.library import build_model, light_models
from mapopt.network.operators import KINDS
from mapopt.network.reader import network_from_model, read_onnx

from .graphs import DATA

INTEGERS = (0, 1, -1, 2, 3, 7, 16, 2**31 - 1, 2**31, 10**9, 2**62, 2**63 - 1, -(2**63))
FLOATS = (0.0, -1.0, 1e30, float("nan"), float("inf"))
TEXTS = (
    *KINDS,
    "If",
    "Loop",
    "NonZero",
    "Range",
    "ConstantOfShape",
    "LSTM",
    "Einsum",
    "Unknown",
    "x",
    "input",
    "",
)
BYTES = (b"", b"\x00" * 8, b"\xff" * 16)


@pytest.fixture(scope="module")
def originals() -> list[bytes]:
    files = ["resnet18.torchscript", "resnet18.dynamo", "mobilenet_v2.torchscript", "mlperf_tiny_resnet8"]
    paths = [DATA / f"{name}.onnx" for name in files] + [
        light_models()["squeezenet"],
        light_models()["shufflenet"],
    ]
    built = [build_model(name) for name in ("resnet8", "resnet20", "yolov8n")]
    return [path.read_bytes() for path in paths] + [model.SerializeToString() for model in built]


def wild(rng: random.Random, field: Field) -> int | float | str | bytes:
    if field.cpp_type in (Field.CPPTYPE_DOUBLE, Field.CPPTYPE_FLOAT):
        return rng.choice(FLOATS)
    if field.type == Field.TYPE_STRING:
        return rng.choice(TEXTS)
    if field.type == Field.TYPE_BYTES:
        return rng.choice(BYTES)
    return rng.choice(INTEGERS)


def edit(rng: random.Random, message: Message) -> None:
    """Change, repeat, move or delete one random field somewhere below ``message``."""
    while True:
        fields: Sequence[tuple[Field, object]] = message.ListFields()
        if not fields:
            return
        field, _ = rng.choice(fields)
        if field.type != Field.TYPE_MESSAGE:
            break
        if not field.is_repeated:
            if rng.random() < 0.03:
                message.ClearField(field.name)
                return
            message = getattr(message, field.name)
            continue
        entries = getattr(message, field.name)
        fate = rng.random()
        if fate < 0.06:
            del entries[rng.randrange(len(entries))]
            return
        if fate < 0.1:
            entries.add().CopyFrom(rng.choice(entries))
            return
        message = rng.choice(entries)
    try:
        change(rng, message, field)
    except ValueError:  # the field cannot hold that number
        return


def change(rng: random.Random, message: Message, field: Field) -> None:
    if not field.is_repeated:
        if rng.random() < 0.15:
            message.ClearField(field.name)
        else:
            setattr(message, field.name, wild(rng, field))
        return
    entries = getattr(message, field.name)
    position = rng.randrange(len(entries))
    fate = rng.random()
    if fate < 0.2:
        del entries[position]
    elif fate < 0.4:
        entries.append(wild(rng, field))
    else:
        entries[position] = rng.choice(list(entries)) if fate < 0.5 else wild(rng, field)


def mutated(rng: random.Random, data: bytes) -> bytes:
    fate = rng.random()
    if fate < 0.05:
        return data[: rng.randrange(len(data))]
    if fate < 0.1:
        return rng.randbytes(rng.randrange(200))
    if fate < 0.35:
        damaged = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 5, 20))):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        return bytes(damaged)
    model = onnx.ModelProto.FromString(data)
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        edit(rng, model)
    return model.SerializeToString()


def survive(seed: int, count: int, originals: list[bytes], path: Path) -> None:
    rng = random.Random(seed)
    refused = 0
    for _ in range(count):
        path.write_bytes(mutated(rng, rng.choice(originals)))
        try:
            network = read_onnx(path)
        except InputError:
            refused += 1
            continue
        assert network.nodes
        assert network.total_macs >= 0
        assert all(tensor.elements >= 1 for tensor in network.tensors.values())
    assert count // 10 < refused < count


@pytest.mark.parametrize("seed", range(2))
def test_mutated_files(seed: int, originals: list[bytes], tmp_path: Path) -> None:
    survive(seed, 500, originals, tmp_path / "mutated.onnx")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 102))
def test_many_mutated_files(seed: int, originals: list[bytes], tmp_path: Path) -> None:
    survive(seed, 3000, originals, tmp_path / "mutated.onnx")


def test_every_truncation_is_refused_or_read(tmp_path: Path) -> None:
    data = build_model("resnet8").SerializeToString()
    path = tmp_path / "cut.onnx"
    for length in range(0, len(data), 37):
        path.write_bytes(data[:length])
        with pytest.raises(InputError):
            read_onnx(path)


def refusal(model: onnx.ModelProto) -> str:
    """Message of the error, or nothing if the model is read."""
    try:
        network_from_model(model, "test")
    except InputError as error:
        return str(error)
    return ""


def copy_of(model: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def test_every_deleted_node_and_tensor_is_noticed() -> None:
    whole = onnx.load(DATA / "mlperf_tiny_resnet8.onnx")
    for collection in ("node", "initializer", "input", "output"):
        for index, entry in enumerate(getattr(whole.graph, collection)):
            damaged = copy_of(whole)
            del getattr(damaged.graph, collection)[index]
            gone = entry.output[0] if collection == "node" else entry.name
            message = refusal(damaged)
            assert repr(gone) in message or (collection == "output" and "no output" in message)


def test_every_deleted_edge_is_refused_by_the_name_of_its_node() -> None:
    whole = onnx.load(DATA / "mlperf_tiny_resnet8.onnx")
    for index, entry in enumerate(whole.graph.node):
        for position in range(len(entry.input)):
            damaged = copy_of(whole)
            damaged.graph.node[index].input[position] = ""
            optional = entry.op_type in ("Conv", "Gemm") and position == 2
            assert (refusal(damaged) == "") if optional else (repr(entry.name) in refusal(damaged))
