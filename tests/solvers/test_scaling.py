import msgspec
import pytest

from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.placement.communication import Communication
from mapopt.solvers.scaling import common_ticks, with_ticks_of
from mapopt.transfers import Blocking
from tests.formulations.cases import MODELS, tiny_instance


def delays(instance):
    communication, units = Communication(instance), range(len(instance.units))
    return [
        communication.delay(tensor, source, target)
        for tensor in range(len(instance.tensors))
        for source in units
        for target in units
    ]


@pytest.mark.parametrize("kind", MODELS)
def test_every_time_is_divided(kind):
    scaled = 0
    for seed in range(200):
        instance = tiny_instance(seed, kind)
        ticks = common_ticks(instance)
        if ticks < 2:
            continue
        scaled += 1
        fewer = with_ticks_of(ticks, instance)
        assert (fewer.times.clip(min=0) * ticks == instance.times.clip(min=0)).all()
        assert [ticks * delay for delay in delays(fewer)] == delays(instance)
        assert common_ticks(fewer) == 1
    assert scaled or kind not in ("free", "delay")


def test_the_divisor_counts_what_transfers_take():
    nodes = (InstanceNode("a", (60, None)), InstanceNode("b", (None, 40)))
    units = (Unit("u", "x"), Unit("v", "y"))
    tensor = (InstanceTensor("t", "a", ("b",), 6),)
    alone = Instance("i", ("x", "y"), units, nodes, tensor)
    assert common_ticks(alone) == 20
    # 10**9 bytes/s and ticks of 1 ns: a byte per tick
    assert common_ticks(msgspec.structs.replace(alone, transfer=Blocking(10**9, 4))) == 2
    assert common_ticks(msgspec.structs.replace(alone, transfer=Blocking(10**9, 5))) == 1


def test_nothing_takes_time():
    idle = Instance("i", ("x",), (Unit("u", "x"),), (InstanceNode("a", (0,)),))
    assert common_ticks(idle) == 0
