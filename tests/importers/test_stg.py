"""Task graphs of the Standard Task Graph Set."""

from __future__ import annotations

from pathlib import Path

import pytest

from mapopt.errors import InputError
from mapopt.importers.stg import read_stg

GRAPH = """
    3
    0  0  0
    1  4  1  0
    2  3  1  0
    3  2  2  1 2
    4  0  1  3
# Tasks : 3
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "graph.stg"
    path.write_text(text)
    return path


def test_read(tmp_path: Path) -> None:
    instance = read_stg(write(tmp_path, GRAPH), 2)
    assert [node.times for node in instance.nodes] == [(0,), (4,), (3,), (2,), (0,)]
    assert [(source, target) for source, target, _ in instance.edges] == [
        (0, 1),
        (0, 2),
        (1, 3),
        (2, 3),
        (3, 4),
    ]
    assert len(instance.units) == 2
    assert len(set(instance.unit_class.tolist())) == 1
    assert instance.name == "graph-2"


def test_no_tasks_but_dummies(tmp_path: Path) -> None:
    assert len(read_stg(write(tmp_path, "0 0 0 0 1 0 1 0"), 1).nodes) == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    4  0  1  3\n", "", "row 4 of 5: the id; it is cut short"),
        ("1 2\n    4  0  1  3", "1", "ends before row 3 of 5: a predecessor"),
        ("1  4  1  0", "1 -4  1  0", "row 1 of 5: the time is '-4'"),
        ("1  4  1  0", "1  x  1  0", "the time is 'x'"),
        ("1  4  1  0", "1  4  1  2", "the predecessor is 2; it must be below 1"),
        ("1  4  1  0", "1  4  1  1", "it must be below 1"),
        ("2  2  1 2", "2  2  1 1", "predecessor 1 is given twice"),
        ("2  3  1  0", "7  3  1  0", "the id is 7; ids must be"),
        ("1  4  1  0", "1  4  9  0", "number of predecessors is '9'"),
        ("# Tasks : 3", "5", "has '5' after its last task"),
        ("    3\n    0", "    0", "row 0 of 2: the number of predecessors is '1'"),
    ],
)
def test_bad_files(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GRAPH
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        read_stg(write(tmp_path, GRAPH.replace(old, new, 1)), 2)


def test_bad_arguments(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="units: is 0"):
        read_stg(write(tmp_path, GRAPH), 0)
    with pytest.raises(InputError, match=r"missing\.stg"):
        read_stg(tmp_path / "missing.stg", 1)
    (tmp_path / "binary.stg").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not a text"):
        read_stg(tmp_path / "binary.stg", 1)
