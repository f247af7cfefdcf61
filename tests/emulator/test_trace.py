from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

from mapopt.emulator.reference import ReferenceEmulator
from mapopt.emulator.schedule import schedule
from mapopt.emulator.trace import record, write_trace
from mapopt.errors import InputError
from mapopt.instance import InstanceNode
from mapopt.mapping import Mapping
from mapopt.transfers import Blocking, Free, Host

from .cases import job_of
from .test_lower import GBYTE, ports, star


def test_recording_is_the_slow_emulators() -> None:
    instance = star(Host(GBYTE, 1))
    mapping = Mapping.of(instance, (0, 1, 1, 2))
    trace = record(instance, mapping, interval="saturated", window=2, frames=5)
    slow = ReferenceEmulator(instance, mapping, frames=5, window=2).run()
    fast = {
        (frame, job_of(trace.program, task)): (start, end, free)
        for frame, task, start, end, free in zip(
            trace.frame.tolist(),
            trace.task.tolist(),
            trace.start.tolist(),
            trace.end.tolist(),
            trace.free.tolist(),
            strict=True,
        )
    }
    assert fast == {(each.frame, each.job): (each.start, each.end, each.free) for each in slow.firings}
    assert trace.released.tolist() == list(slow.released.values())
    assert trace.left.tolist() == [slow.left[frame] for frame in range(5)]


def test_time_triggered_recording() -> None:
    instance = star(ports(1))
    timed = schedule(instance, Mapping.of(instance, (0, 1, 2, 3), (3, 2, 1, 0)))
    trace = record(instance, timed, frames=5)
    slow = ReferenceEmulator(instance, timed, frames=5, time_triggered=True).run()
    assert sorted(zip(trace.frame.tolist(), trace.start.tolist(), trace.end.tolist(), strict=True)) == sorted(
        (each.frame, each.start, each.end) for each in slow.firings
    )
    assert trace.left.tolist() == [slow.left[frame] for frame in range(5)]


def test_chrome_trace(tmp_path: Path) -> None:
    instance = star(Blocking(GBYTE, 2))
    odd = msgspec.structs.replace(
        instance, nodes=(InstanceNode('a"\n<b>', (10,)), *instance.nodes[1:]), tensors=()
    )
    path = tmp_path / "trace.json"
    write_trace(path, odd, Mapping.of(odd, (0, 1, 2, 3)), interval=Fraction(20), frames=2)
    events = json.loads(path.read_text())["traceEvents"]
    names = {event["args"]["name"] for event in events if event["name"] == "thread_name"}
    assert names == {"u0", "u1", "u2", "u3"}
    slices = [event for event in events if event["ph"] == "X"]
    assert len(slices) == 8
    first = next(event for event in slices if event["args"]["frame"] == 1 and event["tid"] == 0)
    assert first["name"] == "node " + repr('a"\n<b>')
    assert (first["ts"], first["dur"]) == (pytest.approx(0.02), pytest.approx(0.01))
    assert {event["ph"] for event in events} == {"M", "X", "b", "e"}


def test_sends_and_links_have_slices(tmp_path: Path) -> None:
    for model, kind in ((Blocking(GBYTE, 2), "hold"), (ports(1), "transfer"), (Host(GBYTE, 1), "reading")):
        instance = star(model)
        write_trace(tmp_path / "t.json", instance, Mapping.of(instance, (0, 1, 2, 3)))
        events = json.loads((tmp_path / "t.json").read_text())["traceEvents"]
        assert kind in {event.get("cat") for event in events}


@pytest.mark.parametrize("frames", [0, -1, 10**9])
def test_bad_frames(frames: int) -> None:
    instance = star(Free())
    with pytest.raises(InputError, match="frames: is"):
        record(instance, Mapping.of(instance, (0, 1, 2, 3)), frames=frames)


def test_overload_and_unwritable_paths(tmp_path: Path) -> None:
    instance = star(Free())
    mapping = Mapping.of(instance, (0, 1, 2, 3))
    with pytest.raises(InputError, match="frames are in flight"):
        record(instance, mapping, interval=Fraction(1, 100), frames=5000)
    with pytest.raises(InputError, match="cannot be written"):
        write_trace(tmp_path / "none" / "t.json", instance, mapping)
