import pytest

from mapopt.errors import InputError
from mapopt.library import Library, load

from .libraries import five


def test_instances_are_found_and_loaded_by_name(library):
    assert [member.name for member in library] == ["small/five", "small/planted"]
    assert load("small/five", library.path).digest == five().digest
    assert load("small/five", library.path).name == "small/five"


def test_selections(library):
    assert [member.name for member in library.select(["small"], ["*/fi*"])] == ["small/five"]
    assert len(library.select()) == 2
    with pytest.raises(InputError, match="did you mean 'small'"):
        library.select(["smal"])
    with pytest.raises(InputError, match="no instance matches nothing"):
        library.select([], ["nothing"])


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("smal/five", "family 'smal' does not exist"),
        ("small/fife", "did you mean 'five'"),
        ("small", "instance ''"),
    ],
)
def test_unknown_names(library, name, says):
    with pytest.raises(InputError, match=says):
        library.member(name)


def test_a_folder_without_a_library_is_explained(tmp_path):
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(InputError, match=r"is no instance library.*--library"):
            Library.open(folder)


def test_strays(library):
    family = library.families["small"]
    assert family.strays() == []
    stray = family.path / "references" / "six.json"
    stray.write_text("{}")
    assert family.strays() == [stray]


def test_damaged_references_are_named(library):
    member = library.member("small/five")
    member.reference_file.write_text("{")
    with pytest.raises(InputError, match=r"five\.json: not valid JSON"):
        member.reference()
