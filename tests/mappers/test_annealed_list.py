import pytest

from mapopt.emulator import timetriggered
from mapopt.emulator.lower import lower
from mapopt.errors import NoMappingError
from mapopt.instance import Instance
from mapopt.mappers.registry import get
from mapopt.search.assignment import least_load
from mapopt.testing import check_mapper
from tests.bounds.cases import random_instance


def test_contract() -> None:
    check_mapper(get("annealed-list"))


def case() -> Instance:
    return random_instance(5, max_nodes=14, constrained=False)


@pytest.mark.parametrize("factor", [1.0, 1.5])
def test_the_period_is_the_factor_times_the_least_load(factor: float) -> None:
    instance = case()
    mapping = get("annealed-list", {"factor": factor, "iterations": 50}).map(instance)
    assert mapping.horizon == -(-least_load(instance) * factor // 1)
    assert isinstance(timetriggered.judge(lower(instance, mapping)), timetriggered.Feasible)


def test_a_period_in_ticks_wins_and_may_be_too_short() -> None:
    instance = case()
    assert get("annealed-list", {"period": 10_000, "iterations": 5}).map(instance).horizon == 10_000
    with pytest.raises(NoMappingError, match="within a period of 1 ticks"):
        get("annealed-list", {"period": 1, "iterations": 5}).map(instance)
