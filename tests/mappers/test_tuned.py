"""Parameter files stand for a mapper with its options, and are not believed when they were edited."""

import json

import pytest

from mapopt.comparison import parse_mapper
from mapopt.errors import InputError
from mapopt.mappers import tuned
from mapopt.mappers.registry import get, names
from mapopt.mappers.tuned import Parameters, SplitScore, load_tuned, tuned_names

SCORES = (SplitScore("train", 3, 0.1, 0.2, 0.3, 0.4),)


def parameters(**options):
    chosen = get("lblp").options.as_dict() | options
    return Parameters("lblp", chosen, "a-study", 7, "sha256:" + "0" * 64, SCORES).sealed()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.json"
    parameters(path_order="merged", slack=0.125).save(path)
    return path


def test_a_file_is_the_mapper_with_its_options(file):
    mapper = get(f"tuned:{file}")
    assert mapper.name == "lblp"
    assert (mapper.options.path_order, mapper.options.slack) == ("merged", 0.125)
    assert load_tuned(f"tuned:{file}").scores == SCORES
    assert parse_mapper(f"tuned:{file}").options == mapper.options


@pytest.mark.parametrize("options", [["slack=0.5"], {"slack": 0.5}])
def test_options_beside_a_file_are_refused(file, options):
    with pytest.raises(InputError) as error:
        get(f"tuned:{file}", options)
    assert "option 'slack' is set by the parameter file, to 0.125; leave it out" in str(error.value)


def test_an_edited_file_is_refused(file):
    raw = json.loads(file.read_text())
    raw["options"]["slack"] = 0.5
    file.write_text(json.dumps(raw))
    with pytest.raises(InputError, match="the file was altered: export it again"):
        get(f"tuned:{file}")


def test_a_file_of_another_version_is_refused(file):
    parameters(speed=3).save(file)
    with pytest.raises(InputError, match=r"option 'speed': is not known here.*of another version"):
        get(f"tuned:{file}")


def test_what_is_no_file(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="cannot be read"):
        get(f"tuned:{tmp_path}/none.json")
    (tmp_path / "other.json").write_text('{"schema": "mapopt.instance/1"}')
    with pytest.raises(InputError, match="is a mapopt instance, but a mapopt parameters is expected"):
        get(f"tuned:{tmp_path}/other.json")
    with pytest.raises(InputError, match=r"'tuned:' but|no parameter files are packaged|does not exist"):
        get("tuned:nowhere")
    monkeypatch.setattr(tuned, "tuned_names", lambda: ("lblp-light",))
    with pytest.raises(InputError, match="did you mean 'lblp-light'"):
        get("tuned:lblp-ligth")


def test_packaged_files_can_be_used():
    for name in tuned_names():
        assert get(f"tuned:{name}").name in names()
