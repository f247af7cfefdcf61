"""How much a search may still do."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from mapopt.errors import InputError, UnsupportedError

CHUNK_SECONDS = 0.1
"""About how long a search runs between two looks at its limits."""


def never() -> bool:
    """Never stop."""
    return False


def check_request(method: str, period: int, rejection: str | None = None) -> None:
    """Refuse what a search cannot begin with.

    Raises
    ------
    UnsupportedError
        If there is a reason why the method rejects the instance.
    InputError
        If the period is below 1.
    """
    if rejection is not None:
        raise UnsupportedError(f"{method}: {rejection}")
    if period < 1:
        raise InputError(f"{method}: period is {period} ticks; it must be >= 1")


@dataclass(slots=True)
class Effort:
    """What is left of a search's limits; chunks adapt to the machine, results do not."""

    iterations: int | None
    seconds: float | None
    stop: Callable[[], bool]
    began: float
    pace: int = 64

    @property
    def is_spent(self) -> bool:
        """Whether the search has to end."""
        late = self.seconds is not None and time.perf_counter() - self.began >= self.seconds
        return late or (self.iterations is not None and self.iterations <= 0) or self.stop()

    def chunk(self) -> int:
        """Return how many iterations to do next."""
        return self.pace if self.iterations is None else min(self.pace, self.iterations)

    def book(self, done: int, seconds: float) -> None:
        """Count iterations that took some time."""
        if self.iterations is not None:
            self.iterations -= done
        if seconds < CHUNK_SECONDS / 2:
            self.pace *= 2
        elif seconds > CHUNK_SECONDS and self.pace > 1:
            self.pace //= 2
