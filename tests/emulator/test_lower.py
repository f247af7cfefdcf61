from __future__ import annotations

import time

import msgspec
import numpy as np
import pytest

from mapopt.emulator.lower import lower
from mapopt.emulator.machine import Machine, saturated
from mapopt.emulator.program import Program
from mapopt.errors import InputError
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.mapping import InstanceRef, Mapping, Pattern
from mapopt.transfers import Blocking, Delay, Free, Host, Link, Links, TransferModel

GBYTE = 10**9  # one byte per tick


def star(transfer: TransferModel) -> Instance:
    """Node a (10 ticks) writes x (5 bytes, to b, c, d) and y (7 bytes, to d); b and c run 3 ticks, d runs 4."""
    return Instance(
        name="star",
        classes=("u",),
        units=tuple(Unit(f"u{index}", "u") for index in range(4)),
        nodes=(
            InstanceNode("a", (10,)),
            InstanceNode("b", (3,)),
            InstanceNode("c", (3,)),
            InstanceNode("d", (4,)),
        ),
        tensors=(InstanceTensor("x", "a", ("b", "c", "d"), 5), InstanceTensor("y", "a", ("d",), 7)),
        transfer=transfer,
    )


def starts(instance: Instance, *units: int) -> dict[tuple[int, ...], int]:
    """Start of every task of one frame alone, by label."""
    program = lower(instance, Mapping.of(instance, units))
    machine = Machine(program, saturated(1), frames=1, log=program.n_tasks)
    machine.run()
    return {tuple(program.label[key].tolist()): start for key, start in machine.state.log.tolist()}


def node(starts_: dict[tuple[int, ...], int]) -> list[int]:
    return [starts_[index, -1, -1, -1] for index in range(4)]


def test_free() -> None:
    assert node(starts(star(Free()), 0, 1, 2, 3)) == [0, 10, 10, 10]


def test_delay_is_latency_plus_sending_time_and_occupies_nobody() -> None:
    assert node(starts(star(Delay(GBYTE, 2)), 0, 0, 1, 2)) == [0, 10, 17, 19]
    assert node(starts(star(Delay(GBYTE, 2)), 0, 1, 2, 0)) == [0, 17, 17, 10]


def test_blocking_sends_in_unit_order_then_tensor_once_per_destination() -> None:
    instance = star(Blocking(GBYTE, 2))
    # x to u1 (10..17), x to u2 (17..24), x to u3 (24..31), y to u3 (31..40)
    assert node(starts(instance, 0, 1, 2, 3)) == [0, 17, 24, 40]
    # c and d share u1: x goes there once (10..17), then y (17..26); b is local but waits for the unit
    assert node(starts(instance, 0, 0, 1, 1)) == [0, 26, 17, 26]
    program = lower(instance, Mapping.of(instance, (0, 1, 2, 3)))
    assert program.hold.tolist() == [30, 0, 0, 0]
    assert program.loads().tolist() == [40, 3, 3, 4]


def test_host_uploads_once_per_tensor_and_reads_once_per_unit() -> None:
    instance = star(Host(GBYTE, 2))
    # uploads: x 10..17, y 17..26; u1 reads x once for b and c, u2 reads x and y for d
    found = starts(instance, 0, 1, 1, 2)
    assert found[-1, 0, 1, 0] == 17
    assert found[-1, 0, 2, 0] == 17
    assert found[-1, 1, 2, 0] == 26
    assert node(found) == [0, 24, 27, 35]
    program = lower(instance, Mapping.of(instance, (0, 1, 1, 2)))
    assert program.loads().tolist() == [10 + 16, 7 + 6, 7 + 9 + 4, 0]


def test_host_units_pay_nothing() -> None:
    reader = star(Host(GBYTE, 2, ("u2",)))
    found = starts(reader, 0, 1, 1, 2)
    assert (-1, 0, 2, 0) not in found
    assert node(found) == [0, 24, 27, 26]
    writer = star(Host(GBYTE, 2, ("u0",)))
    program = lower(writer, Mapping.of(writer, (0, 1, 1, 2)))
    assert program.loads().tolist() == [10, 7 + 6, 7 + 9 + 4, 0]
    assert node(starts(writer, 0, 1, 1, 2)) == [0, 17, 20, 26]


def test_host_load_is_the_published_one() -> None:
    """Each unit: its nodes' times, plus every tensor that enters or leaves it, once."""
    instance = star(Host(GBYTE, 0))
    assert lower(instance, Mapping.of(instance, (0, 1, 2, 3))).loads().tolist() == [22, 8, 8, 16]
    assert lower(instance, Mapping.of(instance, (0, 0, 0, 3))).loads().tolist() == [28, 0, 0, 16]


def ports(latency: int) -> Links:
    names = [f"{way}{unit}" for unit in range(4) for way in ("out", "in")]
    return Links(
        tuple(Link(name, GBYTE, latency) for name in names),
        tuple((f"out{unit}",) for unit in range(4)),
        tuple((f"in{unit}",) for unit in range(4)),
    )


