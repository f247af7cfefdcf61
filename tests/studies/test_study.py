"""A study file says what is wrong with it before anything runs."""

import pytest

from mapopt.errors import InputError
from mapopt.studies.study import RunLimits, Study, listed, parse_study, seeds_of

HEAD = 'schema = "mapopt.study/1"\nname = "s"\n'
WHOLE = HEAD + '[[instances]]\nfiles = ["i.json"]\n[[mappers]]\nname = "lpt"\n'


def test_a_study_has_defaults():
    study = parse_study(WHOLE.encode(), "s.toml")
    assert (study.name, study.compared, study.goals) == ("s", "time-triggered", ("period", "latency"))
    assert study.limits == RunLimits()
    assert study.mappers[0].seeds is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("schema = ", "not valid TOML"),
        ("name = 's'", "schema is None"),
        ('schema = "mapopt.mapping/1"', "is a mapopt mapping"),
        ('schema = "mapopt.study/2"\nname = "s"', "version 2"),
        (HEAD, "missing required field `instances`"),
        (WHOLE + "colour = 1", "unknown field `colour`"),
        (WHOLE.replace("[[inst", "speed = 1\n[[inst"), "unknown field `speed`"),
        (WHOLE.replace("[[inst", "[limits]\ntime = 1\n[[inst"), "unknown field `time`"),
        (WHOLE.replace('"lpt"', "[]"), "length >= 1"),
        (WHOLE.replace('"lpt"', "3"), "mappers"),
        (WHOLE.replace('"s"', '"../s"'), "name"),
        (WHOLE.replace('"s"', '"a/b"'), "name"),
        (WHOLE.replace("[[inst", "seeds = 0\n[[inst"), "seeds"),
        (WHOLE.replace("[[inst", "seeds = [-1]\n[[inst"), "seeds"),
        (WHOLE.replace("[[inst", "[limits]\ntime_s = 0\n[[inst"), "time_s"),
        (WHOLE.replace("[[inst", 'class = "self-timed"\n[[inst'), "class"),
        (WHOLE.replace("[[inst", "objectives = []\n[[inst"), "objectives is empty"),
        (
            WHOLE.replace("[[inst", 'class = "single-frame"\nobjectives = ["period"]\n[[inst'),
            "latency alone",
        ),
    ],
)
def test_bad_study_files(text, says):
    with pytest.raises(InputError, match=says) as caught:
        parse_study(text.encode(), "s.toml")
    assert "s.toml" in str(caught.value) or "study 's'" in str(caught.value)


def test_bytes_that_are_no_text():
    with pytest.raises(InputError, match="UTF-8"):
        parse_study(b"\xff\xfe", "s.toml")


def test_values_and_seeds():
    assert (listed(3), listed((3, 4))) == ((3,), (3, 4))
    assert (list(seeds_of(3)), list(seeds_of((5, 2)))) == ([0, 1, 2], [5, 2])


def test_a_deterministic_run_is_killed_only_if_its_author_says_so():
    assert RunLimits(time_s=5).kill_after(10) == 15
    assert RunLimits(time_s=5, deterministic=True).kill_after(10) is None
    assert RunLimits(time_s=5, deterministic=True, kill_s=7).kill_after(10) == 7
    assert RunLimits(time_s=5, kill_s=7).kill_after(10) == 7


def test_the_single_frame_class_compares_latencies():
    text = WHOLE.replace("[[inst", 'class = "single-frame"\n[[inst')
    assert parse_study(text.encode(), "s.toml").goals == ("latency",)
    assert Study.json_schema()["title"] == "mapopt.study/1"
