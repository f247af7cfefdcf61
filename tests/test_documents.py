import json
import os
from pathlib import Path

import jsonschema
import pytest

from mapopt.documents import write_atomic
from mapopt.errors import InputError
from mapopt.instance import Instance, InstanceNode, Unit
from mapopt.mapping import Mapping, Pattern
from mapopt.platform.library import PRESETS, preset_text
from mapopt.platform.model import Platform

MINIMAL = {
    "schema": "mapopt.instance/1",
    "name": "x",
    "classes": ["a"],
    "units": [{"name": "u", "class": "a"}],
    "nodes": [{"name": "n", "times": [3]}],
}


def encoded(**changes: object) -> bytes:
    return json.dumps({**MINIMAL, **changes}).encode()


def test_round_trip_keeps_the_value_and_the_bytes():
    instance = Instance.from_json(encoded())
    assert Instance.from_json(instance.to_json()) == instance
    assert Instance.from_json(instance.to_json()).to_json() == instance.to_json()


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "not valid JSON"),
        (b'{"schema": "mapopt.instance/1"', "truncated"),
        (b"[]", "JSON object"),
        (b"{}", "schema is None"),
        (encoded(schema="mapopt.instance/2"), "schema version 2, this mapopt reads version 1"),
        (encoded(schema="mapopt.mapping/1"), "is a mapopt mapping, but a mapopt instance is expected"),
        (
            encoded(nodes=[{"name": "n", "times": [-3]}]),
            r"nodes\[0\]\.times\[0\] of 'n' is -3: expected `int` >= 0",
        ),
        (encoded(nodes=[{"name": "n", "times": [1e30]}]), "times"),
        (encoded(nodes=[{"name": "n", "times": [float("nan")]}]), "not valid JSON"),
        (encoded(surprise=1), "unknown field `surprise`; known keys: name, classes, units"),
        (encoded(transfer={"model": "teleport"}), "transfer.model is 'teleport'"),
        (encoded(nodes=[]), "length >= 1"),
        (b"[" * 100_000, "not valid JSON"),
    ],
)
def test_bad_documents_name_the_file_and_the_rule(data, rule):
    with pytest.raises(InputError, match=rule) as caught:
        Instance.from_json(data, "some.json")
    assert "some.json" in str(caught.value)


def test_every_cut_and_every_flipped_byte_is_refused_or_reads_as_a_valid_document():
    data = encoded()
    for cut in range(len(data)):
        with pytest.raises(InputError):
            Instance.from_json(data[:cut])
    for at in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            try:
                Instance.from_json(bytes(changed))
            except InputError:
                continue


def test_json_schema_accepts_what_mapopt_writes_and_refuses_what_it_refuses():
    instance = Instance("x", ("a",), (Unit("u", "a"),), (InstanceNode("n", (3,)),))
    mapping = Mapping(nodes=("n",), patterns=(Pattern(("u",)),))
    for document in (instance, mapping):
        schema = type(document).json_schema()
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(json.loads(document.to_json()), schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**json.loads(document.to_json()), "surprise": 1}, schema)


def test_presets_satisfy_the_platform_schema():
    import tomllib

    for name in PRESETS:
        jsonschema.validate(tomllib.loads(preset_text(name)), Platform.json_schema())


def test_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path, monkeypatch):
    target = tmp_path / "file.json"
    write_atomic(target, b"old")

    def refuse(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(InputError, match="No space left"):
        write_atomic(target, b"new")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_missing_directory_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_atomic(tmp_path / "none" / "file.json", b"")
    with pytest.raises(InputError, match="cannot be read"):
        Instance.load(tmp_path / "none.json")


def test_written_files_have_the_usual_mode(tmp_path):
    write_atomic(tmp_path / "file", b"")
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_links_modes_and_devices_are_respected(tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_bytes(b"old")
    real.chmod(0o600)
    link.symlink_to(real)
    write_atomic(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert real.stat().st_mode & 0o777 == 0o600
    write_atomic("/dev/null", b"gone")
    assert Path("/dev/null").is_char_device()
