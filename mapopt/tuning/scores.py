"""Gaps to the reference, and the one number that a tuning study minimises."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mapopt.documents import Count, Name, Part
from mapopt.errors import InputError
from mapopt.studies.records import Digest, Record
from mapopt.tuning.tuning import Split

PERIOD_SHIFT = 0.001
"""Shift of the mean of period gaps: gaps below 0.1% hardly differ."""

LATENCY_SHIFT = 0.01
"""Shift of the mean of latency gaps."""

FAILED = 10.0
"""Both gaps of a run that gives no mapping: ten times the reference on top of it."""


class Reference(Part, frozen=True):
    """What is known of an instance in a split.

    Parameters
    ----------
    label, family, split, digest
        The instance.
    period, period_bound
        Best known period and its lower bound, in ticks; the same where it is proven.
    latency, latency_bound
        Best known latency at that period and its lower bound, in ticks.
    source
        Where they are from.
    excluded
        Why the instance does not count, or ``""``.
    """

    label: Name
    family: Name
    split: Split
    digest: Digest
    period: Count
    period_bound: Count
    latency: Count
    latency_bound: Count
    source: Name
    excluded: str = ""


@dataclass(frozen=True, slots=True)
class Gaps:
    """How far a run, or the mean of runs, is from the reference.

    Parameters
    ----------
    period
        ``value / bound - 1`` of the period, whose bound is the proven optimum where one is known.
    latency
        ``value / best - 1`` against the best known latency at the reference's period, at least 0.
    """

    period: float
    latency: float


def gaps_of(record: Record, reference: Reference) -> Gaps:
    """Return how far a run is from the reference; one without mapping has the gaps :data:`FAILED`.

    A schedule with a longer period may have less latency than the reference has at its own: that counts as 0.
    """
    period, latency = period_of(record), record.level("latency")
    if period is None or latency is None or latency.value is None:
        return Gaps(FAILED, FAILED)
    return Gaps(
        min(FAILED, max(0.0, period / reference.period_bound - 1)),
        min(FAILED, max(0.0, latency.value / reference.latency - 1)),
    )


def period_of(record: Record) -> float | None:
    """Return the period of a run in ticks, or ``None`` if it gave no mapping."""
    from fractions import Fraction

    if record.mapping is None or record.period_ticks is None:
        return None
    level = record.level("period")
    return float(Fraction(record.period_ticks) if level is None or level.value is None else level.value)


def mean_gaps(gaps: Iterable[Gaps]) -> Gaps:
    """Return the shifted geometric means of the gaps.

    Raises
    ------
    InputError
        If a gap is not a finite number.

    References
    ----------
    T. Achterberg: Constraint Integer Programming. Dissertation, TU Berlin, 2007, appendix A.3.

    Examples
    --------
    >>> mean = mean_gaps([Gaps(0.0, 0.0), Gaps(0.003, 0.0)])
    >>> round(mean.period, 9), mean.latency
    (0.001, 0.0)
    """
    every = list(gaps)
    return Gaps(
        _mean([each.period for each in every], PERIOD_SHIFT, "period"),
        _mean([each.latency for each in every], LATENCY_SHIFT, "latency"),
    )


def _mean(values: Sequence[float], shift: float, what: str) -> float:
    for value in values:
        if not math.isfinite(value):
            raise InputError(
                f"gap of the {what}: is {value}; it must be a finite number: look at the instance's reference and at "
                "the mapper's mapping"
            )
    return shift * math.expm1(math.fsum(math.log1p(value / shift) for value in values) / len(values))


def score(mean: Gaps, latency_weight: float) -> float:
    """Return the mean gaps as one number: ``period + latency_weight * latency / (1 + latency)``.

    With the usual weight of 0.001 a mean period gap that is larger by 0.1% outweighs any latency, and one larger by
    0.001% outweighs 1% of latency: the latency decides among those that are as good as equal in period.

    Examples
    --------
    >>> score(Gaps(0.002, 1.0), 0.001)
    0.0025
    """
    return mean.period + latency_weight * mean.latency / (1 + mean.latency)
