import random
from collections import Counter

import pytest

from mapopt.instance import Instance, InstanceNode, NodeUnits, SideConstraints, Unit
from mapopt.mappers import registry
from tests.bounds.cases import assignments, loads


def independent(
    rows: list[tuple[int | None, ...]], units: str, rules: SideConstraints | None = None
) -> Instance:
    """Nodes without edges; ``units`` gives the class letter of each unit, rows the times per class in order."""
    classes = tuple(sorted(set(units)))
    return Instance(
        "independent",
        classes=classes,
        units=tuple(Unit(f"{kind}{number}", kind) for number, kind in enumerate(units)),
        nodes=tuple(InstanceNode(f"n{number}", row) for number, row in enumerate(rows)),
        side_constraints=rules or SideConstraints(),
    )


MAPPERS = {name: registry.get(name) for name in ("wb", "rr", "rd", "lpt")}


def units_of(name: str, instance: Instance, *, seed: int = 0) -> tuple[int, ...]:
    return MAPPERS[name].map(instance, seed=seed).assignment(instance)[0]


def test_weight_balance_by_hand() -> None:
    # 7 6 5 4 on two units: 7->0, 6->1, 5->1 (6 < 7), 4->0; equal loads take the first unit.
    assert units_of("wb", independent([(4,), (5,), (6,), (7,)], "aa")) == (0, 1, 1, 0)
    # Equal weights keep the listed order.
    assert units_of("wb", independent([(3,), (3,), (3,)], "aa")) == (0, 1, 0)


def test_weight_balance_stays_in_the_fastest_class_and_lpt_does_not() -> None:
    rows: list[tuple[int | None, ...]] = [(4, 5), (4, 5), (4, 5)]
    assert units_of("wb", independent(rows, "ab")) == (0, 0, 0)
    # lpt: first ends at 4 on a, second at 5 on b (8 on a), third at 8 on a (10 on b).
    assert units_of("lpt", independent(rows, "ab")) == (0, 1, 0)


def test_weight_balance_and_lpt_agree_where_nodes_have_one_class() -> None:
    for seed in range(60):
        draw = random.Random(seed)
        rows: list[tuple[int | None, ...]] = [
            (draw.randint(0, 30), None) if draw.random() < 0.6 else (None, draw.randint(0, 30))
            for _ in range(draw.randint(1, 25))
        ]
        instance = independent(rows, "aaabb")
        assert units_of("wb", instance) == units_of("lpt", instance)


def test_round_robin_by_hand() -> None:
    rows: list[tuple[int | None, ...]] = [(1, None), (None, 1), (1, None), (1, None), (None, 1), (1, None)]
    assert units_of("rr", independent(rows, "aab")) == (0, 2, 1, 0, 2, 1)
    # The unit that a node may not use is passed over, and the next node goes on behind the unit taken.
    rules = SideConstraints(forbid=(NodeUnits("n1", ("a1",)),))
    assert units_of("rr", independent([(1,)] * 4, "aaa", rules)) == (0, 2, 0, 1)


def test_random_is_uniform_over_the_units_that_take_the_node() -> None:
    instance = independent([(1, None), (None, 1)], "aaab")
    counts = Counter(units_of("rd", instance, seed=seed)[0] for seed in range(1500))
    assert sorted(counts) == [0, 1, 2]
    assert max(abs(count - 500) for count in counts.values()) < 90
    rules = SideConstraints(forbid=(NodeUnits("n0", ("a1",)),))
    narrowed = independent([(1, None), (None, 1)], "aaab", rules)
    counts = Counter(units_of("rd", narrowed, seed=seed)[0] for seed in range(1500))
    assert sorted(counts) == [0, 2]
    assert abs(counts[0] - 750) < 100


def test_random_repeats_with_its_seed_and_differs_with_another() -> None:
    instance = independent([(1,)] * 30, "aaaa")
    assert units_of("rd", instance, seed=4) == units_of("rd", instance, seed=4)
    assert units_of("rd", instance, seed=4) != units_of("rd", instance, seed=5)


@pytest.mark.parametrize("name", ["wb", "lpt"])
def test_grahams_guarantee_on_identical_units(name: str) -> None:
    worst = 1.0
    for seed in range(120):
        draw = random.Random(seed)
        units = draw.randint(2, 3)
        instance = independent([(draw.randint(1, 20),) for _ in range(draw.randint(1, 8))], "a" * units)
        best = min(max(loads(instance, each).values()) for each in assignments(instance))
        ratio = max(loads(instance, units_of(name, instance)).values()) / best
        assert ratio <= 4 / 3 - 1 / (3 * units) + 1e-12
        worst = max(worst, ratio)
    assert worst > 1
    # Graham's tight case for two units: 3 3 2 2 2 gives 7 against 6.
    tight = independent([(3,), (3,), (2,), (2,), (2,)], "aa")
    assert max(loads(tight, units_of(name, tight)).values()) == 7


def test_round_robin_takes_turns_in_each_class_by_itself() -> None:
    """Nodes alternate between the classes; a single turn for both would put all of a class on one of its units."""
    rows: list[tuple[int | None, ...]] = [(1, None), (None, 1)] * 4
    assert units_of("rr", independent(rows, "aabb")) == (0, 2, 1, 3, 0, 2, 1, 3)
