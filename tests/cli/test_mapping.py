import json
from pathlib import Path

import pytest

SPEC = ("resnet8", "--platform", "imce:imc=3,dpu=1")


@pytest.fixture
def files(mapopt, tmp_path):
    instance, mapping = tmp_path / "r8.json", tmp_path / "m.json"
    assert mapopt("instance", *SPEC, "-o", instance).code == 0
    assert mapopt("map", instance, "-o", mapping).code == 0
    return instance, mapping


def test_a_network_and_its_instance_file_give_the_same_mapping(mapopt, tmp_path, files):
    other = tmp_path / "other.json"
    assert mapopt("map", *SPEC, "--mapper", "lblp", "-o", other).code == 0
    assert other.read_bytes() == files[1].read_bytes()


def test_schedule_reaches_the_max_load(mapopt, tmp_path, files):
    claimed = json.loads(files[1].read_bytes())["claims"]["max_load_ticks"]
    ran = mapopt("schedule", *files, "-o", tmp_path / "s.json", "--json")
    assert ran.json["claims"]["period_ticks"] == claimed


def test_tables_and_back(mapopt, tmp_path, files):
    table, again = tmp_path / "m.csv", tmp_path / "again.json"
    assert mapopt("convert", files[1], table).code == 0
    assert mapopt("convert", table, again).code == 0
    before, after = (json.loads(path.read_bytes()) for path in (files[1], again))
    assert before["nodes"] == after["nodes"]
    assert before["patterns"] == after["patterns"]
    assert mapopt("verify", files[0], again).code == 0
    assert mapopt("convert", table, table).code == 2


def test_options_and_seed_reach_the_mapper(mapopt, tmp_path, files):
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    mapopt("map", files[0], "-m", "rd", "--seed", 1, "-o", first)
    mapopt("map", files[0], "-m", "rd", "--seed", 2, "-o", second)
    patterns = [json.loads(path.read_bytes())["patterns"] for path in (first, second)]
    assert patterns[0] != patterns[1]
    assert mapopt("map", files[0], "--set", "nonsense=1", "-o", first).code == 2


def test_import(mapopt, tmp_path):
    source = Path(__file__).parents[2] / "instances/device-placement/bert24_inference.json"
    ran = mapopt("import", "device-placement", source, "-o", tmp_path / "b.json")
    assert ran.code == 0
    assert "rounding error" in ran.out
    assert json.loads((tmp_path / "b.json").read_bytes())["schema"] == "mapopt.instance/1"


def test_bad_input_exits_with_2_and_leaves_files_untouched(mapopt, tmp_path, files):
    kept = files[1].read_bytes()
    broken = tmp_path / "broken.json"
    broken.write_bytes(kept[:100])
    other = tmp_path / "other.json"
    mapopt("instance", "resnet8", "--platform", "imce:imc=2,dpu=1", "-o", other)
    for arguments in (
        ("map", "resnet8", "-o", files[1]),
        ("map", *SPEC, "-m", "lblpp", "-o", files[1]),
        ("map", files[0], "--platform", "imce", "-o", files[1]),
        ("map", "resnet18", "--platform", "imc:imc=1,dpu=1", "-o", files[1]),
        ("map", broken, "-o", files[1]),
        ("schedule", files[0], broken, "-o", files[1]),
        ("schedule", other, files[1], "-o", files[1]),
        ("instance", *SPEC, "--times", tmp_path / "none.csv", "-o", files[1]),
        ("convert", broken, files[1]),
    ):
        ran = mapopt(*arguments)
        assert ran.code == 2, arguments
        assert ran.err.startswith("mapopt: ")
        assert files[1].read_bytes() == kept
