"""Curves over a parameter of the platform, with figures that are known."""

import json

from mapopt.report import report
from mapopt.report.charts.parameters import curves, parameters, sweeps
from mapopt.report.picture import Omitted, Picture
from mapopt.studies.records import LevelRecord
from tests.report import studies

LABELS = [f"net imce:imc={units},dpu={dpus},transfer=links" for dpus in (1, 2) for units in (8, 2, 4)]


def made(tmp_path, labels, values):
    """Three seeds of rd and a proven optimum on each instance; ``values`` gives rd's periods."""
    folder = studies.Made(tmp_path / "swept")
    for number, label in enumerate(labels):
        instance = studies.chain(f"i{number}", (6, 6, 9, 4 + number))
        for seed, period in enumerate(values(number)):
            levels = (
                LevelRecord("period", "feasible", period),
                LevelRecord("latency", "feasible", 10 * period),
            )
            key = studies.key(instance.digest, "mapper rd", seed)
            folder.add(studies.record(key, levels=levels), instance, "rd", seed=seed, label=label)
        levels = (LevelRecord("period", "optimal", 40 - number, 40 - number),)
        key = studies.key(instance.digest, "solve")
        folder.add(
            studies.record(key, "optimal", levels=levels),
            instance,
            "solve period",
            role="reference",
            label=label,
        )
    return report.read([folder.done()])


def rows_of(picture):
    (data,) = {
        str(layer["data"]["values"]) if "data" in layer else str(picture.spec["data"]["values"])
        for layer in [picture.spec]
    }
    return json.loads(data)


def test_instances_are_grouped_by_all_but_numbers(tmp_path):
    scene = made(tmp_path, [*LABELS, "other imce:imc=2,dpu=1", "plain"], lambda _: [50])
    (sweep,) = sweeps(scene.cases)
    assert (sweep.name, sweep.parameter) == ("net imce:transfer=links", "imc")
    assert sweep.columns == ("dpu=1", "dpu=2")
    assert [(point.others, point.value) for point in sweep.points] == [
        (f"dpu={dpus}", units) for dpus in (1, 2) for units in (2, 4, 8)
    ]


def test_curves_hold_medians_and_ends_relative_to_the_first_bound(tmp_path):
    scene = made(tmp_path, LABELS[:3], lambda number: [80, 60, 100 + number])
    rate = next(shown for shown in parameters(scene) if isinstance(shown, Picture))
    assert rate.title == "Rate against imc: net imce:transfer=links, dpu=1"
    rows = rows_of(rate)
    # In the order of the labels the bounds are 40, 39, 38 and belong to 8, 2 and 4 units.
    rd = {row["value"]: row for row in rows if row.get("method") == "rd"}
    assert {units: row["figure"] for units, row in rd.items()} == {2: 39 / 80, 4: 39 / 80, 8: 39 / 80}
    assert (rd[2]["low"], rd[2]["high"]) == (39 / 101, 39 / 60)
    best = {row["value"]: row["figure"] for row in rows if row.get("method") == "solve period"}
    limits = {row["value"]: row["figure"] for row in rows if "method" not in row}
    assert best == limits == {2: 1.0, 4: 39 / 38, 8: 39 / 40}
    assert "9 run" not in rate.caption
    assert "3 instances, 12 runs" in rate.caption
    assert "largest rate that the bounds leave possible at imc=2, dpu=1." in rate.caption


def test_latency_is_relative_to_the_least_of_any_period(tmp_path):
    scene = made(tmp_path, LABELS, lambda _: [80, 60, 100])
    (sweep,) = sweeps(scene.cases)
    latency = curves(scene, sweep, "latency", "key")
    bound = sweep.points[0].case.bound("latency").ticks
    rows = rows_of(latency)
    rd = [row for row in rows if row.get("method") == "rd"]
    assert {row["figure"] for row in rd} == {800 / bound}
    assert {row["others"] for row in rd} == {"dpu=1", "dpu=2"}
    assert latency.wide
    assert ", for any period" in latency.caption
    assert "for any period at imc=2, dpu=1" in json.dumps(latency.spec)


def test_two_values_make_no_curve(tmp_path):
    scene = made(tmp_path, LABELS[:2], lambda _: [50])
    (omitted,) = parameters(scene)
    assert isinstance(omitted, Omitted)
    assert "3 values" in omitted.why


def test_the_first_mapper_is_drawn_last_with_large_markers(tmp_path):
    folder = studies.Made(tmp_path / "swept")
    methods = [f"m{number}" for number in range(8)]
    for units in (1, 2, 4):
        instance = studies.chain(f"i{units}", (6, 6, 9, 3 + units))
        for method in methods:
            levels = (LevelRecord("period", "feasible", 40),)
            made = studies.record(studies.key(instance.digest, f"mapper {method}"), levels=levels)
            folder.add(made, instance, method, label=f"net imce:imc={units}")
    rate = next(shown for shown in parameters(report.read([folder.done()])) if isinstance(shown, Picture))
    drawn = [row["method"] for row in rows_of(rate) if row.get("value") == 2 and "method" in row]
    assert drawn == [*methods[1:], methods[0]]
    points = rate.spec["layer"][-1]["encoding"]
    assert points["size"]["condition"]["test"] == {"field": "method", "equal": "m0"}
    assert points["size"]["condition"]["value"] > points["size"]["value"]
    for channel in ("color", "shape"):  # eight methods are told apart by either
        scale = points[channel]["scale"]
        assert scale["domain"] == methods
        assert len(set(scale["range"])) == 8
    assert points["y"]["title"] == ["rate relative to the bound", "at imc=1"]
