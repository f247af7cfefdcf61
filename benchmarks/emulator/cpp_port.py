"""Compiles `event_loop.cpp` and runs it on the same arrays as the kernel."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from mapopt.emulator.kernel import Arrival, State, Tables

SOURCE = Path(__file__).with_name("event_loop.cpp")
FLAGS = ("-std=c++17", "-O3", "-march=native", "-shared", "-fPIC")


class _Tables(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in Tables._fields[:-1]] + [
        ("bits", ctypes.c_int64),
        ("patterns", ctypes.c_int64),
    ]


class _Arrival(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in Arrival._fields]


class _State(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in State._fields] + [
        (name, ctypes.c_int64) for name in ("slots", "pitch", "history", "n_log")
    ]


class CppPort:
    """The compiled port; its `advance` changes the state's arrays exactly as the kernel's does."""

    def __init__(self, library: Any) -> None:
        self._advance = library.advance
        self._advance.restype = ctypes.c_int64
        self._advance.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_int64] * 3

    @classmethod
    def build(cls) -> CppPort | None:
        """Compile with g++; `None` if there is no g++."""
        compiler = shutil.which("g++")
        if compiler is None:
            return None
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "event_loop.so"
            subprocess.run([compiler, *FLAGS, str(SOURCE), "-o", str(target)], check=True)
            return cls(ctypes.CDLL(str(target)))

    def advance(self, tables: Tables, arrival: Arrival, state: State) -> int:
        """Run until nothing is left to happen."""
        laid_out = _Tables(*(each.ctypes.data for each in tables[:-1]), tables.bits, len(tables.offset) - 1)
        machine = _State(
            *(each.ctypes.data for each in state),
            len(state.remaining),
            state.waiting.shape[1],
            len(state.latency),
            len(state.log),
        )
        pace = _Arrival(*arrival)
        return int(
            self._advance(ctypes.byref(laid_out), ctypes.byref(pace), ctypes.byref(machine), 0, 2**62, 2**62)
        )
