"""Cases: the runs on one instance within one class, the best bounds on them, and the gap of each run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median_low

from mapopt.bounds import lower_bounds
from mapopt.errors import MapoptError
from mapopt.report.runs import MISSING, Run, instance_of, runs_of
from mapopt.studies.load import Results
from mapopt.studies.plan import KnownBound

OBJECTIVES = ("period", "latency")
"""What methods are compared by."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A lower bound in ticks, what proves it, and the run that did.

    Without a run it follows from the instance alone, or is the library's, which ``by`` then says.
    """

    ticks: int
    by: str
    run: str | None = None


@dataclass(frozen=True)
class Case:
    """The runs on one instance that are compared with each other.

    Parameters
    ----------
    number
        Position in the report, from 1.
    label
        The instance as the study calls it.
    digest
        Of the instance.
    compared
        The class: ``time-triggered`` or ``single-frame``.
    tick_ps
        Length of a tick.
    runs
        In the order of the plan.
    structural
        By objective, the best bound that follows from the instance alone.
    known
        Bounds that the instance library holds.
    """

    number: int
    label: str
    digest: str
    compared: str
    tick_ps: int
    runs: tuple[Run, ...]
    structural: dict[str, Proof]
    known: tuple[KnownBound, ...] = ()

    @cached_property
    def by_method(self) -> dict[str, tuple[Run, ...]]:
        """The runs of each method, in order of first appearance."""
        found: dict[str, list[Run]] = {}
        for run in self.runs:
            found.setdefault(run.method, []).append(run)
        return {method: tuple(mine) for method, mine in found.items()}

    @cached_property
    def made(self) -> dict[str, tuple[Run, ...]]:
        """The runs of each method that have a record."""
        return {
            method: tuple(run for run in runs if run.status != MISSING)
            for method, runs in self.by_method.items()
        }

    def bound(self, objective: str, period: int | None = None) -> Proof | None:
        """Return the best proven bound.

        Parameters
        ----------
        objective
            ``period`` or ``latency``.
        period
            In ticks, of the mapping whose latency is to be bounded: only bounds that hold for this period count.
            ``None``: only bounds that hold for every period.
        """
        key = (objective, None if objective == "period" else period)
        if key not in self._bounds:
            found = self._period() if objective == "period" else self._latency(period)
            self._bounds[key] = max(found, key=lambda proof: proof.ticks, default=None)
        return self._bounds[key]

    @cached_property
    def _bounds(self) -> dict[tuple[str, int | None], Proof | None]:
        """What :meth:`bound` found so far."""
        return {}

    def _period(self) -> tuple[Proof, ...]:
        proofs = (proof for proof, _ in self._proofs("period"))
        return (*proofs, *self._structural("period"), *self._known("period", None))

    @cached_property
    def _latencies(self) -> tuple[tuple[Proof, Run], ...]:
        return tuple(self._proofs("latency"))

    def _latency(self, period: int | None) -> list[Proof]:
        found = []
        for proof, run in self._latencies:
            low, high = run.periods or (1, 0)
            if high is None or (
                period is not None and self.compared == "time-triggered" and low <= period <= high
            ):
                found.append(proof)
        return [*found, *self._structural("latency"), *self._known("latency", period)]

    def _structural(self, objective: str) -> list[Proof]:
        return [self.structural[objective]] if objective in self.structural else []

    def _known(self, objective: str, period: int | None) -> Iterable[Proof]:
        """Yield the library's bounds, which are of streams, and on latencies at one period only."""
        for bound in self.known:
            is_about = objective == "period" or (period is not None and period == bound.period_ticks)
            if bound.objective == objective and self.compared == "time-triggered" and is_about:
                yield Proof(bound.ticks, f"{bound.by} (library: {bound.source})")

    def _proofs(self, objective: str) -> Iterable[tuple[Proof, Run]]:
        for run in self.runs:
            level = run.levels.get(objective)
            if level is not None and level.bound is not None and run.bounds_hold_for_all:
                yield Proof(level.bound, level.bound_by or run.method, run.id), run

    def proof(self, run: Run, objective: str) -> Proof | None:
        """Return the bound that a run is held against; none for mappings that alternate between patterns.

        All bounds of a case are of mappings with one pattern.
        """
        return None if run.alternates else self.bound(objective, run.value("period"))

    def gap(self, run: Run, objective: str) -> float | None:
        """Return ``value / bound - 1``, or ``None`` where either does not exist or the bound is 0."""
        return self._gaps[run.id][objective]

    @cached_property
    def _gaps(self) -> dict[str, dict[str, float | None]]:
        return {run.id: {each: self._gap(run, each) for each in OBJECTIVES} for run in self.runs}

    def _gap(self, run: Run, objective: str) -> float | None:
        value, proof = run.value(objective), self.proof(run, objective)
        if value is None or proof is None or proof.ticks == 0:
            return None
        return (value - proof.ticks) / proof.ticks

    def best(self, objective: str) -> int | None:
        """Return the least value of any run in ticks."""
        return self._best[objective]

    @cached_property
    def _best(self) -> dict[str, int | None]:
        return {
            each: min((value for run in self.runs if (value := run.value(each)) is not None), default=None)
            for each in OBJECTIVES
        }

    def proven(self, objective: str) -> bool:
        """Whether some run attains the bound that it is held against.

        Of latencies in a stream only that of a run with the least period counts.
        """
        least = self.best("period")
        return any(
            (value := run.value(objective)) is not None
            and (proof := self.proof(run, objective)) is not None
            and value == proof.ticks
            and (objective == "period" or self.compared == "single-frame" or run.value("period") == least)
            for run in self.runs
        )

    def typical(self, method: str, objective: str) -> float | None:
        """Return the (lower) median of a method's values over its seeds.

        Infinite if more than half of its runs found nothing; ``None`` if the method was not run.
        """
        made = self.made.get(method)
        if not made:
            return None
        return median_low(
            math.inf if value is None else value for value in (run.value(objective) for run in made)
        )

    def typical_run(self, method: str) -> Run:
        """Return a method's run with the (lower) median of its periods, latencies deciding between equal ones.

        Runs that found nothing come last; planned runs that were not made count only if none was.
        """
        made = list(self.made[method] or self.by_method[method])
        made.sort(key=self.rank)
        return made[(len(made) - 1) // 2]

    def best_run(self, method: str) -> Run | None:
        """Return the run of a method with the least period, then the least latency, then the first."""
        found = [run for run in self.made.get(method, ()) if run.levels]
        return min(found, key=self.rank, default=None)

    def rank(self, run: Run) -> tuple[float, ...]:
        """Return what orders runs: period, then latency; what does not exist is infinite."""
        return tuple(_or_infinite(run.value(each)) for each in OBJECTIVES)

    def ns(self, ticks: float) -> float:
        """Return ticks in nanoseconds."""
        return ticks * self.tick_ps / 1000


def _or_infinite(value: int | None) -> float:
    return math.inf if value is None else value


def cases_of(results: Results) -> tuple[Case, ...]:
    """Group the runs of result folders by instance and class, in the order of the plans."""
    grouped: dict[tuple[str, str], list[Run]] = {}
    for run in runs_of(results):
        grouped.setdefault((run.plan.instance_digest, run.compared), []).append(run)
    return tuple(
        _case(results, number, digest, compared, runs)
        for number, ((digest, compared), runs) in enumerate(grouped.items(), start=1)
    )


def _case(results: Results, number: int, digest: str, compared: str, runs: Sequence[Run]) -> Case:
    instance = instance_of(results, digest)
    structural: dict[str, Proof] = {}
    tick_ps = 1000
    if instance is not None:
        tick_ps = instance.tick_ps
        try:
            bounds = lower_bounds(instance)
        except MapoptError:  # no mapping exists; the runs' records say so
            pass
        else:
            for objective, bound in (("period", bounds.period), ("latency", bounds.latency)):
                structural[objective] = Proof(bound.ticks, bound.name)
    known = tuple(bound for plan in results.plans for bound in plan.known if bound.instance_digest == digest)
    return Case(number, runs[0].plan.instance, digest, compared, tick_ps, tuple(runs), structural, known)
