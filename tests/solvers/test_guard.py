from mapopt.solvers.base import Task
from mapopt.solvers.choice import candidates
from mapopt.solvers.driver import solve
from mapopt.solvers.model import Limits, Objective, SolverFailedError, Status
from mapopt.sources import load_instance


def crash(*_, **__):
    raise SolverFailedError("CP-SAT was ended by SIGSEGV")


def test_a_crash_is_one_failed_answer_and_the_rest_goes_on(monkeypatch):
    instance = load_instance("resnet18", platform="imc:imc=4,dpu=2")
    (formulation,) = candidates(instance, Objective.PERIOD, False, False, "period-assignment")
    assert formulation.name == "period-assignment"
    monkeypatch.setattr("formulations.period_assignment.run", crash)
    answer = formulation.solve(Task(instance, Objective.PERIOD))
    assert (answer.status, answer.reason) == (Status.FAILED, "CP-SAT was ended by SIGSEGV")
    outcome = solve(instance, formulation="period-assignment", limits=Limits(time_s=10))
    assert outcome.mapping is not None
    assert outcome.status is Status.FEASIBLE
    assert "SIGSEGV" in outcome.levels[0].reason
