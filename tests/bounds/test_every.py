import itertools
from fractions import Fraction

import pytest

from mapopt.bounds import Bounds, lower_bounds
from mapopt.errors import InfeasibleError
from mapopt.instance import Instance, InstanceNode, InstanceTensor, NodeUnits, SideConstraints, Unit
from mapopt.transfers import Link, Links
from tests.bounds.cases import assignments, loads, path_length, random_instance


def bounds_and_mappings(seed: int, **kwargs: object) -> tuple[Instance, Bounds, list[tuple[int, ...]]] | None:
    instance = random_instance(seed, **kwargs)  # type: ignore[arg-type]
    found = list(assignments(instance))
    if not found:
        return None
    return instance, lower_bounds(instance), found


def test_no_bound_exceeds_the_optimum_and_most_periods_are_met() -> None:
    cases = met = met_latency = 0
    for seed in range(700):
        case = bounds_and_mappings(seed)
        if case is None:
            continue
        instance, bounds, mappings = case
        period = min(max(loads(instance, units).values()) for units in mappings)
        path = min(path_length(instance, units) for units in mappings)
        for bound in bounds.of("period"):
            assert bound.ticks <= period, (seed, bound)
            assert (bound.any_pattern or 0) <= bound.ticks, (seed, bound)
        critical = next(bound for bound in bounds.all if bound.name == "critical path")
        assert critical.ticks <= path, (seed, critical)
        cases += 1
        met += bounds.period.ticks == period
        met_latency += critical.ticks == path
    # The figures of docs/mappers.md.
    assert (cases, met, met_latency) == (612, 437, 553)


def test_bounds_for_any_pattern_hold_for_two_patterns() -> None:
    cases = 0
    for seed in range(1000, 1400):
        case = bounds_and_mappings(seed, max_nodes=4)
        if case is None or len(case[2]) > 60:
            continue
        instance, bounds, mappings = case
        both = [loads(instance, units) for units in mappings]
        best = min(
            max(Fraction(one[name] + other[name], 2) for name in one)
            for one, other in itertools.combinations_with_replacement(both, 2)
        )
        for bound in bounds.of("period"):
            assert (bound.any_pattern or 0) <= best, (seed, bound)
        cases += 1
    assert cases >= 150


def test_latency_bounds_hold_for_every_single_frame() -> None:
    from mapopt.emulator.lower import lower
    from mapopt.emulator.stream import run_single
    from mapopt.mapping import Mapping

    for seed in range(2000, 2120):
        case = bounds_and_mappings(seed, max_nodes=4)
        if case is None:
            continue
        instance, bounds, mappings = case
        least = min(max(run_single(lower(instance, Mapping.of(instance, units)))) for units in mappings[:64])
        if len(mappings) <= 64:
            for bound in bounds.of("latency"):
                assert bound.ticks <= least, (seed, bound)


def one_class(*times: int, units: int = 2) -> Instance:
    return Instance(
        "one class",
        classes=("imc",),
        units=tuple(Unit(f"u{number}", "imc") for number in range(units)),
        nodes=tuple(InstanceNode(f"n{number}", (time,)) for number, time in enumerate(times)),
    )


def named(bounds: Bounds) -> dict[str, int]:
    found: dict[str, int] = {}
    for bound in bounds.all:
        found[bound.name] = max(found.get(bound.name, 0), bound.ticks)
    return found


def test_each_kind_of_bound_by_hand() -> None:
    # 5 + 5 + 5 = 15 on two units: mean 7.5, and two of three nodes share a unit.
    found = named(lower_bounds(one_class(5, 5, 5)))
    assert found["longest node"] == 5
    assert found["mean load"] == 8
    assert found["counting"] == 10
    assert found["reachable load"] == 10
    # 6 + 6 + 9 = 21: mean 11, counting 12, sums 6 9 12 15.
    assert named(lower_bounds(one_class(6, 6, 9)))["reachable load"] == 12
    # 4 + 4 + 4 + 9 + 9 = 30: mean 15, counting 13; sums reach 12, 13, 17.
    assert named(lower_bounds(one_class(4, 4, 4, 9, 9)))["reachable load"] == 17


def test_the_reachable_load_is_no_bound_for_two_patterns() -> None:
    bounds = lower_bounds(one_class(5, 5, 5))
    assert bounds.period.ticks == 10
    assert bounds.period_any_pattern.any_pattern == Fraction(15, 2)


def test_bounds_say_what_binds() -> None:
    bounds = lower_bounds(one_class(9, 1, 1))
    assert bounds.period.name == "longest node"
    assert bounds.period.binds == ("n0",)
    assert "'n0'" in bounds.period.explanation


