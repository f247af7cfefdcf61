"""What is tuned: a mapper, its space, and the options that a trial stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mapopt.errors import InputError
from mapopt.options import Tune, Value
from mapopt.studies.methods import MapperMethod
from mapopt.studies.plan import Compared
from mapopt.tuning.space import Space
from mapopt.tuning.tuning import Range, Tuning

COMPARED: Compared = "time-triggered"
"""The class in which mappings are judged: the largest load is the period, the latency that of a schedule with it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A mapper and what of it is tuned.

    Parameters
    ----------
    method
        The mapper with its default options, judged in class :data:`COMPARED`.
    space
        What is tuned.
    options
        Options that the space does not hold and the study sets.
    """

    method: MapperMethod
    space: Space
    options: dict[str, Value]

    @classmethod
    def of(cls, tuning: Tuning) -> Subject:
        """Return what a tuning file tunes.

        Raises
        ------
        InputError
            If the mapper, an option or a parameter is unknown, or nothing is left to tune.
        """
        if tuning.mapper.startswith("tuned:"):
            raise InputError(
                f"tuning {tuning.name!r}: mapper is {tuning.mapper!r}; name the mapper that it tunes"
            )
        method = MapperMethod.of(tuning.mapper, {}, COMPARED)
        options_type = type(method.mapper.options)
        try:
            options_type.of(tuning.options)
            space = Space.of(options_type)
            space.require_any(f"mapper {tuning.mapper!r}")
            held = {name: value for name, value in tuning.options.items() if name in space.names}
            for name in sorted(held.keys() & tuning.parameters.keys()):
                raise InputError(f"parameter {name!r}: is in options and in parameters; drop one")
            space = space.restricted(tuning.tuned) if tuning.tuned else space
            space = space.restricted({name: value for name, value in held.items() if name in space.names})
            space = space.restricted({name: _change(name, each) for name, each in tuning.parameters.items()})
        except InputError as error:
            raise InputError(f"tuning {tuning.name!r}: mapper {tuning.mapper!r}: {error}") from None
        space.require_any(f"tuning {tuning.name!r}: mapper {tuning.mapper!r}")
        return cls(method, space, dict(tuning.options))

    @property
    def name(self) -> str:
        """Name of the mapper."""
        return self.method.mapper.name

    @property
    def is_random(self) -> bool:
        """Whether another seed may give another mapping."""
        return self.method.mapper.is_random

    def settings(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return every option of the mapper for the values of a trial."""
        chosen = self.space.active(values) | self.options
        return type(self.method.mapper.options).of(chosen).as_dict()

    def with_settings(self, settings: Mapping[str, Value]) -> MapperMethod:
        """Return the method with these options."""
        mapper = type(self.method.mapper)
        made = mapper(type(self.method.mapper.options).of(settings))  # type: ignore[call-arg]
        return replace(self.method, mapper=made)


def _change(name: str, each: Range) -> Value | Tune:
    """Return the value that a parameter is held at, or what is tried of it."""
    if each.value is not None:
        return each.value
    try:
        return Tune(each.low, each.high, each.log, each.choices)
    except InputError as error:
        raise InputError(f"parameter {name!r}: {error}") from None
