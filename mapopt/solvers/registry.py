"""Formulations by name: entry points of the group ``mapopt.formulations``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mapopt.errors import InputError
from mapopt.mappers.tuned import PREFIX, settled
from mapopt.options import OptionInfo, Value
from mapopt.plugins import Plugins
from mapopt.solvers.base import Formulation
from mapopt.solvers.model import Objective

_FORMULATIONS = Plugins(
    "mapopt.formulations",
    "formulation",
    (
        "summary",
        "objectives",
        "pipelined",
        "contiguous",
        "schedule_class",
        "solvers",
        "reference",
        "rejects",
        "solve",
    ),
    "mapopt.solvers.base.Formulation",
)


@dataclass(frozen=True, slots=True)
class FormulationInfo:
    """A registered formulation, see :class:`mapopt.solvers.base.Formulation`."""

    name: str
    summary: str
    objectives: tuple[Objective, ...]
    pipelined: bool
    contiguous: bool
    schedule_class: str
    solvers: tuple[str, ...]
    reference: str
    options: tuple[OptionInfo, ...]
    distribution: str


def names() -> tuple[str, ...]:
    """Return the registered names in alphabetic order, see :meth:`mapopt.plugins.Plugins.names`."""
    return _FORMULATIONS.names()


def available() -> tuple[FormulationInfo, ...]:
    """Return every registered formulation in alphabetic order.

    Raises
    ------
    InputError
        If a name is registered twice, or a formulation cannot be loaded or lacks an attribute.
    """
    return tuple(
        FormulationInfo(
            kind.name,
            kind.summary,
            kind.objectives,
            kind.pipelined,
            kind.contiguous,
            kind.schedule_class,
            kind.solvers,
            kind.reference,
            kind.options_type.describe(),
            distribution,
        )
        for kind, distribution in _FORMULATIONS.classes()
    )


def get(name: str, options: Iterable[str] | dict[str, Value] = ()) -> Formulation:
    """Make a formulation, see :meth:`mapopt.plugins.Plugins.make`; ``tuned:FILE`` takes a parameter file.

    Raises
    ------
    InputError
        If the name is unknown, the class cannot be loaded, an option is refused, or the parameter file breaks a rule.
    """
    if name.startswith(PREFIX):
        real, settings = settled(name, options, "formulation")
        try:
            tuned: Formulation = _FORMULATIONS.make(real, settings)
        except InputError as error:
            raise InputError(
                f"formulation {name!r}: {error}; its parameter file is of another version"
            ) from None
        return tuned
    formulation: Formulation = _FORMULATIONS.make(name, options)
    return formulation
