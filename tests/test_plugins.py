"""What is installed is read once, and again when something is installed or removed."""

import importlib
import os
import shutil
from pathlib import Path

import pytest

from mapopt import plugins
from mapopt.errors import InputError
from mapopt.plugins import Plugins

GROUP = "mapopt.tested"
MODULE = """
from mapopt.options import Options
class Thing:
    name = "{name}"
    options_type = Options
    def __init__(self, options):
        self.options = options
"""


def install(site: Path, name: str) -> Path:
    information = site / f"{name}-1.0.dist-info"
    (site / f"{name}_things.py").write_text(MODULE.format(name=name))
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {name}_things:Thing\n")
    importlib.invalidate_caches()
    later = site.stat().st_mtime_ns + 10**9  # clocks of file systems tick slowly
    os.utime(site, ns=(later, later))
    return information


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_metadata_is_read_once(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(site, "onceonly")
    things = Plugins(GROUP, "thing", (), "nothing")
    read = []
    original = plugins.entry_points
    monkeypatch.setattr(plugins, "entry_points", lambda **kinds: read.append(kinds) or original(**kinds))
    assert {things.make("onceonly").name for _ in range(3)} == {"onceonly"}
    assert things.names() == ("onceonly",)
    assert read == [{"group": GROUP}]


def test_what_is_installed_later_is_found_and_what_is_removed_is_not(site: Path) -> None:
    things = Plugins(GROUP, "thing", (), "nothing")
    assert things.names() == ()
    first = install(site, "earlier")
    assert things.names() == ("earlier",)
    install(site, "later")
    assert things.names() == ("earlier", "later")
    assert [origin for _, origin in things.classes()] == ["earlier 1.0", "later 1.0"]
    shutil.rmtree(first)
    later = site.stat().st_mtime_ns + 10**9
    os.utime(site, ns=(later, later))
    assert things.names() == ("later",)
    with pytest.raises(InputError, match="'earlier': is not registered"):
        things.make("earlier")
