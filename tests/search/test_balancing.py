from itertools import product
from random import Random

import pytest

from mapopt.bounds.every import lower_bounds
from mapopt.instance import Instance, InstanceNode, Unit
from mapopt.placement.problem import Problem
from mapopt.search.balancing import balanced
from mapopt.search.load_annealing import excess
from mapopt.search.tables import tables_of
from mapopt.transfers import Free


def jobs(times, units, crossbars=None):
    return Instance(
        "jobs",
        classes=("imc",),
        units=tuple(Unit(f"u{at}", "imc", crossbars=crossbars) for at in range(units)),
        nodes=tuple(InstanceNode(f"n{at}", (time,), crossbars=(1,)) for at, time in enumerate(times)),
        transfer=Free(),
    )


def load_of(instance, moves):
    problem = Problem(instance)
    tables = tables_of(problem)
    homes, load = balanced(problem, tables, lower_bounds(instance).period.ticks, moves=moves)
    assert excess(tables, load, homes) == 0.0
    assert excess(tables, load - 1, homes) > 0.0
    return load


@pytest.mark.parametrize("seed", range(8))
def test_the_least_largest_load_of_small_instances_is_found(seed):
    random = Random(seed)
    times = [random.randint(20, 99) for _ in range(8)]
    least = min(
        max(sum(time for time, at in zip(times, units, strict=True) if at == unit) for unit in range(3))
        for units in product(range(3), repeat=8)
    )
    assert load_of(jobs(times, 3), 20_000) == least


def test_moves_improve_on_the_longest_first():
    """The textbook case where longest first ends 4/3 - 1/(3m) above the least load."""
    instance = jobs((5, 5, 4, 4, 3, 3, 3), 3)
    assert load_of(instance, 0) == 11
    assert load_of(instance, 2000) == 9


def test_capacities_hold():
    assert load_of(jobs((9, 1, 1, 1), 2, crossbars=2), 2000) == 10
