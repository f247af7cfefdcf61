"""What all pictures of a report look at."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from mapopt.instance import Instance
from mapopt.report.cases import OBJECTIVES, Case, cases_of
from mapopt.report.picture import Style, plural
from mapopt.report.runs import Run, instance_of
from mapopt.studies.load import Results

MOST_THAT_STAND_OUT = 2
"""Most references that are drawn in the colour of text."""

CLASSES = {
    "time-triggered": "time-triggered schedules with one pattern (K = 1), no duplication",
    "single-frame": "one frame alone in the machine, one pattern, no duplication",
}
"""The classes in which studies compare, in words."""


@dataclass(frozen=True)
class Scene:
    """Cases and how methods are drawn.

    Parameters
    ----------
    results
        What was read.
    detailed
        How many instances have pictures of their own.
    chosen
        Ids of runs whose Gantt charts are wanted beyond these.
    """

    results: Results
    detailed: int = 12
    chosen: tuple[str, ...] = ()

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """Every instance within every class in which it was compared."""
        return cases_of(self.results)

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """Every planned run."""
        return tuple(run for case in self.cases for run in case.runs)

    @cached_property
    def methods(self) -> tuple[str, ...]:
        """Methods in order of first appearance, mappers first."""
        order = dict.fromkeys(run.method for run in self.runs)
        return tuple(sorted(order, key=lambda method: method in self.references))

    @cached_property
    def references(self) -> frozenset[str]:
        """Methods that also prove bounds."""
        return frozenset(run.method for run in self.runs if run.plan.role == "reference")

    @cached_property
    def style(self) -> Style:
        """How methods are drawn: references stand out unless they are themselves what is compared."""
        stand_out = len(self.references) <= MOST_THAT_STAND_OUT
        return Style(self.methods, self.references if stand_out else frozenset())

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that occur."""
        return tuple(dict.fromkeys(case.compared for case in self.cases))

    def of_class(self, compared: str) -> tuple[Case, ...]:
        """Return the cases of a class."""
        return tuple(case for case in self.cases if case.compared == compared)

    @property
    def shown_cases(self) -> tuple[Case, ...]:
        """The cases that have pictures of their own."""
        return self.cases[: self.detailed]

    def instance(self, case: Case) -> Instance | None:
        """Return a case's instance, or ``None`` if its file is missing or damaged."""
        return instance_of(self.results, case.digest)

    def typical(self, compared: str, objective: str) -> tuple[dict[str, list[float]], list[Case]]:
        """Return methods' typical values on cases of a class that all of them were run on.

        Where methods were run on different cases, those methods and cases are taken that give the most values.

        Returns
        -------
        tuple
            For each method its values, see :meth:`Case.typical`, and the cases, in one order. Methods without any value
            are left out.
        """
        cases = self.of_class(compared)
        table = {method: [case.typical(method, objective) for case in cases] for method in self.methods}
        made = {
            method: frozenset(at for at, value in enumerate(row) if value is not None)
            for method, row in table.items()
            if any(value is not None and math.isfinite(value) for value in row)
        }
        common = max(made.values(), key=lambda where: _values(where, made), default=frozenset())
        return (
            {
                method: [float(table[method][at] or 0) for at in sorted(common)]
                for method, where in made.items()
                if common <= where
            },
            [cases[at] for at in sorted(common)],
        )

    def context(self, compared: str, cases: Sequence[Case], methods: Sequence[str]) -> str:
        """Return the end of a caption: class, instances and runs."""
        runs = sum(len(case.made.get(method, ())) for case in cases for method in methods)
        return f"Class: {CLASSES[compared]}. {plural(len(cases), 'instance')}, {plural(runs, 'run')}."

    def left_out(self, compared: str, methods: Collection[str]) -> str:
        """Return a sentence on the methods of a class that are not compared, or nothing."""
        run = {method for case in self.of_class(compared) for method in case.by_method}
        missing = [method for method in self.methods if method in run and method not in methods]
        return f" Not run on all these instances, or without values: {', '.join(missing)}." if missing else ""

    def objectives(self, compared: str) -> Iterator[str]:
        """Yield the objectives that studies of a class compare and for which runs have values."""
        for objective in OBJECTIVES:
            if any(
                objective in run.objectives and run.value(objective) is not None
                for case in self.of_class(compared)
                for run in case.runs
            ):
                yield objective

    @cached_property
    def all_objectives(self) -> tuple[str, ...]:
        """The objectives of all classes."""
        found = [objective for compared in self.classes for objective in self.objectives(compared)]
        return tuple(objective for objective in OBJECTIVES if objective in found)


def _values(common: frozenset[int], made: Mapping[str, frozenset[int]]) -> tuple[bool, int]:
    """Return how much can be compared on these cases: whether anything, and the number of values."""
    methods = sum(common <= where for where in made.values())
    return methods > 1, methods * len(common)
