"""``mapopt library`` on a small library."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time

import pytest

from mapopt.instance import Instance
from mapopt.library import Library
from mapopt.library.references import Reference
from mapopt.mapping import Mapping
from mapopt.studies.study import RunLimits
from mapopt.studies.tasks import SolveTask
from mapopt.verification import verify
from tests.library.libraries import five, write_library, write_references


@pytest.fixture
def folder(tmp_path):
    write_references(write_library(tmp_path / "instances"))
    return tmp_path / "instances"


def test_list(mapopt, folder):
    listed = mapopt("library", "list", "--library", folder)
    assert listed.code == 0
    assert "small/five" in listed.out
    assert listed.out.splitlines()[-1].startswith("2 instances: 1 ")
    rows = mapopt("library", "list", "--library", folder, "--only", "small/f*", "--json").json
    assert len(rows) == 1
    assert (rows[0]["instance"], rows[0]["class"], rows[0]["digest"]) == ("small/five", "open", five().digest)
    assert rows[0]["latency"] == {"status": "feasible", "value": 29, "bound": 20, "gap": 0.45}
    assert rows[0]["schedule_class"].startswith("time-triggered, one pattern (K = 1)")


def test_check(mapopt, folder):
    ran = mapopt("library", "check", "--library", folder)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("2 instances: 0 with problems; 0 bounds rest on")
    assert ran.out.endswith("; 0 earlier values are claims, their schedules are not kept; 4 values and bounds name "
                            "nothing that repeats them\n")  # fmt: skip
    reference = folder / "small" / "references" / "five.json"
    reference.write_text(reference.read_text().replace('"ticks":29', '"ticks":28'))
    ran = mapopt("library", "check", "--library", folder)
    assert ran.code == 1
    assert "small/five: " in ran.out
    assert "the reference was altered" in ran.out
    Reference.from_data({**json.loads(reference.read_text()), "seal": ""}).save(reference)
    ran = mapopt("library", "check", "--library", folder)
    assert ran.code == 1
    assert "small/five: mapping: claims latency_ticks 28, but it is 29" in ran.out
    found = mapopt("library", "check", "--library", folder, "--json").json
    assert not found["ok"]
    assert found["checked"][0]["name"] == "small/five"


def test_show(mapopt, folder):
    ran = mapopt("library", "show", "small/planted", "--library", folder)
    assert (ran.code, ran.err) == (0, "")
    assert "construction" in ran.out
    assert ran.out.splitlines()[-1].endswith(": mapopt library export small/planted -o instance.json && mapopt bounds "
                                             "instance.json")  # fmt: skip
    ran = mapopt("library", "show", "small/five", "--library", folder)
    assert ran.out.count("not recorded") == 4
    mapopt("library", "update", "--library", folder, "--only", "*/five", "--time-limit", 10)
    found = mapopt("library", "show", "small/five", "--library", folder, "--json").json
    last = found["findings"][-1]
    assert (found["instance"], found["digest"]) == ("small/five", five().digest)
    assert (last["objective"], last["kind"], last["ticks"], last["at_period"]) == ("latency", "bound", 29, 10)
    assert len(last["run"]) == 32
    assert "mapopt solve instance.json --objective period,latency --time-limit 10 " in last["command"]


def test_commands_that_are_shown_repeat_what_was_found(mapopt, folder, tmp_path, monkeypatch):
    mapopt("library", "update", "--library", folder, "--only", "*/five", "--time-limit", 10)
    found = mapopt("library", "show", "small/five", "--library", folder, "--json").json
    monkeypatch.chdir(tmp_path)
    for row in found["findings"]:
        export, again = row["command"].split(" && ")
        assert mapopt(*shlex.split(export)[1:]).code == 0
        shown = mapopt(*shlex.split(again)[1:]).out
        assert str(row["ticks"]) in shown
    key = SolveTask("period,latency", RunLimits(10.0)).key(five().digest, 0)
    assert found["findings"][-1]["run"] == key.id


def test_update_and_export(mapopt, folder, tmp_path):
    ran = mapopt(
        "library", "update", "--library", folder, "--family", "small", "--only", "*/five", "--time-limit", 10
    )
    assert ran.code == 0
    assert "small/five: optimal; better: latency bound" in ran.err
    assert ran.out == "1 instances: 1 solved, 1 better than before, 0 left as they were, 0 with problems\n"
    again = mapopt(
        "library", "update", "--library", folder, "--only", "*/five", "--time-limit", 10, "--json"
    ).json
    assert again == {"total": 1, "interrupted": False, "updated": []}
    out, mapping = tmp_path / "five.json", tmp_path / "m.json"
    ran = mapopt("library", "export", "small/five", "-o", out, "--mapping", mapping, "--library", folder)
    assert ran.out == f"small/five -> {out}\n"
    assert verify(Instance.load(out), Mapping.load(mapping)).ok
    written = mapopt("library", "export", "small", "-o", tmp_path / "all", "--library", folder, "--json").json
    assert [each["instance"] for each in written] == ["small/five", "small/planted"]
    assert Instance.load(tmp_path / "all" / "planted.json").name == "small/planted"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["list", "--family", "smal"], "family 'smal' does not exist; did you mean 'small'"),
        (["check", "--only", "x/*"], "no instance matches x/*"),
        (["update", "--time-limit", "0"], "time limit: is 0 s"),
        (["update", "--records", "nowhere"], "--records nowhere: is no folder"),
        (["export", "small/fife", "-o", "x.json"], "did you mean 'five'"),
        (["show", "small/fife"], "did you mean 'five'"),
        (["export", "small", "-o", "x", "--mapping", "m.json"], "--mapping: is for one instance"),
    ],
)
def test_bad_arguments_are_messages(mapopt, folder, arguments, says):
    ran = mapopt("library", *arguments, "--library", folder)
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err


def test_without_a_library_every_command_says_where_it_is(mapopt, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in (["list"], ["check"], ["update"], ["show", "a/b"], ["export", "a/b", "-o", "x.json"]):
        ran = mapopt("library", *command)
        assert ran.code == 2
        assert "instances: is no instance library" in ran.err


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_done(folder):
    family = folder / "small"
    entries = ", ".join(
        f'{{ name = "p{at}", generator = "layered", parameters = {{ layers = 30, width = 8, seed = {at} }} }}'
        for at in range(50)
    )
    (family / "family.toml").write_text(
        f'schema = "mapopt.family/1"\nsummary = "s"\ninstances = [{{ name = "five", file = "five.json" }}, {entries}]\n'
    )
    command = [sys.executable, "-m", "mapopt", "library", "update", "--library", folder, "--time-limit", "5"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    reference = Library.open(folder).member("small/five")
    with process:
        begin = time.monotonic()
        while reference.reference().effort_s == 0:
            assert time.monotonic() - begin < 60
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "interrupted; what is done is kept" in err
    assert "Traceback" not in err
    assert "1 solved" in out
    assert reference.reference().status == "optimal"
    assert (
        "| five | five.json | 5 | 2 | delay | 10 | 29 | proven | toy |" in (family / "README.md").read_text()
    )
