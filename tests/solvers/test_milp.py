"""Every MILP solver gives the same honest answers; whatever happens to it is one failed run."""

import random
import signal
import sys
import threading
from itertools import product

import pulp
import pytest

from mapopt.solvers import isolation, milp
from mapopt.solvers.backends import base
from mapopt.solvers.model import Limits, Objective, Status
from mapopt.solvers.watch import Watch

PRESENT = [name for name, backend in milp.SOLVERS.items() if backend().missing() is None]
each_solver = pytest.mark.parametrize("solver", PRESENT)


def solve(problem, solver, **options):
    limits = Limits(**{"time_s": 30.0, **options.pop("limits", {})})
    return milp.run(
        problem, options.pop("watch", None) or Watch(limits), Objective.PERIOD, solver=solver, **options
    )


def loads(n_items=60, n_units=7, seed=3):
    """A load-balancing problem; the default size is out of reach within seconds."""
    rng = random.Random(seed)
    problem = pulp.LpProblem("loads", pulp.LpMinimize)
    size = [rng.randint(10**5, 10**6) for _ in range(n_items)]
    work = [[size[j] * (10 + 3 * (j * u % 3)) // 10 for u in range(n_units)] for j in range(n_items)]
    on = [[problem.add_variable(f"on_{j}_{u}", cat="Binary") for u in range(n_units)] for j in range(n_items)]
    period = problem.add_variable("period", 0)
    problem += period
    for row in on:
        problem += pulp.lpSum(row) == 1
    for u in range(n_units):
        problem += pulp.lpSum(work[j][u] * on[j][u] for j in range(n_items)) <= period
    return problem, work, on


def knapsack():
    problem = pulp.LpProblem("knapsack", pulp.LpMinimize)
    x = [problem.add_variable(f"x {i} [{i}]", 0, 5, cat="Integer") for i in range(12)]
    problem += pulp.lpSum(-(i * 7 % 5 + 1) * each for i, each in enumerate(x)) + 7
    problem += pulp.lpSum((i * 5 % 7 + 2) * each for i, each in enumerate(x)) <= 31
    return problem, x


def test_the_solvers_that_come_with_mapopt_are_present():
    assert {"highs", "cbc"} <= set(PRESENT)


@each_solver
def test_proves_the_optimum_that_brute_force_finds(solver):
    for seed in range(3):
        problem, work, on = loads(6, 2, seed)
        best = min(
            max(sum(work[j][u] for j in range(6) if units[j] == u) for u in range(2))
            for units in product(range(2), repeat=6)
        )
        run = solve(problem, solver)
        assert (run.status, run.value, run.bound) == (Status.OPTIMAL, best, best)
        units = [next(u for u in range(2) if run.values(on[j][u]) == 1) for j in range(6)]
        assert max(sum(work[j][u] for j in range(6) if units[j] == u) for u in range(2)) == best


@each_solver
def test_constants_and_odd_names_are_kept(solver):
    problem, x = knapsack()
    run = solve(problem, solver)
    values = [run.values(each) for each in x]
    assert sum((i * 5 % 7 + 2) * each for i, each in enumerate(values)) <= 31
    assert run.value == 7 - sum((i * 7 % 5 + 1) * each for i, each in enumerate(values)) == run.bound
    assert all(isinstance(each, int) for each in values)
    assert {solve(problem, other).value for other in PRESENT} == {run.value}


@each_solver
def test_a_model_without_objective_is_solved(solver):
    problem = pulp.LpProblem("feasibility")
    x = problem.add_variable("x", 0, 10, cat="Integer")
    problem += 2 * x == 6
    run = solve(problem, solver)
    assert (run.status, run.value, run.bound, run.values(x)) == (Status.OPTIMAL, None, None, 3)


@each_solver
def test_a_linear_programme_is_solved(solver):
    problem = pulp.LpProblem("linear")
    x, y = problem.add_variable("x", 0), problem.add_variable("y", 0)
    problem += x + y
    problem += 2 * x + y >= 5
    problem += x + 3 * y >= 5
    run = solve(problem, solver)
    assert (run.status, run.value, run.bound) == (Status.OPTIMAL, 3, 3)


@each_solver
def test_infeasible_is_proven_and_has_no_bound(solver):
    problem, x = knapsack()
    problem += pulp.lpSum(x) >= 40
    assert solve(problem, solver) == milp.MilpRun(Status.INFEASIBLE)


@each_solver
def test_infeasible_linear_programme(solver):
    problem = pulp.LpProblem("linear")
    x = problem.add_variable("x", 0, 4)
    problem += x
    problem += x >= 5
    assert solve(problem, solver) == milp.MilpRun(Status.INFEASIBLE)


@each_solver
def test_unbounded_is_refused(solver):
    problem = pulp.LpProblem("unbounded")
    x = problem.add_variable("x", None, 4, cat="Integer")
    problem += x
    problem += x <= 3
    run = solve(problem, solver)
    assert run.status is Status.FAILED
    assert "unbounded" in run.reason


@each_solver
def test_a_time_limit_leaves_an_incumbent_and_a_true_bound(solver):
    problem, work, on = loads()
    watch = Watch(Limits(time_s=2.0))
    run = solve(problem, solver, watch=watch)
    assert run.status is Status.FEASIBLE
    assert watch.elapsed_s < 6
    load = [sum(work[j][u] for j in range(60) if run.values(on[j][u]) == 1) for u in range(7)]
    assert max(load) <= run.value <= max(load) + 1  # an incumbent may leave the objective some slack
    assert sum(min(row) for row in work) / 7 <= run.bound < run.value
    assert (watch.trace[-1].value, watch.trace[-1].bound) == (run.value, run.bound)
    assert any(entry.value and entry.value > run.value for entry in watch.trace), "no live progress"


@each_solver
def test_a_request_to_stop_returns_what_was_found(solver):
    problem, _, _ = loads()
    watch = Watch(Limits(time_s=60.0))
    threading.Timer(1.0, watch.stop).start()
    run = solve(problem, solver, watch=watch)
    assert watch.elapsed_s < 8
    assert run.status is Status.FEASIBLE
    assert run.bound < run.value


@each_solver
def test_values_of_a_restricted_model_are_not_reported(solver):
    watch = Watch(Limits(time_s=10.0))
    run = solve(loads(6, 2)[0], solver, watch=watch, reports=False)
    assert run.status is Status.OPTIMAL
    assert watch.trace == []


@each_solver
def test_deterministic_runs_are_limited_in_nodes(solver):
    runs = [
        solve(loads()[0], solver, limits={"time_s": 2.0, "deterministic": True, "workers": 1})
        for _ in range(2)
    ]
    assert runs[0].status is Status.FEASIBLE
    assert (runs[0].value, runs[0].bound) == (runs[1].value, runs[1].bound)


@each_solver
def test_deterministic_effort_is_counted(solver):
    watch = Watch(Limits(time_s=0.5, deterministic=True, workers=1))
    solve(loads()[0], solver, watch=watch)
    assert watch.left < 0.4
    assert solve(loads()[0], solver, watch=Watch(Limits(time_s=1e-9))) == milp.MilpRun(Status.UNKNOWN)


@each_solver
def test_a_warm_start_is_used(solver):
    """Seven equally long rows are cut into pieces; to find the rows again takes long, to check them does not."""
    rng, problem, rows = random.Random(1), pulp.LpProblem("pieces"), 7
    cuts = [[0, *sorted(rng.sample(range(10**6), 5)), 10**6] for _ in range(rows)]
    on = {
        (r, i): [problem.add_variable(f"on_{r}_{i}_{u}", cat="Binary") for u in range(rows)]
        for r in range(rows)
        for i in range(6)
    }
    period = problem.add_variable("period", 0)
    problem += period
    for units in on.values():
        problem += pulp.lpSum(units) == 1
    for u in range(rows):
        load = pulp.lpSum((cuts[r][i + 1] - cuts[r][i]) * units[u] for (r, i), units in on.items())
        problem += load <= period
    tiny = {"time_s": 0.01, "deterministic": True}
    cold = solve(problem, solver, limits=tiny)
    assert cold.value is None or cold.value > 10**6
    for (row, _), units in on.items():
        for u, variable in enumerate(units):
            variable.varValue = float(u == row)
    warm = solve(problem, solver, limits=tiny, warm_start=True)
    assert (warm.status, warm.value) == (Status.OPTIMAL, 10**6)


@each_solver
def test_too_little_memory_is_a_failed_run(solver):
    run = solve(loads()[0], solver, limits={"memory_mb": 20})
    assert run.status is Status.FAILED
    assert "out of memory" in run.reason
    assert run.value is run.bound is run.values is None


@each_solver
def test_a_killed_solver_is_a_failed_run(solver, monkeypatch):
    started = []
    popen = isolation.subprocess.Popen

    def starting(*arguments, **options):
        started.append(popen(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(isolation.subprocess, "Popen", starting)
    threading.Timer(1.0, lambda: started[0].send_signal(signal.SIGKILL)).start()
    run = solve(loads()[0], solver)
    assert run.status is Status.FAILED
    assert "SIGKILL" in run.reason


@each_solver
def test_a_deaf_solver_is_killed_and_its_improvements_kept(solver, monkeypatch):
    monkeypatch.setattr(isolation, "GRACE_S", 0.2)
    for backend in (base.ChildBackend, milp.cbc.Cbc):
        monkeypatch.setattr(backend, "stop", lambda _self, _process: None)
    watch = Watch(Limits(time_s=60.0))
    threading.Timer(1.5, watch.stop).start()
    run = solve(loads()[0], solver, watch=watch)
    assert watch.elapsed_s < 8
    assert run.status in (Status.FEASIBLE, Status.UNKNOWN)
    assert run.bound is not None
    assert "killed" in run.reason


def test_a_missing_solver_is_a_failed_run(monkeypatch):
    monkeypatch.setattr(milp.cbc, "_program", lambda: None)
    run = solve(knapsack()[0], "cbc")
    assert run.status is Status.FAILED
    assert "cbc: is not installed; install" in run.reason
    monkeypatch.setattr(
        milp, "SOLVERS", {"other": lambda: base.ChildBackend("other", "no_such_package", "get it")}
    )
    run = solve(knapsack()[0], "other")
    assert run.status is Status.FAILED
    assert run.reason == "solver other: is not installed; get it"


@each_solver
def test_a_solver_that_cannot_start_or_breaks_is_a_failed_run(solver, monkeypatch):
    for backend in (base.ChildBackend, milp.cbc.Cbc):
        monkeypatch.setattr(backend, "command", lambda _self, _job: ["/nonexistent/solver"])
    assert "cannot be run" in solve(knapsack()[0], solver).reason
    for backend in (base.ChildBackend, milp.cbc.Cbc):
        monkeypatch.setattr(
            backend, "command", lambda _self, _job: [sys.executable, "-c", "raise KeyError('odd')"]
        )
    run = solve(knapsack()[0], solver)
    assert run.status is Status.FAILED
    assert "KeyError: 'odd'" in run.reason


@each_solver
def test_numbers_that_cannot_be_written_exactly_are_refused(solver):
    problem = pulp.LpProblem("large")
    problem += 10**13 * problem.add_variable("x", 1, 2, cat="Integer")
    run = solve(problem, solver)
    assert run.status is Status.FAILED
    assert "coarser" in run.reason


def test_defects_of_a_formulation_are_errors():
    problem = pulp.LpProblem("max", pulp.LpMaximize)
    problem += problem.add_variable("x", 0, 1)
    with pytest.raises(ValueError, match="maximisation"):
        solve(problem, "highs")
    problem = pulp.LpProblem("twice")
    one, two = problem.add_variable("x", 0, 1), problem.add_variable("y", 0, 1)
    two.name = "x"
    problem += one + two
    with pytest.raises(ValueError, match="x"):
        solve(problem, "highs")


@each_solver
def test_a_bound_above_the_solvers_own_solution_is_a_failed_run(solver, monkeypatch):
    monkeypatch.setattr(milp, "tolerance", lambda _bound: -1.5)
    run = solve(knapsack()[0], solver)
    assert run.status is Status.FAILED
    assert "above its own solution's" in run.reason
    assert run.value is run.bound is run.values is None


def test_the_tolerance_loses_no_whole_unit_up_to_four_million():
    for bound in (0.0, 1e3, 1e6, 3.9e6):
        assert milp.GAP + milp.tolerance(bound) < 1
    assert milp.tolerance(1e9) >= 1e-7 * 1e9


@each_solver
def test_a_model_in_larger_units_reports_those_of_the_problem(solver):
    problem = pulp.LpProblem("scaled", pulp.LpMinimize)
    x = problem.add_variable("x", 0, 10, cat="Integer")
    problem += x + 1
    problem += 2 * x >= 5
    watch = Watch(Limits())
    run = solve(problem, solver, watch=watch, scale=100)
    assert (run.status, run.value, run.bound) == (Status.OPTIMAL, 400, 400)
    assert (watch.trace[-1].value, watch.trace[-1].bound) == (400, 400)
