from fractions import Fraction

import msgspec
import pytest

from mapopt.emulator.schedule import schedule
from mapopt.errors import InputError
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.mapping import Claims, Mapping
from mapopt.transfers import Blocking
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
