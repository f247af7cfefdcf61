"""What every formulation does before its own model comes into play."""

from __future__ import annotations

import pytest

from mapopt.errors import UnsupportedError
from mapopt.instance import Instance, InstanceNode, SideConstraints, Unit
from mapopt.options import Options
from mapopt.solvers.base import BaseFormulation, Formulation, Task
from mapopt.solvers.model import Answer, Objective, Status


class Counting(BaseFormulation[Options]):
    name = "counting"
    summary = "answers with the number of groups"
    objectives = (Objective.PERIOD,)
    schedule_class = "any"

    def rejects(self, instance):
        return "it takes no free transfers" if len(instance.nodes) > 2 else None

    def minimise(self, task, problem):
        return Answer(Status.UNKNOWN, bound=len(problem.groups))


def instance(count=2, **rules):
    nodes = tuple(InstanceNode(f"n{number}", (1,)) for number in range(count))
    return Instance("i", ("x",), (Unit("u", "x"),), nodes, side_constraints=SideConstraints(**rules))


def test_it_is_a_formulation_with_default_options():
    assert isinstance(Counting(), Formulation)
    assert Counting().options == Options()


def test_the_model_gets_the_placing_problem():
    assert Counting().solve(Task(instance(colocate=(("n0", "n1"),)), Objective.PERIOD)).bound == 1


def test_what_is_rejected_or_not_its_objective_is_an_error_that_names_it():
    with pytest.raises(UnsupportedError, match="formulation 'counting': it takes no free transfers"):
        Counting().solve(Task(instance(3), Objective.PERIOD))
    with pytest.raises(UnsupportedError, match="'counting': minimises period, not latency"):
        Counting().solve(Task(instance(), Objective.LATENCY))


def test_rules_that_contradict_each_other_are_an_answer():
    answer = Counting().solve(
        Task(instance(colocate=(("n0", "n1"),), separate=(("n0", "n1"),)), Objective.PERIOD)
    )
    assert answer.status is Status.INFEASIBLE
    assert "both together (colocate) and apart (separate)" in answer.reason
