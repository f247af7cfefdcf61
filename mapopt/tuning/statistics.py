"""How sure one may be of means over instances, and of differences between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapopt.tuning.scores import LATENCY_SHIFT, PERIOD_SHIFT, Gaps

RESAMPLES = 5000
LEVEL = 0.95
MIN_INSTANCES = 8
"""Fewest instances of which an interval is given: resamples of fewer say nothing reliable."""

EXACT_UP_TO = 16
"""Most pairs of which every choice of exchanges is looked at."""

EXCHANGES = 20_000
"""Random choices of exchanges beyond that."""

Floats = NDArray[np.float64]
Interval = tuple[float, float]

_NORMAL = NormalDist()


def means(gaps: Sequence[Gaps], latency_weight: float) -> dict[str, tuple[float, Interval | None]]:
    """Return the means over instances of both gaps and the score, each with its bootstrap interval.

    Parameters
    ----------
    gaps
        One per instance.

    Returns
    -------
    dict
        For ``period``, ``latency`` and ``score`` the value and its 95% interval, see :func:`interval`.
    """
    whole, drawn, left_out = (_means(gaps, rows, latency_weight) for rows in _rows(len(gaps)))
    return {
        name: (float(whole[name][0]), interval(whole[name][0], drawn[name], left_out[name])) for name in whole
    }


def difference(
    mine: Sequence[Gaps], others: Sequence[Gaps], latency_weight: float
) -> tuple[float, Interval | None]:
    """Return the score of one method less that of another over the same instances, with its bootstrap interval."""
    whole, drawn, left_out = (
        _means(mine, rows, latency_weight)["score"] - _means(others, rows, latency_weight)["score"]
        for rows in _rows(len(mine))
    )
    return float(whole[0]), interval(whole[0], drawn, left_out)


def _rows(count: int) -> tuple[NDArray[np.int64], ...]:
    """Return indices of all instances, of resampled ones, and of all but one."""
    every = np.arange(count)
    drawn = np.random.default_rng(0).integers(0, count, size=(RESAMPLES, count))
    left_out = np.array([np.delete(every, at) for at in every]) if count > 1 else every[None, :]
    return every[None, :], drawn, left_out


def _means(gaps: Sequence[Gaps], rows: NDArray[Any], latency_weight: float) -> dict[str, Floats]:
    """Return the shifted geometric means of rows of instances."""
    logs = _logs(gaps)
    period, latency = _back(*(logs[:, at][rows].mean(axis=1) for at in range(2)))
    return {"period": period, "latency": latency, "score": _score(period, latency, latency_weight)}


def _logs(gaps: Sequence[Gaps]) -> Floats:
    """Return the logarithms of which shifted geometric means are arithmetic ones, of shape (instances, 2)."""
    return np.log1p([[each.period / PERIOD_SHIFT, each.latency / LATENCY_SHIFT] for each in gaps])


def _back(period: Floats, latency: Floats) -> tuple[Floats, Floats]:
    return PERIOD_SHIFT * np.expm1(period), LATENCY_SHIFT * np.expm1(latency)


def _score(period: Floats, latency: Floats, latency_weight: float) -> Floats:
    return period + latency_weight * latency / (1 + latency)


def interval(value: float, drawn: Floats, left_out: Floats) -> Interval | None:
    """Return the 95% BCa interval of a statistic, widened for few instances; ``None`` below :data:`MIN_INSTANCES`.

    Parameters
    ----------
    value
        Over all instances.
    drawn
        Over resampled instances.
    left_out
        Over all instances but one, of shape (instances,).

    References
    ----------
    B. Efron: Better Bootstrap Confidence Intervals. JASA 82, 1987. The widening, with quantiles of Student's t
    distribution and the bias of the resampled variance: T. Hesterberg: What Teachers Should Know About the Bootstrap.
    The American Statistician 69, 2015, section 3.
    """
    count = len(left_out)
    if count < MIN_INSTANCES:
        return None
    slack = 1e-9 * float(np.abs(drawn).max())
    below = (drawn < value - slack).mean() + (np.abs(drawn - value) <= slack).mean() / 2
    bias = _NORMAL.inv_cdf(min(max(float(below), 0.5 / len(drawn)), 1 - 0.5 / len(drawn)))
    off = left_out.mean() - left_out
    spread = float((off**2).sum())
    acceleration = float((off**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0
    reach = math.sqrt(count / (count - 1)) * _student(_NORMAL.inv_cdf((1 + LEVEL) / 2), count - 1)
    ends = (
        _NORMAL.cdf(bias + (bias + z) / max(1e-9, 1 - acceleration * (bias + z))) for z in (-reach, reach)
    )
    low, high = np.quantile(drawn, list(ends))
    return min(float(low), float(value)), max(float(high), float(value))


def _student(z: float, freedom: int) -> float:
    """Return the quantile of Student's t distribution that belongs to one of the normal distribution.

    References
    ----------
    M. Abramowitz, I. Stegun: Handbook of Mathematical Functions, 1964, formula 26.7.5.
    """
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def exchange_test(mine: Sequence[Gaps], others: Sequence[Gaps], latency_weight: float) -> float:
    """Return the two-sided p-value of the :func:`difference` of two methods, were they the same on every instance.

    Then either result of an instance might be either method's: they are exchanged in every choice of instances for up
    to :data:`EXACT_UP_TO` instances on which they differ, beyond that in :data:`EXCHANGES` random ones and the one
    observed. The p-value is the share of choices with a difference at least as large.

    References
    ----------
    R. A. Fisher: The Design of Experiments. Oliver & Boyd, 1935, section 21.

    Examples
    --------
    >>> exchange_test([Gaps(0.1, 0.0)] * 3, [Gaps(0.2, 0.0)] * 3, 0.001)
    0.25
    """
    first, second = _logs(mine), _logs(others)
    change = (second - first) / len(first)
    change = change[(change != 0).any(axis=1)]
    pairs = len(change)
    if pairs <= EXACT_UP_TO:
        chosen = np.arange(2**pairs)[:, None] >> np.arange(pairs) & 1
    else:
        drawn = np.random.default_rng(0).integers(0, 2, size=(EXCHANGES, pairs))
        chosen = np.concatenate([np.zeros((1, pairs), dtype=np.int64), drawn])
    moved = chosen @ change
    scores = [
        _score(*_back(*logs.T), latency_weight)
        for logs in (first.mean(axis=0) + moved, second.mean(axis=0) - moved)
    ]
    found = np.abs(scores[0] - scores[1])
    return float((found >= found[0] - 1e-9 * found.max()).mean())
