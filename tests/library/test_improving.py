import msgspec
import pytest

from mapopt.emulator.schedule import schedule
from mapopt.errors import InputError
from mapopt.library.improving import is_comparable, with_mappers, with_mapping, with_record
from mapopt.library.references import Level, Reference
from mapopt.mappers import registry as mappers
from mapopt.mapping import Mapping

from .libraries import STAMP, best_of_five, five, record

BY = ("lpt", "lpt")


def scheduled(*units):
    """A mapping of five with a schedule, for these units."""
    return schedule(five(), Mapping.of(five(), units))


def test_better_mappings_are_taken_and_the_others_not():
    instance = five()
    empty = Reference.of(instance)
    first = with_mapping(empty, instance, scheduled(0, 0, 1, 1, 1), BY, STAMP)  # 8 + 12
    assert (first.period.value, first.latency.period_ticks, first.former) == (12, 12, ())
    assert with_mapping(first, instance, scheduled(0, 0, 0, 0, 0), BY, STAMP) == first
    second = with_mapping(first, instance, scheduled(1, 1, 0, 1, 0), BY, STAMP)  # 10 + 10
    assert [each.ticks for each in second.period.values] == [12, 10]
    assert second.latency.period_ticks == 10
    assert second.former == (first.latency,)
    assert second.schedule.horizon == 10


def test_a_shorter_latency_at_the_same_period_is_taken():
    reference, instance = best_of_five(), five()
    worse = msgspec.structs.replace(reference, latency=Level((STAMP.finding(99, "x"),), (), 10))
    better = with_mapping(worse, instance, reference.mapping(instance), BY, STAMP)
    assert [each.ticks for each in better.latency.values] == [99, 29]
    assert better.former == ()


def test_a_longer_latency_at_the_same_period_changes_nothing():
    reference, instance = best_of_five(), five()
    good = reference.mapping(instance)
    pattern = msgspec.structs.replace(good.patterns[0], starts=(0, 3, 9, 18, 33))
    claims = msgspec.structs.replace(good.claims, latency_ticks=39)
    longer = msgspec.structs.replace(good, patterns=(pattern,), claims=claims)
    assert with_mapping(reference, instance, longer, BY, STAMP) == reference


def test_wrong_claims_and_infeasible_mappings_are_refused():
    instance, empty = five(), Reference.of(five())
    good = best_of_five().mapping(instance)
    lying = msgspec.structs.replace(good, claims=msgspec.structs.replace(good.claims, latency_ticks=28))
    with pytest.raises(InputError, match="claims latency_ticks 28, but it is 29"):
        with_mapping(empty, instance, lying, BY, STAMP)
    pattern = msgspec.structs.replace(good.patterns[0], starts=(0, 3, 8, 18, 23))
    with pytest.raises(InputError, match="breaks the rule"):
        with_mapping(empty, instance, msgspec.structs.replace(good, patterns=(pattern,)), BY, STAMP)
    with pytest.raises(InputError, match="needs one pattern, start times"):
        with_mapping(empty, instance, Mapping.of(instance, [0] * 5), BY, STAMP)


def test_a_run_adds_its_values_bounds_and_time():
    instance = five()
    run = record(instance, runtime_s=2.5)
    found = with_record(Reference.of(instance), instance, run, "2026-02-01")
    assert (found.status, found.period.value, found.latency.value) == ("optimal", 10, 29)
    assert (found.solved_s, found.effort_s) == (2.5, 10.0)
    assert found.period.values[0].date == "2026-02-01"
    assert with_record(found, instance, msgspec.structs.replace(run, runtime_s=9.0), "2026-02-02") == found


def test_bounds_of_a_latency_at_another_period_are_left_out():
    instance = five()
    run = record(instance)
    period, latency = run.levels
    other = msgspec.structs.replace(
        run,
        status="feasible",
        mapping=None,
        levels=(
            msgspec.structs.replace(period, value=12),
            msgspec.structs.replace(latency, value=25, bound=25),
        ),
    )
    found = with_record(best_of_five(), instance, other, "2026-02-01")
    assert [each.ticks for each in (*found.latency.values, *found.latency.bounds)] == [29, 20]
    assert found.solved_s is None


def test_a_new_period_brings_the_bounds_that_hold_at_any_period():
    instance = five()
    run = record(instance)
    period, latency = run.levels
    elsewhere = msgspec.structs.replace(
        run,
        status="feasible",
        mapping=scheduled(0, 0, 1, 1, 1),
        levels=(
            msgspec.structs.replace(period, value=12, bound=9),
            msgspec.structs.replace(latency, value=None, bound=None),
        ),
    )
    found = with_record(Reference.of(instance), instance, elsewhere, "2026-02-01")
    assert (found.period.value, found.period.bound, found.latency.bound) == (12, 10, 20)
    assert found.latency.bounds[0].by != ""


