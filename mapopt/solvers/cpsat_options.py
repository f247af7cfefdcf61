"""CP-SAT's own parameters as options of a formulation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from mapopt.options import Options, Tune, option

BRANCHING = {
    "automatic": "AUTOMATIC_SEARCH",
    "fixed": "FIXED_SEARCH",
    "portfolio": "PORTFOLIO_SEARCH",
    "linear-program": "LP_SEARCH",
    "pseudo-cost": "PSEUDO_COST_SEARCH",
    "hinted": "HINT_SEARCH",
}
"""CP-SAT's names of its branching rules."""


@dataclass(frozen=True)
class CpSatOptions(Options):
    """What of the solver may be set; the defaults are CP-SAT's.

    References
    ----------
    L. Perron, F. Didier: CP-SAT, Google OR-Tools; the comments of its ``sat_parameters.proto``.
    """

    linearization_level: int = option(
        1,
        "how much of the model is in CP-SAT's linear relaxation: nothing, some, all",
        ge=0,
        le=2,
        tune=Tune(0, 2),
    )
    symmetry_level: int = option(
        2, "how much effort CP-SAT puts into symmetries", ge=0, le=4, tune=Tune(0, 4)
    )
    branching: Literal["automatic", "fixed", "portfolio", "linear-program", "pseudo-cost", "hinted"] = option(
        "automatic",
        "how CP-SAT branches",
        tune=Tune(choices=("automatic", "portfolio", "linear-program", "pseudo-cost")),
    )

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of CP-SAT by its own names."""
        from ortools.sat.python import cp_model

        return {
            "linearization_level": self.linearization_level,
            "symmetry_level": self.symmetry_level,
            "search_branching": getattr(cp_model, BRANCHING[self.branching]),
        }
