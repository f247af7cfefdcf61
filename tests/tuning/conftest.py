import os
import sys
from pathlib import Path

import pytest

from mapopt.studies.running import Local
from mapopt.tuning import setup
from mapopt.tuning.setup import begin
from tests.tuning.tuning_files import cheap_references


@pytest.fixture
def tunable(tmp_path_factory, monkeypatch):
    """Install mappers and formulations to tune, for this process and those that it starts."""
    site = tmp_path_factory.mktemp("site")
    info = site / "tunable-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tunable\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[mapopt.mappers]\ntunable = tunable_mappers:Tunable\nfixed = tunable_mappers:Fixed\n"
        "[mapopt.formulations]\nshy-modulo = tunable_formulations:Shy\n"
        "not-counted = tunable_formulations:NotCounted\n"
    )
    for module, file in (
        ("tunable_mappers", "tunable.py"),
        ("tunable_formulations", "tunable_formulation.py"),
    ):
        (site / f"{module}.py").write_bytes((Path(__file__).parent / file).read_bytes())
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)
    yield site / "tunable_mappers.py"
    for name in ("tunable_mappers", "tunable_formulations"):
        sys.modules.pop(name, None)


@pytest.fixture
def cheap(monkeypatch):
    """Take references that cost nothing."""
    monkeypatch.setattr(setup, "references_of", cheap_references)


@pytest.fixture
def begun(tmp_path):
    """Begin a study in a file's folder."""

    def begin_(path, storage=None):
        return begin(path, tmp_path / "results", storage, Local(1))

    return begin_
