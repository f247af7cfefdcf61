from fractions import Fraction

import pytest

from mapopt.errors import InputError
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.sources import load_instance
from mapopt.transfers import Delay, Free, Host, Link, Links, Route
from mapopt.whatif import with_faster_transfers, with_unit


def make(transfer):
    return Instance(
        "i",
        classes=("imc", "dpu"),
        units=(Unit("a", "imc", crossbars=3), Unit("b", "dpu")),
        nodes=(InstanceNode("n", times=(5, None)), InstanceNode("m", times=(None, 2))),
        tensors=(InstanceTensor("t", "n", ("m",), size_bytes=10),),
        transfer=transfer,
    )


def test_a_new_unit_is_a_copy_with_ports_of_its_own():
    before = load_instance("resnet8", platform="imce:imc=2,dpu=1")
    after = with_unit(before, "imc")
    assert [unit.unit_class for unit in after.units] == ["imc", "imc", "dpu", "imc"]
    assert isinstance(before.transfer, Links)
    assert isinstance(after.transfer, Links)
    assert len(after.transfer.links) == len(before.transfer.links) + 2
    assert after.transfer.egress[3] not in before.transfer.egress
    assert after.nodes == before.nodes


def test_shared_links_stay_shared_and_routes_are_copied():
    links = (Link("bus", 10), Link("own", 10), Link("short", 99))
    model = Links(links, (("bus", "own"), ("bus",)), ((), ()), (Route("a", "b", ("short",)),))
    after = with_unit(make(model), "imc").transfer
    assert isinstance(after, Links)
    assert after.egress[2] == ("bus", "own+1")
    assert after.routes[1] == Route("a+1", "b", ("short+1",))
    assert after.links[3:] == (Link("own+1", 10), Link("short+1", 99))


def test_a_copy_of_a_host_unit_is_a_host_unit():
    after = with_unit(make(Host(10, host_units=("b",))), "dpu").transfer
    assert isinstance(after, Host)
    assert after.host_units == ("b", "b+1")


def test_a_class_without_units_cannot_be_copied():
    with pytest.raises(InputError, match="no unit of it"):
        with_unit(make(Free()), "cpu")


def test_transfers_become_faster():
    assert with_faster_transfers(make(Free()), Fraction(2)).transfer == Free()
    assert with_faster_transfers(make(Delay(100, 7)), Fraction(11, 10)).transfer == Delay(110, 7)
    model = Links((Link("x", 100), Link("y", 100)), (("x",), ("y",)), ((), ()))
    both = with_faster_transfers(make(model), Fraction(2)).transfer
    assert [link.bytes_per_s for link in both.links] == [200, 200]
    one = with_faster_transfers(make(model), Fraction(2), "y").transfer
    assert [link.bytes_per_s for link in one.links] == [100, 200]
