import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mapopt.instance import Instance, InstanceNode, NodeUnits, SideConstraints, Unit
from mapopt.sources import load_instance

INSTANCES = Path(__file__).parents[2] / "instances"


@pytest.fixture
def r8(tmp_path):
    path = tmp_path / "r8.json"
    load_instance("resnet8", platform="imc:imc=3,dpu=1").save(path)
    return path


def test_a_period_is_proven_and_its_mapping_verified(mapopt, r8, tmp_path):
    ran = mapopt("solve", r8, "-o", tmp_path / "m.json", "--json")
    assert ran.code == 0
    found = ran.json
    assert found["status"] == "optimal"
    assert found["objective"] == found["bound"] == 134500
    assert (found["gap"], found["period_ns"]) == (0, 134500)
    assert "delay transfers" in found["class"]
    assert found["trace"][-1]["value"] == 134500
    assert mapopt("verify", r8, tmp_path / "m.json").code == 0


def test_latency_after_period_with_a_certificate(mapopt, r8, tmp_path):
    files = ("-o", tmp_path / "m.json", "--certificate", tmp_path / "c.json")
    ran = mapopt("solve", r8, "--objective", "period,latency", "--time-limit", 60, *files)
    assert ran.code == 0
    assert "period     optimal" in ran.out
    checked = mapopt("verify", tmp_path / "c.json", "--json")
    assert checked.code == 0
    period, latency = checked.json["claims"]
    assert period["proof"] == "witnessed"
    assert latency["value"] >= latency["bound"]


def test_a_period_that_only_patterns_prove_is_certified_with_integer_duals(mapopt, tmp_path):
    instance, mapping, certificate = (tmp_path / name for name in ("i.json", "m.json", "c.json"))
    times = ((4, 7), (9, 3), (2, 9))
    nodes = tuple(InstanceNode(f"n{at}", each) for at, each in enumerate(times))
    Instance("i", ("x", "y"), (Unit("a", "x"), Unit("b", "y")), nodes).save(instance)
    assert mapopt("solve", instance, "--formulation", "period-assignment", "-o", mapping).code == 0
    made = mapopt("certify", instance, mapping, "-o", certificate, "--time-limit", 5)
    assert "period 6 (optimal), bound 6 witnessed" in made.out
    assert (
        "period = 6, optimal; bound 6: proven by its witness (patterns)" in mapopt("verify", certificate).out
    )
    refused = mapopt("certify", instance, mapping, "-o", certificate, "--time-limit", 0)
    assert refused.code == 2
    assert "time limit: is 0 s; it must be positive" in refused.err


@pytest.mark.parametrize("solver", ["highs", "cbc"])
def test_a_milp_finds_the_same(mapopt, r8, solver):
    found = mapopt("solve", r8, "--solver", solver, "--json").json
    assert (found["status"], found["objective"]) == ("optimal", 134500)


def test_an_instance_without_mapping_is_explained_with_code_2(mapopt, tmp_path):
    path = tmp_path / "i.json"
    Instance(
        "i",
        classes=("imc",),
        units=(Unit("a", "imc"), Unit("b", "imc")),
        nodes=tuple(InstanceNode(name, times=(1,)) for name in "xyz"),
        side_constraints=SideConstraints(
            pin=(NodeUnits("x", ("a",)), NodeUnits("y", ("a",))), separate=(("x", "y"),)
        ),
    ).save(path)
    ran = mapopt("solve", path, "--json")
    assert ran.code == 2
    assert ran.json["status"] == "infeasible"
    assert ran.json["objective"] is None
    assert "nodes from 'x' on must be on different units" in ran.json["levels"][0]["reason"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--time-limit", 0), "time limit: is 0 s; it must be positive"),
        (("--time-limit", "nan"), "time limit"),
        (("--time-limit", "-3"), "time limit: is -3 s"),
        (("--workers", 0), "workers: is 0"),
        (("--solver", "gurobi"), "no formulation does that"),
        (("--formulation", "magic"), "formulation 'magic': is not registered"),
        (("--formulation", "latency-modulo"), "minimises latency, not period"),
        (("--objective", "beauty"), "objective 'beauty': is unknown"),
        (("--objective", "period,latency", "--slack", "nan"), "slack"),
        (("--set", "x=1"), "belong to a formulation"),
        (("--start", "nowhere.json"), "nowhere.json"),
    ],
)
def test_bad_arguments(mapopt, r8, arguments, message):
    ran = mapopt("solve", r8, *arguments)
    assert ran.code == 2
    assert message in ran.err


