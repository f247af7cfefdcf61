import pytest

from mapopt.errors import InputError
from mapopt.importers.rcmax import read_rcmax
from mapopt.transfers import Free


def written(tmp_path, text):
    path = tmp_path / "jobs.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_every_machine_is_a_unit_with_a_class_of_its_own(tmp_path):
    instance = read_rcmax(written(tmp_path, "3\n2\n5\t6\n7 8\r\n0\t10\n"))
    assert instance.name == "jobs"
    assert [(unit.name, unit.unit_class) for unit in instance.units] == [("m0", "m0"), ("m1", "m1")]
    assert [node.times for node in instance.nodes] == [(5, 6), (7, 8), (0, 10)]
    assert (instance.transfer, instance.tick_ps, instance.tensors) == (Free(), 1000, ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has 0 numbers"),
        ("3", "has 1 numbers"),
        ("3 2 1 2 3 4 5", "5 times for 3 jobs on 2 machines; it must have 6"),
        ("1 2 1 2 3", "3 times for 1 jobs on 2 machines; it must have 2"),
        ("1 2 1 x", "number 4 is 'x'"),
        ("1 2 1 2.5", "number 4 is '2.5'"),
        ("1 2 1 -2", "number 4 is -2; it must be in 0"),
        ("1 2 1 ²", "is not a text of numbers"),
        ("0 2", "number 1 is 0; it must be in 1"),
        ("-1 2 1 2", "number 1 is -1"),
        ("1 99999999999", "number 2 is 99999999999"),
        ("1 1 " + "9" * 30, "number 3 is '999"),
        ("1 1 1000000000000000000", "number 3 is 1000000000000000000; it must be in 0"),
        (b"\xff\xfe1\x002", "is not a text of numbers"),
    ],
)
def test_bad_files_are_explained(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_rcmax(written(tmp_path, text))


def test_a_missing_file_is_explained(tmp_path):
    with pytest.raises(InputError, match=r"no\.txt"):
        read_rcmax(tmp_path / "no.txt")
