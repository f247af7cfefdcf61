"""Running compiled code in a copy of this process: its crash and its hunger for memory stay there.

A copy starts in some hundredths of a second with everything that this process has in memory, which a new process
(:mod:`mapopt.solvers.isolation`) would have to be sent first.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from mapopt.solvers.isolation import GRACE_S, Exit
from mapopt.solvers.watch import POLL_S, Watch

Send = Callable[[Any], None]
"""Sends a value that JSON can hold to the process that waits."""

CHUNK = 1 << 16


def run_forked(
    work: Callable[[Send], None],
    stop: Callable[[], None],
    watch: Watch,
    on_message: Callable[[Any], None],
) -> Exit:
    """Run ``work`` in a copy of this process and hand over what it sends.

    Parameters
    ----------
    work
        Runs in the copy; nothing that it changes is seen here but what it sends.
    stop
        Called in the copy, again and again, once ``watch`` says stop, while ``work`` runs. What still runs
        :data:`~mapopt.solvers.isolation.GRACE_S` seconds later is killed.
    watch
        Its memory limit holds for what the copy needs beyond what this process has.
    on_message
        Called here with each value, in order.
    """
    messages, sender = os.pipe()
    stopper, control = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(messages)
        os.close(control)
        _be_the_copy(work, stop, sender, stopper, watch.limits.memory_mb)
    os.close(sender)
    os.close(stopper)
    killed = False
    try:
        killed = _listen(messages, control, watch, on_message)
    finally:
        for descriptor in (messages, control):
            with suppress(OSError):
                os.close(descriptor)
        if killed:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    return Exit(os.waitstatus_to_exitcode(status), killed=killed, memory_mb=watch.limits.memory_mb)


def _listen(messages: int, control: int, watch: Watch, on_message: Callable[[Any], None]) -> bool:
    """Read lines until the copy ends; return whether it has to be killed."""
    rest, asked_at = b"", None
    while True:
        try:
            ready, _, _ = select.select([messages], [], [], POLL_S)
            if ready:
                data = os.read(messages, CHUNK)
                if not data:
                    return False
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    on_message(msgspec.json.decode(line))
        except KeyboardInterrupt:
            watch.stop()
        if asked_at is None and watch.stopped:
            asked_at = time.monotonic()
            with suppress(BrokenPipeError):  # it has just ended
                os.write(control, b"stop")
        elif asked_at is not None and time.monotonic() - asked_at > GRACE_S:
            return True


def _be_the_copy(
    work: Callable[[Send], None],
    stop: Callable[[], None],
    sender: int,
    stopper: int,
    memory_mb: int | None,
) -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    code = 1
    try:
        if memory_mb is not None:
            limit = _address_space() + memory_mb * 2**20
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

        def wait() -> None:
            os.read(stopper, 1)  # also ends when the other process is gone
            while True:  # what has not begun yet does not hear it
                stop()
                time.sleep(POLL_S)

        threading.Thread(target=wait, daemon=True).start()

        def send(value: Any) -> None:
            data = msgspec.json.encode(value) + b"\n"
            while data:
                data = data[os.write(sender, data) :]

        work(send)
        code = 0
    finally:
        os._exit(code)


def _address_space() -> int:
    """Return the bytes of address space that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
