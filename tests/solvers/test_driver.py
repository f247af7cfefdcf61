from dataclasses import replace
from fractions import Fraction
from itertools import product

import pytest

from formulations.period_assignment import PeriodAssignment
from mapopt.bounds.every import lower_bounds
from mapopt.errors import InfeasibleError, InputError, UnsupportedError
from mapopt.feasibility import check
from mapopt.instance import Instance, InstanceNode, InstanceTensor, NodeUnits, SideConstraints, Unit
from mapopt.mapping import Mapping
from mapopt.placement.contiguity import is_contiguous
from mapopt.solvers.driver import solve
from mapopt.solvers.judging import measured
from mapopt.solvers.model import Limits, Objective, Status
from mapopt.sources import load_instance
from mapopt.verification import verify
from tests.formulations.cases import tiny_instance

LIMITS = Limits(time_s=30)


def best(instance, objective, contiguous=False):
    """The least value over all mappings, by enumeration."""
    values = []
    for units in product(range(len(instance.units)), repeat=len(instance.nodes)):
        mapping = Mapping.of(instance, units)
        if not check(instance, mapping) and (not contiguous or is_contiguous(instance, units)):
            values.append(measured(instance, mapping, objective))
    return min(values, default=None)


def with_energy(instance, seed):
    return Instance(
        **{
            **{name: getattr(instance, name) for name in instance.__struct_fields__},
            "nodes": tuple(
                InstanceNode(
                    node.name,
                    node.times,
                    crossbars=node.crossbars,
                    memory_bytes=node.memory_bytes,
                    energy=tuple((seed + 7 * at + 3 * kind) % 11 for kind in range(len(node.times))),
                )
                for at, node in enumerate(instance.nodes)
            ),
        }
    )


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("objective", [Objective.PERIOD, Objective.ENERGY, Objective.TRAFFIC])
def test_what_is_called_optimal_is_what_enumeration_finds(seed, objective):
    instance = with_energy(tiny_instance(seed), seed)
    outcome = solve(instance, objective, limits=LIMITS)
    level = outcome.levels[0]
    assert outcome.status is Status.OPTIMAL
    assert (level.value, level.bound, level.gap) == (best(instance, objective),) * 2 + (0.0,)
    assert verify(instance, outcome.mapping).ok


@pytest.mark.parametrize("seed", range(15))
def test_contiguous_optima_are_what_enumeration_finds(seed):
    instance = tiny_instance(seed)
    outcome = solve(instance, "period", contiguous=True, limits=LIMITS)
    expected = best(instance, Objective.PERIOD, contiguous=True)
    assert outcome.levels[0].value == expected
    assert outcome.status is (Status.INFEASIBLE if expected is None else Status.OPTIMAL)


@pytest.mark.parametrize("seed", range(15))
def test_latency_comes_after_the_period_and_never_before(seed):
    instance = tiny_instance(seed)
    both = solve(instance, "period,latency", limits=LIMITS)
    assert both.status is Status.OPTIMAL
    period, latency = both.levels
    assert period.value == best(instance, Objective.PERIOD)
    assert both.mapping.horizon == max(1, period.value)
    assert verify(instance, both.mapping).ok
    alone = solve(instance, "latency", limits=LIMITS)
    wide = solve(instance, "latency", max_period=alone.mapping.horizon, limits=LIMITS)
    assert alone.status is wide.status is Status.OPTIMAL
    assert alone.levels[0].value == wide.levels[0].value <= latency.value
    assert str(both.mapping.claims.latency_ticks) == str(latency.value)


def test_a_gap_needs_a_value_and_a_bound_and_the_trace_leads_to_them():
    instance = load_instance("resnet8", platform="imc:imc=4,dpu=1")
    outcome = solve(instance, "period", limits=LIMITS)
    level = outcome.levels[0]
    assert level.status is Status.OPTIMAL
    assert (outcome.trace[-1].value, outcome.trace[-1].bound) == (level.value, level.bound)
    assert "delay transfers" in outcome.schedule_class


def test_stopped_at_once_it_still_says_what_is_known():
    instance = load_instance("resnet18", platform="imce:imc=4,dpu=2")
    outcome = solve(instance, "period,latency", limits=Limits(time_s=1e-6))
    for level in outcome.levels:
        assert level.bound is not None
        assert level.value is None or level.value >= level.bound
    assert outcome.status in (Status.FEASIBLE, Status.UNKNOWN)


def test_slack_lets_the_period_grow_and_the_latency_never_gets_worse():
    instance = load_instance("resnet8", platform="imc:imc=3,dpu=1")
    tight = solve(instance, "period,latency", limits=LIMITS)
    loose = solve(instance, "period,latency", slack=Fraction(1, 4), limits=LIMITS)
    least = tight.levels[0].value
    assert least <= loose.mapping.horizon <= least * 5 // 4
    assert loose.levels[1].value <= tight.levels[1].value


def infeasible(side=None):
    return Instance(
        "i",
        classes=("imc",),
        units=(Unit("a", "imc", crossbars=10), Unit("b", "imc", crossbars=10)),
        nodes=tuple(InstanceNode(f"n{at}", times=(1,), crossbars=(6,)) for at in range(3)),
        tensors=(InstanceTensor("t", "n0", ("n1",), 1),),
        side_constraints=side or SideConstraints(),
    )