def test_a_run_that_contradicts_the_reference_is_refused():
    instance = five()
    run = record(instance)
    period, latency = run.levels
    wrong = msgspec.structs.replace(run, levels=(msgspec.structs.replace(period, bound=11), latency))
    with pytest.raises(InputError, match="bound 11: exceeds the value 10"):
        with_record(best_of_five(), instance, wrong, "2026-02-01")


def test_runs_about_something_else_are_refused():
    instance = five()
    run = record(instance)
    assert is_comparable(run)
    for name, value in (("contiguous", True), ("slack", "1/10"), ("max_period", 20)):
        key = msgspec.structs.replace(run.key, parameters={**run.key.parameters, name: value})
        other = msgspec.structs.replace(run, key=key)
        assert not is_comparable(other)
        with pytest.raises(InputError, match="not about the least latency"):
            with_record(best_of_five(), instance, other, "2026-02-01")
    foreign = msgspec.structs.replace(five(), tick_ps=7)
    with pytest.raises(InputError, match="another instance"):
        with_record(Reference.of(foreign), foreign, run, "2026-02-01")


def test_values_and_bounds_name_the_run_and_the_command_that_repeat_them():
    instance = five()
    run = record(instance)
    found = with_record(Reference.of(instance), instance, run, "2026-02-01")
    assert (found.period.values[0].run, found.latency.values[0].run) == (run.id, run.id)
    solve = "mapopt library export five -o instance.json && mapopt solve instance.json --objective period,latency "
    assert found.latency.values[0].command.startswith(solve)
    assert " --time-limit 10 --workers 1 --seed 0 " in found.latency.values[0].command
    (structural, *_), (searched,) = found.latency.bounds[:1], found.latency.bounds[-1:]
    assert (structural.by, structural.run) == ("critical path", None)
    assert structural.command == "mapopt library export five -o instance.json && mapopt bounds instance.json"
    assert (searched.ticks, searched.run) == (29, run.id)


def test_findings_that_name_nothing_are_given_a_run_that_gave_the_same():
    instance, before = five(), best_of_five()
    assert not any(each.is_repeatable for each in before.findings)
    run = record(instance)
    after = with_record(before, instance, run, "2026-02-01")
    value = after.latency.values[0]
    assert (value.date, value.by, value.run) == (STAMP.date, "lpt", run.id)
    assert all(each.is_repeatable for each in after.findings)
    other = msgspec.structs.replace(run, key=msgspec.structs.replace(run.key, seed=1))
    assert with_record(after, instance, other, "2026-02-02") == after


def test_a_run_that_gave_the_same_without_a_schedule_that_holds_is_not_named():
    instance, before = five(), best_of_five()
    lying = msgspec.structs.replace(before.mapping(instance), patterns=scheduled(0, 1, 0, 1, 0).patterns)
    with pytest.raises(InputError, match="mapping"):
        with_mapping(before, instance, lying, BY, STAMP)


def test_a_run_that_went_on_from_a_schedule_is_repeated_by_what_the_caller_says():
    instance = five()
    run = record(instance)
    key = msgspec.structs.replace(run.key, parameters={**run.key.parameters, "start": "0" * 64})
    started = msgspec.structs.replace(run, key=key)
    empty = Reference.of(instance)
    assert with_record(empty, instance, started, "2026-02-01").latency.values[0].command == ""
    assert with_record(empty, instance, started, "2026-02-01", "again").latency.values[0].command == "again"
    assert with_record(empty, instance, run, "2026-02-01", "again").latency.values[0].command != "again"


def test_periods_of_mappers_name_their_command_only_if_it_gives_the_same():
    instance = five()
    mapping = schedule(instance, mappers.get("lpt").map(instance))

    def by(name):
        return with_mapping(Reference.of(instance), instance, mapping, (name, name), STAMP)

    found = with_mappers(by("lpt"), instance)
    assert found.period.values[0].ticks == 11
    again = (
        "mapopt library export five -o instance.json && mapopt map instance.json --mapper lpt --seed 0 -o "
    )
    assert found.period.values[0].command.startswith(again)
    assert found.latency == by("lpt").latency
    for other in (by("maxtp"), by("rd"), by("period-assignment"), by("given"), best_of_five()):
        assert with_mappers(other, instance) == other
