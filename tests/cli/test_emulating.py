import json
from xml.etree import ElementTree

import jsonschema
import msgspec
import pytest

from mapopt.mapping import Mapping


@pytest.fixture
def files(mapopt, tmp_path):
    instance, mapping = tmp_path / "r8.json", tmp_path / "m.json"
    assert mapopt("instance", "resnet8", "--platform", "imce:imc=3,dpu=1", "-o", instance).code == 0
    assert mapopt("map", instance, "-o", mapping).code == 0
    return instance, mapping


@pytest.fixture
def scheduled(mapopt, files, tmp_path):
    schedule = tmp_path / "s.json"
    assert mapopt("schedule", *files, "-o", schedule).code == 0
    return files[0], schedule


def test_keys_that_others_rely_on(mapopt, files):
    measured = mapopt("emulate", *files, "--json").json
    assert measured["exact"] is True
    assert measured["rate_fps"] == pytest.approx(1e9 / measured["period_ns"])
    latency = measured["latency_ns"]
    assert latency["min"] <= latency["p50"] <= latency["p95"] <= latency["max"]
    assert measured["latency_single_ns"] <= latency["min"]
    assert measured["period_ns"] >= measured["max_load_ns"]
    busiest = max(measured["utilization"].values())
    assert busiest == pytest.approx(measured["max_load_ns"] / measured["period_ns"])


def test_periodic_release_is_the_period_when_it_is_slow_enough(mapopt, files):
    measured = mapopt("emulate", *files, "--interval", "5000000.5", "--json").json
    assert measured["period_ns"] == 5_000_000.5
    assert measured["latency_ns"]["max"] == measured["latency_single_ns"]


def test_a_time_triggered_mapping_keeps_its_promise(mapopt, scheduled):
    claims = json.loads(scheduled[1].read_bytes())["claims"]
    measured = mapopt("emulate", *scheduled, "--json").json
    assert measured["dispatch"] == "time-triggered"
    assert measured["period_ns"] == measured["max_load_ns"] == int(claims["period_ticks"])
    assert measured["latency_ns"]["max"] == claims["latency_ticks"]


def test_pictures_and_traces(mapopt, scheduled, tmp_path):
    trace, svg, png = tmp_path / "t.json", tmp_path / "g.svg", tmp_path / "g.png"
    assert mapopt("emulate", *scheduled, "--trace", trace, "--gantt", svg).code == 0
    assert mapopt("emulate", *scheduled, "--gantt", png).code == 0
    events = json.loads(trace.read_bytes())["traceEvents"]
    assert {"imc0", "dpu0"} <= {event["args"]["name"] for event in events if event["name"] == "thread_name"}
    assert ElementTree.parse(svg).getroot().tag.endswith("svg")
    assert png.read_bytes().startswith(b"\x89PNG")


def test_a_trace_is_of_the_interval_asked_for(mapopt, files, tmp_path):
    trace = tmp_path / "t.json"
    assert mapopt("emulate", *files, "--interval", "5000000", "--trace", trace).code == 0
    events = json.loads(trace.read_bytes())["traceEvents"]
    released = [event["ts"] for event in events if event["ph"] == "b"]
    assert released[:3] == pytest.approx([0, 5000, 10000])  # microseconds


def test_verify_confirms_and_refutes(mapopt, scheduled, tmp_path):
    instance, schedule = scheduled
    assert mapopt("verify", instance, schedule).code == 0
    honest = Mapping.load(schedule)
    false_claim = msgspec.structs.replace(honest.claims, latency_ticks=honest.claims.latency_ticks - 1)
    wrong = tmp_path / "wrong.json"
    msgspec.structs.replace(honest, claims=false_claim).save(wrong)
    ran = mapopt("verify", instance, wrong)
    assert ran.code == 1
    assert "DOES NOT HOLD" in ran.out

    pattern = honest.patterns[0]
    early = msgspec.structs.replace(pattern, starts=(*pattern.starts[:-1], 0))
    msgspec.structs.replace(honest, patterns=(early,)).save(wrong)
    ran = mapopt("verify", instance, wrong, "--json")
    assert ran.code == 1
    assert ran.json["violations"][0]["rule"] == "schedule"
    ran = mapopt("emulate", instance, wrong)
    assert ran.code == 2
    assert pattern.units
    assert f"node {honest.nodes[-1]!r}" in ran.err


def test_verify_names_broken_rules(mapopt, files, tmp_path):
    mapping = Mapping.load(files[1])
    everywhere = msgspec.structs.replace(mapping.patterns[0], units=("dpu0",) * len(mapping.nodes))
    wrong = tmp_path / "wrong.json"
    msgspec.structs.replace(mapping, patterns=(everywhere,)).save(wrong)
    ran = mapopt("verify", files[0], wrong)
    assert ran.code == 1
    assert "broken rule class" in ran.out
    assert mapopt("emulate", files[0], wrong).code == 2


@pytest.mark.parametrize(
    "options",
    [
        ("--frames", 0),
        ("--frames", -5),
        ("--frames", 10**10),
        ("--interval", 0),
        ("--interval", -1),
        ("--interval", "nan"),
        ("--interval", "1e40"),
        ("--interval", "soon"),
        ("--window", 0),
        ("--dispatch", "time-triggered"),
        ("--gantt", "picture.bmp"),
        ("--gantt", "/nonexistent/g.svg"),
        ("--interval", 200_000, "--window", 3),
        ("--trace", "/nonexistent/t.json"),
    ],
)
def test_bad_options_exit_with_2(mapopt, files, options):
    ran = mapopt("emulate", *files, *options)
    assert ran.code == 2
    assert ran.err


def test_options_that_would_be_ignored_are_refused(mapopt, scheduled):
    for option in (("--frames", 3), ("--interval", 10**6), ("--window", 4)):
        ran = mapopt("emulate", *scheduled, *option)
        assert ran.code == 2
        assert option[0] in ran.err
        assert mapopt("emulate", *scheduled, *option, "--dispatch", "self-timed").code == 0


def test_frames_size_the_trace(mapopt, files, tmp_path):
    trace = tmp_path / "t.json"
    assert mapopt("emulate", *files, "--frames", 3, "--trace", trace).code == 0
    events = json.loads(trace.read_bytes())["traceEvents"]
    assert {event["args"]["frame"] for event in events if event["ph"] == "X"} == {0, 1, 2}


def test_nothing_is_written_when_one_output_is_impossible(mapopt, files, tmp_path):
    trace = tmp_path / "t.json"
    assert mapopt("emulate", *files, "--trace", trace, "--gantt", tmp_path / "g.pdf").code == 2
    assert not trace.exists()


def test_printed_documents_satisfy_their_schema(mapopt, files):
    jsonschema.validate(mapopt("emulate", *files, "--json").json, mapopt("schema", "measurement").json)


def test_inputs_are_never_overwritten(mapopt, files):
    kept = files[0].read_bytes()
    for arguments in (("map", files[0], "-o", files[0]), ("schedule", *files, "-o", files[0])):
        assert mapopt(*arguments).code == 2
    assert mapopt("emulate", *files, "--trace", files[0]).code == 2
    assert files[0].read_bytes() == kept
