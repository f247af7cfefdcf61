"""What the rows leave is what the rules of the instance leave: least and most of a sum that tells assignments apart."""

from __future__ import annotations

import pulp
import pytest

from mapopt.mapping import Mapping
from mapopt.placement.problem import Problem
from mapopt.solvers.assignment_rows import AssignmentRows
from mapopt.solvers.base import Task
from mapopt.solvers.model import Limits, Objective, Status
from mapopt.solvers.watch import Watch
from tests.bounds.cases import assignments
from tests.formulations.cases import tiny_instance


def rows_of(instance):
    task = Task(instance, Objective.TRAFFIC, Watch(Limits(time_s=30, workers=1)), "cbc")
    rows = AssignmentRows(task, Problem(instance))
    rows.place()
    for unit in rows.units:
        rows.capacities(unit)
    rows.side_constraints()
    return rows


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("sign", [1, -1])
def test_the_extremes_of_a_sum_are_those_of_the_assignments(seed, sign):
    instance = tiny_instance(seed)
    weight = {(node, unit): sign * (1 + (7 * node + 5 * unit) % 11) for node in range(9) for unit in range(3)}
    rows = rows_of(instance)
    rows.milp += pulp.lpSum(weight[key] * x for key, x in rows.x.items())
    answer = rows.solve(None)
    assert answer.mapping is not None
    (units,) = answer.mapping.assignment(instance)

    def total(units):
        return sum(weight[node, unit] for node, unit in enumerate(units))

    assert total(units) == min(map(total, assignments(instance)))


def test_a_start_is_handed_over_and_the_answer_measured():
    instance = tiny_instance(3)
    rows = rows_of(instance)
    rows.milp += pulp.LpAffineExpression()
    start = next(iter(assignments(instance)))
    groups = [start[nodes[0]] for nodes in rows.problem.groups]
    answer = rows.solve(groups)
    assert answer.status in (Status.OPTIMAL, Status.FEASIBLE)
    assert isinstance(answer.mapping, Mapping)
    assert [round(x.varValue) for (node, unit), x in rows.x.items() if start[node] == unit] == [1] * len(
        start
    )
