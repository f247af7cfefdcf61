"""A directory of records: one file per run, written whole or not at all, never overwritten.

Any number of processes may use one store at the same time, and any of them may be killed at any moment.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from mapopt.documents import read_bytes
from mapopt.errors import InputError
from mapopt.studies.records import Record, RunKey


class RecordWarning(UserWarning):
    """A file in a store is no intact record; the run counts as not made."""


class RunStore:
    """Records by their keys.

    Parameters
    ----------
    path
        The store's directory, e.g. ``results/runs``; made on the first :meth:`put`. The record of a run is in
        ``<first two digits of its id>/<id>.json``.
    durable
        Whether a record is on the disk before :meth:`put` returns. Otherwise the system writes it some seconds later:
        nothing is lost if processes are killed, but the last records may be if the power fails; they are noticed and
        made again.
    """

    def __init__(self, path: str | Path, *, durable: bool = True) -> None:
        self.path = Path(path)
        self._durable = durable

    def file(self, key: RunKey) -> Path:
        """Return where the record of a run is or would be."""
        return self.file_of(key.id)

    def file_of(self, identity: str) -> Path:
        """Return where the record of the run with this id is or would be."""
        return self.path.joinpath(identity[:2], f"{identity}.json")

    def get(self, key: RunKey) -> Record | None:
        """Return the record of a run, or ``None`` if it was not made.

        A file that is no intact record of this run is reported as a :class:`RecordWarning` and counts as absent.
        """
        return self.find(key.id)

    def find(self, identity: str) -> Record | None:
        """Return the record of a run by its id, see :meth:`get`."""
        path = self.file_of(identity)
        return self._read(path, identity) if path.exists() else None

    def put(self, record: Record, *, over_failed: bool = False) -> Record:
        """Keep a record and return the one that stands: the first that was put for its key.

        What is in its place without being an intact record is renamed, not lost.

        Parameters
        ----------
        over_failed
            Whether a failed run's record is renamed, too, and makes room for this one.

        Raises
        ------
        InputError
            If the system refuses, with its reason.
        """
        record = record.sealed()
        path = self.file(record.key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            while not _create(path, _text(record), durable=self._durable):
                standing = self._read(path, record.id)
                if standing is None:
                    self._set_aside(path, record.id)
                elif over_failed and standing.status == "failed":
                    with suppress(FileNotFoundError):  # another process was faster
                        path.rename(path.with_suffix(f".{standing.digest[7:15]}.failed"))
                else:
                    return standing
        except OSError as error:
            raise InputError(
                f"{path}: cannot be written ({error.strerror or error}); the records before it are kept, and the same "
                "command goes on from there"
            ) from None
        return record

    def records(self) -> Iterator[Record]:
        """Yield every intact record in the order of ids; the others are reported as in :meth:`get`."""
        for path in sorted(self.path.glob("??/*.json")):
            record = self._read(path, path.stem)
            if record is not None:
                yield record

    def _read(self, path: Path, identity: str) -> Record | None:
        try:
            record = Record.from_json(read_bytes(path), str(path))
        except InputError as error:
            warnings.warn(f"{error}; the run counts as not made", RecordWarning, stacklevel=3)
            return None
        if record.id != identity:
            warnings.warn(
                f"{path}: is the record of run {record.id}; rename or delete it; run {identity} counts as not made",
                RecordWarning,
                stacklevel=3,
            )
            return None
        return record

    def _set_aside(self, path: Path, identity: str) -> None:
        """Rename a file that is no record after its content, so that nobody's is lost."""
        with suppress(FileNotFoundError, FileExistsError):  # another process was faster
            content = sha256(path.read_bytes()).hexdigest()[:8]
            aside = path.rename(path.with_suffix(f".{content}.damaged"))
            with warnings.catch_warnings(action="ignore", category=RecordWarning):
                is_intact = self._read(aside, identity) is not None
            if is_intact:  # another process had just put it there
                path.hardlink_to(aside)
                aside.unlink()


def run_or_reuse(store: RunStore, key: RunKey, compute: Callable[[], Record]) -> tuple[Record, bool]:
    """Return the record of a run, and whether it was there already.

    Parameters
    ----------
    compute
        Makes the run. What it raises is passed on. Then, and if its record says that it was interrupted, nothing is
        kept, so that the next call makes the run again.

    Raises
    ------
    ValueError
        If ``compute`` returns the record of another run.
    """
    record = store.get(key)
    if record is not None:
        return record, True
    record = compute()
    if record.key != key:
        raise ValueError(f"run {key.id}: its record has the key of run {record.key.id}")
    return record if record.interrupted else store.put(record), False


def _text(record: Record) -> bytes:
    return record.to_json() + b"\n"


def _create(path: Path, data: bytes, *, durable: bool) -> bool:
    """Write a new file, whole or not at all; return whether there was none."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        Path(name).chmod(0o644)
        try:
            path.hardlink_to(name)
        except FileExistsError:
            return False
        return True
    finally:
        Path(name).unlink()
