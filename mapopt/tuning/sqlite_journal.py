"""Optuna's journal in an SQLite file.

Optuna's own tables in SQLite take a transaction per parameter, and several times as long for a trial as the journal,
which takes one insertion per event (``benchmarks/tuning/overhead.py``). SQLite locks the file, and a process that is
killed loses no more than the event that it was writing.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend

from mapopt.errors import InputError
from mapopt.tuning.storage import StorageError

WAIT_S = 60.0
APPLICATION = 0x6D61706F
"""SQLite's application id of these files."""


class SqliteJournal(BaseJournalBackend):
    """Events in order, one row each.

    Parameters
    ----------
    file
        Made if it does not exist.

    Raises
    ------
    InputError
        If the file is something else.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._database = sqlite3.connect(
            str(file), timeout=WAIT_S, isolation_level=None, check_same_thread=False
        )
        try:
            application = self._database.execute("PRAGMA application_id").fetchone()[0]
            tables = self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if application not in (0, APPLICATION) or (application == 0 and tables):
                raise InputError(
                    f"--storage sqlite:///{file}: holds other tables; name another file, which will be made"
                )
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = OFF")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, event TEXT NOT NULL)"
            )
            self._database.execute(f"PRAGMA application_id = {APPLICATION}")
            self._identity = _identity(file)
        except sqlite3.DatabaseError as error:
            self._database.close()
            raise InputError(
                f"--storage sqlite:///{file}: cannot be used ({error}); name another file, which will be made"
            ) from None

    def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
        """Return the events from a number on, counted from 0."""
        self._require_file()
        with self._lock:
            rows = self._database.execute(
                "SELECT id, event FROM events WHERE id > ? ORDER BY id", (log_number_from,)
            ).fetchall()
        return [self._event(number, text) for number, text in rows]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append events in one transaction."""
        self._require_file()
        rows = [(json.dumps(log, separators=(",", ":")),) for log in logs]
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                self._database.executemany("INSERT INTO events (event) VALUES (?)", rows)
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def _event(self, number: int, text: str | bytes) -> dict[str, Any]:
        try:
            event = json.loads(text)
        except ValueError:
            event = None
        if not isinstance(event, dict):
            raise StorageError(
                f"storage sqlite:///{self._file}: event {number} is damaged; put back a copy, or use another --storage"
            )
        return event

    def _require_file(self) -> None:
        """Refuse to go on in a file that nobody will find again."""
        if _identity(self._file) != self._identity:
            raise StorageError(f"storage sqlite:///{self._file}: was removed while it was in use")


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
