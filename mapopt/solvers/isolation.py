"""Running a solver in a process of its own: its crash, its hunger for memory and its deafness stay there."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from mapopt.solvers.watch import Watch

GRACE_S = 10.0
"""How long a process that was asked to stop may still take to hand over what it has."""

TAIL_BYTES = 4000
_OUT_OF_MEMORY = (
    "MemoryError",
    "bad_alloc",
    "out of memory",
    "Cannot allocate memory",
    "failed to map segment",
)

Process = subprocess.Popen[str]


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended.

    Parameters
    ----------
    code
        Its exit code, or minus the signal that ended it.
    errors
        The end of what it wrote to standard error.
    killed
        Whether it was killed because it did not stop when asked to.
    memory_mb
        The limit it ran under.
    """

    code: int
    errors: str = ""
    killed: bool = False
    memory_mb: int | None = None

    @property
    def reason(self) -> str:
        """What happened, for people; ``""`` for a regular end."""
        if self.code == 0:
            return ""
        if self.killed:
            return f"did not stop when asked to and was killed {GRACE_S:g} s later"
        if any(word in self.errors for word in _OUT_OF_MEMORY):
            limit = (
                ""
                if self.memory_mb is None
                else f" (the limit is {self.memory_mb} MB; raise it or reduce the model)"
            )
            return f"ran out of memory{limit}"
        last = self.errors.strip().splitlines()[-1:]
        said = f": {last[0][:200]}" if last else ""
        if self.code < 0:
            try:
                name = signal.Signals(-self.code).name
            except ValueError:
                name = f"signal {-self.code}"
            return f"was ended by {name}{said}"
        return f"ended with exit code {self.code}{said}"


def supervise(
    command: Sequence[str],
    watch: Watch,
    on_line: Callable[[str], None],
    *,
    stop: Callable[[Process], None],
    limit_s: float = float("inf"),
    memory_mb: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> Exit:
    """Run a command to its end and hand over its output line by line.

    The process is in a session of its own, so that Ctrl-C reaches mapopt alone.

    Parameters
    ----------
    command
        Program and arguments.
    watch
        When it says stop, ``stop`` is called once; what still runs after :data:`GRACE_S` seconds is killed.
    on_line
        Called on another thread with each line of standard output.
    stop
        Asks the process to stop.
    limit_s
        Seconds after which the process should have ended by itself; it is killed the grace time later.
    memory_mb
        Limit of its address space (POSIX only).
    environment
        Variables that are added to those of this process.

    Raises
    ------
    OSError
        If the program cannot be started.
    """
    if memory_mb is not None and os.name == "posix":
        command = ("sh", "-c", 'ulimit -v "$0" && exec "$@"', str(memory_mb * 1024), *command)
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            errors="replace",
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )
        killed = threading.Event()
        timers: list[threading.Timer] = []

        def kill_after(seconds: float) -> None:
            def kill() -> None:
                if process.poll() is None:
                    killed.set()
                    process.kill()

            timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), kill)
            timer.daemon = True
            timer.start()
            timers.append(timer)

        def ask() -> None:
            kill_after(GRACE_S)
            with suppress(OSError):  # it has just ended
                stop(process)

        def listen() -> int:
            assert process.stdout is not None
            for line in process.stdout:
                on_line(line)
            return process.wait()

        if limit_s != float("inf"):
            kill_after(limit_s + GRACE_S)
        try:
            code = watch.run(listen, ask)
        finally:
            for timer in timers:
                timer.cancel()
            if process.poll() is None:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    _close(pipe)
        errors.seek(0, os.SEEK_END)
        errors.seek(max(0, errors.tell() - TAIL_BYTES))
        said = errors.read().decode(errors="replace")
    return Exit(code, said, killed.is_set(), memory_mb)


def close_input(process: Process) -> None:
    """Ask a process to stop by ending its standard input; it also sees that when mapopt itself is gone."""
    if process.stdin is not None:
        _close(process.stdin)


def interrupt(process: Process) -> None:
    """Ask a process to stop as Ctrl-C would."""
    process.send_signal(signal.SIGINT)


def _close(pipe: IO[str]) -> None:
    with suppress(OSError):  # the other end is gone
        pipe.close()
