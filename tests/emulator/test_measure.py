from __future__ import annotations

import json
from fractions import Fraction

import jsonschema
import msgspec
import numpy as np
import pytest

from mapopt.emulator.measure import measure
from mapopt.emulator.measurement import Latency, Measurement, latency_statistics, ticks_from_ns
from mapopt.emulator.schedule import schedule
from mapopt.errors import InfeasibleError, InputError
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.mapping import Mapping, Pattern
from mapopt.transfers import Blocking, Delay, Free, Host, Link, Links, TransferModel


def pair(transfer: TransferModel, tick_ps: int = 1000) -> Instance:
    """p (6 ticks on u) writes 4 bytes that q (10 ticks on v) reads."""
    return Instance(
        name="pair",
        classes=("c",),
        units=(Unit("u", "c"), Unit("v", "c")),
        nodes=(InstanceNode("p", (6,)), InstanceNode("q", (10,))),
        tensors=(InstanceTensor("t", "p", ("q",), 4),),
        transfer=transfer,
        tick_ps=tick_ps,
    )


def measured(transfer: TransferModel, **options: object) -> Measurement:
    instance = pair(transfer)
    return measure(instance, Mapping.of(instance, (0, 1)), **options)  # type: ignore[arg-type]


def test_default_conditions() -> None:
    found = measured(Delay(10**9, 1))
    assert (found.period_ns, found.period_ticks, found.exact) == (10, "10", True)
    assert found.rate_fps == 1e8
    assert (found.max_load_ns, found.max_load_resource) == (10, "v")
    assert found.latency_single_ns == 6 + 5 + 10
    assert found.latency_ns == Latency(21, 21, 21, 21, 21)
    assert found.period_condition.arrival == "saturated"
    assert found.period_condition.window == 16
    assert found.latency_condition.arrival == "periodic"
    assert found.latency_condition.interval_ticks == "11"  # ceil(1.05 * 10)
    assert found.utilization == {"u": 0.6, "v": 1.0}
    assert found.stall == {"u": 0.0, "v": 0.0}
    assert found.period_interval_ns is None


def test_saturated_latency_is_the_windows() -> None:
    found = measured(Free(), interval="saturated", window=5)
    assert found.latency_ns.mean == 5 * found.period_ns
    assert found.latency_condition.window == 5
    assert "Little" in found.latency_condition.note


def test_explicit_interval_gives_period_and_latency() -> None:
    found = measured(Free(), interval=Fraction(41, 4))
    assert (found.period_ticks, found.period_ns, found.latency_ns.max) == ("41/4", 10.25, 16)
    assert found.period_condition == found.latency_condition
    assert found.cycle_frames == 4


def test_overload_is_said() -> None:
    found = measured(Free(), interval=Fraction(5))
    assert (found.exact, found.backlog) == (False, 4096)
    assert found.latency_condition.overloaded
    assert "without end" in found.latency_condition.note
    assert found.period_interval_ns == (10, 10)


def test_stall_is_sending_and_reading() -> None:
    sending = measured(Blocking(10**9, 1))
    assert sending.period_ticks == "11"
    assert sending.stall == {"u": 5 / 11, "v": 0.0}
    assert sending.utilization == {"u": 6 / 11, "v": 10 / 11}
    found = measured(Host(10**9, 1))
    assert found.period_ticks == "15"
    assert found.stall == {"u": 5 / 15, "v": 5 / 15}
    assert found.utilization == {"u": 6 / 15, "v": 10 / 15}
    linked = measured(Links((Link("l", 10**8),), (("l",), ()), ((), ())))
    assert linked.utilization == {"u": 6 / 40, "v": 10 / 40, "l": 1.0}
    assert linked.max_load_resource == "l"


def test_time_triggered() -> None:
    instance = pair(Delay(10**9, 1))
    timed = schedule(instance, Mapping.of(instance, (0, 1)))
    found = measure(instance, timed)
    assert (found.dispatch, found.period_ns, found.latency_ns.max, found.exact) == (
        "time-triggered",
        10,
        21,
        True,
    )
    assert found.latency_condition.arrival == "schedule"
    assert measure(instance, timed, dispatch="self-timed").dispatch == "self-timed"
    with pytest.raises(InputError, match="leave the interval out"):
        measure(instance, timed, interval=Fraction(3))
    with pytest.raises(InputError, match="has no start times"):
        measure(instance, Mapping.of(instance, (0, 1)), dispatch="time-triggered")


def test_infeasible_starts_are_named() -> None:
    instance = pair(Delay(10**9, 1))
    late = Mapping(nodes=("p", "q"), patterns=(Pattern(("u", "v"), (0, 10)),), horizon=10)
    with pytest.raises(
        InfeasibleError,
        match=r"node 'q', frame 0, on 'v': .* starts at tick 10, .* before 11 \(its data come from node 'p', frame 0\)",
    ):
        measure(instance, late)
    busy = msgspec.structs.replace(late, patterns=(Pattern(("u", "v"), (0, 11)),), horizon=9)
    with pytest.raises(
        InfeasibleError, match=r"node 'q', frame 1, on 'v': .* \(occupied by node 'q', frame 0\)"
    ):
        measure(instance, busy)


def test_ticks_become_nanoseconds() -> None:
    instance = pair(Free(), tick_ps=250)
    found = measure(instance, Mapping.of(instance, (0, 1)))
    assert (found.period_ns, found.latency_single_ns, found.period_ticks) == (2.5, 4, "10")


def test_nothing_takes_time() -> None:
    instance = pair(Free())
    idle = msgspec.structs.replace(instance, nodes=(InstanceNode("p", (0,)), InstanceNode("q", (0,))))
    found = measure(idle, Mapping.of(idle, (0, 1)))
    assert (found.period_ns, found.rate_fps, found.exact) == (0, None, True)
    assert found.utilization == {"u": 0.0, "v": 0.0}


def test_nearest_rank_percentiles() -> None:
    found = latency_statistics(np.array([5, 1, 4, 2, 3] * 4), 1000)
    assert found == Latency(min=1, mean=3, p50=3, p95=5, max=5)
    twenty = latency_statistics(np.arange(1, 21), 1000)
    assert (twenty.p50, twenty.p95, twenty.mean) == (10, 19, 10.5)
    assert latency_statistics(np.array([7]), 500) == Latency(3.5, 3.5, 3.5, 3.5, 3.5)


def test_document_round_trip_and_schema() -> None:
    found = measured(Delay(10**9, 1))
    encoded = found.to_json()
    assert Measurement.from_json(encoded) == found
    jsonschema.validate(json.loads(encoded), Measurement.json_schema())
    keys = json.loads(encoded)
    for key in ("period_ns", "exact", "rate_fps", "latency_single_ns", "latency_ns", "utilization"):
        assert key in keys


@pytest.mark.parametrize(
    "options", [{"frames": 0}, {"frames": 10**9}, {"window": 0}, {"budget": 0}, {"interval": 0}]
)
def test_bad_options(options: dict[str, int]) -> None:
    with pytest.raises(InputError, match=f"{next(iter(options))}: "):
        measured(Free(), **options)


def test_ticks_from_ns() -> None:
    assert ticks_from_ns("2.5", 500) == 5
    assert ticks_from_ns("1e3", 1000) == 1000
    for text in ("nan", "inf", "-1", "0", "x", "1e30", "1e-30"):
        with pytest.raises(InputError, match="interval: is"):
            ticks_from_ns(text, 1000)
