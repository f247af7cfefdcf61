import pytest

from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.placement.contiguity import is_contiguous

CHAIN = Instance(
    "chain",
    classes=("imc",),
    units=(Unit("a", "imc"), Unit("b", "imc")),
    nodes=tuple(InstanceNode(name, times=(1,)) for name in "wxyz"),
    tensors=tuple(InstanceTensor(f"{one}{two}", one, (two,)) for one, two in ("wx", "xy", "yz")),
)


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ((0, 0, 0, 0), True),
        ((0, 0, 1, 1), True),
        ((1, 1, 0, 0), True),
        ((0, 1, 0, 0), False),
        ((0, 1, 1, 0), False),
    ],
)
def test_no_data_flow_back_to_a_unit_they_have_left(units, expected):
    assert is_contiguous(CHAIN, units) is expected
