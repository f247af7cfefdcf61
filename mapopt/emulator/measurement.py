"""The measurement document: what the emulator found of a mapping, and under which conditions."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Annotated, ClassVar, Literal

import msgspec
import numpy as np

from mapopt.documents import Count, Document, Name, Part
from mapopt.errors import InputError
from mapopt.instance import IntArray
from mapopt.mapping import InstanceRef, TicksRatio

Dispatch = Literal["self-timed", "time-triggered"]
Number = int | float
"""A decimal: an integer where it is one, else the nearest double, which prints exactly up to 15 digits."""


class Latency(Part, frozen=True):
    """Latencies of the frames counted, in ns.

    Percentiles are nearest-rank: p95 of n frames is the ceil(0.95 * n)-th smallest.
    """

    min: Number
    mean: Number
    p50: Number
    p95: Number
    max: Number


class Condition(Part, frozen=True):
    """Under which arrival of frames a figure was found.

    Parameters
    ----------
    arrival
        ``saturated`` (a frame enters when fewer than ``window`` are in flight), ``periodic`` (every
        ``interval_ticks``) or ``schedule`` (the release times of a time-triggered mapping).
    exact
        Whether the figure is of a cycle that repeats for ever; if not, of the second half of the horizon.
    frames
        Frames that the figure counts.
    backlog
        Frames in flight at the end of the run.
    overloaded
        Whether the run was stopped because frames arrive faster than they leave.
    note
        What else to know before comparing it.
    """

    arrival: Literal["saturated", "periodic", "schedule"]
    exact: bool
    frames: Count
    window: int | None = None
    interval_ticks: TicksRatio | None = None
    interval_ns: Number | None = None
    backlog: Count = 0
    overloaded: bool = False
    note: str = ""


class Measurement(Document, frozen=True):
    """What the emulator measured of a mapping.

    Times in ns are exact decimals where they are finite; ``period_ticks`` is always exact.

    Parameters
    ----------
    instance
        Name and digest of the instance.
    dispatch, patterns
        The execution style, and K.
    period_ns, period_ticks, rate_fps
        Time between two frames leaving, and frames per second (absent if the period is 0).
    exact
        Whether the period is exact: the machine's state recurs, or the mapping is time-triggered.
    period_condition, latency_condition
        How the period and ``latency_ns`` were found.
    latency_single_ns
        One frame in an empty machine, self-timed; the largest over the patterns.
    latency_ns
        From a frame's release to the end of its last task.
    utilization, stall
        Per unit and link: the fraction of the time it computes (a link: transfers), and the fraction for which it is
        held by sending, or reads from host memory. Load per frame divided by the period.
    max_load_ns, max_load_resource
        The largest work per frame, below which no period can be, and where it is.
    horizon_frames, backlog
        Frames that left during the run for the period, and frames in flight when it ended.
    cycle_frames
        Frames of the shortest cycle of states; absent if none was found.
    transient_frames
        Frames released before the first cycle.
    transient_frames_at_most
        Instead of that, where finding it would have taken longer than the budget: an upper bound.
    period_interval_ns
        If not exact: a proven lower bound of the period, and the measured mean (not a proven bound).
    """

    KIND: ClassVar[str] = "measurement"

    instance: InstanceRef
    dispatch: Dispatch
    patterns: Annotated[int, msgspec.Meta(ge=1)]
    period_ns: Number
    period_ticks: str
    exact: bool
    rate_fps: float | None
    period_condition: Condition
    latency_single_ns: Number
    latency_ns: Latency
    latency_condition: Condition
    utilization: dict[Name, float]
    stall: dict[Name, float]
    max_load_ns: Number
    max_load_resource: Name
    horizon_frames: Count
    backlog: Count
    cycle_frames: Count | None = None
    transient_frames: Count | None = None
    transient_frames_at_most: Count | None = None
    period_interval_ns: tuple[Number, Number] | None = None


def latency_statistics(latencies: IntArray, tick_ps: int) -> Latency:
    """Summarise latencies in ticks (nearest-rank percentiles)."""
    ordered = np.sort(latencies)
    count = len(ordered)

    def rank(percent: int) -> Number:
        return to_ns(int(ordered[-(-percent * count // 100) - 1]), tick_ps)

    return Latency(
        min=to_ns(int(ordered[0]), tick_ps),
        mean=to_ns(Fraction(sum(ordered.tolist()), count), tick_ps),
        p50=rank(50),
        p95=rank(95),
        max=to_ns(int(ordered[-1]), tick_ps),
    )


def to_ns(ticks: Fraction | int, tick_ps: int) -> Number:
    """Convert ticks to ns."""
    value = Fraction(ticks) * tick_ps / 1000
    return value.numerator if value.denominator == 1 else float(value)


def ticks_from_ns(text: str, tick_ps: int) -> Fraction:
    """Convert a decimal number of ns to exact ticks.

    Raises
    ------
    InputError
        If the text is not a finite positive number.

    Examples
    --------
    >>> ticks_from_ns("2.5", 1000)
    Fraction(5, 2)
    """
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not (value.is_finite() and 0 < value < Decimal(10) ** 18 and value.adjusted() > -18):
        raise InputError(f"interval: is {text!r}; it must be a positive number of ns, or 'saturated'")
    return Fraction(value) * 1000 / tick_ps
