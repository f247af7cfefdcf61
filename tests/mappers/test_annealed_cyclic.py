import pytest

from mapopt.emulator import timetriggered
from mapopt.emulator.lower import lower
from mapopt.errors import UnsupportedError
from mapopt.mappers.registry import get
from mapopt.search.assignment import least_load
from mapopt.testing import check_mapper, tiny_instances
from mapopt.transfers import Delay, Free


def test_contract() -> None:
    check_mapper(get("annealed-cyclic"))


def test_maps_what_it_supports_at_the_least_load_and_refuses_the_rest() -> None:
    mapper = get("annealed-cyclic", {"iterations": 100})
    for instance in tiny_instances():
        if isinstance(instance.transfer, (Free, Delay)):
            mapping = mapper.map(instance)
            assert mapping.horizon == least_load(instance)
            assert isinstance(timetriggered.judge(lower(instance, mapping)), timetriggered.Feasible)
        else:
            with pytest.raises(UnsupportedError, match=r"use annealed-(list|elastic)"):
                mapper.map(instance)
