"""The clock, the stop button and the log of a solve."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType
from typing import TypeVar

from mapopt.solvers.model import Limits, Objective

POLL_S = 0.05
"""How often a running solver is looked at."""

PATIENCE = 2
"""How many times Ctrl-C is a request to stop."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Progress:
    """An improvement: seconds since the start, the objective, and its best value and bound so far."""

    time_s: float
    objective: Objective
    value: int | None
    bound: int | None


class Watch:
    """Tells a solve when to stop and keeps every improvement.

    Parameters
    ----------
    limits
        Their time starts now.
    on_progress
        Called with every improvement; for a live display.

    Attributes
    ----------
    trace
        The improvements in order.
    interrupted
        Whether somebody asked to stop.
    """

    def __init__(self, limits: Limits, on_progress: Callable[[Progress], None] | None = None) -> None:
        self.limits = limits
        self.trace: list[Progress] = []
        self.interrupted = False
        self._on_progress = on_progress
        self._begin = time.monotonic()
        self._until = float("inf")
        self._spent = 0.0
        self._is_deaf = False
        self._best: dict[Objective, tuple[int | None, int | None]] = {}
        self._lock = threading.Lock()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._begin

    @property
    def left_s(self) -> float:
        """Seconds until the time limit; infinite without one, and in deterministic runs."""
        return float("inf") if self.limits.deterministic else self.left

    @property
    def left(self) -> float:
        """Seconds until the time limit, or in deterministic runs units of effort; infinite without a limit."""
        end = float("inf") if self.limits.time_s is None else self.limits.time_s
        return min(end, self._until) - self._clock

    @property
    def stopped(self) -> bool:
        """Whether to stop now: the time is over, or somebody asked to."""
        return self.interrupted or self.left <= 0

    @property
    def _clock(self) -> float:
        return self._spent if self.limits.deterministic else self.elapsed_s

    def charge(self, effort: float) -> None:
        """Count deterministic units of effort, which are what passes in deterministic runs."""
        self._spent += effort

    def stop(self) -> None:
        """Ask everything that watches to stop."""
        self.interrupted = True

    @contextmanager
    def at_most(self, seconds: float) -> Iterator[None]:
        """Let no more than ``seconds`` (units of effort in deterministic runs) pass inside."""
        before = self._until
        self._until = min(before, self._clock + seconds)
        try:
            yield
        finally:
            self._until = before

    @contextmanager
    def uncharged(self) -> Iterator[None]:
        """Let what is done inside take no time, such as compiling, which nobody has to do again."""
        before = time.monotonic()
        try:
            yield
        finally:
            self._begin += time.monotonic() - before

    @contextmanager
    def lending(self, workers: int) -> Iterator[None]:
        """Leave some of the workers to others inside."""
        before = self.limits
        self.limits = replace(before, workers=before.workers - workers)
        try:
            yield
        finally:
            self.limits = before

    @contextmanager
    def deaf(self) -> Iterator[None]:
        """Drop what is reported inside: it is about another problem."""
        before, self._is_deaf = self._is_deaf, True
        try:
            yield
        finally:
            self._is_deaf = before

    def report(self, objective: Objective, *, value: int | None = None, bound: int | None = None) -> None:
        """Note a solution's value or a proven bound; what is no improvement is dropped."""
        if self._is_deaf:
            return
        with self._lock:
            best_value, best_bound = self._best.get(objective, (None, None))
            better = value is not None and (best_value is None or value < best_value)
            tighter = bound is not None and (best_bound is None or bound > best_bound)
            if not (better or tighter):
                return
            self._best[objective] = (value if better else best_value, bound if tighter else best_bound)
            entry = Progress(self.elapsed_s, objective, *self._best[objective])
            self.trace.append(entry)
        if self._on_progress is not None:
            self._on_progress(entry)

    def run(self, work: Callable[[], Result], stop: Callable[[], None]) -> Result:
        """Run ``work`` on a thread of its own and call ``stop``, once, when it is time to.

        Compiled solvers do not notice Ctrl-C; here the main thread stays able to.
        """
        results: list[Result] = []
        errors: list[BaseException] = []

        done = threading.Event()

        def target() -> None:
            try:
                results.append(work())
            except BaseException as error:  # handed over to the caller's thread
                errors.append(error)
            finally:
                done.set()

        threading.Thread(target=target, daemon=True).start()
        stopping = False
        while not done.is_set():
            try:
                done.wait(POLL_S)
            except KeyboardInterrupt:
                self.stop()
            if self.stopped and not stopping:
                stopping = True
                stop()
        if errors:
            raise errors[0]
        return results[0]

    @contextmanager
    def catching_interrupts(self) -> Iterator[None]:
        """Turn Ctrl-C into a request to stop; the third one interrupts as usual."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.getsignal(signal.SIGINT)
        patience = iter(range(PATIENCE))

        def handler(_signal: int, _frame: FrameType | None) -> None:
            self.stop()
            if next(patience, None) is None:
                raise KeyboardInterrupt

        signal.signal(signal.SIGINT, handler)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
