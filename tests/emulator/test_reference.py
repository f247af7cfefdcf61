"""The slow emulator against schedules worked out by hand."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest

from mapopt.emulator.reference import Recording, ReferenceEmulator
from mapopt.emulator.reference_frames import ReferenceFrames
from mapopt.emulator.schedule import schedule
from mapopt.errors import InfeasibleError, InputError
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.mapping import Mapping, Pattern, TransferStart
from mapopt.transfers import Delay, Free, Host, Link, Links, TransferModel


def fork(transfer: TransferModel) -> Instance:
    """a feeds b and c, which feed d; a and d run on u, b on v, c on v."""
    return Instance(
        name="fork",
        classes=("c",),
        units=(Unit("u", "c"), Unit("v", "c")),
        nodes=(
            InstanceNode("a", (4,)),
            InstanceNode("b", (3,)),
            InstanceNode("c", (5,)),
            InstanceNode("d", (2,)),
        ),
        tensors=(
            InstanceTensor("ta", "a", ("b", "c"), 2),
            InstanceTensor("tb", "b", ("d",), 1),
            InstanceTensor("tc", "c", ("d",), 1),
        ),
        transfer=transfer,
    )


def table(recording: Recording) -> list[tuple[int, int, str, int]]:
    return [
        (each.frame, each.job[1], each.resource, each.start)
        for each in recording.firings
        if each.job[0] == "node"
    ]


def test_priority_decides_among_ready_tasks_of_a_frame() -> None:
    instance = fork(Free())
    listed = ReferenceEmulator(instance, Mapping.of(instance, (0, 1, 1, 0)), frames=1, window=1).run()
    assert table(listed) == [(0, 0, "u", 0), (0, 1, "v", 4), (0, 2, "v", 7), (0, 3, "u", 12)]
    turned = Mapping.of(instance, (0, 1, 1, 0), priorities=[0, 2, 1, 3])
    assert table(ReferenceEmulator(instance, turned, frames=1, window=1).run()) == [
        (0, 0, "u", 0),
        (0, 2, "v", 4),
        (0, 1, "v", 9),
        (0, 3, "u", 12),
    ]


def test_the_oldest_frame_goes_first() -> None:
    instance = fork(Free())
    recording = ReferenceEmulator(instance, Mapping.of(instance, (0, 1, 1, 0)), frames=3, window=3).run()
    on_u = [(frame, node, start) for frame, node, unit, start in table(recording) if unit == "u"]
    # u takes a(0), a(1), a(2) from 0 to 12; at 12 d(0) is ready
    assert on_u == [(0, 0, 0), (1, 0, 4), (2, 0, 8), (0, 3, 12), (1, 3, 20), (2, 3, 28)]
    assert recording.left == {0: 14, 1: 22, 2: 30}


def test_periodic_release_rounds_down() -> None:
    instance = fork(Free())
    emulator = ReferenceEmulator(
        instance, Mapping.of(instance, (0, 1, 1, 0)), frames=4, interval=Fraction(40, 3)
    )
    assert emulator.run().released == {0: 0, 1: 13, 2: 26, 3: 40}


def test_a_link_carries_one_transfer_at_a_time() -> None:
    instance = fork(Links((Link("l", 10**9, 1),), (("l",), ("l",)), ((), ())))
    recording = ReferenceEmulator(instance, Mapping.of(instance, (0, 1, 1, 0)), frames=2, window=2).run()
    sends = [
        (each.frame, each.job[1], each.start, each.end) for each in recording.firings if each.job[0] == "send"
    ]
    assert sends == [
        (0, 0, 4, 6),
        (1, 0, 8, 10),
        (0, 1, 10, 11),
        (0, 2, 15, 16),
        (1, 1, 18, 19),
        (1, 2, 23, 24),
    ]
    assert recording.left == {0: 19, 1: 27}


def test_recurrence_of_a_bottleneck() -> None:
    instance = fork(Delay(10**9, 1))
    found = ReferenceEmulator(instance, Mapping.of(instance, (0, 1, 1, 0)), frames=60, window=4).recurrence()
    assert found is not None
    assert (found.period, found.cycle_frames) == (8, 1)


def test_late_and_early_starts_are_refused() -> None:
    instance = fork(Free())
    good = Mapping(
        nodes=("a", "b", "c", "d"), patterns=(Pattern(("u", "v", "v", "u"), (0, 4, 7, 12)),), horizon=8
    )
    recording = ReferenceEmulator(instance, good, frames=4, time_triggered=True).run()
    assert {recording.left[frame] - recording.released[frame] for frame in range(4)} == {14}
    late = Mapping(nodes=good.nodes, patterns=(Pattern(("u", "v", "v", "u"), (0, 3, 7, 12)),), horizon=8)
    with pytest.raises(InfeasibleError, match=r"node 'b' of frame 0 cannot start at tick 3: .* 'v' is busy"):
        ReferenceEmulator(instance, late, frames=4, time_triggered=True).run()
    busy = Mapping(nodes=good.nodes, patterns=(Pattern(("u", "v", "v", "u"), (0, 4, 7, 13)),), horizon=7)
    with pytest.raises(InfeasibleError, match="cannot start"):
        ReferenceEmulator(instance, busy, frames=4, time_triggered=True).run()
    with pytest.raises(InputError, match="has no start times"):
        ReferenceEmulator(instance, Mapping.of(instance, (0, 0, 0, 0)), frames=1, time_triggered=True)
    early = msgspec.structs.replace(
        good, patterns=good.patterns * 2, horizon=16
    )  # frame 1 is released at tick 8, but starts at 0
    with pytest.raises(
        InfeasibleError, match="node 'a' of frame 1 starts at tick 0, before its frame's release"
    ):
        ReferenceEmulator(instance, early, frames=2, time_triggered=True).run()


def test_jobs_are_described_by_their_names() -> None:
    instance = fork(Links((Link("l", 10**9, 1),), (("l",), ("l",)), ((), ())))
    frames = ReferenceFrames(instance, Mapping.of(instance, (0, 1, 1, 0)))
    assert frames.describe(3, ("node", 1, -1, -1)) == "node 'b' of frame 3"
    assert (
        frames.describe(0, ("send", 0, 1, 0)) == "the transfer of tensor 'ta' to unit 'v' (hop 0) of frame 0"
    )
    assert frames.describe(0, ("read", 0, 1, 0)) == "the reading of tensor 'ta' by unit 'v' of frame 0"


@pytest.mark.parametrize(
    "model",
    [Links((Link("l", 10**9, 1),), (("l",), ("l",)), ((), ())), Host(10**9, 1)],
    ids=["links", "host"],
)
def test_transfers_must_be_those_that_happen(model: TransferModel) -> None:
    instance = fork(model)
    good = schedule(instance, Mapping.of(instance, (0, 1, 1, 0)))
    given = good.patterns[0].transfers
    assert len(given) == 3
    spoiled = {
        "'tc' .* has no start": given[:-1],
        "tensor 'zzz', which": (*given, TransferStart("zzz", "v", (0,))),
        "to unit 'zzz', which": (*given, TransferStart("ta", "zzz", (0,))),
        "'ta' .* has two starts": (*given, given[0]),
        "'tb' .*'v' .* has a start but never happens": (*given, TransferStart("tb", "v", (99,))),
        "'ta' .* has a start but never happens": (
            msgspec.structs.replace(given[0], starts=(*given[0].starts, 99)),
            *given[1:],
        ),
    }
    for message, transfers in spoiled.items():
        pattern = msgspec.structs.replace(good.patterns[0], transfers=transfers)
        with pytest.raises(InfeasibleError, match=message):
            ReferenceEmulator(
                instance,
                msgspec.structs.replace(good, patterns=(pattern,)),
                frames=3,
                time_triggered=True,
            )
