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


def test_families_that_differ_in_case_alone_are_refused(library):
    small = library.families["small"].path
    (small.parent / "Small").mkdir()
    (small.parent / "Small" / "family.toml").write_text((small / "family.toml").read_text())
    with pytest.raises(InputError, match="family 'small': differs from 'Small' in upper and lower case"):
        Library.open(library.path)


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["small"], ["small/five", "small/planted"]),
        (["*"], ["small/five", "small/planted"]),
        (["small/planted", "small/f*", "sm*/five"], ["small/five", "small/planted"]),
        (["s?all/[a-g]*"], ["small/five"]),
    ],
)
def test_instances_are_named_by_family_or_pattern(library, patterns, names):
    assert [member.name for member in library.named(patterns)] == names


@pytest.mark.parametrize(
    ("patterns", "says"),
    [
        (["small", "smal"], "family 'smal' does not exist; did you mean 'small'"),
        (["smal/five"], "family 'smal' does not exist; did you mean 'small'"),
        (["small/five", "small/fife"], "no instance matches small/fife; names look like 'small/five'"),
        (["t*"], "no instance matches t"),
    ],
)
def test_every_pattern_names_something(library, patterns, says):
    with pytest.raises(InputError, match=says):
        library.named(patterns)