def test_an_instance_without_mapping_is_explained():
    outcome = solve(infeasible(), limits=LIMITS)
    assert outcome.status is Status.INFEASIBLE
    assert outcome.mapping is None
    assert outcome.levels[0].bound is None or outcome.levels[0].value is None
    for part in ("'n0'", "'n1'", "'n2'", "6 crossbars", "unit 'a' holds 10"):
        assert part in outcome.levels[0].reason


def test_simple_obstacles_are_found_before_any_solver_runs():
    side = SideConstraints(pin=(NodeUnits("n0", ("a",)),), forbid=(NodeUnits("n0", ("a",)),))
    outcome = solve(infeasible(side), "latency", limits=LIMITS)
    assert outcome.status is Status.INFEASIBLE
    assert "pin and forbid" in outcome.levels[0].reason


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"objective": "speed"}, "objective 'speed': is unknown"),
        ({"max_period": 5}, "max period: goes with objective 'latency'"),
        ({"slack": Fraction(1)}, "slack: goes with"),
        ({"objective": "period,latency", "slack": Fraction(-1)}, "must be >= 0"),
        ({"objective": "latency", "contiguous": True}, "contiguous: goes with objective 'period'"),
        ({"objective": "latency", "max_period": 0}, "no period is below 204800"),
        ({"formulation": "magic"}, "formulation 'magic': is not registered"),
        ({"formulation": "latency-modulo"}, "minimises latency, not period"),
        ({"solver": "gurobi"}, "no formulation does that"),
        ({"options": ["symmetry=false"]}, "belong to a formulation"),
        ({"formulation": "period-assignment", "options": ["magic=1"]}, "option 'magic'"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, message):
    instance = load_instance("resnet8", platform="imc:imc=2,dpu=1")
    with pytest.raises(InputError, match=message):
        solve(instance, **arguments)


def test_energies_that_are_not_there_are_refused():
    with pytest.raises(UnsupportedError, match="energ"):
        solve(load_instance("resnet8", platform="imce:imc=2,dpu=1"), "energy")


def test_a_given_mapping_is_the_start():
    instance = tiny_instance(3)
    first = solve(instance, "period", limits=LIMITS)
    again = solve(instance, "period", start=first.mapping, limits=Limits(time_s=1e-6))
    assert again.levels[0].value == first.levels[0].value


def test_a_formulation_that_turns_out_wrong_is_a_failed_run_and_the_rest_stands(monkeypatch):
    """Its claim is below what the emulator measures."""
    instance = load_instance("resnet18", platform="imc:imc=4,dpu=2")
    honest = PeriodAssignment.solve

    def boast(self, task):
        answer = honest(self, task)
        return replace(answer, value=answer.value - 1)

    monkeypatch.setattr(PeriodAssignment, "solve", boast)
    outcome = solve(instance, formulation="period-assignment", limits=LIMITS)
    assert outcome.status is Status.FEASIBLE
    assert outcome.mapping is not None
    assert "but the emulator measures" in outcome.levels[0].reason


def test_a_formulation_that_cannot_go_on_leaves_the_levels_before():
    times = (3, 6, 6, 3, 4, 6, 5)  # two chains, and 17 ticks of work for each unit
    instance = Instance(
        "long",
        classes=("c",),
        units=(Unit("u0", "c"), Unit("u1", "c")),
        nodes=tuple(InstanceNode(f"n{number}", (time * 10**6,)) for number, time in enumerate(times)),
        tensors=tuple(
            InstanceTensor(f"t{number}", f"n{number}", (f"n{number + 1}",), 1) for number in (0, 1, 2, 4, 5)
        ),
    )
    outcome = solve(
        instance, "period,latency", formulation="latency-modulo-milp", slack=Fraction(1, 10**6), limits=LIMITS
    )
    period, latency = outcome.levels
    assert (period.status, period.value) == (Status.OPTIMAL, 17 * 10**6)
    assert "tick_ps" in latency.reason
    with pytest.raises(UnsupportedError, match="tick_ps"):
        solve(
            instance,
            "latency",
            formulation="latency-modulo-milp",
            max_period=17 * 10**6 + 1,
            limits=LIMITS,
        )


def test_milp_solvers_are_not_deterministic_and_said_so():
    instance = load_instance("resnet8", platform="imc:imc=2,dpu=1")
    with pytest.raises(UnsupportedError, match="no formulation does that"):
        solve(instance, solver="highs", limits=Limits(deterministic=True))
    with pytest.raises(UnsupportedError, match="effort cannot be counted"):
        solve(instance, formulation="period-assignment-milp", limits=Limits(deterministic=True))


def test_a_solution_whose_starts_cannot_be_written_is_still_a_solution():
    instance = Instance(
        "huge",
        classes=("imc",),
        units=(Unit("a", "imc"),),
        nodes=tuple(InstanceNode(f"n{at}", times=(4 * 10**14,)) for at in range(4)),
        tensors=tuple(InstanceTensor(f"t{at}", f"n{at}", (f"n{at + 1}",), 1) for at in range(3)),
    )
    outcome = solve(instance, limits=LIMITS)
    assert outcome.status is Status.OPTIMAL
    assert outcome.levels[0].value == 16 * 10**14
    assert not outcome.mapping.is_time_triggered
    assert "larger tick_ps" in outcome.levels[0].reason


def test_a_period_shorter_than_any_is_explained():
    instance = tiny_instance(0)
    least = solve(instance, limits=LIMITS).levels[0].value
    bound = lower_bounds(instance).period.ticks
    with pytest.raises(InfeasibleError, match="no period is below"):
        solve(instance, "latency", max_period=max(1, bound) - 1, limits=LIMITS)
    assert least >= bound
