from fractions import Fraction

import pytest

from mapopt.errors import InputError, NoMappingError
from mapopt.mappers.registry import get
from mapopt.testing import check_mapper
from tests.bounds.cases import random_instance
from tests.search.test_elastic import chain

MINE = "parametric-list"


def test_contract():
    check_mapper(get(MINE))


def test_the_period_is_the_balanced_load_or_a_multiple_of_it():
    instance = chain((5, 5, 4, 4, 3, 3, 3), 3)
    assert get(MINE).map(instance).horizon == 9
    assert get(MINE, {"moves": 0}).map(instance).horizon == 11
    assert get(MINE, {"factor": 1.5}).map(instance).horizon == 14
    assert get(MINE, {"period": 40}).map(instance).claims.period_ticks == str(Fraction(40))
    with pytest.raises(NoMappingError, match="within a period of 8 ticks"):
        get(MINE, {"period": 8}).map(instance)


@pytest.mark.parametrize(
    "options",
    [
        {"rank_up": 0.0, "rank_down": 0.0, "time": -0.5},
        {"class_load": 0.5, "fan_out": 0.5, "traffic": -0.5, "crossbars": 0.3},
        {"late": 0.0, "pushed": 0.0, "idle": 0.0, "colocate": 0.0, "spread": 0.0, "examine": 0},
        {"tight": 0.0, "lists": 1},
        {"tight": 1.0, "lists": 60, "changes": 30.0, "reach": 1.0, "margin": 2.0},
    ],
)
def test_any_parameters_give_a_feasible_schedule(options):
    for case in range(12):
        instance = random_instance(case, max_nodes=14, constrained=False)
        mapping = get(MINE, options).map(instance, seed=1)
        assert mapping.claims.latency_ticks >= 0  # judged before it is returned


def test_priorities_and_lists_matter():
    instance = random_instance(5, max_nodes=14, constrained=False)
    assert get(MINE, {"lists": 200}).map(instance).claims.latency_ticks <= (
        get(MINE, {"lists": 1}).map(instance).claims.latency_ticks
    )


def test_ranges_are_checked():
    with pytest.raises(InputError, match="option 'tight'"):
        get(MINE, {"tight": 1.5})
