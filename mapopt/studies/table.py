"""A table derived from the records, so that many of them are looked at without reading them again.

It is a cache: files that have the size and the time of the last look are taken to be what they were, all others are
read and checked. It may be deleted at any time, and is made again where it is damaged.
"""

from __future__ import annotations

import os
import sqlite3
import warnings
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from types import TracebackType
from typing import Any, Self

import msgspec

from mapopt.studies.folder import Folder
from mapopt.studies.records import LevelRecord, Record
from mapopt.studies.store import RecordWarning

VERSION = 1
WAIT_S = 60.0
BATCH = 2000
_FILES = """
CREATE TABLE IF NOT EXISTS runs (
  file TEXT PRIMARY KEY, mtime_ns INTEGER NOT NULL, size INTEGER NOT NULL, problem TEXT NOT NULL,
  id TEXT, instance TEXT, instance_name TEXT, method TEXT, objective TEXT, parameters TEXT, limits TEXT, seed INTEGER,
  status TEXT, class TEXT, levels TEXT, period_ticks TEXT, latency_ticks INTEGER, runtime_s REAL, reason TEXT
) WITHOUT ROWID"""
_COLUMNS = (
    "id, instance, instance_name, method, objective, parameters, limits, seed, status, class, levels, period_ticks, "
    "latency_ticks, runtime_s, reason"
)


class Row(msgspec.Struct, frozen=True):
    """The figures of one record, without its mapping, trace and witnesses; see :class:`Record` and its key."""

    id: str
    instance: str
    instance_name: str
    method: str
    objective: str
    parameters: dict[str, bool | int | float | str | None]
    limits: dict[str, bool | int | float | str | None]
    seed: int
    status: str
    schedule_class: str
    levels: tuple[LevelRecord, ...]
    period_ticks: str | None
    latency_ticks: int | None
    runtime_s: float | None
    reason: str

    def level(self, objective: str) -> LevelRecord | None:
        """Return the level of an objective, or ``None``."""
        return next((level for level in self.levels if level.objective == objective), None)


class Table:
    """The records of a study's folder as rows, as they are when it is opened.

    Parameters
    ----------
    folder
        The study's; where it cannot be written the table is in memory.

    Attributes
    ----------
    problems
        What is wrong with files that are no intact records, for people.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._store = folder.store
        self._database = self._opened()
        self.problems: tuple[str, ...] = tuple(
            text
            for (text,) in self._database.execute(
                "SELECT problem FROM runs WHERE problem != '' ORDER BY file"
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def statuses(self) -> dict[str, str]:
        """Return the status of every intact record by id."""
        return dict(self._database.execute("SELECT id, status FROM runs WHERE problem = ''"))

    def runtimes(self) -> dict[str, float | None]:
        """Return the seconds that every run took, by id, where they are known."""
        return dict(self._database.execute("SELECT id, runtime_s FROM runs WHERE problem = ''"))

    def reasons(self) -> dict[str, str]:
        """Return why runs failed, by id."""
        return dict(
            self._database.execute("SELECT id, reason FROM runs WHERE problem = '' AND status = 'failed'")
        )

    def rows(self) -> Iterator[Row]:
        """Yield every intact record in the order of ids."""
        query = f"SELECT {_COLUMNS} FROM runs WHERE problem = '' ORDER BY id"
        options = cache(msgspec.json.Decoder(dict[str, Any]).decode)  # few records differ in them
        levels = msgspec.json.Decoder(tuple[LevelRecord, ...])
        for values in self._database.execute(query):
            cells = list(values)
            cells[5], cells[6], cells[10] = options(cells[5]), options(cells[6]), levels.decode(cells[10])
            yield Row(*cells)

    def _opened(self) -> sqlite3.Connection:
        """Open the file; one that is damaged is made again, and memory serves where there can be none."""
        file = self._folder.table
        for attempt in range(2):
            try:
                return self._refreshed(str(file))
            except sqlite3.Error:
                with suppress(OSError):
                    if attempt == 0:
                        file.unlink()
        return self._refreshed(":memory:")

    def _refreshed(self, name: str) -> sqlite3.Connection:
        database = sqlite3.connect(name, timeout=WAIT_S)
        try:
            if database.execute("PRAGMA user_version").fetchone() != (VERSION,):
                database.execute("DROP TABLE IF EXISTS runs")
                database.execute(f"PRAGMA user_version = {VERSION}")
            database.execute(_FILES)
            database.execute("PRAGMA synchronous = OFF")
            self._refresh(database)
        except BaseException:
            database.close()
            raise
        return database

    def _refresh(self, database: sqlite3.Connection) -> None:
        known = {
            file: (mtime, size)
            for file, mtime, size in database.execute("SELECT file, mtime_ns, size FROM runs")
        }
        present = dict(_files(str(self._folder.store.path)))
        gone = [(file,) for file in known if file not in present]
        changed = sorted(file for file, stamp in present.items() if known.get(file) != stamp)
        database.executemany("DELETE FROM runs WHERE file = ?", gone)
        marks = ", ".join("?" * 19)
        for first in range(0, len(changed), BATCH):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", RecordWarning)
                self._read_ahead(changed[first : first + BATCH])
                rows = [self._row(file, *present[file], caught) for file in changed[first : first + BATCH]]
            database.executemany(f"INSERT OR REPLACE INTO runs VALUES ({marks})", rows)
            database.commit()
        database.commit()

    def _row(
        self, file: str, mtime_ns: int, size: int, caught: list[warnings.WarningMessage]
    ) -> tuple[str | int | float | None, ...]:
        caught.clear()
        record = self._store.find(file)
        if record is None:
            problem = str(caught[-1].message) if caught else "is gone"
            return (file, mtime_ns, size, problem, *[None] * 15)
        return (file, mtime_ns, size, "", file, *_cells(record))

    def _read_ahead(self, files: Iterable[str]) -> None:
        """Ask the system for files at once, so that a disk need not be waited for one by one; it may refuse."""
        if hasattr(os, "posix_fadvise"):
            for file in files:
                with suppress(OSError):
                    descriptor = os.open(self._store.file_of(file), os.O_RDONLY)
                    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_WILLNEED)
                    os.close(descriptor)


def _cells(record: Record) -> tuple[str | int | float | None, ...]:
    key = record.key
    levels = tuple(msgspec.structs.replace(level, witness=None) for level in record.levels)
    return (
        key.instance,
        record.instance_name,
        key.method,
        key.objective,
        msgspec.json.encode(key.parameters).decode(),
        msgspec.json.encode(key.limits).decode(),
        key.seed,
        record.status,
        record.schedule_class,
        msgspec.json.encode(levels).decode(),
        record.period_ticks,
        record.latency_ticks,
        record.runtime_s,
        record.reason,
    )


def _files(store: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield the names, without suffix, of a store's record files, and the time and size of each."""
    with suppress(FileNotFoundError, NotADirectoryError):
        for folder in os.scandir(store):
            if len(folder.name) == 2 and folder.is_dir():
                for file in os.scandir(folder.path):
                    if file.name.endswith(".json") and not file.name.startswith("."):
                        with suppress(FileNotFoundError):
                            stat = file.stat()
                            yield file.name.removesuffix(".json"), (stat.st_mtime_ns, stat.st_size)
