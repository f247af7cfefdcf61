from fractions import Fraction

import msgspec
import pytest

from mapopt.emulator.measure import measure
from mapopt.emulator.schedule import schedule
from mapopt.errors import InputError
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.mapping import Claims, Mapping, TransferStart
from mapopt.transfers import Blocking, Host, Link, Links
from mapopt.verification import verify

PROBLEM = Instance(
    "p",
    ("a",),
    (Unit("u", "a"), Unit("v", "a")),
    (InstanceNode("m", (10,)), InstanceNode("n", (20,))),
    (InstanceTensor("t", "m", ("n",), 3),),
    Blocking(10**9),
)


def claiming(*assignments, **claims):
    return msgspec.structs.replace(Mapping.of(PROBLEM, *assignments), claims=Claims(**claims))


def test_figures_worked_by_hand():
    """Apart: u computes 10 and sends 3, v computes 20; together: one unit computes 30."""
    assert verify(PROBLEM, claiming([0, 1], max_load_ticks="20", latency_single_ticks=33)).ok
    assert verify(PROBLEM, claiming([0, 0], max_load_ticks="30", latency_single_ticks=30)).ok
    assert verify(PROBLEM, claiming([0, 1], [0, 0], max_load_ticks="43/2", latency_single_ticks=33)).ok


@pytest.mark.parametrize("claims", [{"max_load_ticks": "41/2"}, {"latency_single_ticks": 32}])
def test_false_claims_do_not_hold(claims):
    result = verify(PROBLEM, claiming([0, 1], **claims))
    assert not result.ok
    assert [claim.holds for claim in result.claims] == [False]


def test_claims_of_another_kind_are_refused():
    with pytest.raises(InputError, match="only a time-triggered mapping has"):
        verify(PROBLEM, claiming([0, 1], period_ticks="20"))


def test_a_schedule_and_its_corruptions():
    good = schedule(PROBLEM, Mapping.of(PROBLEM, [0, 1]))
    result = verify(PROBLEM, good)
    assert result.ok
    assert {claim.name: Fraction(claim.measured) for claim in result.claims}["period_ticks"] == 20
    pattern = good.patterns[0]
    for node in range(2):
        for shift in (-1, 1):
            starts = list(pattern.starts)
            starts[node] += shift
            if min(starts) < 0:
                continue
            moved = msgspec.structs.replace(pattern, starts=tuple(starts))
            again = verify(PROBLEM, msgspec.structs.replace(good, patterns=(moved,)))
            legal = starts[1] >= starts[0] + 13
            assert again.ok == (legal and starts[1] + 20 == good.claims.latency_ticks)
    rushed = verify(PROBLEM, msgspec.structs.replace(good, horizon=19))
    assert [violation.rule for violation in rushed.violations] == ["schedule"]


@pytest.mark.parametrize("spoil", ["missing", "unknown", "duplicate", "surplus", "hop"])
def test_a_schedule_with_other_transfers_than_happen_is_refused(spoil):
    problem = msgspec.structs.replace(PROBLEM, transfer=Host(10**9))
    good = schedule(problem, Mapping.of(problem, [0, 1]))
    (given,) = good.patterns[0].transfers
    transfers = {
        "missing": (),
        "unknown": (given, TransferStart("zzz", "v", (0,))),
        "duplicate": (given, given),
        "surplus": (given, TransferStart("t", "u", (0,))),
        "hop": (msgspec.structs.replace(given, starts=(*given.starts, 99)),),
    }[spoil]
    pattern = msgspec.structs.replace(good.patterns[0], transfers=transfers)
    wrong = msgspec.structs.replace(good, patterns=(pattern,))
    assert [violation.rule for violation in verify(problem, wrong).violations] == ["schedule"]
    with pytest.raises(InputError):
        measure(problem, wrong)


def test_the_latency_of_a_schedule_is_the_largest_over_its_patterns():
    """Pattern 0 runs on one unit in 30 ticks, pattern 1 on two in 33; either order claims 33."""
    for assignments in (([0, 0], [0, 1]), ([0, 1], [0, 0])):
        timed = schedule(PROBLEM, Mapping.of(PROBLEM, *assignments))
        result = verify(PROBLEM, timed)
        assert result.ok
        ends = [
            pattern.starts[1] + 20 - (frame * timed.horizon // 2)
            for frame, pattern in enumerate(timed.patterns)
        ]
        assert timed.claims.latency_ticks == max(ends)
        assert len(set(ends)) == 2


def test_a_late_transfer_far_from_every_node_is_still_looked_at():
    """The last transfer of a frame starts long after the nodes; the frames that it meets are among those run."""
    ports = Links((Link("l", 10**9),), (("l",), ()), ((), ("l",)))
    problem = msgspec.structs.replace(PROBLEM, transfer=ports)
    timed = schedule(problem, Mapping.of(problem, [0, 1]))
    pattern = timed.patterns[0]
    late = msgspec.structs.replace(pattern.transfers[0], starts=(10**4,))
    moved = msgspec.structs.replace(pattern, transfers=(late,))
    result = verify(problem, msgspec.structs.replace(timed, patterns=(moved,)))
    assert [violation.rule for violation in result.violations] == ["schedule"]
