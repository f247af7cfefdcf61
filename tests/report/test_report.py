import json
import re
import zlib
from base64 import b64decode
from html.parser import HTMLParser

import pytest

from mapopt.errors import InputError
from mapopt.report import overview, report
from mapopt.report.charts.sensitivity import growth
from mapopt.report.markup import PAGED_FROM, Column, Link, Table, paragraph, table
from mapopt.report.picture import Omitted, Picture
from mapopt.studies.records import LevelRecord
from tests.report import studies

VOID = {"meta", "link", "br", "img", "input", "line", "rect", "path"}


class Tree(HTMLParser):
    """Tags, ids and links of a page; what is opened must be closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.ids, self.links, self.text = [], [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        values = dict(attributes)
        self.ids += [values["id"]] if "id" in values else []
        self.links += [value for name, value in attributes if name in ("href", "src", "xlink:href")]
        assert not any(name.startswith("on") for name in values)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def page_of(path, tmp_path, **options):
    target = tmp_path / "page.html"
    report.write_page(report.read([path], **options), target)
    return target.read_text()


def test_a_page_is_whole_and_names_nothing_outside(real, tmp_path):
    text = page_of(real, tmp_path)
    tree = Tree(text)
    assert len(tree.ids) == len(set(tree.ids))
    assert set(tree.links) - {"data:,"} <= {f"#{anchor}" for anchor in tree.ids}
    assert any(link.startswith("#run-") for link in tree.links)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "http" not in policy
    outside = set(re.findall(r"https?://[^\"' <]+", text))
    assert outside <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_all_pictures_of_a_real_study_are_there(real):
    scene = report.read([real])
    found = {
        shown.key.split("-")[0]: shown
        for _, _, _, pictures in report.sections(scene)
        for shown in pictures
        if isinstance(shown, Picture)
    }
    assert {
        "gaps", "profiles", "wins", "target", "time", "front", "loads", "gantt", "options", "jitter"
    } <= found.keys()  # fmt: skip
    for shown in found.values():
        assert shown.title
        assert "Class: " in shown.caption
        assert "instance" in shown.caption
        assert "run" in shown.caption


def test_an_empty_picture_is_a_sentence(small, tmp_path):
    scene = report.read([small])
    omitted = [
        shown
        for _, _, _, pictures in report.sections(scene)
        for shown in pictures
        if isinstance(shown, Omitted)
    ]
    assert "Work per frame of units and links: one" in {shown.title for shown in omitted}
    assert all(shown.why for shown in omitted)
    text = page_of(small, tmp_path)
    assert "Not drawn:" in text
    assert "no run kept a mapping" in text


def test_counts_reasons_and_commands_are_there(small, tmp_path):
    text = page_of(small, tmp_path)
    assert "<li><b>2</b><span>optimal</span></li>" in text
    assert "<li><b>2</b><span>failed</span></li>" in text
    assert "<li><b>1</b><span>not run</span></li>" in text
    assert "it broke" in text
    for planned in report.read([small]).results.plans[0].runs:
        assert f'id="run-{planned.id}"' in text
    assert "mapopt map &#x27;one&#x27; --mapper wb --seed 0" in text


def test_the_page_is_the_same_for_the_same_records(real, tmp_path):
    assert page_of(real, tmp_path) == page_of(real, tmp_path)


def test_hostile_names_stay_text(tmp_path):
    instance = studies.chain(studies.NASTY)
    made = studies.Made(tmp_path / "nasty", name=studies.NASTY)
    made.add(studies.mapped(instance, "lblp"), instance, studies.NASTY)
    failed = studies.record(studies.key(instance.digest, "mapper x"), "failed", reason=studies.NASTY)
    made.add(failed, instance, "other " + studies.NASTY)
    tree = Tree(page_of(made.done(), tmp_path))
    assert tree.tags.count("script") == 1
    assert "img" not in tree.tags
    assert studies.NASTY in "".join(tree.text)


def test_long_tables_are_packed():
    rows = [[Link(f"r{at}", f"run-{at}"), "</script><b>", f"{at:,}"] for at in range(PAGED_FROM + 1)]
    columns = (Column("run"), Column("name"), Column("number", True))
    text = table(Table("t", "caption", columns, rows, tuple(f"run-{at}" for at in range(len(rows)))))
    packed = re.search(r'<script type="text/plain" class="rows">([A-Za-z0-9+/=]*)</script>', text)[1]
    data = json.loads(zlib.decompress(b64decode(packed)))
    assert data["rows"][1] == [["r1", "run-1"], "</script><b>", "1"]
    assert data["anchors"][-1] == f"run-{PAGED_FROM}"
    assert "<tbody></tbody>" in text
    assert "<b>" not in text
    short = table(Table("t", "caption", columns, rows[:2], ("run-0", "run-1")))
    assert '<tr id="run-1"><th scope="row"><a href="#run-1">r1</a></th>' in short
    assert "&lt;/script&gt;" in short


def test_figures_in_every_format(real, tmp_path):
    scene = report.read([real], detailed=1)
    for form, begin in (("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        written, _ = report.write_figures(scene, tmp_path / form, form)
        assert len(written) > 9
        assert all(path.read_bytes().startswith(begin) for path in written)
        captions = (tmp_path / form / "captions.md").read_text()
        assert all(f"## {path.name}: " in captions for path in written)
        assert captions.count("Class: ") == len(written)
    assert "Performance profiles" in (tmp_path / "svg" / "profiles-period-time-triggered.svg").read_text()


def test_a_gantt_chart_of_any_run(real):
    scene = report.read([real])
    run = next(run for run in scene.runs if run.method == "rd" and run.plan.seed == 2)
    chosen = report.read([real], chosen=[run.id[:12]])
    shown = next(pictures for key, _, _, pictures in report.sections(chosen) if key == "gantts")
    assert [each.key for each in shown] == [f"gantt-{run.id[:12]}"]
    for wrong in ("zz", ""):
        with pytest.raises(InputError, match="exactly one"):
            list(report.sections(report.read([real], chosen=[wrong])))


def test_damaged_records_are_left_out_with_a_warning(small, tmp_path):
    files = sorted((small / "runs").glob("*/*.json"))
    files[0].write_bytes(files[0].read_bytes()[:-40])
    files[1].write_bytes(files[1].read_bytes().replace(b'"status":"', b'"status":"x'))
    scene = report.read([small])
    assert len(scene.results.warnings) == 2
    assert sum(run.status == "not run" for run in scene.runs) == 3
    text = page_of(small, tmp_path)
    assert "2 files passed over" in text
    assert files[0].name in text


def test_nothing_to_report(tmp_path, small):
    with pytest.raises(InputError):
        report.read([tmp_path / "nowhere"])
    for file in (small / "runs").glob("*/*.json"):
        file.unlink()
    with pytest.raises(InputError, match="no run has an intact record"):
        report.read([small])


def test_a_value_below_a_bound_is_a_contradiction(small, tmp_path):
    assert "contradictions" not in page_of(small, tmp_path)
    instance, made = studies.chain(), studies.Made(tmp_path / "r")
    for method, period, bound in (("mapper a", 14, None), ("solve", 15, 15)):
        key = studies.key(instance.digest, method)
        level = LevelRecord("period", "feasible", period, bound)
        made.add(studies.record(key, levels=(level,)), instance, method)
    text = page_of(made.done(), tmp_path)
    assert "Values below a bound that is said to hold: one of the two is wrong" in text
    assert '<table id="contradictions">' in text


def test_jitter_keeps_its_range_and_its_seed(real):
    scene = report.read([real])
    case = scene.cases[0]
    mapping = case.best_run("lblp").mapping
    first, again = (growth(scene.instance(case), mapping, 0.1) for _ in range(2))
    assert first == again
    loads = first["largest load"]
    assert all(0.89 < ratio < 1.11 for ratio in loads)
    assert max(loads) > 1.01
    assert growth(scene.instance(case), mapping, 0.0)["latency of a frame alone"] == [1.0] * len(loads)


def test_options_of_lblp_against_the_default(tmp_path):
    instance, made = studies.chain(), studies.Made(tmp_path / "r")
    for parameters, period in (
        ({}, 20),
        ({"avoid": "off"}, 15),
        ({"slack": 0.5, "peel": "once"}, 30),
        ({"transfers": True}, 25),
    ):
        key = studies.key(instance.digest, "mapper lblp", parameters=parameters)
        record = studies.record(key, levels=(LevelRecord("period", "feasible", period),))
        made.add(record, instance, f"lblp {parameters}")
    scene = report.read([made.done()])
    shown = next(pictures for key, _, _, pictures in report.sections(scene) if key == "sensitivity")
    picture = next(each for each in shown if isinstance(each, Picture))
    rows = [json.loads(layer["data"]["values"]) for layer in picture.spec["layer"]]
    assert rows[1] == [
        {"setting": "avoid=off", "change": -0.25},
        {"setting": "slack=0.5", "change": 0.5},
        {"setting": "transfers=true", "change": 0.25},
    ]


def test_single_frames(tmp_path):
    instance, made = studies.chain(), studies.Made(tmp_path / "alone")
    for mapper in ("lblp", "wb"):
        made.add(studies.mapped(instance, mapper, compared="single-frame"), instance, mapper)
    scene = report.read([made.done("single-frame")])
    pictures = [shown for _, _, _, pictures in report.sections(scene) for shown in pictures]
    keys = {shown.key.rpartition("-")[0] for shown in pictures if isinstance(shown, Picture)}
    assert {"gaps-latency-single", "profiles-latency-single", "gantt", "loads", "jitter-single"} <= keys
    gantt = next(shown for shown in pictures if isinstance(shown, Picture) and shown.key.startswith("gantt"))
    assert "self-timed" in gantt.caption


def test_methods_are_compared_where_most_of_them_ran(tmp_path):
    """Four methods on two instances, and one of them on five others: the four are compared on the two."""
    made = studies.Made(tmp_path / "r")
    for number in range(7):
        instance = studies.chain(f"i{number}", (6, 6, 9, 4 + number))
        for method in ("lblp", "wb", "rr", "rd") if number < 2 else ("lblp",):
            key = studies.key(instance.digest, f"mapper {method}")
            made.add(studies.record(key, levels=(LevelRecord("period", "feasible", 20),)), instance, method)
    scene = report.read([made.done()])
    values, cases = scene.typical("time-triggered", "period")
    assert list(values) == ["lblp", "wb", "rr", "rd"]
    assert [case.label for case in cases] == ["i0", "i1"]
    quality = next(pictures for key, _, _, pictures in report.sections(scene) if key == "quality")
    assert {shown.key for shown in quality if isinstance(shown, Picture)} >= {
        "profiles-period-time-triggered", "wins-period-time-triggered"
    }  # fmt: skip


def test_many_methods_look_different_and_few_of_them_are_curves(tmp_path):
    instance, made = studies.chain(), studies.Made(tmp_path / "r")
    for number in range(20):
        key = studies.key(instance.digest, "mapper lblp", parameters={"slack": number / 10})
        record = studies.record(key, levels=(LevelRecord("period", "feasible", 20 + number),), runtime_s=1.0)
        made.add(record, instance, f"lblp slack={number / 10}")
    scene = report.read([made.done()])
    color, shape = (
        getattr(scene.style, kind)(scene.methods).to_dict()["scale"]["range"] for kind in ("color", "shape")
    )
    assert len(set(zip(color, shape, strict=True))) == 20
    pictures = {
        shown.key: shown
        for _, _, _, found in report.sections(scene)
        for shown in found
        if isinstance(shown, Picture)
    }
    profiles = pictures["profiles-period-time-triggered"]
    assert "Drawn are 12 of 20 methods" in profiles.caption
    assert len({row["method"] for row in json.loads(profiles.spec["data"]["values"])}) == 12


def test_gantt_charts_and_loads_lead_to_their_runs(real, tmp_path):
    text = page_of(real, tmp_path)
    scene = report.read([real])
    for each in ("gantts", "loads"):
        pictures = next(found for key, _, _, found in report.sections(scene) if key == each)
        for picture in pictures:
            figure = text.split(f'<figure id="{picture.key}"')[1].split("</figure>")[0]
            words = figure.split("<figcaption>")[1]
            assert picture.runs
            assert all(f'<a href="#run-{run}">{method}</a>' in words for method, run in picture.runs)


def test_methods_are_summarised_class_by_class(small, tmp_path):
    instance, made = studies.chain(), studies.Made(tmp_path / "alone", "alone")
    key = studies.key(instance.digest, "mapper lblp", parameters={"class": "single-frame"})
    made.add(studies.record(key, levels=(LevelRecord("latency", "feasible", 40),)), instance, "lblp")
    shown = overview.methods(report.read([small, made.done("single-frame")]))
    assert [row[:3] for row in shown.rows if row[0] == "lblp"] == [
        ["lblp", "time-triggered", "2"],
        ["lblp", "single-frame", "1"],
    ]
    assert [column.title for column in overview.methods(report.read([small])).columns][:2] == [
        "method",
        "runs",
    ]


def test_options_of_commands_stay_whole():
    assert paragraph("a < b; --gantt RUN draws.") == "<p>a &lt; b; <code>--gantt RUN</code> draws.</p>"
