import re

import msgspec
import pytest

from mapopt.errors import InputError
from mapopt.library.generators.planted import generate
from mapopt.library.references import Finding, Level, Reference
from mapopt.library.schedules import Schedule
from mapopt.solvers.model import Status

from .libraries import best_of_five, five


def finding(ticks):
    return Finding(ticks, "somebody", "0.1.0", "2026-01-31")


def test_levels_keep_their_history_and_take_only_what_is_better():
    level = Level().with_value(finding(9)).with_bound(finding(3))
    assert (level.value, level.bound, level.status, level.gap) == (9, 3, Status.FEASIBLE, 2.0)
    assert level.with_value(finding(9)) == level.with_value(finding(10)) == level
    assert level.with_bound(finding(3)) == level.with_bound(finding(2)) == level
    closed = level.with_value(finding(5)).with_bound(finding(5))
    assert [each.ticks for each in closed.values] == [9, 5]
    assert [each.ticks for each in closed.bounds] == [3, 5]
    assert (closed.status, closed.gap) == (Status.OPTIMAL, 0.0)
    assert (Level().status, Level().gap) == (Status.UNKNOWN, None)


def test_a_bound_above_a_value_is_refused():
    level = Level((finding(9),), (finding(3),))
    with pytest.raises(InputError, match="bound 10: exceeds the value 9"):
        level.with_bound(finding(10))
    with pytest.raises(InputError, match="exceeds"):
        level.with_value(finding(2))
    with pytest.raises(InputError, match="must fall"):
        Level((finding(3), finding(9)))
    with pytest.raises(InputError, match="must rise"):
        Level((), (finding(9), finding(9)))


def test_a_day_that_does_not_exist_is_refused():
    with pytest.raises(InputError, match="2026-02-30"):
        Finding(1, "somebody", "0.1.0", "2026-02-30")


@pytest.mark.parametrize("transfer", ["delay", "links"])
def test_schedules_in_numbers_are_the_mapping(transfer):
    planted = generate(transfer=transfer, seed=2)
    schedule = Schedule.of(planted.instance, planted.mapping)
    again = schedule.mapping(planted.instance, planted.mapping.claims)
    assert Schedule.of(planted.instance, again) == schedule
    assert again.patterns[0].units == planted.mapping.patterns[0].units
    assert again.patterns[0].starts == planted.mapping.patterns[0].starts
    assert set(again.patterns[0].transfers) == set(planted.mapping.patterns[0].transfers)
    assert bool(schedule.transfers) == (transfer == "links")


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule(10, (9,) * 5, (0,) * 5),
        Schedule(10, (0,) * 5, (0,) * 5, ((99, 0, 1),)),
        Schedule(10, (0,) * 5, (0,) * 5, ((1,),)),
    ],
)
def test_numbers_that_do_not_exist_are_refused(schedule):
    with pytest.raises(InputError, match="by a number that instance 'five' does not have"):
        schedule.mapping(five())


def test_references_are_read_as_written(tmp_path):
    best_of_five().save(tmp_path / "r.json")
    found = Reference.load(tmp_path / "r.json")
    assert msgspec.structs.replace(found, seal="") == best_of_five()
    assert found.seal == found.content_seal == best_of_five().content_seal
    assert len((tmp_path / "r.json").read_text().splitlines()) < 15
    assert (
        best_of_five().schedule_class
        == "time-triggered, one pattern (K = 1), no duplication, delay transfers"
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"schedule": None}, "go together"),
        ({"latency": Level()}, "go together"),
        ({"schedule": Schedule(11, (0,) * 5, (0,) * 5)}, "the schedule repeats every 11"),
        ({"latency": Level((finding(29),), (), 11)}, "latency is that at a period of 11"),
        ({"former": (Level((finding(9),), (), 10),)}, "must fall, and be longer than the period of 10"),
        ({"former": (Level((), (), 11), Level((), (), 12))}, "must fall"),
    ],
)
def test_parts_that_contradict_each_other_are_refused(changes, says):
    with pytest.raises(InputError, match=says):
        msgspec.structs.replace(best_of_five(), **changes)


def test_a_reference_is_proven_if_both_levels_are():
    reference = best_of_five()
    assert reference.period.status is Status.OPTIMAL
    assert reference.status is Status.FEASIBLE
    proven = msgspec.structs.replace(reference, latency=reference.latency.with_bound(finding(29)))
    assert proven.status is Status.OPTIMAL
    assert Reference.of(five()).status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"effort_s": 5.0', '"effort_s": -5.0', "effort_s is -5.0"),
        ('"effort_s": 5.0', '"effort_s": 1e999', "out of range"),
        ('"effort_s": 5.0', '"effort_s": NaN', "not valid JSON"),
        (
            '"effort_s": 5.0',
            '"effort_s": 6.0',
            "the reference was altered: take it from version control again",
        ),
        ('"by":"lpt"', '"by":"lpu"', "altered"),
        ('"values":[', '"values":[{"ticks":99,"by":"lpt","version":"0.1.0","date":"2026-01-31"},', "altered"),
        ('"ticks":10,', '"ticks":10,"run":"no id",', "period.values"),
    ],
)
def test_references_that_were_edited_are_refused(tmp_path, old, new, says):
    path = tmp_path / "r.json"
    msgspec.structs.replace(best_of_five(), effort_s=5.0).save(path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError) as error:
        Reference.load(path)
    assert says in str(error.value)


def test_references_of_former_versions_without_seal_and_runs_are_read(tmp_path):
    path = tmp_path / "r.json"
    best_of_five().save(path)
    path.write_text(re.sub(r',\n "seal": "[^"]*"', "", path.read_text()))
    found = Reference.load(path)
    assert (found.seal, found) == ("", best_of_five())
    assert {(each.run, each.command) for each in found.findings} == {(None, "")}


@pytest.mark.parametrize("seconds", [float("inf"), float("nan")])
def test_seconds_are_finite(seconds):
    with pytest.raises(InputError, match=f"effort_s is {seconds}; it must be finite"):
        msgspec.structs.replace(best_of_five(), effort_s=seconds)


def test_a_finding_of_the_same_ticks_lends_its_run_once():
    plain, first, second = finding(9), *(named(9, run) for run in "ab")
    assert Level((plain,)).with_value(first).values == (named(9, "a"),)
    assert Level((first,)).with_value(second).values == (first,)
    assert Level((plain,)).with_value(named(10, "a")).values == (plain,)
    assert Level((), (plain,)).with_bound(first).bounds == (named(9, "a"),)


def named(ticks, run):
    return msgspec.structs.replace(finding(ticks), run=32 * run, command=run)
