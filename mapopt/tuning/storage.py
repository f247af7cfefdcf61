"""Where the trials are: SQLite or a journal file for one machine, PostgreSQL for many."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from mapopt.errors import InputError, MapoptError

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

MAX_RETRIES = 3
"""How often the trial of a worker that was lost is made again."""


class StorageError(MapoptError):
    """The storage is down, or went away; what it has is kept."""


def shown(url: str) -> str:
    """Return a storage without its password.

    Examples
    --------
    >>> shown("postgresql://me:secret@db.example:5432/tuning")
    'postgresql://me@db.example:5432/tuning'
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme == "sqlite":
        return url
    login, _, place = rest.rpartition("@")
    user = login.partition(":")[0]
    return f"{scheme}://{user}{'@' if user else ''}{place.partition('?')[0]}"


def is_local(url: str) -> bool:
    """Return whether a storage is a file."""
    return url.startswith(("sqlite:///", "journal:"))


def file_of(url: str) -> Path:
    """Return the file of a local storage."""
    return Path(url.removeprefix("sqlite:///").removeprefix("journal:"))


@contextmanager
def storage_errors(url: str) -> Iterator[None]:
    """Turn what a storage raises when it is down, or goes away, into one error.

    Raises
    ------
    StorageError
        Naming the storage without its password.
    """
    import sqlite3

    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (StorageInternalError, SQLAlchemyError, sqlite3.Error) as error:
        cause = error.__cause__ or error
        text = next((line.strip() for line in str(cause).splitlines() if line.strip()), type(cause).__name__)
        raise StorageError(
            f"storage {shown(url)}: failed ({_without_password(text, url)}); what it has is kept: when it is up again, "
            "`mapopt tune resume` goes on from there"
        ) from None
    except OSError as error:
        if not is_local(url) or isinstance(error, InterruptedError):
            raise
        raise StorageError(f"storage {shown(url)}: cannot be used ({error.strerror or error})") from None


def _without_password(text: str, url: str) -> str:
    if is_local(url):
        return text
    password = url.partition("://")[2].rpartition("@")[0].partition(":")[2]
    for each in filter(None, (password, unquote(password))):
        text = text.replace(each, "***")
    return text


def open_storage(url: str) -> BaseStorage:
    """Open a storage, which is made where it does not exist.

    Parameters
    ----------
    url
        ``sqlite:///FILE``, ``journal:FILE`` or ``postgresql://USER:PASSWORD@HOST:PORT/DATABASE``.

    Raises
    ------
    InputError
        If the form is none of these, or a package is missing.
    StorageError
        If it cannot be reached.
    """
    import optuna
    from optuna.storages import JournalStorage

    from mapopt.tuning.file_journal import FileJournal
    from mapopt.tuning.sqlite_journal import SqliteJournal

    require_form(url)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if not is_local(url):
        return _postgresql(url)
    with storage_errors(url):
        journal = SqliteJournal if url.startswith("sqlite:///") else FileJournal
        return JournalStorage(journal(file_of(url)))


def require_form(url: str) -> None:
    """Refuse what is no storage.

    Raises
    ------
    InputError
        If the form is none that :func:`open_storage` knows, or a file's folder does not exist.
    """
    if is_local(url):
        file = file_of(url)
        if str(file) in ("", ".", ":memory:"):
            raise InputError(f"--storage {url!r}: names no file; write sqlite:///FILE or journal:FILE")
        if not file.resolve().parent.is_dir():
            raise InputError(f"--storage {url!r}: folder {file.resolve().parent} does not exist; make it")
    elif not url.startswith("postgresql://"):
        raise InputError(
            f"--storage {shown(url)!r}: is of no known form; write sqlite:///FILE, journal:FILE, or "
            "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
        )


def retrying() -> Callable[[Study, FrozenTrial], None]:
    """Return what has the trial of a lost worker made again, a few times at most."""
    from optuna.exceptions import ExperimentalWarning
    from optuna.storages import RetryHeartbeatStaleTrialCallback

    with warnings.catch_warnings(action="ignore", category=ExperimentalWarning):
        return RetryHeartbeatStaleTrialCallback(max_retry=MAX_RETRIES)


def _postgresql(url: str) -> BaseStorage:
    try:
        import_module("psycopg")
    except ImportError:
        raise InputError(
            f"--storage {shown(url)}: the package 'psycopg' is not installed; install mapopt with its extra: "
            "mapopt[postgresql]"
        ) from None
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    from mapopt.tuning.postgresql import PostgresqlStorage

    try:
        make_url(url)
    except (ArgumentError, ValueError):
        raise InputError(
            f"--storage {shown(url)}: cannot be read as postgresql://USER:PASSWORD@HOST:PORT/DATABASE; PORT must be a "
            "number, and characters such as @ / : in USER or PASSWORD written as %40 %2F %3A"
        ) from None
    with storage_errors(url):
        return PostgresqlStorage(url, retrying())
