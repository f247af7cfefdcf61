"""Which assignments the rules of a model leave, against those that keep the rules of the instance."""

from __future__ import annotations

from itertools import product

import pytest
from ortools.sat.python import cp_model

from mapopt.instance import Instance, InstanceNode, Unit
from mapopt.placement.flows import flows
from mapopt.placement.problem import Problem
from mapopt.solvers.placing import Placing, separated
from tests.bounds.cases import assignments
from tests.formulations.cases import tiny_instance


class Every(cp_model.CpSolverSolutionCallback):
    """Notes the unit of every group, and further literals, in each solution."""

    def __init__(self, placing, literals=()):
        super().__init__()
        self.placing, self.literals, self.found = placing, literals, []

    def on_solution_callback(self):
        values = tuple(self.value(each) for each in self.literals)
        self.found.append((tuple(self.placing.unit_of(self.value)), *values))


def every(placing, *literals):
    solver = cp_model.CpSolver()
    solver.parameters.enumerate_all_solutions = True
    solver.parameters.num_workers = 1
    found = Every(placing, literals)
    solver.solve(placing.model, found)
    return found.found


def placed(instance):
    problem = Problem(instance)
    placing = Placing(cp_model.CpModel(), problem)
    placing.place()
    return problem, placing


@pytest.mark.parametrize("seed", range(60))
def test_what_is_left_are_the_assignments_that_keep_all_rules(seed):
    instance = tiny_instance(seed, max_nodes=4)
    problem, placing = placed(instance)
    for unit in range(len(instance.units)):
        placing.capacities(unit)
    placing.separate()
    left = sorted(tuple(problem.units(list(unit_of))) for (unit_of,) in every(placing))
    assert left == sorted(map(tuple, assignments(instance)))


def test_first_use_keeps_one_assignment_of_each_kind():
    nodes = tuple(InstanceNode(f"n{number}", (1,)) for number in range(4))
    units = tuple(Unit(f"u{number}", "x") for number in range(3))
    problem, placing = placed(Instance("alike", ("x",), units, nodes))
    order = [2, 0, 3, 1]
    placing.first_use((0, 1, 2), order)
    kinds = {
        frozenset(frozenset(g for g in range(4) if units[g] == unit) for unit in set(units))
        for units in product(range(3), repeat=4)
    }
    left = every(placing)
    assert len(left) == len(kinds) == 14
    assert all(unit_of[order[0]] == 0 for (unit_of,) in left)
    assert len(problem.groups) == 4


@pytest.mark.parametrize("seed", range(30))
def test_flows_enter_and_leave_where_their_ends_are_apart(seed):
    instance = tiny_instance(seed, "free", max_nodes=4)
    problem, placing = placed(instance)
    units = range(len(instance.units))
    for number, flow in enumerate(flows(problem)):
        entering, leaving = placing.entering(number, flow, units), placing.leaving(number, flow, units)
        literals = [*entering.values(), *leaving.values()]
        least = {}
        for unit_of, *values in every(placing, *literals):
            least[unit_of] = min(least.get(unit_of, values), values, key=sum)
        for unit_of, values in least.items():
            home, targets = unit_of[flow.producer], {unit_of[reader] for reader in flow.readers}
            enters = [int(unit in targets and unit != home) for unit in entering]
            leaves = [int(unit == home and targets != {unit}) for unit in leaving]
            assert values == enters + leaves
        break


def test_separated_pairs_come_once_with_each_common_unit():
    instance = next(
        each for each in map(tiny_instance, range(200)) if any(Problem(each).apart) and len(each.units) > 2
    )
    problem = Problem(instance)
    found = list(separated(problem))
    assert len(set(found)) == len(found)
    assert all(one < other and other in problem.apart[one] for one, other, _ in found)
