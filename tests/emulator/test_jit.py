from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from mapopt.emulator.jit import borrowing, compiled
from mapopt.instance import IntArray

INNER = """
from mapopt.emulator.jit import compiled

@compiled
def inner(number: int) -> int:
    return {factor} * number
"""

OUTER = """
from inner import inner
from mapopt.emulator.jit import compiled

@compiled
def outer(number: int) -> int:
    return inner(number) + 1
"""


@pytest.mark.parametrize("elsewhere", [False, True], ids=["beside the sources", "NUMBA_CACHE_DIR"])
def test_machine_code_is_never_that_of_older_sources(tmp_path: Path, elsewhere: bool) -> None:
    """A function is compiled anew when only the function it calls has changed, whatever the files' times say."""
    folder, inner = tmp_path / "code", tmp_path / "code" / "inner.py"
    folder.mkdir()
    (folder / "outer.py").write_text(OUTER)
    environment = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    if elsewhere:
        environment["NUMBA_CACHE_DIR"] = str(tmp_path / "kept")

    def run(factor: int) -> tuple[int, int]:
        """Return the value, and how many of the two functions came from the disk."""
        inner.write_text(INNER.format(factor=factor))
        os.utime(inner, (10**9 + factor, 10**9 + factor))
        program = "from outer import outer, inner; print(outer(10), sum(outer.stats.cache_hits.values()))"
        ran = subprocess.run(
            [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stderr
        value, hits = ran.stdout.split()
        return int(value), int(hits)

    assert run(2) == (21, 0)
    assert run(2) == (21, 1)
    assert run(3) == (31, 0)
    assert list((tmp_path / "kept" if elsewhere else folder / "__pycache__").rglob("outer*.nbi"))


def test_arrays_outlive_the_functions_that_borrow_them() -> None:
    """Called often, from functions that borrow as well, on a part of an array that nothing else refers to."""

    @borrowing
    def add(array: IntArray, by: int) -> None:
        array[0] += by

    @borrowing
    def repeat(array: IntArray, times: int) -> None:
        for _ in range(times):
            add(array, 2)

    array = np.zeros(4, dtype=np.int64)
    before = sys.getrefcount(array)
    for _ in range(100):
        repeat(array[1:], 10)
    assert array.tolist() == [0, 2000, 0, 0]
    assert sys.getrefcount(array) == before


def test_without_any_folder_to_keep_machine_code_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numba raises a RuntimeError where it can write neither beside the sources nor in the user's home."""
    real = numba.njit

    def njit(*functions: Any, cache: bool = False, **flags: Any) -> Any:
        if not cache:
            return real(*functions, **flags)  # also what Numba itself compiles while it is imported

        def refuse(function: Any) -> Any:
            raise RuntimeError(f"cannot cache function {function.__name__!r}: no locator available")

        return refuse

    monkeypatch.setattr(numba, "njit", njit)
    assert compiled(double)(21) == 42


def double(number: int) -> int:
    return 2 * number
