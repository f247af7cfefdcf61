"""Tables of LBLP against the optimum are compared with the instances and their references."""

import pytest

from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.library import Library
from mapopt.library.checking import check
from mapopt.library.improving import with_record
from mapopt.library.ratios import COLUMNS, wrong_ratios
from mapopt.library.readme import refresh
from mapopt.library.references import Reference

from .libraries import README, record

MANIFEST = """
schema = "mapopt.family/1"
summary = "Two."
instances = [{ name = "period-path", file = "period.json" }, { name = "latency-equal", file = "latency.json" }]
"""


def path() -> Instance:
    """LBLP puts a path of two short nodes on two units, and the long node behind one of them: 12 instead of 8."""
    return Instance(
        "path",
        classes=("imc",),
        units=(Unit("a", "imc"), Unit("b", "imc")),
        nodes=tuple(InstanceNode(f"n{at}", (time,)) for at, time in enumerate((4, 4, 8))),
        tensors=(InstanceTensor("t", "n0", ("n1",), 1),),
    )


def equal() -> Instance:
    """LBLP leaves the units of the second class idle: two of three equal nodes share a unit, 36 instead of 18."""
    return Instance(
        "equal",
        classes=("imc", "dpu"),
        units=tuple(Unit(f"{kind}{at}", kind) for kind in ("imc", "dpu") for at in range(2)),
        nodes=tuple(InstanceNode(f"n{at}", (18, 18)) for at in range(3)),
    )


@pytest.fixture
def family(tmp_path):
    folder = tmp_path / "instances" / "ratios"
    folder.mkdir(parents=True)
    (folder / "family.toml").write_text(MANIFEST)
    rows = [
        ("`period-path`", 3, 2, 12, 12, 8, "1.500", "longest node", 12),
        ("`latency-equal`", 3, 4, 36, 36, 18, "2.000", "critical path", 36),
    ]
    lines = [COLUMNS, ["---"] * len(COLUMNS), *rows]
    table = "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
    (folder / "README.md").write_text(f"{README}\n{table}\n\n| other | table |\n| --- | --- |\n| 1 | 2 |\n")
    path().save(folder / "period.json")
    equal().save(folder / "latency.json")
    family = Library.open(folder.parent).families["ratios"]
    for member in family.members:
        instance = member.make().instance
        member.keep(with_record(Reference.of(instance), instance, record(instance), "2026-01-31"))
    refresh(family)
    return family


def altered(family, old, new):
    text = family.readme.read_text()
    assert old in text
    family.readme.write_text(text.replace(old, new))
    return " ".join(wrong_ratios(family))


def test_a_table_that_holds(family):
    assert list(wrong_ratios(family)) == []
    assert [each.problems for each in check(Library.open(family.path.parent))] == [(), (), ()]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("1.500", "1.600", "`period-path`: ratio is 1.600, but it is 1.500 when it is made again"),
        ("| 12 | 12 | 8 | 1.500", "| 13 | 12 | 8 | 1.500", "LBLP's period is 13, but it is 12"),
        ("| 12 | 12 | 8 | 1.500", "| 12 | 16 | 8 | 2.000", "LBLP's units is 16, but it is 12"),
        ("| 8 | 1.500", "| 6 | 2.000", "optimum is 6, but it is 8"),
        ("| 8 | 1.500 | longest node", "| 9 | 1.333 | longest node", "by 'longest node', which gives 8"),
        ("longest node", "magic", "bound or formulation 'magic' does not exist"),
        ("longest node | 12", "longest node | 11", "mapopt schedule is 11, but it is 12"),
        ("| 3 | 2 | 12", "| 4 | 2 | 12", "nodes is 4, but it is 3"),
        ("| 3 | 2 | 12", "| 3 | 3 | 12", "units is 3, but it is 2"),
        ("2.000", "1.999", "`latency-equal`: ratio is 1.999, but it is 2.000"),
        (
            "| 36 | 18 | 2.000",
            "| 72 | 18 | 4.000",
            "LBLP's units is 72; it must be from 27, a lower bound, to 36",
        ),
        (
            "| 36 | 18 | 2.000",
            "| 36 | 12 | 3.000",
            "optimum is 12; it must be from 18, a lower bound, to LBLP's 36",
        ),
        (
            "| 18 | 2.000 | critical path",
            "| 20 | 1.800 | latency-modulo",
            "but a schedule with latency 18 is known",
        ),
        ("critical path | 36", "critical path | 37", "mapopt schedule is 37, but it is 36"),
        ("period-path` | 3", "period-other` | 3", "`period-other`: is of no instance in the manifest"),
        ("| 8 | 1.500", "| eight | 1.500", "`period-path`: is no line of numbers"),
        ("| longest node | 12 |", "|", "`period-path`: is no line of numbers"),
    ],
)
def test_lines_that_were_altered_are_named(family, old, new, says):
    assert says in altered(family, old, new)


def test_a_check_of_the_library_names_them(family):
    altered(family, "1.500", "1.600")
    *_, files = check(Library.open(family.path.parent))
    assert "README.md: ratio of `period-path`: ratio is 1.600" in " ".join(files.problems)


def test_thousands_may_be_grouped_and_columns_follow(family):
    text = family.readme.read_text()
    more = "\n".join(f"{line} more |" if line.startswith("|") else line for line in text.splitlines())
    assert altered(family, text, more) == ""
    assert altered(family, "| 36 | 36 |", "| 3,6 | 36 |") == ""
