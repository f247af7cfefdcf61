import csv
import io

import pytest

from tests.cli.conftest import Ran
from tests.report import studies


@pytest.fixture
def small(tmp_path):
    return studies.small(tmp_path / "small")


def test_a_page(mapopt, small, tmp_path):
    ran: Ran = mapopt("report", small, "-o", tmp_path / "r.html")
    assert ran.code == 0
    assert "9 runs on 2 instances" in ran.out
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")


def test_a_page_of_all_studies_in_a_folder(mapopt, tmp_path):
    for name in ("a", "b"):
        studies.small(tmp_path / "results" / name)
    assert mapopt("report", tmp_path / "results", "-o", tmp_path / "r.html").code == 0


def test_the_page_is_named_if_nobody_does(mapopt, small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert mapopt("report", small).code == 0
    assert (tmp_path / "report.html").exists()


def test_tables(mapopt, small, tmp_path):
    printed = mapopt("report", small, "--table", "csv")
    assert len(list(csv.reader(io.StringIO(printed.out)))) == 10
    assert mapopt("report", small, "--table", "latex", "-o", tmp_path / "t.tex").code == 0
    assert r"\begin{longtable}" in (tmp_path / "t.tex").read_text()
    assert mapopt("report", small, "--table", "md").out.startswith("| instance |")


def test_figures(mapopt, small, tmp_path):
    ran = mapopt("report", small, "--figures", tmp_path / "f", "--format", "svg", "--instances", 0)
    assert ran.code == 0
    assert "not drawn" in ran.err
    assert (tmp_path / "f" / "gaps-period-time-triggered.svg").exists()


def test_warnings_do_not_stop_it(mapopt, small, tmp_path):
    next((small / "runs").glob("*/*.json")).write_text("{}")
    ran = mapopt("report", small, "-o", tmp_path / "r.html")
    assert ran.code == 0
    assert ran.err.startswith("mapopt: warning: ")


def test_bad_input_exits_with_2(mapopt, small, tmp_path):
    page = tmp_path / "r.html"
    (tmp_path / "file").write_text("")
    for arguments in (
        (tmp_path / "nowhere", "-o", page),
        (tmp_path / "file", "-o", page),
        (tmp_path, small / "runs", "-o", page),
        (small, "-o", tmp_path / "no" / "r.html"),
        (small, "-o", tmp_path),
        (small, "--figures", tmp_path / "file"),
        (small, "--figures", tmp_path / "f", "-o", page),
        (small, "--figures", tmp_path / "f", "--table", "csv"),
        (small, "--figures", tmp_path / "f", "--format", "gif"),
        (small, "--format", "svg"),
        (small, "--table", "csv", "--gantt", "0"),
        (small, "--gantt", "0123456789"),
        (small, "--instances", -1),
    ):
        ran = mapopt("report", *arguments)
        assert ran.code == 2, arguments
        assert ran.err.startswith("mapopt: ") or "Usage" in ran.err
        assert not page.exists()


def test_a_damaged_plan_is_named(mapopt, small, tmp_path):
    (small / "plan.json").write_text("{")
    ran = mapopt("report", small, "-o", tmp_path / "r.html")
    assert ran.code == 2
    assert "plan.json" in ran.err


def test_no_record_at_all(mapopt, small, tmp_path):
    for file in (small / "runs").glob("*/*.json"):
        file.unlink()
    ran = mapopt("report", small, "-o", tmp_path / "r.html")
    assert ran.code == 2
    assert "no run has an intact record" in ran.err
