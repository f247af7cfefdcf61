import csv
import io

from mapopt.report import report
from mapopt.report.gap_table import gap_table, share
from mapopt.studies.records import LevelRecord
from tests.report import studies


def test_csv_holds_everything(small):
    rows = list(csv.DictReader(io.StringIO(gap_table(report.read([small]), "csv"))))
    assert len(rows) == 9
    wb = next(row for row in rows if row["method"] == "wb" and row["instance"] == "one")
    assert wb["period_ns"] == "30"
    assert wb["period_bound_ns"] == "15"
    assert wb["period_gap"] == "1"
    assert wb["period_bound_by"] == "counting"
    assert wb["latency_gap"] == "0.2"
    assert wb["command"].startswith("mapopt map")
    failed = next(row for row in rows if row["method"] == "bad")
    assert (failed["status"], failed["period_ns"], failed["reason"]) == ("failed", "", "it broke")
    assert next(row for row in rows if row["method"] == "later")["status"] == "not run"


def test_the_same_records_give_the_same_bytes(small):
    for form in ("csv", "latex", "md"):
        assert gap_table(report.read([small]), form) == gap_table(report.read([small]), form)


def nasty(path):
    instance, made = studies.chain('a & b_1 | 100% #{}~^\\ <b>\nline, "q"'), studies.Made(path)
    key = studies.key(instance.digest, "mapper a")
    made.add(studies.record(key, levels=(LevelRecord("period", "feasible", 30),)), instance, "m|e_t")
    return report.read([made.done()])


def test_latex_is_escaped(tmp_path):
    text = gap_table(nasty(tmp_path / "r"), "latex")
    assert (
        r"a \& b\_1 \textbar{} 100\% \#\{\}\textasciitilde{}\textasciicircum{}\textbackslash{} "
        r"\textless{}b\textgreater{} line, \textquotedbl{}q\textquotedbl{} & m\textbar{}e\_t & feasible & 30 & "
    ) in text
    assert text.count(r"\\") == 2  # the head and one row


def test_markdown_is_escaped(tmp_path):
    lines = gap_table(nasty(tmp_path / "r"), "md").splitlines()
    assert len(lines) == 3
    assert lines[2].replace("\\|", "").count("|") == 9
    assert r"\<b\>" in lines[2]


def test_csv_is_quoted(tmp_path):
    scene = nasty(tmp_path / "r")
    rows = list(csv.reader(io.StringIO(gap_table(scene, "csv"))))
    assert rows[1][0] == scene.cases[0].label
    assert len(rows) == 2


def test_a_small_gap_does_not_look_like_none():
    assert share(None) == ""
    assert share(0.0) == "0.00%"
    assert share(1e-9) == "<0.01%"
    assert share(0.12345) == "12.35%" or share(0.12345) == "12.34%"


def test_short_tables_name_the_class_where_there_are_several(small, tmp_path):
    instance, made = studies.chain(), studies.Made(tmp_path / "alone", "alone")
    key = studies.key(instance.digest, "mapper lblp", parameters={"class": "single-frame"})
    level = LevelRecord("latency", "feasible", 40)
    made.add(studies.record(key, levels=(level,), runtime_s=0.0001), instance, "lblp")
    lines = gap_table(report.read([small, made.done("single-frame")]), "md").splitlines()
    assert lines[0].startswith("| instance | class | method |")
    assert lines[-1].startswith("| chain | single-frame | lblp |")
    assert lines[-1].endswith("| \\<0.001 |")
    assert gap_table(report.read([small]), "md").startswith("| instance | method |")
    assert "llllrrrrr" in gap_table(report.read([small, tmp_path / "alone"]), "latex")
