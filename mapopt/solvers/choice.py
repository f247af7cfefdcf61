"""Which formulations suit a problem, the most promising first."""

from __future__ import annotations

from collections.abc import Iterable

from mapopt.errors import InputError, UnsupportedError
from mapopt.instance import Instance
from mapopt.options import Value
from mapopt.solvers.base import Formulation
from mapopt.solvers.guard import guarded
from mapopt.solvers.model import Objective
from mapopt.solvers.registry import get, names

PREFERRED = (
    "period-patterns",
    "period-assignment-milp",
    "period-assignment",
    "period-contiguous",
    "latency-modulo",
    "latency-modulo-transfers",
    "latency-single",
    "latency-single-transfers",
    "energy-assignment",
    "energy-assignment-milp",
)
"""The order in which registered formulations are tried when nobody names one."""

COUNTING = ("cpsat", "own")
"""Solvers whose effort can be limited without a clock."""


def candidates(
    instance: Instance,
    objective: Objective,
    pipelined: bool,
    contiguous: bool,
    name: str | None = None,
    options: Iterable[str] | dict[str, Value] = (),
    solver: str | None = None,
    deterministic: bool = False,
) -> tuple[Formulation, ...]:
    """Return the formulations to try, in order; the named one alone if there is a name.

    Raises
    ------
    UnsupportedError
        If none suits, with the reason of each.
    """
    wanted = _Wanted(objective, pipelined, contiguous, solver, deterministic)
    if name is not None:
        formulation = get(name, options)
        reason = wanted.refuses(formulation) or formulation.rejects(instance)
        if reason is not None:
            raise UnsupportedError(f"formulation {name!r}: {reason}")
        return (guarded(formulation),)
    if tuple(options):
        raise InputError("options: belong to a formulation; name one")
    registered = [get(each) for each in names()]
    able = [formulation for formulation in registered if wanted.refuses(formulation) is None]
    if not able:
        raise UnsupportedError(f"{wanted}: no formulation does that; see `mapopt formulations`")
    reasons = {formulation.name: formulation.rejects(instance) for formulation in able}
    suited = [formulation for formulation in able if reasons[formulation.name] is None]
    if not suited:
        listed = "; ".join(f"{each}: {reason}" for each, reason in reasons.items())
        raise UnsupportedError(
            f"instance {instance.name!r}: no formulation of {wanted} supports it ({listed})"
        )
    preferred = sorted(
        (formulation for formulation in suited if formulation.name in PREFERRED),
        key=lambda formulation: PREFERRED.index(formulation.name),
    )
    if objective is Objective.LATENCY:  # they would ask the same questions again
        del preferred[1:]
    return tuple(guarded(formulation) for formulation in preferred or suited[:1])


class _Wanted:
    """What a formulation has to be able to do."""

    def __init__(
        self,
        objective: Objective,
        pipelined: bool,
        contiguous: bool,
        solver: str | None,
        deterministic: bool,
    ) -> None:
        self.objective, self.pipelined, self.contiguous = objective, pipelined, contiguous
        self.solver, self.deterministic = solver, deterministic

    def __str__(self) -> str:
        words = ["contiguous"] * self.contiguous
        if self.objective is Objective.LATENCY:
            words.append("pipelined" if self.pipelined else "single-frame")
        by = f" by solver {self.solver!r}" if self.solver else ""
        return " ".join([*words, self.objective]) + by

    def refuses(self, formulation: Formulation) -> str | None:
        """Return why a formulation is not of the kind wanted, or ``None``."""
        if self.objective not in formulation.objectives:
            return f"minimises {', '.join(formulation.objectives)}, not {self.objective}"
        if self.objective is Objective.LATENCY and self.pipelined != formulation.pipelined:
            kinds = ("a frame alone", "a stream with limited period")
            return f"is about {kinds[formulation.pipelined]}, not {kinds[self.pipelined]}"
        if self.contiguous != formulation.contiguous:
            kinds = ("any mapping", "contiguous mappings only")
            return f"looks at {kinds[formulation.contiguous]}, not at {kinds[self.contiguous]}"
        if self.solver is not None and self.solver not in formulation.solvers:
            return f"runs on {', '.join(formulation.solvers)}, not on {self.solver!r}"
        if self.deterministic and (self.solver or formulation.solvers[0]) not in COUNTING:
            return f"runs on {self.solver or formulation.solvers[0]}, whose effort cannot be counted: not deterministic"
        return None
