"""Options of a mapper or a formulation: a frozen dataclass whose fields say what they allow."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, Literal, Self, Union, get_args, get_origin, get_type_hints

from mapopt.errors import InputError

Value = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class Tune:
    """What a tuning study tries for an option: a closed range for a number, values for anything else.

    Without arguments it stands for all values of a ``bool`` or a ``Literal``.

    Parameters
    ----------
    low, high
        Smallest and largest number tried.
    log
        Whether numbers are tried evenly by their logarithm; needs ``low > 0``.
    choices
        The values tried, at least two.

    Raises
    ------
    InputError
        If the range is empty, half given, or given beside choices.
    """

    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[Value, ...] = ()

    def __post_init__(self) -> None:
        is_range = self.low is not None and self.high is not None
        problem = None
        if (self.low is None) != (self.high is None):
            problem = "has one end; give low and high"
        elif self.low is not None and self.high is not None and not self.low < self.high:
            problem = "is empty; low must be below high"
        elif self.log and (self.low is None or self.low <= 0):
            problem = "has no logarithm; log needs low > 0"
        elif is_range and self.choices:
            problem = "comes with choices; give one of them"
        elif self.choices and len(set(self.choices)) < max(2, len(self.choices)):
            problem = f"has the choices {self.choices}; there must be two or more, all different"
        if problem is not None:
            raise InputError(f"tuned range {self.low}..{self.high}: {problem}")


def option(
    default: Any,
    text: str,
    *,
    ge: float | None = None,
    le: float | None = None,
    tune: Tune | None = None,
    only_if: tuple[str, Value | tuple[Value, ...]] | None = None,
) -> Any:
    """Declare an option.

    Parameters
    ----------
    default, text
        Its default, and one line on what it does.
    ge, le
        For numbers, the closed range.
    tune
        What tuning studies try; an option without it is never tuned.
    only_if
        Another option and its value or values without which this option means nothing.
    """
    needed = None
    if only_if is not None:
        other, values = only_if
        needed = (other, values if isinstance(values, tuple) else (values,))
    return dataclasses.field(
        default=default, metadata={"help": text, "ge": ge, "le": le, "tune": tune, "only_if": needed}
    )


@dataclass(frozen=True, slots=True)
class OptionInfo:
    """What a user needs to know of one option.

    Parameters
    ----------
    name, default, help
        As declared.
    values
        What it takes, for people: ``"a | b"``, ``"int >= 1"``, ``"bool"``.
    tuned
        What tuning studies try, for people: ``"0.01 to 1, logarithmic"``; empty if it is never tuned.
    """

    name: str
    default: Value
    help: str
    values: str
    tuned: str


@dataclass(frozen=True)
class Options:
    """Base of all option sets; fields are ``bool``, ``int``, ``float``, ``str`` or ``Literal`` of strings.

    Raises
    ------
    InputError
        If a value is of the wrong type or out of range, naming the option and what it takes.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Mine(Options):
    ...     rounds: int = option(3, "how often to repeat", ge=1)
    >>> Mine.parse(["rounds=5"])
    Mine(rounds=5)
    """

    def __post_init__(self) -> None:
        hints = _hints(type(self))
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not _accepts(hints[field.name], value, field.metadata):
                raise InputError(
                    f"option {field.name!r}: is {value!r}; it must be {_describe(hints[field.name], field.metadata)}"
                )

    @classmethod
    def describe(cls) -> tuple[OptionInfo, ...]:
        """Return what a user needs to know of every option."""
        hints = _hints(cls)
        return tuple(
            OptionInfo(
                name=field.name,
                default=field.default if field.default is not dataclasses.MISSING else None,
                help=field.metadata.get("help", ""),
                values=_describe(hints[field.name], field.metadata),
                tuned=_describe_tuned(hints[field.name], field.metadata),
            )
            for field in dataclasses.fields(cls)
        )

    @classmethod
    def parse(cls, settings: Iterable[str]) -> Self:
        """Make the options from ``option=value`` texts; the rest keeps its default.

        Raises
        ------
        InputError
            If a text has no ``=``, or an option is unknown, given twice, or has a value it does not take.
        """
        given: dict[str, str] = {}
        for setting in settings:
            name, equals, text = setting.partition("=")
            if not equals:
                raise InputError(f"setting {setting!r}: has no '='; write option=value")
            if name in given:
                raise InputError(f"option {name!r}: is set twice; give it once")
            given[name] = text
        return cls.of(given)

    @classmethod
    def of(cls, values: Mapping[str, Value]) -> Self:
        """Make the options from names and values; texts are converted to the option's type.

        Raises
        ------
        InputError
            If an option is unknown or has a value it does not take.
        """
        hints = _hints(cls)
        known = {field.name: field for field in dataclasses.fields(cls)}
        for name in values:
            if name not in known:
                close = get_close_matches(name, known, n=1)
                guess = f"; did you mean {close[0]!r}" if close else ""
                listed = f"it has {', '.join(known)}" if known else "it has no options"
                raise InputError(f"option {name!r}: is not known here{guess}; {listed}")
        return cls(
            **{name: _read(name, value, hints[name], known[name].metadata) for name, value in values.items()}
        )

    def as_dict(self) -> dict[str, Value]:
        """Return all options and their values, defaults included."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}


