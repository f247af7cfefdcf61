"""All ways to fill alike units within a period, up to what is alike: few where there is hardly any idle time.

Where a class is almost full and its times are irregular, there may be a handful of ways or a single one. Listing them
proves the least period, and a single one tells for every node on which units it can be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec
import numpy as np

from mapopt.instance import Instance, NodeUnits
from mapopt.mapping import Mapping
from mapopt.placement.problem import Problem
from mapopt.solvers.exchange import exchangeable_units

Counts = tuple[int, ...]
"""How many of each length."""

MOST_IDLE = 0.05
"""Idle time of all bins together, as a share of one, above which there are too many ways to list."""

MOST_SUMS = 4_000_000
"""Sums of items, and contents of bins, that are looked at before giving up."""


class _TooManyError(Exception):
    """There is more to list than is worth it."""


def partitions(lengths: Sequence[int], bins: int, room: int) -> list[tuple[Counts, ...]] | None:
    """List the ways to fill bins of equal room; exchanging bins, or items of one length, makes no other way.

    Parameters
    ----------
    lengths
        Of the items, >= 1.
    bins
        Their number, >= 1.
    room
        The most that a bin holds.

    Returns
    -------
    list of tuple or None
        For each way the content of the bins, as numbers of items by descending length. ``None``: too much work.

    References
    ----------
    E. Horowitz and S. Sahni, "Computing partitions with applications to the knapsack problem", Journal of the ACM 21,
    1974, for the subsets within a window of sums.

    Examples
    --------
    >>> partitions([5, 4, 3, 2], 2, 7)
    [((1, 0, 0, 1), (0, 1, 1, 0))]
    """
    if bins * room - sum(lengths) > MOST_IDLE * room:
        return None
    counts = Counter(lengths)
    kinds = sorted(counts, reverse=True)
    try:
        ways = _fill(tuple(kinds), tuple(counts[kind] for kind in kinds), bins, room, [MOST_SUMS])
        return list(dict.fromkeys(tuple(sorted(way, reverse=True)) for way in ways))
    except _TooManyError:
        return None


def largest_load(lengths: Sequence[int], ways: Sequence[tuple[Counts, ...]]) -> int | None:
    """Return the least largest load of some ways to fill bins; ``None`` of no way."""
    kinds = sorted(set(lengths), reverse=True)
    return min(
        (
            max(sum(kind * count for kind, count in zip(kinds, content, strict=True)) for content in way)
            for way in ways
        ),
        default=None,
    )


def least_period(problem: Problem, low: int, high: int) -> int:
    """Return a lower bound of the period by listing the ways to fill each class within growing periods.

    Parameters
    ----------
    problem
        Any problem.
    low, high
        A lower bound, and a period above which nothing is of interest.

    Returns
    -------
    int
        At least ``low``. Where every class could be listed it is the least largest load of the units by what can run on
        no other class.
    """
    bound = low
    for units, groups in _bound_groups(problem):
        lengths = [problem.time[problem.unit_class[units[0]]][group] for group in groups]
        lengths = [length for length in lengths if length > 0]
        room, step = bound, 1
        while lengths and room <= high:
            ways = partitions(lengths, len(units), room)
            if ways is None:
                break
            bound = max(bound, largest_load(lengths, ways) or room + 1)
            if ways:
                break
            room, step = max(room + 1, min(high, room + step)), 2 * step
    return bound


def narrowed(instance: Instance, start: Mapping, period: int) -> Instance:
    """Pin nodes to where they are in ``start`` as far as the period leaves no other way to fill their units.

    Where alike units can be filled in a single way, any mapping within the period turns into one that has on each unit
    as many nodes of each length as ``start``, by exchanging units; this changes neither period nor latency.

    Parameters
    ----------
    instance, start
        The mapping has one pattern and loads within the period.
    period
        Ticks.

    Returns
    -------
    Instance
        The same instance if there is nothing to pin. Its mappings are mappings of ``instance``, and the least latency
        at this period is the same.
    """
    problem = Problem(instance)
    units_of = start.assignment(instance)[0]
    alike = exchangeable_units(problem)
    pins = []
    for units, groups in _bound_groups(problem):
        kind = problem.unit_class[units[0]]
        length = {group: problem.time[kind][group] for group in groups}
        if units not in alike or any(problem.allowed[group] != frozenset(units) for group in groups):
            continue
        ways = partitions([ticks for ticks in length.values() if ticks > 0], len(units), period)
        if ways is None or len(ways) != 1:
            continue
        homes: dict[int, set[int]] = {}
        for group in groups:
            homes.setdefault(length[group], set()).add(units_of[problem.groups[group][0]])
        for group in groups:
            if length[group] > 0 and len(homes[length[group]]) < len(units):
                names = tuple(instance.units[unit].name for unit in sorted(homes[length[group]]))
                pins.append(NodeUnits(instance.nodes[problem.groups[group][0]].name, names))
    if not pins:
        return instance
    rules = instance.side_constraints
    return msgspec.structs.replace(
        instance, side_constraints=msgspec.structs.replace(rules, pin=(*rules.pin, *pins))
    )


def refilled(instance: Instance, start: Mapping, period: int) -> Mapping:
    """Move the nodes of classes that can be listed to where their largest load is least, links not looked at.

    Parameters
    ----------
    instance, start
        The mapping has one pattern.
    period
        No largest load of a class above this is of interest.

    Returns
    -------
    Mapping
        Self-timed; the same units where nothing could be listed.
    """
    problem = Problem(instance)
    units_of = list(start.assignment(instance)[0])
    for units, groups in _bound_groups(problem):
        length = {group: problem.time[problem.unit_class[units[0]]][group] for group in groups}
        lengths = [ticks for ticks in length.values() if ticks > 0]
        ways = partitions(lengths, len(units), period) if lengths else None
        if not ways:
            continue
        best = min(ways, key=lambda way: largest_load(lengths, [way]) or 0)
        for position, kind in enumerate(sorted(set(lengths), reverse=True)):
            alike = iter(group for group in groups if length[group] == kind)
            for unit, content in zip(units, best, strict=True):
                for group in islice(alike, content[position]):
                    for node in problem.groups[group]:
                        units_of[node] = unit
    return Mapping.of(instance, units_of)


def _bound_groups(problem: Problem) -> Iterator[tuple[tuple[int, ...], list[int]]]:
    """Yield the units of each class and the groups that can run on no other class."""
    for kind, units in enumerate(problem.units_of):
        if units:
            yield (
                tuple(units),
                [group for group, kinds in enumerate(problem.classes) if kinds == (kind,)],
            )


def _fill(
    kinds: Counts, left: Counts, bins: int, room: int, allowance: list[int]
) -> Iterator[tuple[Counts, ...]]:
    """Yield the ways to fill bins, the first of which takes the longest item that is left.

    The allowance is how many more sums may be looked at.
    """
    total = sum(kind * count for kind, count in zip(kinds, left, strict=True))
    if bins == 1:
        if total <= room:
            yield (left,)
        return
    if total == 0:
        yield (left,) * bins
        return
    for content in _subsets(kinds, left, total - (bins - 1) * room, room, allowance):
        rest = tuple(before - taken for before, taken in zip(left, content, strict=True))
        for others in _fill(kinds, rest, bins - 1, room, allowance):
            yield (content, *others)


def _subsets(kinds: Counts, left: Counts, low: int, high: int, allowance: list[int]) -> Iterator[Counts]:
    """Yield the subsets with the longest item that is left whose sum is in a window."""
    first = next(at for at, count in enumerate(left) if count)
    low, high = low - kinds[first], high - kinds[first]
    sizes = [count + 1 - (at == first) for at, count in enumerate(left)]
    # Halves with about as many subsets each.
    half, width = 0, 1
    whole = float(np.prod(np.array(sizes, dtype=np.float64)))
    while half < len(sizes) and float(width) ** 2 < whole:
        width *= sizes[half]
        half += 1
    if width + whole / width > allowance[0]:
        raise _TooManyError
    allowance[0] -= int(width + whole / width)
    one, two = _sums(kinds[:half], sizes[:half]), _sums(kinds[half:], sizes[half:])
    order = np.argsort(two, kind="stable")
    ahead = two[order]
    begin = np.searchsorted(ahead, low - one, "left")
    end = np.searchsorted(ahead, high - one, "right")
    allowance[0] -= int(np.maximum(end - begin, 0).sum())
    if allowance[0] < 0:
        raise _TooManyError
    for at in np.flatnonzero(end > begin).tolist():
        head = _digits(at, sizes[:half])
        for other in order[begin[at] : end[at]].tolist():
            digits = [*head, *_digits(other, sizes[half:])]
            digits[first] += 1
            yield tuple(digits)


def _sums(kinds: Sequence[int], sizes: Sequence[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the sums of all numbers of items, the last kind changing fastest."""
    sums = np.zeros(1, dtype=np.int64)
    for kind, size in zip(kinds, sizes, strict=True):
        sums = np.add.outer(sums, kind * np.arange(size, dtype=np.int64)).reshape(-1)
    return sums


def _digits(number: int, sizes: Sequence[int]) -> list[int]:
    """Return the numbers of items of an entry of :func:`_sums`."""
    digits = []
    for size in reversed(sizes):
        number, digit = divmod(number, size)
        digits.append(digit)
    return digits[::-1]
