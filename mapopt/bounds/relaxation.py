"""A bound on the period where nodes can choose between classes: the dual of the fractional assignment."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mapopt.bounds.loads import unit_names
from mapopt.bounds.model import Bound
from mapopt.bounds.unavoidable import Unavoidable
from mapopt.bounds.witnesses import ClassBalance, ForcedTransfer
from mapopt.documents import MAX_COUNT
from mapopt.placement.problem import Problem

Floats: TypeAlias = npt.NDArray[np.float64]

STEPS = 400
"""Steps of the ascent that looks for good weights; any weights give a valid bound."""

PATIENCE = 12
"""Steps without improvement after which the target comes nearer."""

SCALE = 10**9
"""Weights are rounded to multiples of one in this many before the bound is computed in integers."""


def relaxation_bounds(unavoidable: Unavoidable) -> Iterator[Bound]:
    r"""Yield the bound if some node can run on several classes.

    Let class c have m_c units and limited capacities C_cr (crossbars and memory of its units together), and let
    group v take t_vc ticks and u_vcr of the capacities there. For all weights :math:`\lambda, \mu \ge 0` with
    :math:`\sum_c \lambda_c m_c = 1` every mapping's period is at least

    .. math:: \sum_v \min_c (\lambda_c t_{vc} + \sum_r \mu_{cr} u_{vcr}) - \sum_{cr} \mu_{cr} C_{cr},

    since no unit works longer than the period and no class holds more than its capacity. The weights are found by
    projected subgradient ascent in floating point, the bound is then computed in integers.
    """
    problem = unavoidable.problem
    if all(len(classes) == 1 for classes in problem.classes):
        return
    dual = _Dual(problem, unavoidable.charges())
    weights, prices = dual.ascend()
    bound = dual.value(weights, prices)
    ticks = -(-bound.numerator // bound.denominator)
    whole = dual.whole(weights)
    shares = ", ".join(
        f"{name!r} {weight * len(units) / whole:.3g}"
        for name, weight, units in zip(problem.instance.classes, weights, problem.units_of, strict=True)
    )
    yield Bound(
        "class balance",
        "period",
        ticks,
        bound,
        f"splitting nodes between classes at will, with shares of the units' time weighted {shares}",
        unit_names(problem, frozenset(range(len(problem.unit_class)))),
        dual.witness(ticks, weights, prices, unavoidable.charging()),
    )


class _Dual:
    """Arrays of the relaxation; absent choices have time ``inf``."""

    def __init__(self, problem: Problem, charges: list[int]) -> None:
        self.units = np.array([len(units) for units in problem.units_of])
        self.choices = problem.classes
        self.time = [
            [times[kind] + extra if kind in classes else -1 for kind in range(len(times))]
            for times, classes, extra in zip(
                zip(*problem.time, strict=True), problem.classes, charges, strict=True
            )
        ]
        self.rules: list[tuple[int, int, list[int]]] = []
        """(class, capacity, need of each group there)."""
        self.is_memory: list[bool] = []
        """Whether each rule is about memory, else about crossbars."""
        instance = problem.instance
        for kind, units in enumerate(problem.units_of):
            crossbars = [instance.units[unit].crossbars for unit in units]
            memory = [instance.units[unit].memory_bytes for unit in units]
            if units and None not in crossbars:
                self.rules.append((kind, sum(each or 0 for each in crossbars), problem.crossbars[kind]))
                self.is_memory.append(False)
            if units and None not in memory:
                self.rules.append((kind, sum(each or 0 for each in memory), problem.memory_bytes))
                self.is_memory.append(True)

    def ascend(self) -> tuple[list[int], list[int]]:
        """Return good weights of the classes and prices of the rules, as integers with a common scale.

        The steps are Polyak's for a target above the best value, which comes nearer when nothing improves.
        """
        absent = np.array(self.time) < 0
        time: Floats = np.where(absent, 0.0, np.array(self.time, dtype=np.float64))
        need: Floats = np.array([row for _, _, row in self.rules], dtype=np.float64).reshape(-1, len(time))
        limited = np.array([kind for kind, _, _ in self.rules], dtype=np.int64)
        capacity: Floats = np.maximum([float(capacity) for _, capacity, _ in self.rules], 1e-9)
        units: Floats = np.maximum(self.units, 1).astype(np.float64)
        present = self.units > 0
        rows = np.arange(len(time))
        share: Floats = present / present.sum()
        price: Floats = np.zeros(len(self.rules))
        scale = max(1.0, float(np.where(absent, np.inf, time).min(axis=1).sum()) / float(units.sum()))
        best, best_share, best_price = -np.inf, share, price
        above, idle = scale, 0
        for _ in range(STEPS):
            cost = np.where(absent, np.inf, share / units * time)
            for at, kind in enumerate(limited):
                cost[:, kind] += price[at] * scale / capacity[at] * need[at]
            choice = np.argmin(cost, axis=1)
            value = float(cost[rows, choice].sum() - price.sum() * scale)
            idle += 1
            if value > best:
                idle = 0 if value > best + 1e-3 * above else idle
                best, best_share, best_price = value, share, price
            if idle >= PATIENCE:
                above, idle = above / 2, 0
                share, price = best_share, best_price
                continue
            by_share = np.bincount(choice, weights=time[rows, choice], minlength=len(units)) / units
            by_share = np.where(present, by_share - by_share[present].mean(), 0.0)
            used = np.array([need[at][choice == kind].sum() for at, kind in enumerate(limited)])
            by_price = scale * (used / capacity - 1.0)
            length = float(by_share @ by_share + by_price @ by_price)
            if length == 0:
                break
            step = (best + above - value) / length
            share = _onto_simplex(share + step * by_share, present)
            price = np.maximum(0.0, price + step * by_price)
        weights = [round(float(each) * SCALE) for each in best_share / units]
        whole = self.whole(weights)
        return weights, [round(float(each) * whole) for each in best_price * scale / capacity]

    def whole(self, weights: list[int]) -> int:
        """Return what stands for one: the weights of all units together."""
        return sum(each * int(units) for each, units in zip(weights, self.units, strict=True))

    def witness(
        self, ticks: int, weights: list[int], prices: list[int], transfers: tuple[ForcedTransfer, ...]
    ) -> ClassBalance | None:
        """Return the weights and prices by class; ``None`` if a price is too large to be written."""
        if max((*weights, *prices)) > MAX_COUNT:
            return None
        by_class = {False: [0] * len(weights), True: [0] * len(weights)}
        for price, is_memory, (kind, _, _) in zip(prices, self.is_memory, self.rules, strict=True):
            by_class[is_memory][kind] = price
        return ClassBalance(ticks, tuple(weights), tuple(by_class[False]), tuple(by_class[True]), transfers)

    def value(self, weights: list[int], prices: list[int]) -> Fraction:
        """Return the bound that weights and prices prove, in exact integers."""
        total = 0
        for group, (row, classes) in enumerate(zip(self.time, self.choices, strict=True)):
            total += min(
                weights[kind] * row[kind]
                + sum(
                    each * need[group]
                    for each, (limited, _, need) in zip(prices, self.rules, strict=True)
                    if limited == kind
                )
                for kind in classes
            )
        total -= sum(each * capacity for each, (_, capacity, _) in zip(prices, self.rules, strict=True))
        return Fraction(max(0, total), self.whole(weights))


def _onto_simplex(point: Floats, present: npt.NDArray[np.bool_]) -> Floats:
    """Return the nearest vector >= 0 with sum 1 whose absent entries are 0."""
    inside = np.sort(point[present])[::-1]
    excess = (np.cumsum(inside) - 1.0) / np.arange(1, len(inside) + 1)
    shift = excess[np.flatnonzero(inside > excess)[-1]]
    return np.where(present, np.maximum(point - shift, 0.0), 0.0)