def _hints(kind: Any) -> dict[str, Any]:
    """Return the types of an option set's fields."""
    return _evaluated(kind)


@cache
def _evaluated(kind: Any) -> dict[str, Any]:
    """Return them evaluated, once: they are declared as texts, which takes long to read."""
    return get_type_hints(kind)


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _in_range(value: float, rule: Mapping[str, Any]) -> bool:
    low, high = rule.get("ge"), rule.get("le")
    return (low is None or value >= low) and (high is None or value <= high)


def _accepts(hint: Any, value: object, rule: Mapping[str, Any]) -> bool:
    for kind in _alternatives(hint):
        if get_origin(kind) is Literal:
            if value in get_args(kind):
                return True
        elif kind in (type(None), bool, str):
            if isinstance(value, kind):
                return True
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            fits = kind is float or isinstance(value, int)
            if fits and value - value == 0 and _in_range(value, rule):
                return True
    return False


def _describe(hint: Any, rule: Mapping[str, Any]) -> str:
    names = []
    for kind in _alternatives(hint):
        if get_origin(kind) is Literal:
            names += [str(choice) for choice in get_args(kind)]
        elif kind is type(None):
            names.append("none")
        elif kind is bool:
            names.append("true | false")
        else:
            low, high = rule.get("ge"), rule.get("le")
            limits = [f">= {low}"] * (low is not None) + [f"<= {high}"] * (high is not None)
            names.append(" ".join([kind.__name__, " and ".join(limits)]).strip())
    return " | ".join(names)


def _describe_tuned(hint: Any, rule: Mapping[str, Any]) -> str:
    tune: Tune | None = rule.get("tune")
    if tune is None:
        return ""
    if tune.low is not None:
        text = f"{tune.low} to {tune.high}" + (", logarithmic" if tune.log else "")
    elif tune.choices:
        text = " | ".join(
            str(choice).lower() if isinstance(choice, bool) else str(choice) for choice in tune.choices
        )
    else:
        text = _describe(hint, rule)
    if rule["only_if"] is None:
        return text
    other, values = rule["only_if"]
    return f"{text}; if {other} is {' or '.join(str(value).lower() for value in values)}"


def _read(name: str, value: Value, hint: Any, rule: Mapping[str, Any]) -> Value:
    """Convert a text to the first alternative of the type that takes it; other values pass as they are."""
    if not isinstance(value, str):
        return value
    for kind in _alternatives(hint):
        converted: Value = value
        if kind is type(None) and value.lower() == "none":
            return None
        if kind is bool and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if kind in (int, float):
            try:
                converted = kind(value)
            except ValueError:
                continue
        if _accepts(kind, converted, rule):
            return converted
    raise InputError(f"option {name!r}: is {value!r}; it must be {_describe(hint, rule)}")
