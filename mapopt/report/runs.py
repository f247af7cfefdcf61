"""The runs of one or many studies as a report sees them: plan and record put together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

from mapopt.errors import InputError
from mapopt.instance import Instance
from mapopt.mapping import Mapping as MappingDocument
from mapopt.options import Value
from mapopt.studies.load import Results
from mapopt.studies.plan import Compared, PlannedRun
from mapopt.studies.records import LevelRecord, Record, TraceEntry
from mapopt.studies.table import Row

MISSING = "not run"
"""The status of a planned run that has no record."""

Steps = tuple[tuple[float, float], ...]
"""``(seconds, value)`` of improvements, seconds ascending."""

_FORMULATION = re.compile(r"^solve \S+ formulation=(?=\S)")
_SOLVER = re.compile(r"(?<= )solver=(?=\S)")
_PATTERNS = re.compile(r"\bK = (?P<patterns>\d+)\b")
_PERIODS = re.compile(r"\bperiod (?P<low>\d+)(?: to (?P<high>\d+))? ticks\b")


@dataclass(frozen=True)
class Run:
    """A planned run and, where it was made, its record.

    Parameters
    ----------
    study
        Name of the study.
    compared
        The class in which the study compares, see :class:`mapopt.studies.plan.Plan`.
    method
        What ran, in few words that no other method of the report has.
    objectives
        What the study compares.
    plan
        What was planned.
    row
        The figures of its record, or ``None``.
    records
        The records themselves, each read when it is asked for.
    """

    study: str
    compared: Compared
    method: str
    objectives: tuple[str, ...]
    plan: PlannedRun
    row: Row | None
    records: Mapping[str, Record]

    @property
    def id(self) -> str:
        """The run's identity."""
        return self.plan.id

    @cached_property
    def record(self) -> Record | None:
        """The whole record, or ``None`` if there is none."""
        return None if self.row is None else self.records.get(self.id)

    @property
    def mapping(self) -> MappingDocument | None:
        """The run's mapping, or ``None``; takes reading the record."""
        return None if self.record is None else self.record.mapping

    @property
    def trace(self) -> tuple[TraceEntry, ...]:
        """When values and bounds improved; takes reading the record of a reference, and is empty for others."""
        is_reference = self.plan.role == "reference"
        return self.record.trace if is_reference and self.record is not None else ()

    @property
    def status(self) -> str:
        """The record's status; without a record ``not run``."""
        return MISSING if self.row is None else self.row.status

    @property
    def reason(self) -> str:
        """Why the run ended as it did, where its record says so."""
        return "" if self.row is None else self.row.reason

    @cached_property
    def levels(self) -> dict[str, LevelRecord]:
        """What the run found, by objective."""
        return {} if self.row is None else {level.objective: level for level in self.row.levels}

    def value(self, objective: str) -> int | None:
        """Return the value of an objective in ticks, or ``None``."""
        level = self.levels.get(objective)
        return None if level is None else level.value

    def improvements(self, objective: str) -> Steps:
        """Return when the value of an objective improved, as the run's trace says.

        A run without a trace has its value when it ends.
        """
        return self._improvements.get(objective, ())

    @cached_property
    def _improvements(self) -> dict[str, Steps]:
        found: dict[str, list[tuple[float, float]]] = {objective: [] for objective in self.levels}
        for entry in self.trace:
            steps = found.setdefault(entry.objective, [])
            if entry.value is not None and (not steps or entry.value < steps[-1][1]):
                steps.append((entry.time_s, float(entry.value)))
        seconds = self.runtime_s
        for objective, level in self.levels.items():
            steps, value = found[objective], level.value
            if value is not None and seconds is not None and (not steps or value < steps[-1][1]):
                steps.append((seconds, float(value)))
        return {objective: tuple(steps) for objective, steps in found.items()}

    def says_when(self, objective: str) -> bool:
        """Return whether it is known when the run found its value, if it found one."""
        return bool(self.improvements(objective)) or self.value(objective) is None

    @property
    def runtime_s(self) -> float | None:
        """Seconds of wall-clock time, where they were taken."""
        return None if self.row is None else self.row.runtime_s

    @property
    def mapper(self) -> str | None:
        """Name of the mapper, or ``None`` for a solve."""
        method = "" if self.row is None else self.row.method
        return method.removeprefix("mapper ") if method.startswith("mapper ") else None

    @property
    def parameters(self) -> dict[str, Value | None]:
        """Options of the method."""
        return {} if self.row is None else self.row.parameters

    @property
    def alternates(self) -> bool:
        """Whether the run's mapping has several patterns."""
        return self.row is not None and _alternates(self.row.schedule_class)

    @property
    def bounds_hold_for_all(self) -> bool:
        """Whether what the run proves holds beyond contiguous mappings."""
        row = self.row
        return row is not None and not (
            row.parameters.get("contiguous") or row.schedule_class.startswith("contiguous")
        )

    @property
    def periods(self) -> tuple[int, int | None] | None:
        """The least and largest period in ticks for which the run's latency bound holds.

        ``(0, None)`` where it holds for every period, because it bounds a frame alone; ``None`` where nothing says for
        which periods it holds.
        """
        return None if self.row is None else _periods(self.row.schedule_class)


@cache
def _alternates(schedule_class: str) -> bool:
    match = _PATTERNS.search(schedule_class)
    return match is not None and match["patterns"] != "1"


@cache
def _periods(schedule_class: str) -> tuple[int, int | None] | None:
    if "one frame alone" in schedule_class:
        return 0, None
    match = _PERIODS.search(schedule_class)
    return None if match is None else (int(match["low"]), int(match["high"] or match["low"]))


def runs_of(results: Results) -> Iterator[Run]:
    """Yield the runs in the order of the plans; a run of several plans that compare alike comes once."""
    names = short_names(run.method for plan in results.plans for run in plan.runs)
    seen: set[tuple[str, str]] = set()
    for plan in results.plans:
        for planned in plan.runs:
            if (planned.id, plan.compared) not in seen:
                seen.add((planned.id, plan.compared))
                yield Run(
                    plan.name,
                    plan.compared,
                    names[planned.method],
                    plan.objectives,
                    planned,
                    results.rows.get(planned.id),
                    results.records,
                )


def short_names(methods: Iterable[str]) -> dict[str, str]:
    """Return for each method a name that says no more than needed: of a solve its formulation and solver.

    Examples
    --------
    >>> short_names(["lblp", "solve period formulation=a solver=highs"])
    {'lblp': 'lblp', 'solve period formulation=a solver=highs': 'a highs'}
    >>> short_names(["solve period formulation=a", "solve period,latency formulation=a"])["solve period formulation=a"]
    'solve period formulation=a'
    """
    full = tuple(dict.fromkeys(methods))
    short = {method: _SOLVER.sub("", _FORMULATION.sub("", method)) for method in full}
    return short if len(set(short.values())) == len(full) else {method: method for method in full}


def instance_of(results: Results, digest: str) -> Instance | None:
    """Return an instance, or ``None`` if its file is missing or damaged."""
    try:
        return results.instance(digest)
    except InputError:
        return None
