import json

import pytest

from mapopt.sources import load_instance


@pytest.fixture
def files(mapopt, tmp_path):
    instance, mapping = tmp_path / "i.json", tmp_path / "m.json"
    load_instance("resnet8", platform="imce:imc=3,dpu=1").save(instance)
    assert mapopt("map", instance, "-o", mapping).code == 0
    return instance, mapping


def test_one_bound_of_each_objective_binds(mapopt, files):
    rows = mapopt("bounds", files[0], "--json").json
    for objective in ("period", "latency"):
        mine = [row for row in rows if row["objective"] == objective]
        assert [row["binding"] for row in mine].count(True) == 1
        assert mine[0]["binding"]
        assert mine[0]["ticks"] == max(row["ticks"] for row in mine)
    assert "binds" in mapopt("bounds", files[0]).out


def test_what_binds_and_what_more_would_buy(mapopt, files):
    found = mapopt("explain", *files, "--json").json
    assert found["loads"][0]["ticks"] == found["period"]
    assert found["path"][-1]["start"] + found["path"][-1]["duration"] == found["latency"]
    assert found["what_if"][0]["change"] == "the same platform, mapped better"
    shown = mapopt("explain", *files).out
    assert "gains at most" in shown
    assert "critical path" in shown


def test_a_certificate_is_checked_alone_and_refused_when_altered(mapopt, files, tmp_path):
    path = tmp_path / "c.json"
    assert mapopt("certify", *files, "-o", path).code == 0
    good = mapopt("verify", path)
    assert good.code == 0
    assert "proven by its witness" in good.out
    original = json.loads(path.read_text())
    for change in (
        lambda data: data["claims"][0].__setitem__("value", data["claims"][0]["value"] - 1),
        lambda data: data["mapping"]["patterns"][0]["units"].reverse(),
        lambda data: data.__setitem__("instance_digest", "sha256:" + "0" * 64),
        lambda data: data["instance"]["nodes"][0]["times"].__setitem__(0, 1),
    ):
        data = json.loads(json.dumps(original))
        change(data)
        path.write_text(json.dumps(data))
        bad = mapopt("verify", path, "--json")
        assert bad.code == 1
        assert bad.json["reasons"]
    path.write_text(json.dumps(original)[:-20])
    assert mapopt("verify", path).code == 2
    assert mapopt("verify", files[0]).code == 2
