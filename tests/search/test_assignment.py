import pytest

from mapopt.bounds.every import lower_bounds
from mapopt.errors import InfeasibleError
from mapopt.feasibility import check
from mapopt.placement.communication import Communication
from mapopt.search.assignment import assign_within, least_load
from mapopt.testing import impossible_instance
from tests.bounds.cases import assignments, is_feasible
from tests.search.cases import cases


def test_loads_fit_and_what_exists_is_found() -> None:
    """Against all assignments of tiny instances, at the least period that any of them has."""
    tried = 0
    for number, instance, _ in cases(500, 700):
        if len(instance.nodes) > 6:
            continue
        loads = Communication(instance)
        least = min(
            max(loads.loads(units)) for units in assignments(instance) if is_feasible(instance, units)
        )
        mapping = assign_within(instance, max(1, least), seed=number)
        assert mapping is not None, number
        assert check(instance, mapping) == ()
        assert max(loads.loads(mapping.assignment(instance)[0])) <= max(1, least)
        if least > 1:
            assert assign_within(instance, least - 1, seed=number) is None
        assert lower_bounds(instance).period.ticks <= max(1, least) <= least_load(instance)
        tried += 1
    assert tried > 50


def test_an_instance_without_mapping_is_refused() -> None:
    with pytest.raises(InfeasibleError):
        assign_within(impossible_instance(), 10)
