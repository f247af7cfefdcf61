"""Compilation with Numba, typed: a compiled function keeps the signature of the Python function."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile ``function`` to machine code on its first call and keep the result on disk."""
    return cast(F, numba.njit(cache=True)(function))


def _drop_stale(folder: Path) -> None:
    """Delete this package's machine code if it is older than any of the sources it was compiled from.

    Numba looks only at the file of the function called, not at those of the functions it calls in turn.
    """
    kept = list((folder / "__pycache__").glob("*.nbi"))
    sources = {folder / f"{index.name.split('.')[0]}.py" for index in kept}
    newest = max((source.stat().st_mtime for source in sources if source.exists()), default=0.0)
    if any(index.stat().st_mtime < newest for index in kept):
        for index in kept:
            with contextlib.suppress(OSError):
                index.unlink()


with contextlib.suppress(OSError):
    _drop_stale(Path(__file__).parent)