def test_link_load_binds_where_the_classes_force_traffic() -> None:
    links = tuple(Link(f"{unit}.{way}", 10**9) for unit in ("a", "b", "d") for way in ("out", "in"))
    instance = Instance(
        "forced",
        classes=("imc", "dpu"),
        units=(Unit("a", "imc"), Unit("b", "imc"), Unit("d", "dpu")),
        nodes=(InstanceNode("n0", (3, None)), InstanceNode("n1", (3, None)), InstanceNode("n2", (None, 4))),
        tensors=(InstanceTensor("t0", "n0", ("n2",), 50), InstanceTensor("t1", "n1", ("n2",), 30)),
        transfer=Links(
            links,
            egress=tuple((f"{unit}.out",) for unit in ("a", "b", "d")),
            ingress=tuple((f"{unit}.in",) for unit in ("a", "b", "d")),
        ),
    )
    bounds = lower_bounds(instance)
    assert bounds.period.ticks == 80
    assert bounds.period.binds == ("d.in",)
    assert bounds.latency.ticks == 3 + 50 + 50 + 4


def test_traffic_counts_at_the_rate_of_the_fastest_port() -> None:
    # 40 and 60 bytes leave over a port of 1 byte per tick or one of half that: at least 100 ticks, the longer 60.
    instance = Instance(
        "rates",
        classes=("imc", "dpu"),
        units=(Unit("a", "imc"), Unit("b", "imc"), Unit("d", "dpu")),
        nodes=(InstanceNode("n0", (1, None)), InstanceNode("n1", (1, None)), InstanceNode("n2", (None, 1))),
        tensors=(InstanceTensor("t0", "n0", ("n2",), 40), InstanceTensor("t1", "n1", ("n2",), 60)),
        transfer=Links(
            (Link("a.out", 10**9), Link("b.out", 5 * 10**8), Link("d.in", 10**12)),
            egress=(("a.out",), ("b.out",), ()),
            ingress=((), (), ("d.in",)),
        ),
    )
    assert lower_bounds(instance).period.ticks == 60
    assert lower_bounds(instance).period.binds == ("a.out", "b.out")
    assert min(max(loads(instance, units).values()) for units in assignments(instance)) == 80


def test_traffic_of_a_pinned_node_is_not_mixed_with_that_of_others() -> None:
    units = ("a", "b", "d", "e")
    instance = Instance(
        "pinned traffic",
        classes=("imc", "dpu"),
        units=(Unit("a", "imc"), Unit("b", "imc"), Unit("d", "dpu"), Unit("e", "dpu")),
        nodes=tuple(InstanceNode(f"n{at}", (1, None) if at < 2 else (None, 1)) for at in range(4)),
        tensors=(InstanceTensor("t0", "n0", ("n2",), 50), InstanceTensor("t1", "n1", ("n3",), 80)),
        transfer=Links(
            tuple(Link(f"{unit}.{way}", 10**9) for unit in units for way in ("out", "in")),
            egress=tuple((f"{unit}.out",) for unit in units),
            ingress=tuple((f"{unit}.in",) for unit in units),
        ),
        side_constraints=SideConstraints(
            pin=(NodeUnits("n0", ("a",)), NodeUnits("n2", ("d",)), NodeUnits("n3", ("e",)))
        ),
    )
    assert lower_bounds(instance).period.ticks == 80


def test_nodes_with_a_choice_do_not_weaken_the_reachable_load() -> None:
    # Two units: 4 4 4 9 9 reach 17 at best; a node of 2 that may run elsewhere cannot lower that.
    instance = Instance(
        "choice",
        classes=("imc", "dpu"),
        units=(Unit("a", "imc"), Unit("b", "imc"), Unit("d", "dpu")),
        nodes=(
            *(InstanceNode(f"n{at}", (time, None)) for at, time in enumerate((4, 4, 4, 9, 9))),
            InstanceNode("free", (2, 2)),
        ),
    )
    assert lower_bounds(instance).period.ticks == 17
    assert min(max(loads(instance, units).values()) for units in assignments(instance)) == 17


def test_capacity_pushes_nodes_to_the_slower_class() -> None:
    # Each node takes 1 tick on imc and 10 on dpu, but imc holds only one of three.
    instance = Instance(
        "capacity",
        classes=("imc", "dpu"),
        units=(Unit("a", "imc", crossbars=1), Unit("d", "dpu")),
        nodes=tuple(InstanceNode(f"n{number}", (1, 10), crossbars=(1, 0)) for number in range(3)),
    )
    balance = named(lower_bounds(instance))["class balance"]
    assert 19 <= balance <= 20


def test_pinned_nodes_bound_their_unit() -> None:
    instance = Instance(
        "pinned",
        classes=("imc",),
        units=(Unit("a", "imc"), Unit("b", "imc")),
        nodes=tuple(InstanceNode(f"n{number}", (4,)) for number in range(4)),
        side_constraints=SideConstraints(pin=tuple(NodeUnits(f"n{number}", ("a",)) for number in range(3))),
    )
    bounds = lower_bounds(instance)
    assert bounds.period.ticks == 12
    assert bounds.period_any_pattern.any_pattern == 12
    assert bounds.period.binds == ("a",)


def test_a_node_without_a_unit_is_named() -> None:
    instance = Instance(
        "none",
        classes=("imc",),
        units=(Unit("a", "imc"),),
        nodes=(InstanceNode("n0", (4,)),),
        side_constraints=SideConstraints(forbid=(NodeUnits("n0", ("a",)),)),
    )
    with pytest.raises(InfeasibleError, match="'n0'"):
        lower_bounds(instance)
