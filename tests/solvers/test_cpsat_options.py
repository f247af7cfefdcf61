import pytest
from ortools.sat.python import cp_model

from mapopt.errors import InputError
from mapopt.solvers.cpsat_options import BRANCHING, CpSatOptions
from mapopt.solvers.registry import get


def test_the_defaults_are_those_of_the_solver():
    settings = cp_model.CpSolver().parameters
    for name, value in CpSatOptions().parameters.items():
        assert getattr(settings, name) == value, name


@pytest.mark.parametrize("branching", sorted(BRANCHING))
def test_every_branching_rule_is_one_of_the_solver(branching):
    settings = cp_model.CpSolver().parameters
    for name, value in CpSatOptions(branching=branching).parameters.items():
        setattr(settings, name, value)
        assert getattr(settings, name) == value


def test_formulations_take_them():
    options = {"linearization_level": 0, "symmetry_level": 0, "branching": "pseudo-cost"}
    for name in ("latency-modulo", "latency-modulo-transfers", "latency-single"):
        assert get(name, options).options.parameters["linearization_level"] == 0
    with pytest.raises(InputError, match="linearization_level"):
        get("latency-modulo", {"linearization_level": 3})
