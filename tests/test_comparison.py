from dataclasses import dataclass
from typing import ClassVar

import msgspec
import pytest

from mapopt import comparison
from mapopt.bounds import lower_bounds
from mapopt.instance import Instance, InstanceNode, Unit
from mapopt.mappers.base import NoOptions
from mapopt.mapping import Mapping, Pattern

PROBLEM = Instance(
    "p", ("a",), (Unit("u", "a"), Unit("v", "a")), (InstanceNode("n", (10,)), InstanceNode("m", (4,)))
)


@dataclass(frozen=True)
class Scripted:
    """A third party's mapper that does what the test says."""

    name: ClassVar[str] = "scripted"
    summary: ClassVar[str] = ""
    reference: ClassVar[str] = ""
    options_type: ClassVar[type] = NoOptions
    is_random: ClassVar[bool] = False
    options: NoOptions
    act: object
    reason: str | None = None

    def rejects(self, instance):
        return self.reason

    def map(self, instance, *, seed=0):
        if isinstance(self.act, BaseException):
            raise self.act
        return self.act(seed) if callable(self.act) else self.act


def row(monkeypatch, act, reason=None, **options):
    monkeypatch.setattr(comparison, "get", lambda *_: Scripted(NoOptions(), act, reason))
    return comparison.compare(PROBLEM, ["scripted"], **options).rows[0]


def test_a_crash_is_one_failed_row(monkeypatch):
    found = row(monkeypatch, TypeError("oops"))
    assert (found.status, found.reason, found.period_ns) == ("failed", "TypeError: oops", None)


def test_a_broken_rule_is_a_failed_row(monkeypatch):
    wrong = Mapping(nodes=("n", "m"), patterns=(Pattern(("u", "w")),))
    assert row(monkeypatch, wrong).status == "failed"


def test_an_infeasible_schedule_is_a_failed_row(monkeypatch):
    clash = Mapping(nodes=("n", "m"), patterns=(Pattern(("u", "u"), (0, 5)),), horizon=14)
    found = row(monkeypatch, clash, dispatch="time-triggered")
    assert found.status == "failed"
    assert "schedule is not feasible" in found.reason


def test_a_rejection_gives_its_reason(monkeypatch):
    found = row(monkeypatch, None, "only trees")
    assert (found.status, found.reason) == ("rejected", "only trees")


def test_several_patterns_are_measured_against_a_bound_that_holds_for_them(monkeypatch):
    """Moving the long node from unit to unit halves the work per frame, below the bound of one pattern."""
    bounds = lower_bounds(PROBLEM)
    assert bounds.period.ticks == 10
    found = row(monkeypatch, Mapping.of(PROBLEM, [0, 1], [1, 0]), dispatch="time-triggered")
    assert found.period_ns == 7
    assert found.gap == pytest.approx(0)


def test_seeds_reach_the_mapper(monkeypatch):
    monkeypatch.setattr(Scripted, "is_random", True)
    seen = []

    def act(seed):
        seen.append(seed)
        return Mapping.of(PROBLEM, [0, seed % 2])

    found = row(monkeypatch, act, seed=3, seeds=4)
    assert seen == [3, 4, 5, 6]
    assert (found.spread.seeds, found.spread.min, found.spread.max) == (4, 10, 14)
    assert found.period_ns == 12


def test_ctrl_c_keeps_the_rows_done(monkeypatch):
    acts = iter((Mapping.of(PROBLEM, [0, 1]), KeyboardInterrupt()))
    monkeypatch.setattr(comparison, "get", lambda *_: Scripted(NoOptions(), next(acts)))
    result = comparison.compare(PROBLEM, ["first", "second"])
    assert [each.mapper for each in result.rows] == ["first"]
    assert not result.complete


def test_mappers_that_search_run_fewer_seeds_unless_told(monkeypatch):
    monkeypatch.setattr(Scripted, "is_random", True)
    mapping = Mapping.of(PROBLEM, [0, 1])
    assert row(monkeypatch, mapping).spread.seeds == comparison.SEEDS
    monkeypatch.setattr(Scripted, "is_search", True, raising=False)
    assert row(monkeypatch, mapping).spread.seeds == comparison.SEARCH_SEEDS < comparison.SEEDS
    assert row(monkeypatch, mapping, seeds=7).spread.seeds == 7


def test_means_over_seeds_and_exact_only_if_every_seed_is(monkeypatch):
    """One seed shares a unit (14 ticks per frame and alone), the other does not (10); the first is not exact."""
    monkeypatch.setattr(Scripted, "is_random", True)
    real = comparison.measure

    def first_is_not_exact(instance, mapping, **options):
        found = real(instance, mapping, **options)
        shared = len(set(mapping.patterns[0].units)) == 1
        return msgspec.structs.replace(found, exact=not shared, latency_single_ns=14 if shared else 10)

    monkeypatch.setattr(comparison, "measure", first_is_not_exact)
    found = row(monkeypatch, lambda seed: Mapping.of(PROBLEM, [0, seed % 2]), seeds=2)
    assert found.exact is False
    assert (found.period_ns, found.latency_single_ns) == (12, 12)
