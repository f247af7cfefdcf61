"""Optuna's journal in a file of lines."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

from mapopt.errors import InputError
from mapopt.tuning.storage import StorageError


class FileJournal(JournalFileBackend):
    """Events in order, one line each; a last line that a writer did not finish is cut off when the file is opened.

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
        super().__init__(str(file))
        _require_journal(file)
        if not _is_whole(file):
            _cut(file)

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        """Return the events from a number on, counted from 0."""
        try:
            yield from super().read_logs(log_number_from)
        except ValueError as error:
            raise StorageError(
                f"storage journal:{self._file}: is damaged ({error}); put back a copy, or use another --storage"
            ) from None

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append events."""
        if not self._file.exists():
            raise StorageError(f"storage journal:{self._file}: was removed while it was in use")
        super().append_logs(logs)


def _require_journal(file: Path) -> None:
    with file.open("rb") as stream:
        head = stream.readline(1 << 20)
    try:
        event = json.loads(head) if head.endswith(b"\n") else None
    except ValueError:
        event = None
    if head and not (isinstance(event, dict) and "op_code" in event):
        raise InputError(f"--storage journal:{file}: is no journal; name another file, which will be made")


def _is_whole(file: Path) -> bool:
    with file.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - 1))
        return stream.read() in (b"", b"\n")


def _cut(file: Path) -> None:
    """Cut an unfinished last line off, unless a writer was at it and has finished."""
    lock = JournalFileSymlinkLock(str(file))
    lock.acquire()
    try:
        if not _is_whole(file):
            with file.open("r+b") as stream:
                stream.truncate(file.read_bytes().rindex(b"\n") + 1)
    finally:
        lock.release()
