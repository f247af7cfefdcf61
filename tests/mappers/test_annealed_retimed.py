import pytest

from mapopt.emulator import timetriggered
from mapopt.emulator.lower import lower
from mapopt.errors import InputError, NoMappingError, UnsupportedError
from mapopt.mappers.registry import get
from mapopt.search.assignment import least_load
from mapopt.testing import check_mapper, tiny_instances
from mapopt.transfers import Delay, Free


def test_contract() -> None:
    check_mapper(get("annealed-retimed"))


def test_maps_what_it_supports_at_the_least_load_and_refuses_the_rest() -> None:
    mapper = get("annealed-retimed", {"iterations": 100})
    mapped = 0
    for instance in tiny_instances():
        if isinstance(instance.transfer, (Free, Delay)):
            mapping = mapper.map(instance)
            assert mapping.horizon == least_load(instance)
            assert isinstance(timetriggered.judge(lower(instance, mapping)), timetriggered.Feasible)
            mapped += 1
        else:
            with pytest.raises(UnsupportedError, match=r"use annealed-(list|elastic)"):
                mapper.map(instance)
    assert mapped > 2


def test_a_period_may_be_given() -> None:
    instance = next(each for each in tiny_instances() if isinstance(each.transfer, Delay))
    least = least_load(instance)
    assert get("annealed-retimed", {"period": 3 * least}).map(instance).horizon == 3 * least
    with pytest.raises(NoMappingError, match=r"annealed-retimed.*period"):
        get("annealed-retimed", {"period": least - 1}).map(instance)


def test_options_have_limits() -> None:
    for wrong in ({"iterations": 0}, {"temperature": -1.0}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            get("annealed-retimed", wrong)
