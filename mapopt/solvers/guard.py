"""A formulation whose solver's crash is an answer."""

from __future__ import annotations

from typing import Any, cast

from mapopt.solvers.base import Formulation, Task
from mapopt.solvers.model import Answer, SolverFailedError, Status


class _Guarded:
    """A formulation with another ``solve``; everything else is its own."""

    def __init__(self, formulation: Formulation) -> None:
        self._formulation = formulation

    def __getattr__(self, name: str) -> Any:
        return getattr(self._formulation, name)

    def solve(self, task: Task) -> Answer:
        """Solve; a solver that crashed or ran out of memory gives an answer with status ``failed``."""
        try:
            return self._formulation.solve(task)
        except SolverFailedError as error:
            return Answer(Status.FAILED, reason=str(error))


def guarded(formulation: Formulation) -> Formulation:
    """Return the formulation, its solver's failures turned into answers."""
    return cast(Formulation, _Guarded(formulation))