def test_links_store_and_forward_one_transfer_at_a_time() -> None:
    found = starts(star(ports(1)), 0, 1, 2, 3)
    # out0 carries x to u1 (10..15), u2 (15..20), u3 (20..25), then y to u3 (25..32); a tick later in* begins
    assert [found[-1, 0, unit, 0] for unit in (1, 2, 3)] == [10, 15, 20]
    assert found[-1, 1, 3, 0] == 25
    assert [found[-1, 0, unit, 1] for unit in (1, 2, 3)] == [16, 21, 26]
    assert found[-1, 1, 3, 1] == 33
    assert node(found) == [0, 22, 27, 41]


def test_empty_route_is_free() -> None:
    model = msgspec.structs.replace(ports(1), egress=((),) * 4, ingress=((),) * 4)
    assert node(starts(star(model), 0, 1, 2, 3)) == [0, 10, 10, 10]


def test_zero_bytes_still_take_the_latency() -> None:
    base = star(Delay(GBYTE, 2))
    empty = tuple(msgspec.structs.replace(tensor, size_bytes=0) for tensor in base.tensors)
    assert node(starts(msgspec.structs.replace(base, tensors=empty), 0, 1, 2, 3)) == [0, 12, 12, 12]


def test_dispatch_order_is_priority_then_index_and_readings_precede_their_consumer() -> None:
    instance = star(Host(GBYTE, 0))
    program = lower(instance, Mapping.of(instance, (0, 1, 1, 1), priorities=[0, 5, 2, 2]))
    on_u1 = [
        tuple(row) for row, unit in zip(program.label.tolist(), program.resource, strict=True) if unit == 1
    ]
    assert on_u1 == [(-1, 0, 1, 0), (2, -1, -1, -1), (-1, 1, 1, 0), (3, -1, -1, -1), (1, -1, -1, -1)]


def test_nodes_in_any_order_in_the_mapping() -> None:
    instance = star(Delay(GBYTE, 2))
    straight = Mapping.of(instance, (0, 1, 2, 3), priorities=[0, 3, 2, 1])
    turned = msgspec.structs.replace(
        straight,
        nodes=straight.nodes[::-1],
        patterns=(Pattern(("u3", "u2", "u1", "u0")),),
        priorities=(1, 2, 3, 0),
    )
    one, two = lower(instance, straight), lower(instance, turned)
    assert np.array_equal(one.label, two.label)
    assert np.array_equal(one.resource, two.resource)


def test_unit_that_cannot_run_the_node() -> None:
    instance = msgspec.structs.replace(
        star(Free()),
        classes=("u", "v"),
        units=(Unit("u0", "u"), Unit("v0", "v")),
        nodes=tuple(
            InstanceNode(each.name, (each.times[0], None if each.name == "c" else 1))
            for each in star(Free()).nodes
        ),
    )
    with pytest.raises(InputError, match="node 'c': is mapped to unit 'v0' of class 'v'"):
        lower(instance, Mapping.of(instance, (0, 0, 1, 0)))


def test_times_beyond_64_bits_are_refused() -> None:
    instance = star(Delay(1, 0))
    unbound = msgspec.structs.replace(Mapping.of(instance, (0, 1, 2, 3)), instance=InstanceRef())
    huge = tuple(msgspec.structs.replace(tensor, size_bytes=2**62) for tensor in instance.tensors)
    with pytest.raises(InputError, match=r"tensor 'x': takes .* larger tick_ps"):
        lower(msgspec.structs.replace(instance, tensors=huge), unbound)


SLOW = [
    pytest.param(model, marks=pytest.mark.slow)
    for model in (Delay(GBYTE, 1), Blocking(GBYTE, 1), Host(GBYTE, 1))
]


@pytest.mark.parametrize("model", [Free(), *SLOW, None])
def test_hundred_thousand_nodes_lower_in_seconds(model: TransferModel | None) -> None:
    count, units = 100_000, 100
    rng = np.random.default_rng(0)
    nodes = tuple(InstanceNode(f"n{index}", (1,)) for index in range(count))
    reads = [rng.integers(index + 1, min(count, index + 50), size=2) for index in range(count - 50)]
    tensors = tuple(
        InstanceTensor(f"t{index}", f"n{index}", tuple(dict.fromkeys(f"n{each}" for each in targets)), 8)
        for index, targets in enumerate(reads)
    )
    if model is None:
        links = [f"{way}{unit}" for unit in range(units) for way in ("out", "in")]
        model = Links(
            tuple(Link(name, GBYTE) for name in links),
            tuple((f"out{unit}",) for unit in range(units)),
            tuple((f"in{unit}",) for unit in range(units)),
        )
    instance = Instance(
        name="large",
        classes=("u",),
        units=tuple(Unit(f"u{index}", "u") for index in range(units)),
        nodes=nodes,
        tensors=tensors,
        transfer=model,
    )
    mapping = Mapping.of(instance, rng.integers(0, units, size=count).tolist())
    _ = instance.digest, instance.topological_order
    begin = time.perf_counter()
    program: Program = lower(instance, mapping)
    assert program.n_tasks >= count
    assert time.perf_counter() - begin < 8  # about 0.5 to 1.5 s where the machine is free
