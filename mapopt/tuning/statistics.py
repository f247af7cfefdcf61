"""How sure one may be of means over instances, and of differences between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapopt.tuning.scores import LATENCY_SHIFT, PERIOD_SHIFT, Gaps

RESAMPLES = 5000
LEVEL = 0.95
EXACT_UP_TO = 16
"""Most pairs of which every choice of signs is looked at."""

FLIPS = 20_000
"""Random choices of signs beyond that."""

Floats = NDArray[np.float64]
Interval = tuple[float, float]


def means(gaps: Sequence[Gaps], latency_weight: float) -> dict[str, tuple[float, Interval]]:
    """Return the means over instances of both gaps and the score, each with its bootstrap interval.

    Parameters
    ----------
    gaps
        One per instance.

    Returns
    -------
    dict
        For ``period``, ``latency`` and ``score`` the value and the 95% percentile interval over resampled instances.

    References
    ----------
    B. Efron, R. Tibshirani: An Introduction to the Bootstrap. Chapman & Hall, 1993, chapter 13.
    """
    drawn = _means(gaps, _resamples(len(gaps)), latency_weight)
    whole = _means(gaps, np.arange(len(gaps))[None, :], latency_weight)
    return {name: (float(whole[name][0]), interval(drawn[name])) for name in whole}


def difference(mine: Sequence[Gaps], others: Sequence[Gaps], latency_weight: float) -> tuple[float, Interval]:
    """Return the score of one method less that of another over the same instances, with its bootstrap interval."""
    every, rows = np.arange(len(mine))[None, :], _resamples(len(mine))
    whole, drawn = (
        _means(mine, each, latency_weight)["score"] - _means(others, each, latency_weight)["score"]
        for each in (every, rows)
    )
    return float(whole[0]), interval(drawn)


def _resamples(count: int) -> NDArray[np.int64]:
    return np.random.default_rng(0).integers(0, count, size=(RESAMPLES, count))


def _means(gaps: Sequence[Gaps], rows: NDArray[Any], latency_weight: float) -> dict[str, Floats]:
    """Return the shifted geometric means of rows of instances."""
    period = _mean(np.array([each.period for each in gaps]), rows, PERIOD_SHIFT)
    latency = _mean(np.array([each.latency for each in gaps]), rows, LATENCY_SHIFT)
    return {
        "period": period,
        "latency": latency,
        "score": period + latency_weight * latency / (1 + latency),
    }


def _mean(values: Floats, rows: NDArray[Any], shift: float) -> Floats:
    mean: Floats = shift * np.expm1(np.log1p(values / shift)[rows].mean(axis=1))
    return mean


def interval(values: Floats) -> Interval:
    """Return the percentile interval of resampled values."""
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def sign_flip_test(differences: Sequence[float]) -> float:
    """Return the two-sided p-value of paired differences having the mean zero, under exchange of signs.

    Every choice of signs is looked at for up to :data:`EXACT_UP_TO` differences that are not 0, beyond that
    :data:`FLIPS` random ones and the one observed.

    References
    ----------
    R. A. Fisher: The Design of Experiments. Oliver & Boyd, 1935, section 21.

    Examples
    --------
    >>> sign_flip_test([1.0, 2.0, 3.0, 0.0])
    0.25
    """
    values = np.array([each for each in differences if each != 0])
    if not len(values):
        return 1.0
    observed = abs(values.sum()) * (1 - 1e-12)
    if len(values) <= EXACT_UP_TO:
        bits = np.arange(2 ** len(values))[:, None] >> np.arange(len(values)) & 1
        sums = np.abs((1 - 2 * bits) @ values)
        return float((sums >= observed).mean())
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(FLIPS, len(values)))
    return float((1 + (np.abs(signs @ values) >= observed).sum()) / (1 + FLIPS))
