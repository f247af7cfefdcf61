"""Merging copies what is absent and intact, and says what it did not take."""

import errno
import shutil

import msgspec
import pytest

from mapopt.errors import InputError
from mapopt.studies import store as store_module
from mapopt.studies.folder import Folder
from mapopt.studies.load import load_results
from mapopt.studies.merging import merge, result_of
from mapopt.studies.plan import KnownBound, Plan, PlannedRun
from tests.studies.cases import key, record
from tests.studies.study_files import instance

PROBLEM = instance(1, 2)


def keys(seed):
    return msgspec.structs.replace(key(seed), instance=PROBLEM.digest)


def made(path, seeds, **fields):
    """A result folder of study ``s`` with runs of these seeds."""
    folder = Folder(path / "s")
    for seed in seeds:
        folder.store.put(record(keys(seed), **fields))
    folder.keep(PROBLEM)
    folder.study.write_text("a study")
    runs = tuple(
        PlannedRun(keys(seed).id, "i", PROBLEM.digest, "heft", seed, "mapper", "c") for seed in seeds
    )
    Plan("s", runs).save(folder.plan)
    return folder


@pytest.fixture
def other(tmp_path):
    return made(tmp_path / "other", range(3), environment={"machine": "theirs"})


def test_a_new_study_is_taken_over_whole(other, tmp_path):
    (done,) = merge(other.path, tmp_path / "mine")
    assert (done.study, done.copied, done.same, done.different, done.skipped) == ("s", 3, 0, [], [])
    mine, theirs = load_results([tmp_path / "mine"]), load_results([other.path])
    assert mine.plans == theirs.plans
    assert dict(mine.records) == dict(theirs.records)
    assert mine.instance(PROBLEM.digest) == PROBLEM
    assert Folder(tmp_path / "mine" / "s").study.read_text() == "a study"


@pytest.mark.usefixtures("other")
def test_records_with_the_same_result_stay_as_they_are(tmp_path):
    mine = made(tmp_path / "mine", [1, 9], runtime_s=77.0, environment={"machine": "ours"})
    (done,) = merge(tmp_path / "other", tmp_path / "mine")
    assert (done.copied, done.same, done.different) == (2, 1, [])
    assert mine.store.get(keys(1)).runtime_s == 77.0
    assert [run.seed for run in Plan.load(mine.plan).runs] == [1, 9, 0, 2]
    (done,) = merge(tmp_path / "other", tmp_path / "mine")
    assert (done.copied, done.same) == (0, 3)


def test_what_the_library_knows_is_taken_over_once(other, tmp_path):
    bounds = [KnownBound(PROBLEM.digest, "period", ticks, "b", "f/i") for ticks in (1, 2)]
    mine = made(tmp_path / "mine", [1])
    for folder, known in ((mine, bounds[:1]), (other, bounds)):
        plan = msgspec.structs.replace(Plan.load(folder.plan), known=tuple(known))
        plan.save(folder.plan)
    merge(other.path, tmp_path / "mine")
    assert Plan.load(mine.plan).known == tuple(bounds)


@pytest.mark.usefixtures("other")
def test_another_result_is_reported_and_not_taken(tmp_path):
    mine = made(tmp_path / "mine", [1], status="optimal")
    (done,) = merge(tmp_path / "other", tmp_path / "mine")
    assert done.different == [keys(1).id]
    assert mine.store.get(keys(1)).status == "optimal"


@pytest.mark.usefixtures("other")
def test_a_result_takes_the_place_of_a_failure(tmp_path):
    mine = made(tmp_path / "mine", [1], status="failed")
    (done,) = merge(tmp_path / "other", tmp_path / "mine")
    assert (done.copied, done.replaced, done.different) == (2, 1, [])
    assert mine.store.get(keys(1)).status == "feasible"
    assert len(list(mine.path.glob("runs/*/*.failed"))) == 1


def test_damaged_and_foreign_files_are_named_and_skipped(other, tmp_path):
    file = other.store.file(keys(0))
    file.write_bytes(file.read_bytes()[:40])
    other.store.file(keys(1)).write_bytes(record(keys(5)).sealed().to_json())
    foreign = other.store.path / "notes.txt"
    foreign.write_text("x")
    (done,) = merge(other.path, tmp_path / "mine")
    assert done.copied == 1
    assert len(done.skipped) == 3
    for path in (file, other.store.file(keys(1)), foreign):
        assert any(str(path) in reason for reason in done.skipped)


def test_a_damaged_instance_is_named(other, tmp_path):
    other.instance_file(PROBLEM.digest).write_text("{}")
    (done,) = merge(other.path, tmp_path / "mine")
    assert done.copied == 3
    assert "instances" in done.skipped[0]


def test_nothing_is_lost_when_the_disk_is_full(other, tmp_path, monkeypatch):
    create, room = store_module._create, iter([True])

    def full(path, data, *, durable):
        if not next(room, False):
            raise OSError(errno.ENOSPC, "No space left on device")
        return create(path, data, durable=durable)

    with monkeypatch.context() as context:
        context.setattr(store_module, "_create", full)
        with pytest.raises(InputError, match=r"cannot be written .No space left on device"):
            merge(other.path, tmp_path / "mine")
    assert len(list(Folder(tmp_path / "mine" / "s").store.records())) == 1
    (done,) = merge(other.path, tmp_path / "mine")
    assert (done.copied, done.same) == (2, 1)


def test_what_holds_no_study_is_refused(other, tmp_path):
    with pytest.raises(InputError, match="holds no study"):
        merge(tmp_path / "nothing", tmp_path / "mine")
    with pytest.raises(InputError, match="would be merged into"):
        merge(other.path, tmp_path / "other")
    other.plan.write_text("{")
    with pytest.raises(InputError, match=r"plan\.json: not valid JSON"):
        merge(other.path, tmp_path / "mine")


def test_only_times_and_machines_do_not_count():
    assert result_of(record(runtime_s=1.0)) == result_of(record(runtime_s=2.0, environment={"cpus": "2"}))
    assert result_of(record()) != result_of(record(period_ticks="13"))


def test_loading_reports_what_is_damaged(other, tmp_path):
    shutil.copytree(other.path, tmp_path / "other" / "t")
    file = other.store.file(keys(0))
    file.write_bytes(b"{")
    results = load_results([tmp_path / "other"])
    assert [plan.name for plan in results.plans] == ["s", "s"]
    assert len(results.records) == 3  # the second folder has it
    assert results.records.get("x") is None
    assert len(results.warnings) == 1
    assert str(file) in results.warnings[0]
    with pytest.raises(InputError, match="is in none of"):
        results.instance("sha256:" + "1" * 64)
    with pytest.raises(InputError, match="holds no study"):
        load_results([tmp_path / "x"])
