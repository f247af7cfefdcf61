from pathlib import Path

import onnx
import pytest

from mapopt.errors import InputError
from mapopt.network.library import build_model, builtin_networks, light_models, load_network

from .graphs import DATA

NAMES = [info.name for info in builtin_networks()]


@pytest.mark.parametrize("name", NAMES)
def test_generators_write_valid_small_onnx(name: str) -> None:
    model = build_model(name)
    onnx.checker.check_model(model, full_check=True)
    assert model.ByteSize() < 300_000


@pytest.mark.parametrize("name", NAMES)
def test_names_are_readable_and_the_result_repeats(name: str) -> None:
    network = load_network(name)
    assert network.name == name
    assert network.warnings == ()
    assert not any(node.name.split("_")[-1].isdigit() for node in network.nodes if node.op == "Conv")
    assert build_model(name) == build_model(name)


def test_every_builtin_has_a_description_and_a_reference() -> None:
    assert len(set(NAMES)) == len(NAMES) == 18
    for info in builtin_networks():
        assert info.description
        assert info.reference


def test_three_ways_to_name_a_network(tmp_path: Path) -> None:
    path = tmp_path / "copy"
    path.write_bytes((DATA / "resnet18.torchscript.onnx").read_bytes())
    assert load_network(str(path)).total_weights == 11_684_712
    assert load_network(str(DATA / "resnet18.dynamo.onnx")).name == "resnet18.dynamo"
    assert load_network("onnx:resnet50").total_weights == 25_557_032
    assert load_network("resnet18").total_weights == 11_689_512
    assert len(light_models()) == 9


def test_reader_options_reach_every_source() -> None:
    assert len(load_network("resnet18", fuse=False).nodes) > len(load_network("resnet18").nodes)
    assert load_network("resnet8", shapes={"input": (4, 3, 32, 32)}).total_macs == 4 * 12_501_632


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("resnet19", "did you mean .*resnet18"),
        ("zzz", "built-in networks: resnet8"),
        ("onnx:resnet51", "onnx package has no such light model; it has .*resnet50"),
        ("nowhere.onnx", "No such file"),
    ],
)
def test_unknown_networks(spec: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_network(spec)
    with pytest.raises(InputError):
        build_model(spec)
