"""What is tuned of a mapper, and what a trial's values mean."""

import msgspec
import pytest

from mapopt.errors import InputError
from mapopt.tuning.subject import Subject
from mapopt.tuning.tuning import read_tuning
from tests.tuning.tuning_files import write_tuning

pytestmark = pytest.mark.usefixtures("tunable")


@pytest.fixture
def tuning(tmp_path):
    read = read_tuning(write_tuning(tmp_path))
    return lambda **changes: msgspec.convert(msgspec.to_builtins(read) | changes, type(read))


def test_settings_are_complete_and_conditions_hold(tuning):
    subject = Subject.of(tuning(options={"sleep_s": 0.5}))
    assert subject.space.names == ("spread", "heavy_first")
    default = {"spread": 1, "heavy_first": False, "sleep_s": 0.5, "sleep_at": 0, "crash_at": 0}
    assert subject.settings({}) == default
    assert subject.settings({"spread": 1, "heavy_first": True}) == default
    assert subject.settings({"spread": 3, "heavy_first": True}) == default | {
        "spread": 3,
        "heavy_first": True,
    }
    assert subject.with_settings(subject.settings({"spread": 2})).mapper.options.spread == 2


def test_narrower_spaces(tuning):
    subject = Subject.of(tuning(parameters={"spread": {"low": 2, "high": 3}}))
    assert subject.settings({})["spread"] == 2
    assert Subject.of(tuning(tuned=["spread"])).space.names == ("spread",)
    assert Subject.of(tuning(parameters={"spread": {"value": 3}})).space.names == ("heavy_first",)
    held = Subject.of(tuning(options={"spread": 3}))
    assert held.space.names == ("heavy_first",)
    assert held.settings({})["spread"] == 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mapper": "tunabel"}, "did you mean 'tunable'"),
        ({"mapper": "tuned:x"}, "name the mapper that it tunes"),
        ({"mapper": "fixed"}, "mapper 'fixed': has a space without parameters"),
        ({"options": {"spraed": 1}}, "did you mean 'spread'"),
        ({"options": {"spread": 9}}, "'spread'"),
        ({"tuned": ["spraed"]}, "did you mean 'spread'"),
        ({"parameters": {"spraed": {"value": 1}}}, "did you mean 'spread'"),
        ({"parameters": {"spread": {"low": 3, "high": 1}}}, "parameter 'spread': tuned range"),
        ({"parameters": {"spread": {"low": 0, "high": 2}}}, "parameter 'spread'"),
        ({"parameters": {"spread": {"value": 1}}, "options": {"spread": 1}}, "in options and in parameters"),
        ({"options": {"spread": 1}}, "has a space without parameters"),
    ],
)
def test_rules(tuning, changes, said):
    with pytest.raises(InputError) as error:
        Subject.of(tuning(**changes))
    assert said in str(error.value)
