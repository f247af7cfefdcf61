import json

import msgspec
import pytest

from mapopt.library.checking import check

from .libraries import five


def altered(member, change):
    """Change the data of a reference on the disk."""
    data = json.loads(member.reference_file.read_text())
    change(data)
    member.reference_file.write_text(json.dumps(data))


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
    data["former"] = [{"period_ticks": 11, "values": [dict(data["latency"]["values"][-1], ticks=1)]}]


def extra(data):
    data["nodes"] = 6


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
    ],
)
def test_references_that_were_altered_are_named(library, change, says):
    altered(library.member("small/five"), change)
    assert says in problems(library)["small/five"]


def test_bounds_that_rest_on_a_search_are_counted(library):
    altered(library.member("small/five"), lambda data: data["latency"]["bounds"][-1].update(ticks=25))
    five = check(library)[0]
    assert (five.problems, five.claimed) == ((), ("latency",))


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
