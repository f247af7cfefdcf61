"""Runs that several folders hold: which record stands does not depend on their order."""

import pytest

from mapopt.errors import InputError
from mapopt.studies.folder import Folder
from mapopt.studies.load import load_results
from mapopt.studies.plan import Plan, PlannedRun
from mapopt.studies.records import LevelRecord
from tests.studies.cases import KEY, record


def level(objective, value, bound=None, status="feasible"):
    return LevelRecord(objective, status, value, bound)


def made(path, **fields):
    """A result folder with one run, the same in every folder."""
    folder = Folder(path)
    folder.store.put(record(KEY, **{"levels": (), **fields}))
    run = PlannedRun(KEY.id, "i", KEY.instance, "heft", 0, "mapper", "c")
    Plan("s", (run,)).save(folder.plan)
    return folder


PAIRS = {
    "value": (
        {"levels": (level("period", 8), level("latency", 20, 5))},
        {"levels": (level("period", 8), level("latency", 21, 19))},
    ),
    "first objective": (
        {"levels": (level("period", 8), level("latency", 30))},
        {"levels": (level("period", 9), level("latency", 20))},
    ),
    "bound": ({"levels": (level("period", 8, 7),)}, {"levels": (level("period", 8, 6),)}),
    "a bound at all": ({"levels": (level("period", 8, 0),)}, {"levels": (level("period", 8),)}),
    "a level more": (
        {"levels": (level("period", 8), level("latency", 30))},
        {"levels": (level("period", 8),)},
    ),
    "not failed": ({"levels": (level("period", 8),)}, {"status": "failed", "reason": "it broke"}),
    "failed last": ({"status": "unknown"}, {"status": "failed", "reason": "it broke"}),
    "infeasible": ({"status": "infeasible"}, {"status": "unknown"}),
}


@pytest.mark.parametrize("names", ["ab", "ba"])
@pytest.mark.parametrize("case", PAIRS)
def test_the_better_record_stands_in_any_order(tmp_path, case, names):
    better, worse = (made(tmp_path / name, **fields) for name, fields in zip(names, PAIRS[case], strict=True))
    expected = better.store.get(KEY)
    assert expected != worse.store.get(KEY)
    for order in ([better, worse], [worse, better]):
        results = load_results([folder.path for folder in order])
        assert dict(results.records) == {KEY.id: expected}
        assert results.rows[KEY.id].status == expected.status
        assert results.rows[KEY.id].levels == expected.levels
        (problem,) = results.warnings
        assert problem.startswith(f"{better.store.file(KEY)}: ")
        assert str(worse.store.file(KEY)) in problem


def test_records_that_differ_in_their_runtime_are_no_conflict_and_still_have_an_order(tmp_path):
    folders = [made(tmp_path / name, runtime_s=seconds) for name, seconds in (("a", 2.0), ("b", 1.0))]
    taken = [
        load_results([folder.path for folder in order]) for order in (folders, folders[::-1], folders * 2)
    ]
    assert {results.rows[KEY.id].runtime_s for results in taken} == {1.0}
    assert {results.records[KEY.id].runtime_s for results in taken} == {1.0}
    assert all(results.warnings == () for results in taken)


def test_a_damaged_plan_says_how_to_get_it_back(tmp_path):
    folder = made(tmp_path)
    folder.plan.write_bytes(folder.plan.read_bytes()[:40])
    with pytest.raises(InputError, match=r"plan\.json: not valid JSON.*run the study again"):
        load_results([tmp_path])
