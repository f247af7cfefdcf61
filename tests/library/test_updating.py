import json

import msgspec

from mapopt.library.checking import check
from mapopt.library.updating import Effort, take_records, update
from mapopt.studies.store import RunStore
from mapopt.studies.study import RunLimits
from mapopt.studies.tasks import SolveTask

from .libraries import five, record, write_library


def run(library, **changes):
    found = []
    update(library, list(library), Effort(RunLimits(10.0), **changes), on_updated=found.append)
    return {each.name: each for each in found}


def test_references_are_solved_kept_and_not_solved_again(tmp_path):
    library = write_library(tmp_path / "instances")
    found = run(library)
    assert {name: (each.status, each.solved, each.problem) for name, each in found.items()} == {
        "small/five": ("optimal", True, ""),
        "small/planted": ("optimal", True, ""),
    }
    assert found["small/five"].gained == ("period", "period bound", "latency", "latency bound")
    five_now = library.member("small/five").reference()
    assert (five_now.period.value, five_now.latency.value, five_now.effort_s) == (10, 29, 10.0)
    assert five_now.solved_s is not None
    assert library.member("small/planted").reference().latency.values[0].by == "construction"
    assert [each.problems for each in check(library)] == [(), (), ()]
    planted = library.member("small/planted")
    text = planted.reference_file.read_text()
    data = {key: value for key, value in json.loads(text).items() if key != "seal"}
    planted.reference_file.write_text(json.dumps(data))
    assert not any(each.solved for each in run(library).values())
    assert planted.reference_file.read_text() == text


def test_a_second_solve_starts_from_the_best_schedule_and_says_nothing_about_the_class(library):
    member = library.member("small/five")
    member.keep(msgspec.structs.replace(member.reference(), effort_s=1.0))
    update(library, [member], Effort(RunLimits(10.0)))
    reference = member.reference()
    assert (reference.status, reference.effort_s, reference.solved_s) == ("optimal", 10.0, None)
    assert len(reference.latency.values) == 1


def test_what_needs_a_solve(library):
    reference = library.member("small/five").reference()
    tried = msgspec.structs.replace(reference, effort_s=10.0)
    proven = msgspec.structs.replace(library.member("small/planted").reference(), effort_s=1.0)
    effort = Effort(RunLimits(10.0))
    assert effort.is_needed(reference)
    assert not effort.is_needed(tried)
    assert not effort.is_needed(proven)
    assert Effort(RunLimits(20.0)).is_needed(tried)
    assert Effort(RunLimits(10.0), again=True).is_needed(proven)


def test_an_instance_that_is_made_differently_is_left_alone(library):
    member = library.member("small/five")
    before = member.reference_file.read_bytes()
    msgspec.structs.replace(five(), tick_ps=7).save(member.family / "five.json")
    found = []
    update(library, [member], Effort(RunLimits(10.0)), on_updated=found.append)
    assert "is made in another way than before" in found[0].problem
    assert not found[0].solved
    assert member.reference_file.read_bytes() == before


def test_what_is_found_names_its_run_and_the_command_that_repeats_it(tmp_path):
    library = write_library(tmp_path / "instances")
    run(library, seed=3)
    found = {member.name: member.reference() for member in library}
    assert all(each.is_repeatable for reference in found.values() for each in reference.findings)
    task = SolveTask("period,latency", RunLimits(10.0))
    latency = found["small/five"].latency.values[-1]
    assert latency.run == task.key(five().digest, 3).id
    assert latency.command == (
        "mapopt library export small/five -o instance.json && " + task.command("instance.json", 3)
    )
    assert found["small/planted"].latency.values[0].command == "mapopt library check --only small/planted"


def test_a_solve_that_goes_on_from_a_schedule_is_repeated_by_an_update(library):
    member = library.member("small/five")
    member.keep(msgspec.structs.replace(member.reference(), effort_s=1.0))
    update(library, [member], Effort(RunLimits(10.0)))
    assert member.reference().latency.bounds[-1].command == (
        "mapopt library update --only small/five --again --time-limit 10 --workers 1 --seed 0"
    )


def test_a_fresh_solve_is_repeated_by_a_solve(library):
    member = library.member("small/five")
    member.keep(msgspec.structs.replace(member.reference(), effort_s=10.0))
    update(library, [member], Effort(RunLimits(10.0), again=True, fresh=True))
    latency = member.reference().latency
    assert [" && mapopt solve " in each.command for each in (latency.values[-1], latency.bounds[-1])] == [
        True
    ] * 2
    assert latency.bounds[-1].run == SolveTask("period,latency", RunLimits(10.0)).key(five().digest, 0).id


def test_a_solve_that_found_nothing_better_than_its_start_repeats_no_value(library):
    member = library.member("small/five")
    member.keep(msgspec.structs.replace(member.reference(), effort_s=1.0))
    update(library, [member], Effort(RunLimits(10.0)))
    value = member.reference().latency.values[-1]
    assert (value.ticks, value.is_repeatable) == (29, False)


def test_references_without_seal_are_sealed_and_their_bounds_named(library, tmp_path):
    file = library.member("small/five").reference_file
    data = json.loads(file.read_text())
    file.write_text(json.dumps({key: value for key, value in data.items() if key != "seal"}))
    store = RunStore(tmp_path / "runs")
    store.put(record(msgspec.structs.replace(five(), tick_ps=7)))
    take_records(library, list(library), store)
    found = library.member("small/five").reference()
    assert found.seal == found.content_seal
    assert [each.is_repeatable for each in found.findings] == [False, True, False, True]
    assert [each.problems for each in check(library)] == [(), (), ()]


def test_records_of_studies_are_taken(library, tmp_path):
    store = RunStore(tmp_path / "runs")
    store.put(record(five()))
    found = []
    take_records(library, list(library), store, on_updated=found.append)
    assert [(each.name, each.status, each.gained) for each in found] == [
        ("small/five", "optimal", ("latency bound",)),
        ("small/planted", "optimal", ()),
    ]
    assert library.member("small/five").reference().effort_s == 10.0
    assert [each.problems for each in check(library)] == [(), (), ()]
