"""The statistics of a report, as functions of numbers alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

Steps = tuple[tuple[float, float], ...]
"""A step function: ``(x, y)`` says that it is y from x on, until the next x; x ascends strictly."""


def ecdf(values: Sequence[float], total: int | None = None) -> Steps:
    """Return the empirical distribution function.

    Parameters
    ----------
    values
        Observations; an infinite one counts but is never reached.
    total
        Number of observations, those included that have no value; default: all of ``values``.

    Returns
    -------
    tuple
        ``(x, share of observations that are <= x)`` at each distinct finite x.

    Examples
    --------
    >>> ecdf([3, 1, 3, math.inf])
    ((1, 0.25), (3, 0.75))
    """
    count = len(values) if total is None else total
    ordered = sorted(value for value in values if math.isfinite(value))
    steps: dict[float, float] = {}
    for reached, value in enumerate(ordered, start=1):
        steps[value] = reached / count
    return tuple(steps.items())


def performance_profiles(costs: Mapping[str, Sequence[float]]) -> dict[str, Steps]:
    """Return for each method the share of problems that it solves within a factor of the best method.

    Parameters
    ----------
    costs
        For each method its cost on every problem, positive or zero, in one order of problems; infinite where it failed.
        A cost of zero is the best possible; other methods' factors are infinite there.

    Returns
    -------
    dict
        For each method the step function ``rho(tau)``: the share of all problems on which its cost is at most tau
        times the least cost of any method. Problems that no method solves count as unsolved by all.

    Raises
    ------
    ValueError
        If methods have different numbers of problems.

    References
    ----------
    E. D. Dolan, J. J. Moré: Benchmarking optimization software with performance profiles. Mathematical Programming 91,
    2002, equations (1) and (2).

    Examples
    --------
    >>> performance_profiles({"a": [1, 4], "b": [2, 2]})
    {'a': ((1.0, 0.5), (2.0, 1.0)), 'b': ((1.0, 0.5), (2.0, 1.0))}
    """
    best = [min(row) for row in zip(*costs.values(), strict=True)]
    return {
        method: ecdf([_ratio(cost, least) for cost, least in zip(mine, best, strict=True)])
        for method, mine in costs.items()
    }


def _ratio(cost: float, least: float) -> float:
    if not math.isfinite(cost):
        return math.inf
    if cost == least:
        return 1.0
    return cost / least if least > 0 else math.inf


def primal_gap(value: float | None, best: float) -> float:
    """Return how far a value is from the best known one, in 0..1.

    Parameters
    ----------
    value
        Of the incumbent; ``None`` before there is one.
    best
        Best known value.

    Returns
    -------
    float
        1 without a value or where the signs differ, 0 where both are equal, else
        ``|value - best| / max(|value|, |best|)``.

    References
    ----------
    T. Berthold: Measuring the impact of primal heuristics. Operations Research Letters 41, 2013, section 2.

    Examples
    --------
    >>> primal_gap(None, 8), primal_gap(10, 8), primal_gap(8, 8)
    (1.0, 0.2, 0.0)
    """
    if value is None or value * best < 0:
        return 1.0
    return 0.0 if value == best else abs(value - best) / max(abs(value), abs(best))


def primal_integral(trace: Sequence[tuple[float, float]], best: float, end: float) -> float:
    """Return the integral of the primal gap over time.

    Parameters
    ----------
    trace
        ``(seconds, value)`` of each improvement, seconds ascending.
    best
        Best known value.
    end
        Seconds at which the integral ends; what comes later does not count.

    Returns
    -------
    float
        Seconds, between 0 (the best value at once) and ``end`` (no value at all).

    References
    ----------
    T. Berthold: Measuring the impact of primal heuristics. Operations Research Letters 41, 2013, section 2.

    Examples
    --------
    >>> primal_integral([(1, 10), (3, 8)], best=8, end=5)
    1.4
    """
    total, since, now = 0.0, 0.0, 1.0
    for seconds, value in trace:
        if seconds >= end:
            break
        total += (seconds - since) * now
        since, now = seconds, primal_gap(value, best)
    return total + (end - since) * now


def pairwise_wins(costs: Mapping[str, Sequence[float]]) -> dict[tuple[str, str], tuple[int, int]]:
    """Count on how many problems a method is strictly better than another, and on how many both have a cost.

    Parameters
    ----------
    costs
        For each method its cost on every problem, in one order of problems; infinite where it failed.

    Returns
    -------
    dict
        For each ordered pair of different methods ``(problems on which the first wins, problems that at least one of
        both solved)``. A failed run loses against any finite cost.

    Raises
    ------
    ValueError
        If methods have different numbers of problems.

    Examples
    --------
    >>> pairwise_wins({"a": [1, 4, 3], "b": [2, 2, 3]})[("a", "b")]
    (1, 3)
    """
    return {
        (one, other): (
            sum(first < second for first, second in zip(costs[one], costs[other], strict=True)),
            sum(
                math.isfinite(min(first, second))
                for first, second in zip(costs[one], costs[other], strict=True)
            ),
        )
        for one in costs
        for other in costs
        if one != other
    }


def shifted_geometric_mean(values: Sequence[float], shift: float) -> float:
    """Return the geometric mean of ``values + shift``, less ``shift``.

    The shift keeps values near zero from ruling the mean.

    Parameters
    ----------
    values
        At least one, each > -shift.
    shift
        In the unit of the values.

    Raises
    ------
    ValueError
        If there are no values, or one is too small.

    References
    ----------
    T. Achterberg: Constraint Integer Programming. Dissertation, TU Berlin, 2007, appendix A.3.

    Examples
    --------
    >>> round(shifted_geometric_mean([0, 3], 1), 12)
    1.0
    """
    if not values or min(values) <= -shift:
        raise ValueError(f"values: are {list(values)[:5]}; at least one is needed, and each above {-shift}")
    return math.exp(math.fsum(math.log(value + shift) for value in values) / len(values)) - shift
