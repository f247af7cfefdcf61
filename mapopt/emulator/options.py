"""How a program is to be run: decided once for measurements, recordings and pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from mapopt.emulator.analysis import MaxLoad, max_load
from mapopt.emulator.kernel import Arrival
from mapopt.emulator.machine import periodic, saturated
from mapopt.emulator.measurement import Dispatch
from mapopt.emulator.program import Program
from mapopt.errors import InputError

DEFAULT_WINDOW = 16

Interval = Fraction | int | Literal["saturated"] | None
"""Ticks between releases, ``"saturated"``, or ``None`` for the default of what is asked for."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a program is to be run.

    Parameters
    ----------
    dispatch
        ``None`` only before :meth:`resolved`: time-triggered if the program has starts, else self-timed.
    interval
        See :data:`Interval`; ``None`` if time-triggered.
    window
        Frames in flight at most in a saturated run.
    """

    dispatch: Dispatch | None = None
    interval: Interval = None
    window: int = DEFAULT_WINDOW

    def resolved(self, program: Program) -> RunOptions:
        """Decide the dispatch.

        Raises
        ------
        InputError
            If a time-triggered run is given an interval, or a program without starts.
        """
        dispatch = self.dispatch
        if dispatch is None:
            dispatch = "self-timed" if program.horizon is None else "time-triggered"
        if dispatch == "time-triggered":
            if self.interval is not None:
                raise InputError(
                    "interval: a time-triggered mapping releases its frames at H/K; leave the interval out, or choose "
                    "self-timed dispatch"
                )
            _ = program.timed_starts
        return replace(self, dispatch=dispatch)

    def paced(self, program: Program) -> RunOptions:
        """Return the run from which latency is measured: self-timed without an interval, at the default pace."""
        options = self.resolved(program)
        if options.dispatch == "time-triggered" or options.interval is not None:
            return options
        return replace(options, interval=latency_interval(max_load(program)))

    def arrival(self) -> Arrival:
        """Return the arrival of a self-timed run that is saturated or has an interval.

        Raises
        ------
        InputError
            If the interval or the window is out of range.
        """
        if self.interval is None or self.interval == "saturated":
            return saturated(self.window)
        return periodic(self.interval)


def latency_interval(load: MaxLoad) -> int:
    """Return the interval at which latency is measured unless told otherwise: ceil(1.05 * max load), at least 1."""
    return max(1, -(-105 * load.ticks.numerator // (100 * load.ticks.denominator)))
