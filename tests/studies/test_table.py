"""The table says what the records say, reads each once, and may vanish."""

import sqlite3

import msgspec
import pytest

from mapopt.studies.folder import Folder
from mapopt.studies.table import Table
from tests.studies.cases import key, record


@pytest.fixture
def folder(tmp_path):
    made = Folder(tmp_path / "s")
    for seed in range(5):
        made.store.put(record(key(seed), status="failed" if seed == 3 else "feasible", reason="r" * seed))
    return made


def rows(folder):
    with Table(folder) as table:
        return list(table.rows())


def test_rows_say_what_the_records_say(folder):
    found = {row.id: row for row in rows(folder)}
    records = list(folder.store.records())
    assert list(found) == [each.id for each in records]
    for each in records:
        row = found[each.id]
        assert (row.instance, row.method, row.seed) == (each.key.instance, each.key.method, each.key.seed)
        assert (row.parameters, row.limits) == (each.key.parameters, each.key.limits)
        assert (row.status, row.reason, row.runtime_s) == (each.status, each.reason, each.runtime_s)
        assert (row.schedule_class, row.period_ticks) == (each.schedule_class, each.period_ticks)
        assert row.level("period") == each.level("period")
        assert row.level("latency") is None


def test_statuses_and_reasons(folder):
    with Table(folder) as table:
        assert sorted(table.statuses().values()) == ["failed"] + ["feasible"] * 4
        assert table.reasons() == {key(3).id: "rrr"}
        assert table.runtimes()[key(1).id] == 1.5


def test_a_file_is_read_once_and_again_when_it_changed(folder, monkeypatch):
    before = rows(folder)
    read = []
    find = type(folder.store).find
    monkeypatch.setattr(
        type(folder.store), "find", lambda self, name: (read.append(name), find(self, name))[1]
    )
    assert rows(folder) == before
    assert read == []
    file = folder.store.file(key(1))
    file.write_bytes(msgspec.json.format(record(key(1), reason="new").sealed().to_json(), indent=1))
    folder.store.put(record(key(7)))
    folder.store.file(key(0)).unlink()
    after = {row.seed: row for row in rows(folder)}
    assert set(read) == {key(1).id, key(7).id}
    assert set(after) == {1, 2, 3, 4, 7}
    assert after[1].reason == "new"


def test_damaged_records_are_reported_every_time_and_are_no_rows(folder):
    file = folder.store.file(key(1))
    file.write_bytes(file.read_bytes()[:50])
    for _ in range(2):
        with Table(folder) as table:
            assert key(1).id not in table.statuses()
            (problem,) = table.problems
            assert str(file) in problem


@pytest.mark.parametrize("damage", [b"", b"no database", None])
def test_a_table_that_is_damaged_or_gone_is_made_again(folder, damage):
    before = rows(folder)
    if damage is None:
        folder.table.unlink()
    else:
        folder.table.write_bytes(damage)
    assert rows(folder) == before
    assert rows(folder) == before


def test_a_table_of_another_version_is_made_again(folder):
    before = rows(folder)
    with sqlite3.connect(folder.table) as database:
        database.execute("PRAGMA user_version = 99")
        database.execute("UPDATE runs SET status = 'optimal'")
    assert rows(folder) == before


def test_where_no_file_can_be_the_table_is_in_memory(folder):
    before = rows(folder)
    folder.table.unlink()
    folder.table.mkdir()
    (folder.table / "x").touch()
    assert rows(folder) == before


def test_a_store_without_records_is_empty(tmp_path):
    (tmp_path / "s").mkdir()
    assert rows(Folder(tmp_path / "s")) == []


def test_a_file_that_cannot_be_opened_is_a_problem_of_its_own(folder):
    folder.store.file(key(0)).unlink()
    folder.store.file(key(0)).symlink_to(folder.path / "nowhere")
    folder.store.file(key(2)).write_bytes(b"{}")
    with Table(folder) as table:
        assert [row.seed for row in sorted(table.rows(), key=lambda row: row.seed)] == [1, 3, 4]
        assert [key(2).id in problem for problem in table.problems] == [True]
