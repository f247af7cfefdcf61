import pytest

from mapopt.errors import InputError
from mapopt.library.readme import BEGIN, is_current, refresh, table


def test_the_table_shows_values_bounds_and_classes(library):
    five, planted = table(library.families["small"]).splitlines()[2:]
    assert five == "| five | five.json | 5 | 2 | delay | 10 | 29 (≥ 20) | 45.00% of the latency | open |"
    assert planted.startswith("| planted | planted(imcs=2, dpus=1, ")
    assert planted.endswith("| proven | toy |") or planted.endswith("| proven | hard |")


def test_only_the_table_is_replaced(library):
    family = library.families["small"]
    text = family.readme.read_text()
    assert text.startswith("# Small ones\n")
    assert text.endswith("\nThe end.\n")
    assert is_current(family)
    family.readme.write_text(text.replace("| 10 |", "| 11 |"))
    assert not is_current(family)
    refresh(family)
    assert family.readme.read_text() == text


def test_instances_without_reference_have_empty_cells(library):
    library.member("small/five").reference_file.unlink()
    assert "| five | five.json |  |  |  |  |  |  |  |" in table(library.families["small"])


def test_a_readme_without_a_place_for_the_table_is_refused(library):
    family = library.families["small"]
    family.readme.write_text(f"# Small ones\n{BEGIN}\n")
    with pytest.raises(InputError, match="has no place for the table"):
        refresh(family)
    family.readme.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        is_current(family)
