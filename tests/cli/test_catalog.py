import json
import tomllib

import jsonschema
import pytest


def test_inspect_counts(mapopt):
    shown = mapopt("inspect", "resnet18", "--platform", "imce", "--json").json
    assert shown["total_macs"] == 1_814_073_344
    assert shown["total_weights"] == 11_689_512
    first = shown["nodes"][0]
    assert first["op"] == "Conv"
    assert first["kind"] == "base"
    assert first["output_shape"] == [1, 64, 112, 112]
    assert first["macs"] == 118_013_952
    assert first["times_ns"] == {"imc": 4_609_920, "dpu": None}
    assert first["crossbars"] == {"imc": 1, "dpu": 0}


def test_inspect_for_people(mapopt):
    shown = mapopt("inspect", "resnet8", "--platform", "imc:imc=2,dpu=1").out
    assert "12,501,632 MACs" in shown
    assert "imc [us]" in shown
    assert "Conv+BatchNormalization+Relu" in shown


@pytest.mark.parametrize("command", ["networks", "platforms", "mappers"])
def test_catalogues_describe_everything(mapopt, command):
    listed = mapopt(command, "--json").json
    assert len(listed) >= 2
    assert all(entry["name"] and entry["summary"] for entry in listed)
    for entry in listed:
        assert entry["name"] in mapopt(command).out


def test_platform_files_to_start_from(mapopt):
    assert tomllib.loads(mapopt("platforms", "--show", "imce").out)["name"] == "imce"
    assert mapopt("platforms", "--show", "nope").code == 2


@pytest.mark.parametrize("kind", ["instance", "mapping", "platform", "measurement", "family", "reference"])
def test_schemas(mapopt, kind):
    schema = json.loads(mapopt("schema", kind).out)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["title"] == f"mapopt.{kind}/1"


@pytest.mark.parametrize(
    "arguments",
    [
        ("inspect", "resnet81"),
        ("inspect", "none.onnx"),
        ("inspect", "x.json"),
        ("inspect", "resnet8", "--platform", "none.toml"),
        ("inspect", "resnet8", "--platform", "imce:gpu=1"),
        ("inspect", "resnet8", "--shape", "x=1xtwo"),
        ("inspect", "resnet8", "--shape", "input=1x3x32x32", "--shape", "input=1x3x64x64"),
        ("schema", "nothing"),
        ("nothing",),
    ],
)
def test_bad_input_exits_with_2(mapopt, arguments):
    ran = mapopt(*arguments)
    assert ran.code == 2
    assert ran.err
    assert "Traceback" not in ran.err


def test_inspect_an_instance_file(mapopt, tmp_path):
    path = tmp_path / "r8.json"
    mapopt("instance", "resnet8", "--platform", "imc:imc=2,dpu=1", "-o", path)
    shown = mapopt("inspect", path, "--json").json
    assert shown["units"] == ["imc0", "imc1", "dpu0"]
    first = shown["nodes"][0]
    assert first["times_ns"] == {"imc": 102_400, "dpu": None}
    assert first["crossbars"] == {"imc": 1, "dpu": 0}
    assert first["output_bytes"] == 16 * 32 * 32
    assert first["name"] in mapopt("inspect", path).out


def test_every_command_takes_json(mapopt):
    assert json.loads(mapopt("schema", "mapping", "--json").out)["title"] == "mapopt.mapping/1"
    assert mapopt("platforms", "--show", "imce", "--json").json["schema"] == "mapopt.platform/1"
    assert mapopt("--version").out.startswith("mapopt ")


@pytest.mark.parametrize(("command", "name"), [("mappers", "lblp"), ("formulations", "latency-modulo")])
def test_options_are_listed_with_what_tuning_tries(mapopt, command, name):
    listed = {entry["name"]: entry for entry in mapopt(command, "--json").json}
    options = {option["name"]: option for option in listed[name]["options"]}
    first, tuned = {
        "lblp": ("slack", "0.0 to 0.2"),
        "latency-modulo": ("symmetry_level", "0 to 4"),
    }[name]
    assert options[first]["tuned"] == tuned
    assert options[first]["values"].startswith(("float >= 0", "int >= 0"))
    assert any(option["tuned"] is None for entry in listed.values() for option in entry["options"])
    assert tuned in mapopt(command).out
