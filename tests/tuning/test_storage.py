"""Storages are opened, or refused with a reason that holds no password."""

import multiprocessing
import os
import signal
import sqlite3

import optuna
import pytest

from mapopt.errors import InputError
from mapopt.tuning.sqlite_journal import SqliteJournal
from mapopt.tuning.storage import StorageError, open_storage, shown, storage_errors


@pytest.mark.parametrize("url", ["sqlite:///{}/t.db", "journal:{}/t.log"])
def test_files_hold_what_was_written(tmp_path, url):
    url = url.format(tmp_path)
    study = optuna.create_study(study_name="s", storage=open_storage(url))
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
    again = optuna.load_study(study_name="s", storage=open_storage(url))
    assert [trial.params for trial in again.trials] == [trial.params for trial in study.trials]
    again.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    assert len(study.trials) == 4


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://me:secret@db/x", "'mysql://me@db/x': is of no known form"),
        ("sqlite:///", "names no file"),
        ("journal:", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("postgresql://me:secret@localhost:abc/db", "postgresql://me@localhost:abc/db: cannot be read as"),
        ("postgresql://me:secret@[::1/db", "postgresql://me@[::1/db: cannot be read as"),
        ("journal:nowhere/t.log", "nowhere does not exist"),
        ("results.db", "is of no known form"),
    ],
)
def test_forms(url, said):
    with pytest.raises(InputError) as error:
        open_storage(url)
    assert said in str(error.value)
    assert "secret" not in str(error.value)


def test_other_files_are_left_alone(tmp_path):
    text, tables = tmp_path / "text", tmp_path / "tables"
    text.write_text("precious " * 1000)
    with sqlite3.connect(tables) as database:
        database.execute("CREATE TABLE precious (x)")
    database.close()
    for url, said in (
        (f"sqlite:///{text}", "not a database"),
        (f"sqlite:///{tables}", "holds other tables"),
        (f"journal:{text}", "is no journal"),
    ):
        with pytest.raises(InputError, match=said):
            open_storage(url)
    assert text.read_text() == "precious " * 1000


def test_a_server_that_is_down(monkeypatch):
    url = "postgresql://me:secret@127.0.0.1:1/x"
    with pytest.raises(StorageError) as error:
        open_storage(url)
    assert str(error.value).startswith("storage postgresql://me@127.0.0.1:1/x: failed (")
    assert "secret" not in str(error.value)
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(InputError, match=r"install mapopt with its extra: mapopt\[postgresql\]"):
        open_storage(url)


def test_passwords_are_not_shown():
    assert shown("postgresql://me:p@ss@db.example:5432/x") == "postgresql://me@db.example:5432/x"
    assert shown("postgresql://me:sec/ret@localhost:5432/db") == "postgresql://me@localhost:5432/db"
    url = "postgresql://me:secret@db/x"
    with pytest.raises(StorageError) as error, storage_errors(url):
        raise sqlite3.OperationalError("no way in with secret")
    assert "(no way in with ***)" in str(error.value)


def _study(url):
    study = optuna.create_study(study_name="s", storage=open_storage(url))
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    return study


def test_an_unfinished_last_line_is_cut(tmp_path):
    file = tmp_path / "t.log"
    _study(f"journal:{file}")
    os.truncate(file, file.stat().st_size - 15)
    study = optuna.load_study(study_name="s", storage=open_storage(f"journal:{file}"))
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "RUNNING"]
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    assert len(optuna.load_study(study_name="s", storage=open_storage(f"journal:{file}")).trials) == 3


def test_damaged_storages_are_errors(tmp_path):
    file, table = tmp_path / "t.log", tmp_path / "t.db"
    _study(f"journal:{file}")
    _study(f"sqlite:///{table}")
    file.write_bytes(file.read_bytes().replace(b"}\n", b"\n", 3).replace(b"\n", b"}\n", 1))
    with sqlite3.connect(table) as database:
        database.execute("UPDATE events SET event = substr(event, 1, 9) WHERE id = 3")
    database.close()
    for url, said in ((f"journal:{file}", "is damaged"), (f"sqlite:///{table}", "event 3 is damaged")):
        with pytest.raises(StorageError, match=said):
            open_storage(url)


@pytest.mark.parametrize("url", ["sqlite:///{}/t.db", "journal:{}/t.log"])
def test_a_file_that_vanished(tmp_path, url):
    study = _study(url.format(tmp_path))
    for file in tmp_path.iterdir():
        file.unlink()
    with (
        pytest.raises(StorageError, match=r"was removed|cannot be used"),
        storage_errors(url.format(tmp_path)),
    ):
        study.ask()


def _write(file, count):
    journal = SqliteJournal(file)
    for at in range(count):
        journal.append_logs([{"from": os.getpid(), "at": at}])


def test_the_journal_survives_many_writers_and_a_kill(tmp_path):
    file = tmp_path / "t.db"
    SqliteJournal(file)
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(file, 100)) for _ in range(2)]
    victim = context.Process(target=_write, args=(file, 10**6))
    for process in (*writers, victim):
        process.start()
    for process in writers:
        process.join()
    os.kill(victim.pid, signal.SIGKILL)
    victim.join()
    journal = SqliteJournal(file)
    logs = list(journal.read_logs(0))
    for process in writers:
        assert [log["at"] for log in logs if log["from"] == process.pid] == list(range(100))
    theirs = [log["at"] for log in logs if log["from"] == victim.pid]
    assert theirs == list(range(len(theirs)))
    assert list(journal.read_logs(5)) == logs[5:]
