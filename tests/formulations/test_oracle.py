from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.solvers.model import PeriodRange
from mapopt.transfers import Blocking, Delay, Link, Links
from tests.emulator.cases import MODELS
from tests.formulations.cases import least_period, random_period, tiny_instance
from tests.formulations.oracle import least_latency

RATE = 10**9


def chain(times: list[int], units: int, transfer, size: int = 1) -> Instance:
    nodes = tuple(InstanceNode(f"n{number}", (time,)) for number, time in enumerate(times))
    tensors = tuple(
        InstanceTensor(f"t{number}", f"n{number}", (f"n{number + 1}",), size)
        for number in range(len(times) - 1)
    )
    names = tuple(Unit(f"u{number}", "imc") for number in range(units))
    return Instance("chain", ("imc",), names, nodes, tensors, transfer)


def test_by_hand():
    alike = chain([3, 2, 3], 2, Delay(RATE, 1))
    assert least_latency(alike, None) == 8
    assert least_latency(alike, PeriodRange(8, 8)) == 8
    # 3 + 2 + 3 with both long nodes apart: 5 and 3, one transfer of 2 ticks
    assert least_latency(alike, PeriodRange(5, 5)) == 10
    # the two long nodes share a unit of load 6: two transfers
    assert least_latency(alike, PeriodRange(4, 4)) is None
    assert least_latency(alike, PeriodRange(5, 6)) == 10


def test_a_blocking_send_counts_as_work():
    two = chain([3, 3], 2, Blocking(RATE, 0), size=2)
    assert least_latency(two, PeriodRange(4, 4)) is None
    assert least_latency(two, PeriodRange(5, 5)) == 8
    assert least_latency(two, PeriodRange(6, 6)) == 6


def test_a_shared_link_carries_one_transfer_at_a_time():
    bus = Links((Link("bus", RATE),), (("bus",), ("bus",)), ((), ()))
    two = chain([2, 2, 2], 2, bus, size=3)
    # unit loads 4 and 2, the bus idle or busy for 3 or 6 ticks
    assert least_latency(two, PeriodRange(4, 4)) == 9
    assert least_period(two) == 4


def test_shorter_periods_never_make_a_frame_faster_than_alone():
    for seed in range(20):
        instance = tiny_instance(seed)
        alone, streamed = (
            least_latency(instance, None),
            least_latency(instance, random_period(seed, instance)),
        )
        assert alone is not None
        assert streamed is None or streamed >= alone


def test_the_cases_cover_what_they_promise():
    drawn = [tiny_instance(seed, kind) for kind in MODELS for seed in range(60)]
    assert any(each.side_constraints.pin for each in drawn)
    assert any(each.side_constraints.colocate for each in drawn)
    assert any(each.side_constraints.separate for each in drawn)
    assert any(unit.crossbars is not None for each in drawn for unit in each.units)
    assert any(unit.memory_bytes is not None for each in drawn for unit in each.units)
    assert any(time == 0 for each in drawn for node in each.nodes for time in node.times)
    assert any(len(tensor.consumers) > 1 for each in drawn for tensor in each.tensors)
    assert any(isinstance(each.transfer, Links) and each.transfer.routes for each in drawn)
    assert any(not random_period(seed, each).fixed for seed, each in enumerate(drawn))
