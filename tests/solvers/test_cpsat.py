import os
import signal
import time

import pytest
from ortools.sat.python import cp_model

from mapopt.solvers.cpsat import run
from mapopt.solvers.model import Limits, Objective, SolverFailedError, Status
from mapopt.solvers.watch import Watch

PERIOD = Objective.PERIOD


def hard_model(count=60):
    """Partition numbers into two nearly equal sums of many bins: long to prove."""
    model = cp_model.CpModel()
    numbers = [100_003 + 7919 * at % 60_013 for at in range(count)]
    most = model.new_int_var(0, sum(numbers), "")
    on = [[model.new_bool_var("") for _ in range(7)] for _ in numbers]
    for row in on:
        model.add_exactly_one(row)
    for unit in range(7):
        model.add(sum(number * row[unit] for number, row in zip(numbers, on, strict=True)) <= most)
    model.minimize(most)
    return model


def small(least, most=10):
    model = cp_model.CpModel()
    x = model.new_int_var(0, most, "x")
    model.add(x >= least)
    model.minimize(2 * x)
    return model, x


@pytest.mark.parametrize("threshold", [0, 1000])
def test_an_optimum_comes_with_its_bound_and_is_reported(monkeypatch, threshold):
    monkeypatch.setattr("mapopt.solvers.cpsat.ASIDE", threshold)
    model, x = small(3)
    watch = Watch(Limits())
    result = run(model, watch, PERIOD)
    assert (result.status, result.value, result.bound) == (Status.OPTIMAL, 6, 6)
    assert result.values is not None
    assert result.values(x) == 3
    assert (watch.trace[-1].value, watch.trace[-1].bound) == (6, 6)


def test_what_has_no_solution_has_neither_value_nor_bound():
    model, _ = small(11)
    result = run(model, Watch(Limits()), PERIOD)
    assert (result.status, result.value, result.bound, result.values) == (Status.INFEASIBLE, None, None, None)


def test_without_an_objective_there_is_no_value():
    model = cp_model.CpModel()
    model.new_bool_var("")
    result = run(model, Watch(Limits()), PERIOD)
    assert (result.status, result.value, result.bound) == (Status.OPTIMAL, None, None)


def test_a_restricted_model_reports_nothing():
    model, _ = small(3)
    watch = Watch(Limits())
    run(model, watch, PERIOD, reports=False)
    assert watch.trace == []


def test_a_limit_ends_with_an_incumbent_that_is_not_called_optimal():
    begin = time.monotonic()
    result = run(hard_model(), Watch(Limits(time_s=60)), PERIOD, limit_s=0.5)
    assert time.monotonic() - begin < 20
    assert result.status is Status.FEASIBLE
    assert result.bound is not None
    assert result.value is not None
    assert result.bound < result.value


def test_a_request_to_stop_is_followed():
    watch = Watch(Limits(time_s=None))
    watch._on_progress = lambda progress: watch.stop() if progress.value is not None else None
    assert run(hard_model(), watch, PERIOD).status is Status.FEASIBLE


def test_deterministic_runs_repeat():
    found = [
        run(hard_model(), Watch(Limits(time_s=0.2, seed=5, deterministic=True)), PERIOD) for _ in range(2)
    ]
    assert found[0].value == found[1].value
    assert found[0].bound == found[1].bound


def test_an_invalid_model_is_a_defect():
    model = cp_model.CpModel()
    x = model.new_int_var(0, 2**62, "")
    y = model.new_int_var(0, 2**62, "")
    model.add(4 * x + 4 * y <= 1)
    with pytest.raises(ValueError, match="invalid"):
        run(model, Watch(Limits()), PERIOD)


@pytest.fixture
def aside(monkeypatch):
    monkeypatch.setattr("mapopt.solvers.cpsat.ASIDE", 0)


@pytest.mark.usefixtures("aside")
def test_a_crash_is_a_failure_with_its_reason(monkeypatch):
    model, _ = small(3)
    monkeypatch.setattr(cp_model.CpSolver, "solve", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(SolverFailedError, match="SIGKILL"):
        run(model, Watch(Limits()), PERIOD)


def test_hunger_for_memory_is_a_failure(monkeypatch):
    model, _ = small(3)
    monkeypatch.setattr(cp_model.CpSolver, "solve", lambda *_: bytearray(10**9))
    with pytest.raises(SolverFailedError, match="exit code"):
        run(model, Watch(Limits(memory_mb=100)), PERIOD)


@pytest.mark.usefixtures("aside")
def test_a_solver_that_does_not_listen_is_killed(monkeypatch):
    model, _ = small(3)
    monkeypatch.setattr(cp_model.CpSolver, "solve", lambda *_: time.sleep(60))
    monkeypatch.setattr("mapopt.solvers.forking.GRACE_S", 0.2)
    with pytest.raises(SolverFailedError, match="did not stop when asked to"):
        run(model, Watch(Limits(time_s=0.2)), PERIOD)
