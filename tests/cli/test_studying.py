"""``mapopt study`` from a template to merged results."""

import os
import signal
import subprocess
import sys
import time

import pytest

from mapopt.studies.running import run_study
from tests.studies.conftest import misbehaving as misbehaving
from tests.studies.study_files import Here, content, write_study


def test_templates_are_listed_printed_and_valid(mapopt, tmp_path):
    listed = mapopt("study", "new", "--json").json
    assert {"demo", "lblp-paper", "solver-comparison", "quick"} <= set(listed)
    assert all(listed.values())
    assert "quick" in mapopt("study", "new").out
    text = mapopt("study", "new", "quick").out
    (tmp_path / "study.toml").write_text(text)
    state = mapopt("study", "status", tmp_path / "study.toml", "--results", tmp_path / "r", "--json").json
    assert state["todo"] == state["total"] > 10
    assert not (tmp_path / "r").exists()
    ran = mapopt("study", "new", "quikc")
    assert (ran.code, ran.err) == (2, "mapopt: template 'quikc' does not exist; did you mean 'quick'\n")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["demo", "lblp-paper", "solver-comparison"])
def test_templates_expand(mapopt, tmp_path, name):
    (tmp_path / "study.toml").write_text(mapopt("study", "new", name).out)
    state = mapopt("study", "status", tmp_path / "study.toml", "--results", tmp_path, "--json").json
    assert state["total"] == {"demo": 72, "lblp-paper": 868, "solver-comparison": 66}[name]


def test_run_status_and_merge(mapopt, tmp_path):
    path = write_study(tmp_path)
    results = ("--results", tmp_path / "mine")
    ran = mapopt("study", "run", path, *results, "--jobs", 1)
    assert ran.code == 0
    assert ran.out == "8 runs: 0 were there already, 8 done now, 0 to be done; 0 failed\n"
    assert mapopt("study", "run", path, *results, "--json").json == {
        "total": 8, "reused": 8, "done": 0, "failed": 0, "todo": 0, "interrupted": False, "damaged": [],
    }  # fmt: skip
    state = mapopt("study", "status", path, *results, "--json").json
    assert (state["total"], state["done"], state["running"], state["todo"]) == (8, 8, 0, 0)
    assert (state["failed"], state["damaged"], state["left_s"]) == ([], [], 0.0)
    assert "8 runs, 8 done" in mapopt("study", "status", path, *results).out
    merged = mapopt("study", "merge", tmp_path / "mine" / "tiny", "--results", tmp_path / "copy")
    assert merged.out.startswith("tiny: 8 copied, 0 were there already")
    assert content(tmp_path / "copy" / "tiny") == content(tmp_path / "mine" / "tiny")
    again = mapopt("study", "merge", tmp_path / "mine", "--results", tmp_path / "copy", "--json").json
    assert (again[0]["copied"], again[0]["same"]) == (0, 8)


def test_status_counts_what_is_left_and_damaged(mapopt, tmp_path):
    path = write_study(tmp_path)
    run_study(path, tmp_path, Here())
    first, second, *_ = sorted((tmp_path / "tiny" / "runs").glob("*/*.json"))
    first.unlink()
    second.write_text("{")
    state = mapopt("study", "status", path, "--results", tmp_path, "--json").json
    assert (state["done"], state["todo"]) == (6, 2)
    assert 0 < state["left_s"] < 10
    assert str(second) in state["damaged"][0]
    assert str(second) in mapopt("study", "status", path, "--results", tmp_path).err


def test_status_says_how_many_records_are_of_something_else(mapopt, tmp_path):
    path = write_study(tmp_path)
    run_study(path, tmp_path, Here())
    assert mapopt("study", "status", path, "--results", tmp_path, "--json").json["others"] == 0
    path.write_text(path.read_text().replace('["rd", "lpt"]', '["lpt"]'))
    ran = mapopt("study", "status", path, "--results", tmp_path)
    state = mapopt("study", "status", path, "--results", tmp_path, "--json").json
    assert state["total"] == state["done"]
    assert state["others"] > 0
    assert f"{state['others']} more records there are of other code, versions or settings" in ran.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--executor", "dask"], "needs the address of a scheduler"),
        (["--scheduler", "tcp://h:1"], "goes with --executor dask"),
        (["--executor", "dask", "--scheduler", "tcp://h:1", "--jobs", "2"], "--jobs"),
        (["--executor", "dask", "--scheduler", "nonsense://h:1"], "cannot be reached"),
    ],
)
def test_arguments_that_do_not_go_together(mapopt, tmp_path, arguments, says):
    ran = mapopt("study", "run", write_study(tmp_path), "--results", tmp_path, *arguments)
    assert ran.code == 2
    assert says in ran.err


def test_dask_that_is_missing_is_named_with_its_extra(mapopt, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    path = write_study(tmp_path)
    ran = mapopt(
        "study", "run", path, "--results", tmp_path, "--executor", "dask", "--scheduler", "tcp://h:1"
    )
    assert ran.code == 2
    assert "mapopt[dask]" in ran.err


def test_bad_files_are_messages(mapopt, tmp_path):
    for command in (("study", "run"), ("study", "status")):
        ran = mapopt(*command, tmp_path / "no.toml")
        assert (ran.code, ran.out) == (2, "")
        assert "no.toml: cannot be read" in ran.err
    ran = mapopt("study", "merge", tmp_path)
    assert ran.code == 2
    assert "holds no study" in ran.err


@pytest.mark.usefixtures("misbehaving")
def test_failures_are_named(mapopt, tmp_path):
    text = (
        'schema = "mapopt.study/1"\nname = "s"\n[[instances]]\nfiles = ["four.instance.json"]\n'
        '[[mappers]]\nname = "misbehaving"\noptions = { how = ["raise", "well"] }'
    )
    path = write_study(tmp_path, text)
    ran = mapopt("study", "run", path, "--results", tmp_path, "--jobs", 1)
    assert ran.code == 1
    assert "1 failed" in ran.out
    assert "--retry-failed" in ran.err
    state = mapopt("study", "status", path, "--results", tmp_path)
    assert "failed: misbehaving how=raise (seed 0) on four.instance: " in state.out
    assert "a defect" in state.out


@pytest.mark.usefixtures("misbehaving")
def test_ctrl_c_keeps_what_is_done(tmp_path):
    text = (
        'schema = "mapopt.study/1"\nname = "s"\nseeds = 1000\n[[instances]]\nfiles = ["four.instance.json"]\n'
        '[[mappers]]\nname = "misbehaving"\noptions = { how = "nap" }'
    )
    path = write_study(tmp_path, text)
    command = [sys.executable, "-m", "mapopt", "study", "run", path, "--results", tmp_path, "--jobs", "2"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    with process:
        begin = time.monotonic()
        while len(list((tmp_path / "s" / "runs").glob("*/*.json"))) < 3:
            assert time.monotonic() - begin < 60
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "interrupted; what is done is kept" in err
    assert "Traceback" not in err
    assert 0 < len(content(tmp_path / "s")) < 1000
    assert "done now" in out
