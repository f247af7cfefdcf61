import pytest

from formulations.energy_assignment import EnergyAssignment, EnergyAssignmentOptions
from formulations.energy_assignment_milp import EnergyAssignmentMilp
from mapopt.errors import UnsupportedError
from mapopt.instance import Instance, InstanceNode, Unit
from mapopt.solvers.base import Formulation
from mapopt.solvers.model import Objective
from tests.bounds.cases import random_instance
from tests.formulations.period_cases import (
    alike,
    answered,
    energy,
    must_equal_brute_force,
    traffic,
    with_energy,
)

VALUES = {Objective.ENERGY: energy, Objective.TRAFFIC: traffic}


@pytest.mark.parametrize("formulation", [EnergyAssignment(), EnergyAssignmentMilp()])
def test_it_is_a_formulation(formulation):
    assert isinstance(formulation, Formulation)


@pytest.mark.parametrize("objective", VALUES)
@pytest.mark.parametrize(
    ("formulation", "solver", "seeds"),
    [
        (EnergyAssignment(), "cpsat", range(150)),
        (EnergyAssignment(EnergyAssignmentOptions(symmetry=False)), "cpsat", range(30)),
        (EnergyAssignmentMilp(), "cbc", range(40)),
        (EnergyAssignmentMilp(), "highs", range(40, 43)),
    ],
)
def test_it_equals_brute_force(formulation, solver, seeds, objective):
    for seed in seeds:
        instance = with_energy(random_instance(seed), seed)
        must_equal_brute_force(formulation, instance, VALUES[objective], objective, solver)


@pytest.mark.parametrize("objective", VALUES)
def test_interchangeable_units_lose_no_optimum(objective):
    for seed in range(200, 260):
        instance = with_energy(alike(random_instance(seed)), seed)
        must_equal_brute_force(EnergyAssignment(), instance, VALUES[objective], objective)


@pytest.mark.parametrize(
    ("formulation", "solver"), [(EnergyAssignment(), "cpsat"), (EnergyAssignmentMilp(), "cbc")]
)
def test_no_energy_no_objective(formulation, solver):
    instance = Instance("i", classes=("c",), units=(Unit("u", "c"),), nodes=(InstanceNode("n", (1,)),))
    with pytest.raises(UnsupportedError, match="needs the energy of every node"):
        answered(formulation, instance, Objective.ENERGY, solver=solver)
    assert answered(formulation, instance, Objective.TRAFFIC, solver=solver).value == 0
