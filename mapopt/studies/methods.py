"""Ways to make a mapping, and their runs: what a run depends on is known before it is made."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import partial

from mapopt.errors import InputError, NoMappingError
from mapopt.instance import Instance
from mapopt.mappers import registry as mappers
from mapopt.mappers.base import Mapper
from mapopt.mappers.run import run_mapper
from mapopt.mapping import Mapping
from mapopt.options import Value
from mapopt.solvers import registry as formulations
from mapopt.solvers.model import Limits
from mapopt.solvers.watch import Progress
from mapopt.studies.outcomes import bare_record, judged_record, record_of
from mapopt.studies.records import Record, RunKey, installed
from mapopt.studies.sources import code_digest, packages_of

SOLVERS = ("highspy", "ortools", "pulp", "pyscipopt")
"""Packages whose version can change a result."""

Settings = Iterable[str] | dict[str, Value]


JUDGES = {"time-triggered": "mapopt.emulator.schedule", "single-frame": "mapopt.mappers.run"}
"""The classes in which a study compares mappings, and the module that measures them there."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run that can be made.

    Parameters
    ----------
    key
        What it depends on, known before it is made.
    execute
        Makes it.
    """

    key: RunKey
    execute: Callable[[], Record]


@dataclass(frozen=True, slots=True)
class MapperMethod:
    """A mapper with its options, ready for any number of instances and seeds.

    Parameters
    ----------
    mapper
        The mapper.
    compared
        The class of :data:`JUDGES` in which the mappings are judged, or ``""`` for their largest load and the latency
        of a frame alone without levels.
    code, versions
        As in :class:`RunKey`.
    """

    mapper: Mapper
    compared: str
    code: str
    versions: dict[str, str]

    @classmethod
    def of(cls, mapper: str, options: Settings = (), compared: str = "") -> MapperMethod:
        """Return the method of a registered mapper.

        Raises
        ------
        InputError
            If the mapper or an option is unknown.
        """
        chosen = mappers.get(mapper, options)
        modules = ("mapopt.mappers.run", type(chosen).__module__, *([JUDGES[compared]] if compared else []))
        return cls(chosen, compared, code_digest(*modules), _versions(modules))

    def run(self, instance: Instance, seed: int = 0) -> Run:
        """Return the run on an instance."""
        key = self.key(instance.digest, seed)
        return Run(key, partial(self._execute, key, instance, seed))

    def key(self, digest: str, seed: int = 0) -> RunKey:
        """Return the key of the run on the instance with this digest."""
        judged = {"class": self.compared} if self.compared else {}
        return RunKey(
            instance=digest,
            method=f"mapper {self.mapper.name}",
            code=self.code,
            parameters={**self.mapper.options.as_dict(), **judged},
            seed=seed if self.mapper.is_random else 0,
            versions=self.versions,
        )

    def _execute(self, key: RunKey, instance: Instance, seed: int) -> Record:
        begin = time.perf_counter()
        try:
            mapping = run_mapper(self.mapper, instance, seed=seed)
        except NoMappingError as error:
            return bare_record(key, instance, "unknown", reason=str(error))
        runtime_s = time.perf_counter() - begin if self.compared else None
        return judged_record(key, instance, mapping, self.compared, runtime_s)


@dataclass(frozen=True, slots=True)
class SolveMethod:
    """A way to solve instances, ready for any number of them.

    Parameters
    ----------
    objective, formulation, solver, contiguous, max_period, slack
        See :func:`mapopt.solvers.driver.solve`.
    options
        All options of the formulation.
    code, versions
        As in :class:`RunKey`.
    """

    objective: str
    formulation: str | None
    options: dict[str, Value]
    solver: str | None
    contiguous: bool
    max_period: int | None
    slack: Fraction
    code: str
    versions: dict[str, str]

    @classmethod
    def of(
        cls,
        objective: str = "period",
        *,
        formulation: str | None = None,
        options: Settings = (),
        solver: str | None = None,
        contiguous: bool = False,
        max_period: int | None = None,
        slack: Fraction = Fraction(0),
    ) -> SolveMethod:
        """Return the method.

        Raises
        ------
        InputError
            If the formulation or an option is unknown.
        """
        if formulation is None and options:
            raise InputError("options: belong to a formulation; name one")
        named = None if formulation is None else formulations.get(formulation, options)
        name = None if named is None else named.name
        modules = modules_of_solve(objective, name)
        return cls(
            objective,
            name,
            {} if named is None else named.options.as_dict(),
            solver,
            contiguous,
            max_period,
            slack,
            code_digest(*modules),
            _versions(modules),
        )

    def run(
        self,
        instance: Instance,
        limits: Limits | None = None,
        start: Mapping | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Run:
        """Return the run on an instance."""
        limits = limits or Limits()
        key = self.key(instance.digest, limits, start)
        return Run(key, partial(self._execute, key, instance, limits, start, on_progress))

    def key(self, digest: str, limits: Limits, start: Mapping | None = None) -> RunKey:
        """Return the key of the run on the instance with this digest."""
        effort = asdict(limits)
        seed = effort.pop("seed")
        return RunKey(
            instance=digest,
            method="solve" if self.formulation is None else f"formulation {self.formulation}",
            code=self.code,
            objective=self.objective,
            parameters={
                **self.options,
                "solver": self.solver,
                "contiguous": self.contiguous,
                "max_period": self.max_period,
                "slack": str(self.slack),
                "start": None if start is None else hashlib.sha256(start.to_json()).hexdigest(),
            },
            limits=effort,
            seed=seed,
            versions=self.versions,
        )

    def _execute(
        self,
        key: RunKey,
        instance: Instance,
        limits: Limits,
        start: Mapping | None,
        on_progress: Callable[[Progress], None] | None,
    ) -> Record:
        from mapopt.solvers import driver

        outcome = driver.solve(
            instance,
            self.objective,
            formulation=self.formulation,
            options=self.options if self.formulation else (),
            solver=self.solver,
            contiguous=self.contiguous,
            max_period=self.max_period,
            slack=self.slack,
            limits=limits,
            start=start,
            on_progress=on_progress,
        )
        return record_of(key, instance, outcome)


def modules_of_solve(objective: str, formulation: str | None) -> tuple[str, ...]:
    """Return the modules that the driver finds by name; it may choose among all formulations unless one is named."""
    from mapopt.solvers import driver

    tried = (*driver.HEURISTICS, *driver.CONTIGUOUS_HEURISTICS)
    heuristics = {type(mappers.get(name)).__module__ for name in tried}
    chooses = formulation is None or "," in objective
    known = formulations.names() if chooses else (formulation,)
    models = {type(formulations.get(name)).__module__ for name in known if name is not None}
    return ("mapopt.solvers.driver", *sorted(heuristics | models))


def _versions(modules: Iterable[str]) -> dict[str, str]:
    used = packages_of(modules)
    return installed(name for name in SOLVERS if name in used)
