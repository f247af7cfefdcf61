"""Parameter spaces: what of a mapper or a formulation a tuning study may change."""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, Self, cast, get_args, get_origin, get_type_hints

from mapopt.errors import InputError
from mapopt.options import Options, Tune, Value


@dataclass(frozen=True, slots=True)
class Parameter:
    """An option as a tuning study sees it.

    Parameters
    ----------
    name
        The option's name.
    kind
        A whole number, a number, or one of several values.
    low, high
        Closed range of a number; ``None`` for a choice.
    log
        Whether numbers are tried evenly by their logarithm.
    choices
        The values of a choice, at least two; empty for a number.
    default
        A value within the range or among the choices.
    only_if
        An earlier parameter and the values of it without which this one means nothing.
    """

    name: str
    kind: Literal["int", "float", "choice"]
    low: float | None
    high: float | None
    log: bool
    choices: tuple[Value, ...]
    default: Value
    only_if: tuple[str, tuple[Value, ...]] | None


@dataclass(frozen=True, slots=True)
class Space:
    """The parameters of a mapper or a formulation, in the order in which they are declared.

    Parameters
    ----------
    parameters
        What may change; a condition refers to an earlier one.
    fixed
        Options that a study holds at a value, in the order in which they were fixed.

    Examples
    --------
    >>> from mapopt.options import option
    >>> @dataclass(frozen=True)
    ... class Mine(Options):
    ...     repair: bool = option(True, "whether to repair", tune=Tune())
    ...     rounds: int = option(3, "how often", ge=1, tune=Tune(1, 9), only_if=("repair", True))
    >>> space = Space.of(Mine)
    >>> space.active({"repair": False, "rounds": 7})
    {'repair': False, 'rounds': 3}
    >>> space.restricted({"repair": True, "rounds": Tune(2, 4)}).default()
    {'repair': True, 'rounds': 3}
    """

    parameters: tuple[Parameter, ...]
    fixed: tuple[tuple[str, Value], ...] = ()

    @classmethod
    def of(cls, options_type: type[Options]) -> Self:
        """Return the space that an option set declares; empty if no option has a ``tune``.

        Raises
        ------
        InputError
            If a declaration contradicts the option: a range for a text, a default out of the range, a value that
            the option does not take, or a condition on what is not an earlier option.
        """
        hints = get_type_hints(options_type)
        space = cls(())
        held: dict[str, Value] = {}
        off: set[str] = set()
        for field in dataclasses.fields(options_type):
            tune: Tune | None = field.metadata.get("tune")
            if tune is None:
                held[field.name] = cast(Value, field.default)
                continue
            parameter = _parameter(field, hints[field.name], tune)
            for value in (parameter.low, parameter.high, *parameter.choices):
                if value is not None:
                    options_type.of({field.name: value})
            if parameter.only_if is not None:
                other, values = parameter.only_if
                if other in held:
                    if other in off or held[other] not in values:
                        held[field.name] = parameter.default
                        off.add(field.name)
                        continue
                    parameter = dataclasses.replace(parameter, only_if=None)
                elif other not in space.names:
                    raise InputError(
                        f"option {field.name!r}: depends on {other!r}, which is no earlier option"
                    )
            space = dataclasses.replace(space, parameters=(*space.parameters, parameter))
        return space

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parameters, in order."""
        return tuple(parameter.name for parameter in self.parameters)

    def default(self) -> dict[str, Value]:
        """Return the default of every parameter, and what is fixed."""
        return dict(self.fixed) | {parameter.name: parameter.default for parameter in self.parameters}

    def active(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return a value of every parameter, and what is fixed.

        Parameters
        ----------
        values
            By parameter; what is not given, or is switched off by a condition, gets its default.
        """
        chosen = dict(self.fixed)
        on = set(chosen)
        for parameter in self.parameters:
            chosen[parameter.name] = parameter.default
            if parameter.only_if is not None:
                other, needed = parameter.only_if
                if other not in on or chosen[other] not in needed:
                    continue
            on.add(parameter.name)
            chosen[parameter.name] = values.get(parameter.name, parameter.default)
        return chosen

    def restricted(self, which: Iterable[str] | Mapping[str, Value | Tune]) -> Self:
        """Return a smaller space.

        Parameters
        ----------
        which
            The names of the parameters to keep, the others being fixed at their defaults; or by name a value to fix
            the parameter at or a :class:`Tune` within its range, the others being kept as they are. A default out
            of the new range becomes the nearest number in it, or the first choice.

        Raises
        ------
        InputError
            If a name is not a parameter, or a value or range is not within the parameter's own.
        """
        changes: dict[str, Value | Tune]
        if isinstance(which, Mapping):
            changes = dict(which)
            self._require_known(changes)
        else:
            kept = tuple(which)
            self._require_known(kept)
            changes = {one.name: one.default for one in self.parameters if one.name not in kept}
        parameters: list[Parameter] = []
        fixed = dict(self.fixed)
        off: set[str] = set()
        for parameter in self.parameters:
            change = changes.get(parameter.name, Tune())
            if isinstance(change, Tune):
                narrowed = _settle(_narrowed(parameter, change), fixed, off)
                if narrowed is None:
                    fixed[parameter.name] = parameter.default
                    off.add(parameter.name)
                else:
                    parameters.append(narrowed)
            else:
                fixed[parameter.name] = _checked(parameter, change)
        return dataclasses.replace(self, parameters=tuple(parameters), fixed=tuple(fixed.items()))

    def require_any(self, owner: str) -> None:
        """Refuse a space in which there is nothing to tune.

        Raises
        ------
        InputError
            Naming the owner.
        """
        if not self.parameters:
            held = f", all of its options being fixed ({', '.join(dict(self.fixed))})" if self.fixed else ""
            raise InputError(
                f"{owner}: has a space without parameters{held}; tune another, or declare what to tune with "
                "option(..., tune=Tune(...))"
            )

    def _require_known(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self.names:
                close = get_close_matches(name, self.names, n=1)
                guess = f"did you mean {close[0]!r}; " if close else ""
                raise InputError(
                    f"parameter {name!r}: is not tuned here; {guess}there are {', '.join(self.names) or 'none'}"
                )


def _parameter(field: dataclasses.Field[Any], hint: Any, tune: Tune) -> Parameter:
    """Return the parameter that a field declares, its default checked."""
    kind: Literal["int", "float", "choice"] = "choice"
    choices = tune.choices
    if tune.low is not None:
        if hint not in (int, float):
            raise InputError(f"option {field.name!r}: is tuned over a range; only an int or a float can be")
        kind = "int" if hint is int else "float"
    elif not choices:
        if hint is bool:
            choices = (False, True)
        elif get_origin(hint) is Literal:
            choices = get_args(hint)
        else:
            raise InputError(f"option {field.name!r}: Tune() has no values; give a range or choices")
    parameter = Parameter(
        name=field.name,
        kind=kind,
        low=tune.low,
        high=tune.high,
        log=tune.log,
        choices=choices,
        default=cast(Value, field.default),
        only_if=field.metadata["only_if"],
    )
    _checked(parameter, parameter.default)
    return parameter


def _checked(parameter: Parameter, value: Value) -> Value:
    """Return a value that the parameter takes, and refuse any other."""
    if parameter.kind == "choice":
        takes = " | ".join(map(str, parameter.choices))
        fits = any(value == choice and type(value) is type(choice) for choice in parameter.choices)
    else:
        takes = f"{parameter.kind} {parameter.low} to {parameter.high}"
        fits = (
            isinstance(value, int if parameter.kind == "int" else (int, float))
            and not isinstance(value, bool)
            and parameter.low is not None
            and parameter.high is not None
            and parameter.low <= value <= parameter.high
        )
    if not fits:
        raise InputError(f"parameter {parameter.name!r}: is {value!r}; it must be {takes}")
    return value


def _narrowed(parameter: Parameter, tune: Tune) -> Parameter:
    """Return the parameter over a part of its range or of its choices."""
    if tune == Tune():
        return parameter
    if parameter.kind == "choice":
        if not tune.choices:
            raise InputError(f"parameter {parameter.name!r}: has values, not a range; give choices")
        for choice in tune.choices:
            _checked(parameter, choice)
        default = parameter.default if parameter.default in tune.choices else tune.choices[0]
        return dataclasses.replace(parameter, choices=tune.choices, default=default)
    if tune.low is None or tune.high is None:
        raise InputError(f"parameter {parameter.name!r}: is a number; give low and high")
    _checked(parameter, tune.low)
    _checked(parameter, tune.high)
    number = cast(float, parameter.default)
    return dataclasses.replace(
        parameter, low=tune.low, high=tune.high, log=tune.log, default=min(max(number, tune.low), tune.high)
    )


def _settle(parameter: Parameter, fixed: Mapping[str, Value], off: Container[str]) -> Parameter | None:
    """Return the parameter with a condition on fixed options decided, ``None`` if it is switched off.

    What depends on an option that is itself switched off is off too.
    """
    if parameter.only_if is None or parameter.only_if[0] not in fixed:
        return parameter
    other, values = parameter.only_if
    return (
        dataclasses.replace(parameter, only_if=None) if fixed[other] in values and other not in off else None
    )
