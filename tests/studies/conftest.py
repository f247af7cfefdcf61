import os
import sys
from pathlib import Path

import pytest


@pytest.fixture
def misbehaving(tmp_path, monkeypatch):
    """Install mappers that misbehave, for this process and those that it starts."""
    site = tmp_path / "site"
    info = site / "misbehaving-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: misbehaving\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[mapopt.mappers]\nmisbehaving = misbehaving_mappers:Misbehaving\nblind = misbehaving_mappers:Blind\n"
    )
    (site / "misbehaving_mappers.py").write_bytes((Path(__file__).parent / "misbehaving.py").read_bytes())
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)
    yield
    sys.modules.pop("misbehaving_mappers", None)
