"""Simulated annealing of what exceeds a period: the search for a mapping within given loads."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mapopt.emulator.jit import compiled
from mapopt.solvers.patterns.loads import IntArray, LoadProblem

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


USUAL_TICKS = 2000
"""Periods up to here are annealed at the temperatures given, longer ones at proportionally higher ones."""

USUAL_ITEMS = 100
"""With fewer items, there are proportionally fewer moves."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How to anneal.

    Parameters
    ----------
    moves
        Moves to try.
    hot, cold
        First and last temperature in ticks.
    pull
        Weight of the preferences against the excess.
    """

    moves: int
    hot: float
    cold: float
    pull: float

    def scaled(self, ticks: int, items: int) -> Schedule:
        """Return the schedule for a period of ``ticks`` and so many items.

        It is meant for at most ``USUAL_TICKS`` and at least ``USUAL_ITEMS``.
        """
        factor = max(1.0, ticks / USUAL_TICKS)
        moves = min(self.moves, self.moves * items // USUAL_ITEMS)
        return replace(self, moves=moves, hot=self.hot * factor, cold=self.cold * factor)


def anneal(
    problem: LoadProblem,
    ticks: int,
    start: IntArray,
    allowed: BoolArray,
    preference: FloatArray,
    schedule: Schedule,
    random: np.random.Generator,
) -> tuple[float, IntArray]:
    """Minimise the sum over the units of what exceeds ``ticks`` and the capacities.

    Parameters
    ----------
    problem
        With every group and unit told apart.
    ticks
        The period.
    start
        Unit of each item, shape (items,).
    allowed
        Units that an item may move to, shape (items, units).
    preference
        Smaller is better, in ticks, shape (items, units).
    schedule, random
        See there.

    Returns
    -------
    excess
        0.0 if and only if the period and all capacities are kept.
    units
        The best assignment, shape (items,).
    """
    items, units = np.nonzero(allowed)
    first = np.searchsorted(items, np.arange(len(start) + 1))
    rate = ticks / np.maximum(problem.capacities, 1)
    best = start.copy()
    excess = _anneal(
        problem.times,
        problem.sizes,
        problem.capacities,
        rate,
        bool(problem.capacities.any() or problem.sizes.any()),
        ticks,
        first,
        units,
        allowed,
        preference,
        best,
        schedule.moves,
        schedule.hot,
        schedule.cold,
        schedule.pull,
        random,
    )
    return excess, best


@compiled
def _anneal(
    times: IntArray,
    sizes: IntArray,
    capacities: IntArray,
    rate: FloatArray,
    is_limited: bool,
    ticks: int,
    first: IntArray,
    choices: IntArray,
    allowed: BoolArray,
    preference: FloatArray,
    best: IntArray,
    moves: int,
    hot: float,
    cold: float,
    pull: float,
    random: np.random.Generator,
) -> float:
    n_items, n_units = times.shape
    unit_of = best.copy()
    load = np.zeros(n_units, np.int64)
    held = np.zeros((2, n_units), np.int64)
    for item in range(n_items):
        load[unit_of[item]] += times[item, unit_of[item]]
        for each in range(2):
            held[each, unit_of[item]] += sizes[each, item, unit_of[item]]
    late = 0  # ticks above the period
    full = np.zeros(2, np.int64)  # resources above the capacities
    weighted = 0.0  # the same in ticks
    for unit in range(n_units):
        late += max(0, load[unit] - ticks)
        for each in range(2):
            over = max(0, held[each, unit] - capacities[each, unit])
            full[each] += over
            weighted += over * rate[each, unit]
    least = late + weighted
    cooling = (cold / hot) ** (1000.0 / max(1000, moves))
    temperature = hot
    for move in range(moves):
        if late == 0 and full[0] == 0 and full[1] == 0:
            best[:] = unit_of
            return 0.0
        if move % 1000 == 0:
            temperature *= cooling
        item = int(random.random() * n_items)
        here = unit_of[item]
        there = choices[first[item] + int(random.random() * (first[item + 1] - first[item]))]
        if there == here:
            continue
        other = -1
        load_here = load[here] - times[item, here]
        load_there = load[there] + times[item, there]
        liking = preference[item, there] - preference[item, here]
        if random.random() < 0.5:
            other = int(random.random() * n_items)
            there = unit_of[other]
            if there == here or not allowed[item, there] or not allowed[other, here]:
                continue
            load_here = load[here] - times[item, here] + times[other, here]
            load_there = load[there] + times[item, there] - times[other, there]
            liking = (
                preference[item, there]
                - preference[item, here]
                + preference[other, here]
                - preference[other, there]
            )
        later = (
            max(0, load_here - ticks)
            + max(0, load_there - ticks)
            - max(0, load[here] - ticks)
            - max(0, load[there] - ticks)
        )
        change = later + pull * liking
        fuller = 0.0
        if is_limited:
            for each in range(2):
                out, into = sizes[each, item, here], sizes[each, item, there]
                if other >= 0:
                    out -= sizes[each, other, here]
                    into -= sizes[each, other, there]
                room_here, room_there = capacities[each, here], capacities[each, there]
                fuller += rate[each, here] * (
                    max(0, held[each, here] - out - room_here) - max(0, held[each, here] - room_here)
                )
                fuller += rate[each, there] * (
                    max(0, held[each, there] + into - room_there) - max(0, held[each, there] - room_there)
                )
            change += fuller
        if change <= 0 or random.random() < np.exp(-change / temperature):
            load[here], load[there] = load_here, load_there
            late += later
            weighted += fuller
            if is_limited:
                for each in range(2):
                    out, into = sizes[each, item, here], sizes[each, item, there]
                    if other >= 0:
                        out -= sizes[each, other, here]
                        into -= sizes[each, other, there]
                    room_here, room_there = capacities[each, here], capacities[each, there]
                    full[each] -= max(0, held[each, here] - room_here) + max(
                        0, held[each, there] - room_there
                    )
                    held[each, here] -= out
                    held[each, there] += into
                    full[each] += max(0, held[each, here] - room_here) + max(
                        0, held[each, there] - room_there
                    )
            unit_of[item] = there
            if other >= 0:
                unit_of[other] = here
            if late + weighted < least:
                least = late + weighted
                best[:] = unit_of
    if late == 0 and full[0] == 0 and full[1] == 0:
        best[:] = unit_of
        return 0.0
    return max(least, 1e-9)
