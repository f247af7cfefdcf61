"""The time of one unit or link, modulo the period."""

from __future__ import annotations


class Ring:
    """Which times of a resource, modulo the period, are taken."""

    def __init__(self, period: int) -> None:
        self.period = period
        self.taken: list[tuple[int, int]] = []

    def take(self, start: int, ticks: int) -> None:
        """Take the time from ``start`` on, any number of periods away; it must be idle, and ``ticks`` positive."""
        self.taken.append((start % self.period, ticks))

    def room(self, start: int) -> int:
        """Return for how many ticks the resource is idle from ``start`` on, at most a period."""
        room = self.period
        for offset, ticks in self.taken:
            if (start - offset) % self.period < ticks:
                return 0
            room = min(room, (offset - start) % self.period)
        return room

    def earliest(self, start: int, ticks: int) -> int | None:
        """Return the least time from ``start`` on at which the resource is idle for so long; ``None`` if never."""
        ends = sorted((offset + taken - start) % self.period for offset, taken in self.taken)
        for wait in (0, *ends):
            if self.room(start + wait) >= ticks:
                return start + wait
        return None

    def idle(self) -> list[tuple[int, int]]:
        """Return the offset and length of every idle time, by offset; one may go on beyond the period."""
        if not self.taken:
            return [(0, self.period)]
        ends = sorted({(offset + ticks) % self.period for offset, ticks in self.taken})
        return [(end, self.room(end)) for end in ends if self.room(end)]
