import contextlib
import json

import msgspec
import pytest

from mapopt.errors import InputError
from mapopt.library.checking import check
from mapopt.library.references import Reference

from .libraries import five


def altered(member, change):
    """Change the data of a reference on the disk, and seal it where it can be read."""
    data = json.loads(member.reference_file.read_text())
    change(data)
    member.reference_file.write_text(json.dumps({**data, "seal": ""}))
    with contextlib.suppress(InputError):
        Reference.load(member.reference_file).save(member.reference_file)


def problems(library):
    return {each.name: " ".join(each.problems) for each in check(library) if each.problems}


def test_a_library_that_holds(library):
    found = check(library)
    assert [(each.name, each.problems) for each in found] == [
        ("small/five", ()),
        ("small/planted", ()),
        ("small", ()),
    ]
    assert all(each.claimed == () for each in found)


def digest(data):
    data["digest"] = "sha256:" + 64 * "0"


def start(data):
    data["schedule"]["starts"][0] += 1


def unit(data):
    data["schedule"]["units"][0] = 7


def value(data):
    data["latency"]["values"][-1]["ticks"] -= 1


def period(data):
    for each in (data["period"]["values"][-1], data["period"]["bounds"][-1]):
        each["ticks"] = 9
    data["latency"]["period_ticks"] = data["schedule"]["horizon"] = 9


def bound(data):
    data["latency"]["bounds"][-1]["ticks"] = 30


def former(data):
    data["period"]["values"].insert(0, dict(data["period"]["values"][0], ticks=11))
    data["former"] = [{"period_ticks": 11, "values": [dict(data["latency"]["values"][-1], ticks=1)]}]


def extra(data):
    data["nodes"] = 6


def finder(data):
    data["latency"]["values"][-1]["by"] = "magic"


def prover(data):
    data["latency"]["bounds"][-1]["by"] = "magic, or latency-modulo without contention"


def overstated(data):
    data["latency"]["bounds"][-1]["ticks"] = 21


def constructed(data):
    data["period"]["bounds"][-1]["by"] = "construction"


def first(data):
    data["period"]["values"].insert(0, dict(data["period"]["values"][0], ticks=99))


def day(data):
    data["latency"]["values"].insert(0, dict(data["latency"]["values"][0], ticks=99, date="2026-02-01"))


def effort(data):
    data["period"]["values"][-1]["run"] = "0" * 32


def quick(data):
    data["effort_s"], data["solved_s"] = 5.0, 0.1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (digest, "digest: is sha256:"),
        (start, "mapping: breaks the rule"),
        (unit, "by a number that instance"),
        (value, "claims latency_ticks 28, but it is 29"),
        (period, "below a lower bound of 10"),
        (bound, "bound 30: exceeds the value 29"),
        (former, "latency at a former period of 11: is 1, below a lower bound"),
        (extra, "nodes: is 5, but the reference is of an instance with 6"),
        (finder, "latency: value 29 of 2026-01-31: mapper or formulation 'magic' does not exist"),
        (prover, "latency: bound 20 of 2026-01-31: bound or formulation 'magic' does not exist"),
        (overstated, "latency: bound 21 of 2026-01-31: is by 'critical path', which gives 20"),
        (constructed, "period: bound 10 of 2026-01-31: bound or formulation 'construction' does not exist"),
        (first, "period: its earlier values are [99], but there are former latencies at []"),
        (day, "latency: the dates of its values are 2026-02-01, 2026-01-31"),
        (effort, "effort_s: is 0, but a run is named"),
        (quick, "solved_s: is 0.1, but the reference is feasible after an effort of 5 s"),
    ],
)
def test_references_that_were_altered_are_named(library, change, says):
    altered(library.member("small/five"), change)
    assert says in problems(library)["small/five"]


def test_bounds_that_rest_on_a_search_are_counted(library):
    searched = {"ticks": 25, "by": "latency-modulo, or latency-modulo-transfers without contention"}
    altered(library.member("small/five"), lambda data: data["latency"]["bounds"][-1].update(searched))
    five = check(library)[0]
    assert (five.problems, five.claimed) == ((), ("latency",))


def test_earlier_values_and_findings_without_a_run_are_counted(library):
    found, planted, _ = check(library)
    assert (found.past, found.unrepeated, planted.unrepeated) == (0, 4, 0)

    def worse(data):
        data["latency"]["values"].insert(0, dict(data["latency"]["values"][0], ticks=99))
        data["latency"]["bounds"][0]["command"] = "mapopt bounds"

    altered(library.member("small/five"), worse)
    found = check(library)[0]
    assert (found.problems, found.past, found.unrepeated) == ((), 1, 4)


def test_a_reference_without_seal_is_named(library):
    file = library.member("small/five").reference_file
    data = json.loads(file.read_text())
    file.write_text(json.dumps({key: value for key, value in data.items() if key != "seal"}))
    assert "has no seal; `mapopt library update`" in problems(library)["small/five"]


def test_findings_that_were_brought_from_elsewhere_may_name_a_file(library):
    imported = {"by": "table.csv", "version": "before 0.1.0"}
    altered(library.member("small/five"), lambda data: data["latency"]["bounds"][-1].update(imported))
    assert check(library)[0].problems == ()


def test_a_reference_that_falls_short_of_the_construction_is_named(library):
    altered(library.member("small/planted"), lambda data: data["latency"]["bounds"].pop())
    assert "by construction" in problems(library)["small/planted"]


def test_missing_references_strays_and_stale_tables_are_named(library):
    family = library.families["small"]
    library.member("small/five").reference_file.rename(family.path / "references" / "six.json")
    found = problems(library)
    assert "has no reference" in found["small/five"]
    assert "six.json: is a reference of no instance" in found["small"]
    assert "its table is not that of the references" in found["small"]


def test_an_instance_that_is_made_differently_is_named(library):
    path = library.families["small"].path / "five.json"
    msgspec.structs.replace(five(), tick_ps=7).save(path)
    assert "digest" in problems(library)["small/five"]
    path.unlink()
    assert "cannot be read" in problems(library)["small/five"]
