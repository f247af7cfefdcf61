import pytest

from mapopt.errors import InfeasibleError, NoMappingError
from mapopt.instance import Instance, InstanceNode, SideConstraints, Unit
from mapopt.mappers import packing as module
from mapopt.mappers import registry
from mapopt.mappers.packing import Packing, Stuck, pack_anyhow
from mapopt.placement.problem import Problem


def instance(
    needs: list[int], capacity: int | None, units: int = 2, rules: SideConstraints | None = None
) -> Instance:
    return Instance(
        "i",
        classes=("imc",),
        units=tuple(Unit(f"u{number}", "imc", crossbars=capacity) for number in range(units)),
        nodes=tuple(InstanceNode(f"n{number}", (5,), crossbars=(need,)) for number, need in enumerate(needs)),
        side_constraints=rules or SideConstraints(),
    )


def test_loads_capacity_and_order_of_units() -> None:
    packing = Packing(Problem(instance([2, 2, 1], 3)))
    packing.place(0, 0)
    assert packing.load == [5, 0]
    assert list(packing.least_loaded(1, 0)) == [1]
    assert list(packing.least_loaded(2, 0)) == [1, 0]
    packing.place(1, 1)
    assert packing.room(0) == (1, None)
    assert packing.everywhere(2) == [0, 1]
    packing.place(2, 1)
    assert packing.unit_of == [0, 1, 1]
    assert packing.filled(1) == 1


def test_a_booked_group_fits_only_there_and_is_counted_once() -> None:
    packing = Packing(Problem(instance([2, 2], 3)), first=[1])
    assert [packing.fits(1, unit) for unit in (0, 1)] == [True, False]
    assert packing.load == [0, 0]
    assert packing.everywhere(0) == [1]
    packing.place(1, 0)
    packing.place(0, 1)
    assert packing.room(0) == packing.room(1) == (1, None)


def test_nothing_fits() -> None:
    packing = Packing(Problem(instance([3, 3, 1], 3)))
    packing.place(0, 0)
    packing.place(1, 1)
    with pytest.raises(Stuck):
        packing.everywhere(2)
    with pytest.raises(Stuck):
        packing.in_own_class(2)
    assert packing.why_full(2) == "crossbars"


@pytest.mark.parametrize("name", ["wb", "rr", "rd", "lpt", "lblp", "heft", "maxtp"])
def test_heuristics_get_out_of_a_dead_end(name: str) -> None:
    # Listed and equally long, 2 2 2 2 3 3 3 3 on four units of 5 end up as 2 + 2 and 2 + 2 unless 3s come first.
    tight = instance([2, 2, 2, 2, 3, 3, 3, 3], 5, units=4)
    units = registry.get(name).map(tight).assignment(tight)[0]
    for unit in range(4):
        assert sum((2, 2, 2, 2, 3, 3, 3, 3)[node] for node in range(8) if units[node] == unit) == 5


def test_a_full_search_proves_that_nothing_fits() -> None:
    with pytest.raises(InfeasibleError, match=r"every placing was tried.*'n\d' finds no unit \(crossbars\)"):
        pack_anyhow(Problem(instance([2, 2, 2], 3)), "test")
    with pytest.raises(InfeasibleError, match="separate nodes"):
        pack_anyhow(
            Problem(instance([0, 0, 0], None, rules=SideConstraints(separate=(("n0", "n1", "n2"),)))), "test"
        )


def test_a_search_that_is_cut_off_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEARCH_STEPS", 3)
    full = r"mapper 'test': found no unit for node 'n\d', crossbars ran out; this proves nothing"
    with pytest.raises(NoMappingError, match=full):
        pack_anyhow(Problem(instance([3, 3, 3, 3, 3, 1, 1], 5, units=4)), "test")
