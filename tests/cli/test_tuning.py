"""``mapopt tune`` from a template to a mapper that other commands take."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.tuning.conftest import cheap as cheap
from tests.tuning.conftest import tunable as tunable
from tests.tuning.tuning_files import instance, write_tuning

pytestmark = pytest.mark.usefixtures("tunable", "cheap")


def test_templates_are_listed_and_printed(mapopt):
    listed = mapopt("tune", "new", "--json").json
    assert {"quick", "library"} <= set(listed)
    assert "quick" in mapopt("tune", "new").out
    assert mapopt("tune", "new", "quick").out.startswith("#")
    ran = mapopt("tune", "new", "quikc")
    assert (ran.code, ran.err) == (2, "mapopt: template 'quikc' does not exist; did you mean 'quick'\n")


def test_from_file_to_mapper(mapopt, tmp_path, monkeypatch):
    path = write_tuning(tmp_path, trials=6)
    monkeypatch.chdir(tmp_path)
    assert mapopt("tune", "resume", path).code == 2
    ran = mapopt("tune", path, "--trials", 12, "--storage", "sqlite:///results/all.db")
    assert ran.code == 0, ran.err
    assert "12 of 12 trials: 12 completed, 0 given up early, 0 failed\n" in ran.out
    assert "tunable (tuned)" in ran.out
    assert "test: tuned less tunable (default): score -" in ran.out
    assert "(95%: -), p = " in ran.out  # of 2 instances
    assert "test: of 2 references 2 periods and " in ran.out
    more = mapopt(
        "tune", "resume", path, "--trials", 13, "--storage", "sqlite:///results/all.db", "--json"
    ).json
    assert more["progress"]["completed"] == 13
    assert more["findings"]["options"]["spread"] == 3
    assert "was not begun" in mapopt("tune", "status", path).err
    status = mapopt("tune", "status", path, "--storage", "sqlite:///results/all.db", "--json").json
    assert status["best_parameters"]["spread"] == 3
    assert status["splits"] == {"train": [2, 2], "validation": [2, 2], "test": [2, 2]}
    assert "best: spread=3" in mapopt("tune", "status", path, "--storage", "sqlite:///results/all.db").out
    out = tmp_path / "tuned.json"
    ran = mapopt("tune", "export", path, "--storage", "sqlite:///results/all.db", "-o", out)
    assert ran.out.endswith(f"use it with: --mapper tuned:{out}\n")
    instance(99).save(tmp_path / "i.json")
    mapped = mapopt("map", tmp_path / "i.json", "--mapper", f"tuned:{out}", "-o", tmp_path / "m.json")
    assert mapped.code == 0, mapped.err
    rows = mapopt("compare", tmp_path / "i.json", "--mappers", f"tuned:{out},tunable", "--json").json["rows"]
    assert [row["status"] for row in rows] == ["mapped", "mapped"]
    assert rows[0]["period_ns"] < rows[1]["period_ns"]
    refused = mapopt(
        "map", tmp_path / "i.json", "--mapper", f"tuned:{out}", "--set", "spread=2", "-o", tmp_path / "m"
    )
    assert (refused.code, "is set by the parameter file" in refused.err) == (2, True)
    report = mapopt("report", tmp_path / "results" / "tiny", "-o", tmp_path / "r.html")
    assert report.code == 0
    assert "What tuning gains on instances that it has not seen" in (tmp_path / "r.html").read_text()


def test_bad_input(mapopt, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write_tuning(tmp_path)
    for arguments, said in (
        (["tune", tmp_path / "none.toml"], "cannot be read"),
        (["tune", path, "--timeout", "-1"], "it must be > 0"),
        (["tune", path, "--timeout", "nan"], "it must be > 0"),
        (["tune", path, "--storage", "mysql://me:secret@db/x"], "is of no known form"),
        (["tune", "export", path, "-o", tmp_path / "p.txt"], "has not the suffix .json"),
        (["tune", "export", path, "-o", tmp_path / "p.json"], "was not begun"),
    ):
        ran = mapopt(*arguments)
        assert ran.code == 2, arguments
        assert said in ran.err
        assert "secret" not in ran.err
    down = mapopt("tune", path, "--storage", "postgresql://me:secret@127.0.0.1:1/x")
    assert (down.code, "secret" in down.err) == (1, False)
    assert "storage postgresql://me@127.0.0.1:1/x: failed" in down.err


def test_failed_trials_are_exit_code_1(mapopt, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write_tuning(tmp_path, head="options = { crash_at = 2 }")
    ran = mapopt("tune", path, "--trials", 9)
    assert ran.code == 1
    assert "trials failed; `mapopt tune status" in ran.err
    assert "crashed as told" in mapopt("tune", "status", path).out


@pytest.mark.slow
def test_ctrl_c(mapopt, tmp_path):
    from mapopt.studies.running import Local
    from mapopt.tuning import running, setup

    path = write_tuning(tmp_path, head="options = { sleep_s = 0.2 }", trials=1000)
    setup.begin(path, tmp_path / "results", None, Local(1))
    assert running.Budgeted().jobs == 1
    command = [sys.executable, "-m", "mapopt", "tune", path, "--results", tmp_path / "results", "--jobs", "2"]
    process = subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    end = time.monotonic() + 60
    while (
        done := mapopt("tune", "status", path, "--results", tmp_path / "results", "--json").json["progress"][
            "completed"
        ]
    ) < 3:
        assert time.monotonic() < end
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert (
        err.decode() == "mapopt: interrupted; what is done is kept, and the same command goes on from there\n"
    )
    progress = mapopt("tune", "status", path, "--results", tmp_path / "results", "--json").json["progress"]
    assert progress["completed"] >= done
    assert progress["failed"] == 0


@pytest.mark.slow
def test_the_quick_template_runs(mapopt, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tuning.toml").write_text(mapopt("tune", "new", "quick").out)
    ran = mapopt("tune", "tuning.toml", "--trials", 15, "--jobs", 2, "--json")
    assert ran.code == 0, ran.err
    findings = ran.json["findings"]
    scores = {(each["split"], each["method"]): each["score"] for each in findings["summaries"]}
    assert scores["train", "lblp (tuned)"] <= scores["train", "lblp (default)"] or findings["trial"] is None
