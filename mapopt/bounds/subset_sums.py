"""Reachable sums of times, as the bits of a big integer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import gcd

MAX_BIT_OPERATIONS = 5 * 10**9
"""Above this, about half a second, no sums are computed."""


def least_reachable(times: Iterable[int], at_least: int) -> int | None:
    """Return the smallest sum of a subset of ``times`` that is >= ``at_least``.

    ``None`` if no subset reaches it, or if the work would exceed ``MAX_BIT_OPERATIONS``.

    Examples
    --------
    >>> least_reachable([6, 6, 9], 10)
    12
    """
    counts = Counter(time for time in times if time > 0)
    if at_least <= 0:
        return 0
    if sum(time * count for time, count in counts.items()) < at_least:
        return None
    unit = gcd(*counts)
    target = -(-at_least // unit)
    # A subset that reaches the target still does so without any one element that is not needed, so sums of
    # target + longest and more never matter.
    width = target + max(counts) // unit
    parts = [(time // unit) * part for time, count in sorted(counts.items()) for part in _binary_parts(count)]
    if width * len(parts) > MAX_BIT_OPERATIONS:
        return None
    reached, mask = 1, (1 << width) - 1
    for part in parts:
        if part < width:
            reached |= reached << part & mask
        if reached >> target & 1:
            return target * unit
    above = reached >> target
    return (target + (above & -above).bit_length() - 1) * unit


def reachable_sums(times: Iterable[int], low: int, high: int) -> list[int] | None:
    """Return the sums of subsets of ``times`` that are in ``low..high``, ascending.

    ``None`` if the work would exceed ``MAX_BIT_OPERATIONS``.

    Examples
    --------
    >>> reachable_sums([6, 6, 9], 7, 16)
    [9, 12, 15]
    """
    counts = Counter(time for time in times if time > 0)
    unit = gcd(*counts) or 1
    width = high // unit + 1
    parts = [(time // unit) * part for time, count in sorted(counts.items()) for part in _binary_parts(count)]
    if width * len(parts) > MAX_BIT_OPERATIONS:
        return None
    reached, mask = 1, (1 << max(0, width)) - 1
    for part in parts:
        if part < width:
            reached |= reached << part & mask
    first = max(0, -(-low // unit))
    above = reached >> first
    return [
        (first + at) * unit
        for at, bit in enumerate(reversed(bin(above)[2:]))
        if bit == "1" and first + at < width
    ]


def _binary_parts(count: int) -> list[int]:
    """Split a count into parts whose subset sums are 0..count."""
    parts, part = [], 1
    while count > 0:
        parts.append(min(part, count))
        count -= parts[-1]
        part *= 2
    return parts
