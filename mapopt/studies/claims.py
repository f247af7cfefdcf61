"""Which process makes which run: locks that end with the process that holds them."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from mapopt.errors import InputError


class Claims:
    """Claims on runs of one store, one byte of a file each.

    The system drops a process's locks when it ends, however it ends, so that no claim is ever stale. Where the file
    system knows no locks every claim is granted: runs may then be made twice, and the first record stands.

    Parameters
    ----------
    path
        The file; it stays empty.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def take(self, run: str) -> bool:
        """Claim a run; return ``False`` if another process has."""
        return self._lock(run, fcntl.LOCK_EX)

    def release(self, run: str) -> None:
        """Give a claim back."""
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _offset(run))

    def held(self, run: str) -> bool:
        """Return whether another process has claimed a run."""
        if self._lock(run, fcntl.LOCK_SH):
            self.release(run)
            return False
        return True

    def _lock(self, run: str, kind: int) -> bool:
        try:
            fcntl.lockf(self._file, kind | fcntl.LOCK_NB, 1, _offset(run))
        except OSError as error:
            return error.errno not in (errno.EACCES, errno.EAGAIN)
        return True


def _offset(run: str) -> int:
    return int(run[:12], 16)
