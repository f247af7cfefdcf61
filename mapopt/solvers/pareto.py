"""The front of period and latency: the least latency with a period of at most x, each point with its own gap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from mapopt.bounds.model import gap
from mapopt.errors import InfeasibleError, InputError
from mapopt.instance import Instance
from mapopt.mapping import Mapping
from mapopt.solvers.driver import solve
from mapopt.solvers.model import Limits, Objective, Status
from mapopt.solvers.outcome import Outcome

MAX_STEPS = 1000


@dataclass(frozen=True, slots=True)
class Point:
    """The least latency with a period of at most ``max_period`` ticks.

    Parameters
    ----------
    period, latency
        Of ``mapping``, in ticks; the period may be below ``max_period``.
    bound
        No latency is below this with such a period.
    """

    max_period: int
    period: int
    latency: int
    bound: int
    mapping: Mapping

    @property
    def proven(self) -> bool:
        """Whether the latency is the least."""
        return self.latency == self.bound

    @property
    def gap(self) -> float | None:
        """``latency / bound - 1``, or ``None`` where the bound is 0."""
        return gap(self.latency, self.bound)


@dataclass(frozen=True, slots=True)
class Front:
    """Points by ascending period limit.

    Parameters
    ----------
    schedule_class
        The class of schedules that the points are about.
    least_period_proven
        Whether no period is below that of the first point.
    points
        Without those that another one dominates.
    exact
        Whether the least period and every step, those of dropped points too, were proven.
    complete
        Whether every step was solved; else somebody stopped it.
    """

    schedule_class: str
    least_period_proven: bool
    points: tuple[Point, ...]
    exact: bool
    complete: bool


def pareto(
    instance: Instance,
    *,
    steps: int = 8,
    limits: Limits | None = None,
    on_point: Callable[[Point], None] | None = None,
) -> Front:
    """Find the front between the least period and the least latency of a frame alone.

    The limits on the period grow geometrically. A wider limit allows whatever a narrower one does, so solutions are
    handed on to the wider ones and bounds back to the narrower ones.

    Parameters
    ----------
    steps
        Number of period limits, at least 2.
    limits
        Limits of each step; default 60 s.
    on_point
        Called with every point when it is found; its bound may still rise.

    Raises
    ------
    InputError
        If the number of steps is out of range, or no formulation supports the instance.
    InfeasibleError
        If the instance has no mapping.
    """
    if not 2 <= steps <= MAX_STEPS:
        raise InputError(f"steps: is {steps}; it must be in 2..{MAX_STEPS}")
    limits = limits or Limits()
    first = solve(instance, "period,latency", limits=limits)
    period = first.level(Objective.PERIOD)
    least_is_proven = period is not None and period.status is Status.OPTIMAL
    if first.status is Status.INFEASIBLE:
        raise InfeasibleError(f"instance {instance.name!r} has no mapping: {first.levels[0].reason}")
    steps_of = _Steps(instance, limits, on_point)
    steps_of.take(first, bounds=least_is_proven)
    if steps_of.points and not first.interrupted:
        steps_of.widen(steps)
    points = _tightened(steps_of.points)
    exact = steps_of.complete and least_is_proven and all(point.proven for point in points)
    schedule_class = first.schedule_class.rpartition(", period")[0]
    return Front(schedule_class, least_is_proven, _undominated(points), exact, steps_of.complete)


class _Steps:
    """The points found so far, by ascending limit."""

    def __init__(self, instance: Instance, limits: Limits, on_point: Callable[[Point], None] | None) -> None:
        self.instance, self.limits, self.on_point = instance, limits, on_point
        self.points: list[Point] = []
        self.complete = False

    def widen(self, steps: int) -> None:
        """Solve for limits up to the period at which a frame is alone, until that latency is reached."""
        alone = solve(self.instance, "latency", limits=self.limits)
        least = self.points[0].max_period
        widest = alone.mapping.horizon if alone.mapping is not None else None
        if alone.interrupted or widest is None or widest <= least:
            self.complete = not alone.interrupted and widest is not None
            return
        floor = alone.levels[0].bound
        limits = [round(least * (widest / least) ** (step / (steps - 1))) for step in range(1, steps - 1)]
        for limit in limits:
            if self.points[-1].latency == floor:
                break
            if limit > self.points[-1].max_period:
                start = self.points[-1].mapping
                outcome = solve(self.instance, "latency", max_period=limit, limits=self.limits, start=start)
                self.take(outcome, limit)
                if outcome.interrupted:
                    return
        self.take(alone, widest)
        self.complete = True

    def take(self, outcome: Outcome, limit: int | None = None, *, bounds: bool = True) -> None:
        """Keep a solution as the point of a limit, or the last point's if that is better.

        ``bounds``: whether its bound holds for every period up to the limit.
        """
        level = outcome.level(Objective.LATENCY)
        if outcome.mapping is None or level is None or level.value is None:
            return
        mapping, latency, period = outcome.mapping, level.value, outcome.mapping.horizon or 1
        if self.points and self.points[-1].latency <= latency:
            last = self.points[-1]
            mapping, latency, period = last.mapping, last.latency, last.period
        self.points.append(
            Point(limit or period, period, latency, (level.bound or 0) if bounds else 0, mapping)
        )
        if self.on_point is not None:
            self.on_point(self.points[-1])


def _tightened(points: list[Point]) -> list[Point]:
    """Hand bounds back to narrower limits."""
    bound, tightened = 0, []
    for point in reversed(points):
        bound = max(bound, point.bound)
        tightened.append(replace(point, bound=min(bound, point.latency)))
    return tightened[::-1]


def _undominated(points: list[Point]) -> tuple[Point, ...]:
    """Drop points whose latency a narrower limit reaches as well."""
    kept: list[Point] = []
    for point in points:
        if not kept or point.latency < kept[-1].latency:
            kept.append(point)
    return tuple(kept)
