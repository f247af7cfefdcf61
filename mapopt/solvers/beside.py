"""A search in a copy of this process, beside a solver."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mapopt.solvers.forking import Send, run_forked
from mapopt.solvers.model import Limits
from mapopt.solvers.watch import Watch

Work = Callable[[Send, Watch], None]
"""Gets a function that sends a value to this process, and the watch that says when to end."""


@contextmanager
def beside(work: Work, on_message: Callable[[Any], None], limits: Limits) -> Iterator[None]:
    """Run ``work`` in a copy of this process while the body runs; its watch says stop when the body ends.

    Parameters
    ----------
    work
        What it changes is not seen here, and neither is that it fails: it is only there to help.
    on_message
        Called with each value that is sent, on another thread. What it raises is raised at the end of the body, unless
        the body has raised something itself.
    limits
        Of the work.
    """
    watch, begun = Watch(limits), threading.Event()
    errors: list[BaseException] = []

    def receive(message: Any) -> None:
        if begun.is_set():
            on_message(message)
        begun.set()

    def in_copy(send: Send) -> None:
        send("begun")
        work(send, watch)

    def listen() -> None:
        try:
            run_forked(in_copy, watch.stop, watch, receive)
        except BaseException as error:  # handed over to the caller's thread
            errors.append(error)
        finally:
            begun.set()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    begun.wait()  # nothing else may run while the process is copied
    try:
        yield
    finally:
        watch.stop()
        thread.join()
    if errors:
        raise errors[0]
