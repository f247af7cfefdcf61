"""What is tuned: a mapper or a formulation, its space, and the options that a trial stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mapopt.errors import InputError
from mapopt.instance import Instance
from mapopt.mappers.tuned import PREFIX, Kind
from mapopt.options import Options, Tune, Value
from mapopt.solvers import registry as formulations
from mapopt.solvers.base import Formulation
from mapopt.solvers.choice import COUNTING
from mapopt.solvers.model import Objective
from mapopt.studies.methods import MapperMethod, Run, SolveMethod
from mapopt.studies.plan import Compared
from mapopt.studies.records import RunKey
from mapopt.studies.study import RunLimits
from mapopt.studies.tasks import MapperTask, SolveTask
from mapopt.tuning.space import Space
from mapopt.tuning.tuning import Effort, Range, Tuning

COMPARED: Compared = "time-triggered"
"""The class in which mappings are judged: the largest load is the period, the latency that of a schedule with it."""

OBJECTIVE = "period,latency"
"""What solves minimise, those that find references and those that are tuned."""


@dataclass(frozen=True, slots=True)
class TunedSolve:
    """A solve with a formulation and its options, ready for any number of instances and seeds.

    Parameters
    ----------
    method
        The solve.
    limits
        On each run.
    """

    method: SolveMethod
    limits: RunLimits

    @property
    def code(self) -> str:
        """Digest of what it runs, as in :class:`mapopt.studies.records.RunKey`."""
        return self.method.code

    @property
    def versions(self) -> dict[str, str]:
        """Of the solvers, as in :class:`mapopt.studies.records.RunKey`."""
        return self.method.versions

    def key(self, digest: str, seed: int = 0) -> RunKey:
        """Return the key of the run on the instance with this digest."""
        return self.method.key(digest, self.limits.of_solve(seed))

    def run(self, instance: Instance, seed: int = 0) -> Run:
        """Return the run on an instance."""
        return self.method.run(instance, self.limits.of_solve(seed))


@dataclass(frozen=True, slots=True)
class Subject:
    """A mapper or a formulation and what of it is tuned.

    Parameters
    ----------
    kind, name
        Which it is.
    method
        It with its default options; a mapper is judged in class :data:`COMPARED`, and so is a solve.
    options_type
        Its options.
    is_random
        Whether another seed may give another mapping.
    space
        What is tuned.
    options
        Options that the study sets.
    """

    kind: Kind
    name: str
    method: MapperMethod | TunedSolve
    options_type: type[Options]
    is_random: bool
    space: Space
    options: dict[str, Value]

    @classmethod
    def of(cls, tuning: Tuning) -> Subject:
        """Return what a tuning file tunes.

        Raises
        ------
        InputError
            If the mapper or formulation, an option or a parameter is unknown, nothing is left to tune, or the
            formulation is not about the least latency at the least period.
        """
        kind: Kind = "formulation" if tuning.mapper is None else "mapper"
        name = tuning.mapper or tuning.formulation or ""
        where = f"tuning {tuning.name!r}: {kind}"
        if name.startswith(PREFIX):
            raise InputError(f"{where} is {name!r}; name the {kind} that it tunes")
        method: MapperMethod | TunedSolve
        if tuning.mapper is not None:
            method = MapperMethod.of(name, {}, COMPARED)
            is_random, options_type = method.mapper.is_random, type(method.mapper.options)
        else:
            effort = tuning.effort or Effort()
            _require_suited(where, formulations.get(name), effort)
            method = TunedSolve(SolveMethod.of(OBJECTIVE, formulation=name), effort.limits)
            is_random, options_type = True, type(formulations.get(name).options)
        try:
            space = _space(tuning, options_type, f"{kind} {name!r}")
        except InputError as error:
            raise InputError(f"{where} {name!r}: {error}") from None
        space.require_any(f"{where} {name!r}")
        return cls(kind, name, method, options_type, is_random, space, dict(tuning.options))

    @property
    def limits(self) -> RunLimits | None:
        """Limits on each solve with a formulation; ``None`` for a mapper."""
        return self.method.limits if isinstance(self.method, TunedSolve) else None

    def require_supported(self, label: str, instance: Instance) -> None:
        """Refuse an instance on which no trial of a formulation could have a score.

        Raises
        ------
        InputError
            Naming the instance by its label.
        """
        if self.kind == "formulation":
            reason = formulations.get(self.name).rejects(instance)
            if reason is not None:
                raise InputError(
                    f"formulation {self.name!r}: does not support instance {label!r}: {reason}; tune another, or drop "
                    "the instance"
                )

    def settings(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return every option for the values of a trial."""
        return self.settings_of(self.space.active(values) | self.options)

    def settings_of(self, options: Mapping[str, Value]) -> dict[str, Value]:
        """Return every option, those that are not given at their defaults."""
        return self.options_type.of(options).as_dict()

    def with_settings(self, settings: Mapping[str, Value]) -> MapperMethod | TunedSolve:
        """Return the method with these options."""
        if isinstance(self.method, TunedSolve):
            solve = replace(self.method.method, options=self.settings_of(settings))
            return replace(self.method, method=solve)
        mapper = type(self.method.mapper)
        made = mapper(self.options_type.of(settings))  # type: ignore[call-arg]
        return replace(self.method, mapper=made)

    def task(self, settings: Mapping[str, Value]) -> MapperTask | SolveTask:
        """Return the method with these options as plain data, in which only those that are changed are named."""
        default = self.settings_of({})
        changed = {name: value for name, value in settings.items() if value != default[name]}
        if self.limits is None:
            return MapperTask(self.name, COMPARED, changed)
        return SolveTask(OBJECTIVE, self.limits, self.name, changed)


def _require_suited(where: str, formulation: Formulation, effort: Effort) -> None:
    """Refuse a formulation that does not do what is scored, or whose effort cannot be counted."""
    if Objective.LATENCY not in formulation.objectives or not formulation.pipelined:
        raise InputError(
            f"{where} {formulation.name!r}: does not minimise the latency of a stream, by which gaps are measured; "
            "`mapopt formulations` lists those that do"
        )
    if effort.deterministic and formulation.solvers[0] not in COUNTING:
        raise InputError(
            f"{where} {formulation.name!r}: runs on {formulation.solvers[0]}, whose effort cannot be counted; set "
            "deterministic = false in [effort], so that seconds are"
        )


def _space(tuning: Tuning, options_type: type[Options], owner: str) -> Space:
    """Return what of an option set a tuning file leaves to tune."""
    options_type.of(tuning.options)
    space = Space.of(options_type)
    space.require_any(owner)
    held = {name: value for name, value in tuning.options.items() if name in space.names}
    for name in sorted(held.keys() & tuning.parameters.keys()):
        raise InputError(f"parameter {name!r}: is in options and in parameters; drop one")
    space = space.restricted(tuning.tuned) if tuning.tuned else space
    space = space.restricted({name: value for name, value in held.items() if name in space.names})
    return space.restricted({name: _change(name, each) for name, each in tuning.parameters.items()})


def _change(name: str, each: Range) -> Value | Tune:
    """Return the value that a parameter is held at, or what is tried of it."""
    if each.value is not None:
        return each.value
    try:
        return Tune(each.low, each.high, each.log, each.choices)
    except InputError as error:
        raise InputError(f"parameter {name!r}: {error}") from None
