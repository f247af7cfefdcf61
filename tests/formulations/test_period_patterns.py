import pytest

from formulations.period_assignment import PeriodAssignment
from formulations.period_patterns import PeriodPatterns, PeriodPatternsOptions
from mapopt import build_instance, load_network, load_platform
from mapopt.errors import InfeasibleError, UnsupportedError
from mapopt.feasibility import check
from mapopt.importers.rcmax import read_rcmax
from mapopt.instance import Instance, InstanceNode, InstanceTensor, SideConstraints, Unit
from mapopt.placement.problem import Problem
from mapopt.solvers.base import Formulation, Task
from mapopt.solvers.judging import measured
from mapopt.solvers.model import Limits, Objective, Status
from mapopt.solvers.patterns.refutation import refute
from mapopt.solvers.watch import Watch
from mapopt.transfers import Blocking, Delay
from tests.solvers.patterns.cases import least_period, machines, packing_instance


def solve(instance, options=None, limits=None, **asked):
    task = Task(instance, Objective.PERIOD, Watch(limits or Limits(time_s=20)), **asked)
    return PeriodPatterns(options).solve(task)


def brute_force(instance):
    try:
        Problem(instance)
    except InfeasibleError:
        return None
    return least_period(instance)


@pytest.mark.parametrize("first", range(0, 320, 40))
def test_brute_force_agrees(first):
    for seed in range(first, first + 40):
        instance = packing_instance(seed)
        best, answer = brute_force(instance), solve(instance)
        if best is None:
            assert answer.status is Status.INFEASIBLE, seed
            continue
        assert (answer.status, answer.value, answer.bound) == (Status.OPTIMAL, best, best), seed
        assert check(instance, answer.mapping) == ()
        assert measured(instance, answer.mapping, Objective.PERIOD) == best


@pytest.mark.parametrize(
    "options",
    [
        PeriodPatternsOptions(relaxation=False),
        PeriodPatternsOptions(dives=False),
        PeriodPatternsOptions(integer_program=False, hint=False, bound=False),
        PeriodPatternsOptions(relaxation=False, dives=False, integer_program=False),
    ],
)
def test_ingredients_can_be_switched_off(options):
    for seed in range(1000, 1012):
        instance = packing_instance(seed)
        best = brute_force(instance)
        assert solve(instance, options).value == best


def test_delays_occupy_nobody():
    free = packing_instance(5)
    edge = InstanceTensor("t", "n0", ("n1",), 100)
    delayed = Instance(
        free.name,
        free.classes,
        free.units,
        free.nodes,
        (edge,),
        Delay(1),
        side_constraints=free.side_constraints,
    )
    assert solve(delayed).value == solve(free).value


@pytest.mark.parametrize("seed", range(3))
def test_machines_with_more_jobs(tmp_path, seed):
    path = tmp_path / "machines.txt"
    path.write_text(machines(seed, 24, 4, 10, 60))
    instance = read_rcmax(path)
    answer = solve(instance)
    assert answer.status is Status.OPTIMAL
    assert measured(instance, answer.mapping, Objective.PERIOD) == answer.value == answer.bound
    assert answer.value == by_cpsat(instance)


def by_cpsat(instance):
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    x = [[model.new_bool_var("") for _ in instance.units] for _ in instance.nodes]
    period = model.new_int_var(0, 10**6, "")
    for row in x:
        model.add_exactly_one(row)
    for unit in range(len(instance.units)):
        model.add(
            sum(node.times[unit] * row[unit] for node, row in zip(instance.nodes, x, strict=True)) <= period
        )
    model.minimize(period)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 2
    assert solver.solve(model) == cp_model.OPTIMAL
    return solver.value(period)


@pytest.mark.parametrize(
    ("network", "platform"), [("resnet20", "imc:imc=8,dpu=2"), ("resnet8", "imc:imc=3,dpu=1")]
)
def test_networks_on_units_with_crossbars(network, platform):
    """An independent model agrees, and integer duals prove the bound."""
    instance = build_instance(load_network(network), load_platform(platform))
    answer = solve(instance)
    other = PeriodAssignment().solve(Task(instance, Objective.PERIOD, Watch(Limits(time_s=20))))
    assert answer.status is other.status is Status.OPTIMAL
    assert answer.value == other.value
    assert refute(instance, answer.value - 1, Watch(Limits())) is not None


def test_cutoffs_and_decisions():
    instance = packing_instance(20)
    best = brute_force(instance)
    refused = solve(instance, cutoff=best)
    assert (refused.status, refused.mapping, refused.bound) == (Status.INFEASIBLE, None, best)
    assert solve(instance, cutoff=best + 1).value == best
    some = solve(instance, cutoff=best + 5, decision=True)
    assert some.status in (Status.FEASIBLE, Status.OPTIMAL)
    assert best <= some.value < best + 5


def test_deterministic_runs_repeat_and_end(tmp_path):
    path = tmp_path / "machines.txt"
    path.write_text(machines(7, 60, 6, 1, 9999))
    instance = read_rcmax(path)
    limits = Limits(time_s=0.5, deterministic=True, seed=3)
    one, two = solve(instance, limits=limits), solve(instance, limits=limits)
    assert one == two
    assert one.bound <= one.value


def test_a_stop_keeps_what_is_known(tmp_path):
    path = tmp_path / "machines.txt"
    path.write_text(machines(8, 60, 6, 1, 9999))
    instance = read_rcmax(path)
    watch = Watch(Limits())
    watch.stop()
    answer = PeriodPatterns().solve(Task(instance, Objective.PERIOD, watch))
    assert answer.status is Status.FEASIBLE
    assert 0 < answer.bound < answer.value == measured(instance, answer.mapping, Objective.PERIOD)


def test_what_it_rejects():
    nodes = (InstanceNode("a", (1,)), InstanceNode("b", (1,)))
    units = (Unit("u", "c"), Unit("v", "c"))
    apart = Instance("i", ("c",), units, nodes, side_constraints=SideConstraints(separate=(("a", "b"),)))
    with pytest.raises(UnsupportedError, match="separate"):
        solve(apart)
    blocking = Instance("i", ("c",), units, nodes, transfer=Blocking(1))
    with pytest.raises(UnsupportedError, match="'blocking'"):
        solve(blocking)


def test_it_is_a_formulation():
    assert isinstance(PeriodPatterns(), Formulation)
