"""References come from a solve or from the library; easy instances do not count."""

import pytest

from mapopt.errors import InputError
from mapopt.studies.folder import Folder
from mapopt.tuning import setup
from mapopt.tuning.cases import Case, Known, cases_of
from mapopt.tuning.references import references_of
from mapopt.tuning.setup import begin, existing
from mapopt.tuning.tuning import read_tuning
from tests.tuning.tuning_files import Here, instance, write_tuning

pytestmark = pytest.mark.usefixtures("tunable")


def references(path, folder, cases=None):
    tuning = read_tuning(path)
    folder = Folder(folder)
    cases = cases_of(tuning, path.parent) if cases is None else cases
    for case in cases:
        folder.keep(case.instance)
    return references_of(tuning, cases, folder, Here())


def test_solved_and_reused(tmp_path, monkeypatch):
    path = write_tuning(tmp_path, each=1)
    found = references(path, tmp_path / "r")
    for each in found:
        assert each.period == each.period_bound > 0
        assert each.latency == each.latency_bound
        assert each.source.startswith("run ")
    monkeypatch.setattr(Here, "execute", lambda *_: pytest.fail("made again"))
    assert references(path, tmp_path / "r") == found


def test_known_references_are_taken_and_easy_ones_left_out(tmp_path):
    path = write_tuning(tmp_path)
    one = instance(1, nodes=1)
    work = one.nodes[0].times[0]
    cases = [
        Case("hard", "f", "train", instance(2), Known(50, 40, 200, 100)),
        Case("easy", "f", "train", one, Known(work, 0, work, 0)),
    ]
    hard, easy = references(path, tmp_path / "r", cases)
    assert (hard.period, hard.source, hard.excluded) == (50, "library", "")
    assert hard.period_bound >= 40
    assert easy.period_bound == work
    assert easy.excluded.startswith("easy: rr has a period 0.00% off")


def test_a_split_of_easy_instances_is_empty(tmp_path):
    path = write_tuning(tmp_path, each=1)
    instance(5, nodes=1).save(tmp_path / "c" / "c0.json")
    with pytest.raises(InputError) as error:
        begin(path, tmp_path / "r", None, Here())
    assert "split 'test' has no instance on which there is something to gain (c0: easy: rr" in str(
        error.value
    )


@pytest.mark.usefixtures("cheap")
def test_those_who_join_take_the_references_that_are_there(tmp_path, monkeypatch):
    path = write_tuning(tmp_path)
    first = begin(path, tmp_path / "one", f"sqlite:///{tmp_path}/t.db", Here())
    monkeypatch.setattr(setup, "references_of", lambda *_: pytest.fail("made again"))
    joined = begin(path, tmp_path / "two", f"sqlite:///{tmp_path}/t.db", Here())
    assert joined.references == first.references
    assert existing(path, tmp_path / "three", f"sqlite:///{tmp_path}/t.db").references == first.references
