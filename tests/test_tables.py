import pytest

from mapopt.errors import InputError
from mapopt.mapping import Mapping, Pattern
from mapopt.tables import read_table, write_table


@pytest.mark.parametrize("patterns", [(("u", "v"),), (("u", "v"), ("v", "v"))])
def test_round_trip(tmp_path, patterns):
    mapping = Mapping(nodes=("a,b", "c"), patterns=tuple(map(Pattern, patterns)))
    write_table(tmp_path / "m.csv", mapping)
    assert read_table(tmp_path / "m.csv") == mapping
    header = (tmp_path / "m.csv").read_text().splitlines()[0]
    assert header == ("node,unit" if len(patterns) == 1 else "pattern,node,unit")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs node, unit"),
        ("node,unit\n", "no rows"),
        ("node,unit,colour\na,u,red\n", "column 'colour' does not exist"),
        ("node,unit\na,u,7\n", "line 2: has 3 fields for 2 columns"),
        ("node,unit,priority\na,u,high\n", "priority is 'high'"),
        ("pattern,node,unit,priority\n0,a,u,1\n1,a,u,2\n", "two priorities"),
        ("node,unit\na,u\na,v\n", "line 3: node 'a' appears twice"),
        ("node,unit\na,\n", "one of them is missing"),
        ("pattern,node,unit\n1,a,u\n", "numbered from 0"),
        ("pattern,node,unit\n-1,a,u\n", "pattern number"),
        ("pattern,node,unit\n0,a,u\n1,b,u\n", "pattern 1 maps other nodes"),
    ],
)
def test_bad_tables(tmp_path, text, message):
    path = tmp_path / "m.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_table(path)


def test_priorities_travel_with_the_table(tmp_path):
    mapping = Mapping(
        nodes=("a", "b"), patterns=(Pattern(("u", "v")), Pattern(("v", "u"))), priorities=(5, -3)
    )
    write_table(tmp_path / "m.csv", mapping)
    assert read_table(tmp_path / "m.csv") == mapping
