"""Integer duals that prove a lower bound on the period, and their check without any solver.

Let every group of colocated nodes g have a price ``p[g] >= 0``. What unit u can be paid for within T ticks is at most
the optimum ``z[u]`` of a knapsack: choose groups that are allowed on u, take at most T ticks together, and fit its
crossbars and its memory. If all prices together exceed the sum of all ``z[u]``, some group is left over whatever the
units hold: every mapping has a period of at least T + 1.

References
----------
Gilmore, Gomory: A linear programming approach to the cutting-stock problem, Operations Research 9 (1961). The prices
are a ray of the dual of the linear program over patterns; here they are integers and so is the check.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated

import msgspec
import numpy as np
import numpy.typing as npt

from mapopt.documents import Part, Ticks
from mapopt.errors import InputError
from mapopt.instance import Instance
from mapopt.placement.problem import Problem

IntArray = npt.NDArray[np.int64]

MAX_STATES = 1 << 26
"""Most states of a knapsack times its items; beyond, time and capacities are counted in coarser units."""

LEAST_COPIES = 16
"""A table with fewer items counts as one with so many: its sums take memory too."""

MAX_TOTAL = 2**62
"""Largest sum of all prices, so that every sum fits 64-bit integers."""


class PatternDuals(Part, frozen=True):
    """Prices that refute a period, hence a lower bound of ``ticks + 1`` on the period of mappings of one pattern.

    Parameters
    ----------
    ticks
        The period that is too short.
    duals
        A price for each group of :class:`mapopt.placement.problem.Problem`, in that order; together at most 2**62.
    """

    ticks: Ticks
    duals: tuple[Annotated[int, msgspec.Meta(ge=0, le=2**62)], ...]


def check_pattern_certificate(instance: Instance, duals: Sequence[int], ticks: int) -> bool:
    """Whether the prices prove that no mapping of one pattern has a period of ``ticks`` or less.

    Parameters
    ----------
    instance
        Any instance; transfers are left out, which can only lower the bound.
    duals
        A price for each group of :class:`mapopt.placement.problem.Problem`, together at most ``MAX_TOTAL``.
    ticks
        The period that is refuted.

    Raises
    ------
    InputError
        If there is not one price per group, one is negative, they are too large, or ``ticks`` is negative.
    InfeasibleError
        If a group has no unit.
    """
    problem = Problem(instance)
    if len(duals) != len(problem.groups):
        raise InputError(
            f"pattern certificate: has {len(duals)} duals for {len(problem.groups)} groups of nodes; give one each"
        )
    for group, price in enumerate(duals):
        if price < 0:
            raise InputError(f"pattern certificate: dual {group} is {price}; it must be >= 0")
    if sum(duals) > MAX_TOTAL:
        raise InputError(
            f"pattern certificate: the duals add up to {sum(duals)}; at most {MAX_TOTAL} is supported; scale them down"
        )
    if ticks < 0:
        raise InputError(f"pattern certificate: refutes {ticks} ticks; it must be >= 0")
    earned = 0
    known: dict[tuple[object, ...], int] = {}
    for unit in range(len(instance.units)):
        items = _items(problem, unit, duals)
        limits = _limits(problem, unit, ticks, items)
        key = (tuple(sorted(items.items())), limits)
        if key not in known:
            known[key] = _knapsack(items, limits)
        earned += known[key]
    return sum(duals) > earned


def grid(weights: IntArray, limits: IntArray, copies: int) -> IntArray:
    """Return the units to count each dimension in, so that a table of ``copies`` items stays within ``MAX_STATES``.

    Whatever the units, rounding weights and limits down keeps every choice that fits; with the greatest common divisor
    nothing else starts to fit.

    Parameters
    ----------
    weights
        Shape (items, dimensions).
    limits
        Shape (dimensions,).
    """
    units: IntArray = np.maximum(np.gcd.reduce(weights, axis=0), 1)
    while np.prod((limits // units + 1).astype(np.float64)) * max(copies, LEAST_COPIES) > MAX_STATES:
        units[(limits // units).argmax()] *= 2
    return units


def fractional(prices: Sequence[int], weights: Sequence[int], counts: Sequence[int], limit: int) -> int:
    """Return the optimum of a knapsack of one dimension whose items may be cut, rounded down, in exact integers.

    References
    ----------
    G. B. Dantzig: Discrete-variable extremum problems, Operations Research 5 (1957).
    """
    items = list(zip(prices, weights, counts, strict=True))
    total = sum(price * count for price, weight, count in items if weight == 0)
    cut = [item for item in items if item[1] > 0]
    for price, weight, count in sorted(cut, key=lambda item: Fraction(item[0], item[1]), reverse=True):
        if weight * count > limit:
            return total + price * limit // weight
        total += price * count
        limit -= weight * count
    return total


Item = tuple[int, int, int, int]
"""Price, ticks, crossbars and memory."""


def _items(problem: Problem, unit: int, duals: Sequence[int]) -> Counter[Item]:
    """Count the groups with a price that are allowed on a unit."""
    kind = problem.unit_class[unit]
    return Counter(
        (price, problem.time[kind][group], problem.crossbars[kind][group], problem.memory_bytes[group])
        for group, price in enumerate(duals)
        if price > 0 and unit in problem.allowed[group]
    )


def _limits(problem: Problem, unit: int, ticks: int, items: Counter[Item]) -> tuple[int | None, ...]:
    """Return the ticks and capacities of a unit; ``None`` where all items together stay within."""
    limited = problem.instance.units[unit]
    whole = (sum(item[each] * count for item, count in items.items()) for each in (1, 2, 3))
    given = (ticks, limited.crossbars, limited.memory_bytes)
    return tuple(
        None if limit is None or total <= limit else limit for limit, total in zip(given, whole, strict=True)
    )


def _knapsack(items: Counter[Item], limits: tuple[int | None, ...]) -> int:
    """Return the optimum of a bounded knapsack in three dimensions, or a bound above it if its table is coarse."""
    if not items:
        return 0
    binding = [(each, limit) for each, limit in enumerate(limits, 1) if limit is not None]
    if not binding:
        return sum(item[0] * count for item, count in items.items())
    weights: IntArray = np.array([[item[each] for each, _ in binding] for item in items], np.int64)
    limit: IntArray = np.array([limit for _, limit in binding], np.int64)
    fitting = [all(item[each] <= most for each, most in binding) for item in items]
    units = grid(weights, limit, sum(count.bit_length() for count in items.values()))
    table = np.zeros(limit // units + 1, np.int64)
    for (price, *_), weight, count, fits in zip(
        items, weights // units, items.values(), fitting, strict=True
    ):
        for part in _binary_parts(count) if fits else ():
            shift = weight * part
            if (shift < table.shape).all():
                there = tuple(slice(each, None) for each in shift)
                here = tuple(slice(0, size - each) for each, size in zip(shift, table.shape, strict=True))
                table[there] = np.maximum(table[there], table[here] + price * part)
    prices, counts = [item[0] for item in items], list(items.values())
    cuts = (fractional(prices, [item[each] for item in items], counts, most) for each, most in binding)
    return min(int(table.flat[-1]), *cuts)


def _binary_parts(count: int) -> list[int]:
    """Split a count into parts whose subset sums are 0..count."""
    parts, part = [], 1
    while count > 0:
        parts.append(min(part, count))
        count -= parts[-1]
        part *= 2
    return parts
