"""Compilation with Numba, typed: a compiled function keeps the signature of the Python function."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])

STAMP = "mapopt.sha256"
"""The file beside the machine code that says which sources it was compiled from."""


def compiled(function: F) -> F:
    """Compile ``function`` to machine code on its first call and keep the result on disk where that is possible.

    It runs beside other threads, which must keep off its arrays. What it uses of other modules must come from files of
    its own folder that compile functions too.
    """
    return _compiled(function)


def borrowing(function: F) -> F:
    """Compile like :func:`compiled`, but without counting references to the arrays that the function is given.

    For functions that are called millions of times with many arrays; they must not make arrays, nor divide by zero,
    which goes unnoticed.
    """
    return _compiled(function, _nrt=False, error_model="numpy")


def inlined(function: F) -> F:
    """Compile a small function into the :func:`borrowing` ones that call it."""
    flags: dict[str, Any] = {"forceinline": True, "_nrt": False, "error_model": "numpy"}
    return cast(F, numba.njit(**flags)(function))


def _compiled(function: F, **flags: Any) -> F:
    try:
        dispatcher = numba.njit(cache=True, nogil=True, **flags)(function)
    except RuntimeError:  # neither the package nor the user has a folder to keep machine code in
        return cast(F, numba.njit(nogil=True, **flags)(function))
    stats = getattr(dispatcher, "stats", None)  # missing where Numba is told not to compile
    if stats is not None:
        _drop_stale(Path(stats.cache_path), Path(function.__code__.co_filename).parent)
    return cast(F, dispatcher)


@cache
def _drop_stale(kept: Path, sources: Path) -> None:
    """Delete the machine code in ``kept`` unless it was compiled from ``sources`` as they are now.

    Numba looks only at the file of the function called, not at those of the functions it calls in turn.
    """
    texts = [path.read_bytes() for path in sorted(sources.glob("*.py"))]
    digest = sha256(
        b"\0".join(text for text in texts if b"@compiled" in text or b"@borrowing" in text)
    ).hexdigest()
    stamp = kept / STAMP
    if stamp.exists() and stamp.read_text() == digest:
        return
    for index in kept.glob("*.nbi"):
        index.unlink(missing_ok=True)
    stamp.write_text(digest)
