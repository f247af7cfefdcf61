"""Ids identify runs; records notice alterations."""

import json
import subprocess
import sys

import msgspec
import pytest

from mapopt.errors import InputError
from mapopt.studies import records
from mapopt.studies.records import Record, RunKey, decimal_ns, environment
from tests.studies.cases import DIGEST, KEY, record

CHANGES = {
    "instance": DIGEST[:-1] + "1",
    "method": "mapper cpop",
    "code": DIGEST[:-1] + "2",
    "objective": "latency",
    "parameters": {**KEY.parameters, "rounds": 4},
    "limits": {**KEY.limits, "time_s": 61.0},
    "seed": 2,
    "versions": {"ortools": "9.16"},
}


def test_the_id_changes_with_every_field():
    assert set(CHANGES) == {field.name for field in msgspec.structs.fields(RunKey)}
    ids = {msgspec.structs.replace(KEY, **{name: value}).id for name, value in CHANGES.items()}
    assert len(ids | {KEY.id}) == len(CHANGES) + 1


def test_the_id_tells_apart_values_that_look_alike():
    options = [{"x": 1}, {"x": 1.0}, {"x": True}, {"x": "1"}, {"x": None}, {}, {"y": 1}]
    assert len({msgspec.structs.replace(KEY, parameters=each).id for each in options}) == len(options)


def test_the_order_of_parameters_does_not_count():
    turned = dict(reversed(KEY.parameters.items()))
    assert msgspec.structs.replace(KEY, parameters=turned).id == KEY.id


def test_the_id_is_stable():
    """Committed records rely on it."""
    program = "from tests.studies.cases import KEY; print(KEY.id)"
    ids = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert ids == {KEY.id} == {"f05626b4270e9b8139807bd754f400ef"}


def test_a_record_survives_writing_and_reading():
    sealed = record().sealed()
    assert Record.from_json(sealed.to_json()) == sealed
    assert json.loads(sealed.to_json())["class"] == "one pattern"
    assert sealed.id == KEY.id
    assert sealed.level("period").value == 12
    assert sealed.level("energy") is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("status",), "optimal"),
        (("levels", 0, "bound"), 12),
        (("levels", 0, "value"), 11),
        (("class",), "other"),
        (("runtime_s",), 1.0),
        (("trace", 0, "time_s"), 0.0),
        (("key", "seed"), 7),
        (("period_ticks",), "11"),
        (("digest",), DIGEST),
    ],
)
def test_an_altered_record_is_refused(path, value):
    data = json.loads(record().sealed().to_json())
    at = data
    for step in path[:-1]:
        at = at[step]
    assert at[path[-1]] != value
    at[path[-1]] = value
    with pytest.raises(InputError, match=r"the record was altered: delete it"):
        Record.from_data(data)


def test_a_dropped_field_is_an_alteration():
    data = json.loads(record().sealed().to_json())
    del data["trace"]
    with pytest.raises(InputError, match="altered"):
        Record.from_data(data)


def test_layout_of_the_file_does_not_count():
    sealed = record().sealed()
    assert (
        Record.from_json(json.dumps(json.loads(sealed.to_json()), indent=4, sort_keys=True).encode())
        == sealed
    )


@pytest.mark.parametrize(
    ("ticks", "tick_ps", "text"),
    [
        (0, 1000, "0"),
        (5, 1, "0.005"),
        ("7/2", 1000, "3.5"),
        ("7/3", 3000, "7"),
        ("1/3", 1000, None),
        (12, 1000, "12"),
    ],
)
def test_decimals_are_exact(ticks, tick_ps, text):
    assert decimal_ns(ticks, tick_ps) == text


def test_the_environment_is_read_once_and_every_record_has_its_own(monkeypatch):
    known = environment()
    assert set(known) == {"mapopt", "cpus", "machine", "python", "system"}
    monkeypatch.delattr(records, "installed")  # reading versions takes milliseconds
    other = environment()
    other["cpus"] = "no"
    assert environment() == known