def test_the_input_is_not_overwritten(mapopt, r8):
    assert mapopt("solve", r8, "-o", r8).code == 2
    assert load_instance(str(r8)).name


ANNOUNCING = """
import signal, sys
from mapopt.cli import main
install = signal.signal
def announce(number, handler):
    before = install(number, handler)
    if number == signal.SIGINT:
        print("listening", file=sys.stderr, flush=True)
    return before
signal.signal = announce
main()
"""


def test_an_interrupt_keeps_the_best_mapping(tmp_path):
    path, out = tmp_path / "i.json", tmp_path / "m.json"
    load_instance("resnet18", platform="imce:imc=4,dpu=2").save(path)
    command = [sys.executable, "-c", ANNOUNCING, "solve", str(path), "-o", str(out), "--json"]
    process = subprocess.Popen(
        [*command, "--objective", "period,latency", "--time-limit", "300"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr.readline() == "listening\n"
    time.sleep(3)
    os.kill(process.pid, signal.SIGINT)
    shown, _ = process.communicate(timeout=200)
    found = json.loads(shown)
    assert process.returncode == 130
    assert found["interrupted"]
    assert found["status"] in ("feasible", "unknown")
    assert found["levels"][0]["bound"] is not None
    assert out.exists() == (found["period_ns"] is not None)


def test_the_front_of_period_and_latency(mapopt, r8, tmp_path):
    ran = mapopt("pareto", r8, "--steps", 3, "--time-limit", 60, "-o", tmp_path / "front", "--json")
    assert ran.code == 0
    points = ran.json["points"]
    assert points[0]["period_ns"] == 134500
    assert points[-1]["latency_ticks"] == 375089
    assert [point["latency_ticks"] for point in points] == sorted(
        (point["latency_ticks"] for point in points), reverse=True
    )
    assert len(list((tmp_path / "front").iterdir())) == len(points)
    assert mapopt("pareto", r8, "--steps", 1).code == 2
    assert mapopt("pareto", r8, "--objectives", "energy").code == 2


def test_every_formulation_is_listed_with_its_class(mapopt):
    listed = {row["name"]: row for row in mapopt("formulations", "--json").json}
    assert {"period-assignment", "period-patterns", "latency-modulo", "energy-assignment"} <= listed.keys()
    for row in listed.values():
        assert row["class"]
        assert row["solvers"]
        assert row["objectives"]
    assert "period-contiguous" in mapopt("formulations").out


@pytest.mark.parametrize(
    ("kind", "file", "options", "objective", "value"),
    [
        ("rcmax", "rcmax100/fr1041.txt", (), "period", 101),
        ("gap", "gap/c0515_1", (), "energy", 261),
        ("stg", "stg50/rand0000.stg", ("--units", 2), "latency", 131),
    ],
)
def test_other_peoples_problems_are_solved(mapopt, tmp_path, kind, file, options, objective, value):
    target = tmp_path / "i.json"
    assert mapopt("import", kind, INSTANCES / file, *options, "-o", target).code == 0
    found = mapopt("solve", target, "--objective", objective, "--json").json
    assert (found["status"], found["objective"]) == ("optimal", value)


def test_imports_say_what_they_need(mapopt, tmp_path):
    needs = mapopt("import", "stg", INSTANCES / "stg50/rand0000.stg", "-o", tmp_path / "i.json")
    assert needs.code == 2
    assert "add --units N" in needs.err
    superfluous = mapopt("import", "gap", INSTANCES / "gap/c0515_1", "--units", 3, "-o", tmp_path / "i.json")
    assert "leave --units out" in superfluous.err
