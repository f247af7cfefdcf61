"""The pictures of a tuning study."""

import json

import pytest

from mapopt.report.picture import Omitted, Picture
from mapopt.report.render import render
from mapopt.report.report import read, sections
from mapopt.report.tuning import tuning
from mapopt.tuning.concluding import conclude
from mapopt.tuning.running import Budgeted, run_tuning
from tests.tuning.conftest import cheap as cheap
from tests.tuning.conftest import tunable as tunable
from tests.tuning.tuning_files import Here, write_tuning

pytestmark = pytest.mark.usefixtures("tunable", "cheap")


@pytest.fixture
def scene(tmp_path):
    def begun(trials):
        path = write_tuning(tmp_path, trials=trials)
        setup, _ = run_tuning(path, tmp_path / "results", None, Budgeted())
        findings = conclude(setup, Here())
        return read([setup.folder.path]), findings

    return begun


def test_every_picture_is_drawn(scene):
    shown, findings = scene(14)
    pictures = {each.key: each for each in tuning(shown) if isinstance(each, Picture)}
    names = ("gaps", "paired", "convergence", "importances", "slices")
    assert list(pictures) == [f"tuning-tiny-{name}" for name in names]
    for each in pictures.values():
        assert b"<svg" in render(each, "svg")
        assert "Instances: train 2, validation 2, test 2. Proven references: train 2 periods" in each.caption
    drawn = json.dumps(pictures["tuning-tiny-gaps"].spec)
    assert all(repr(findings.summary("test", method).latency_gap) in drawn for method in findings.methods)
    assert "tuning" in [section[0] for section in sections(shown)]


def test_what_there_is_too_little_of_is_left_out(scene):
    shown, _ = scene(3)
    left_out = [each.title for each in tuning(shown) if isinstance(each, Omitted)]
    assert left_out == ["tiny: importance of parameters"]


def test_other_studies_have_no_tuning(tmp_path):
    from mapopt.studies.running import run_study
    from tests.studies.study_files import write_study

    run_study(write_study(tmp_path), tmp_path, Here())
    assert list(tuning(read([tmp_path / "tiny"]))) == []
