import pytest

from tests.library.libraries import write_library, write_references


@pytest.fixture
def library(tmp_path):
    """A library with references."""
    made = write_library(tmp_path / "instances")
    write_references(made)
    return made
