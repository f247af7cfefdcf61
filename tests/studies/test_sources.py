"""The code digest changes with what runs, and with nothing else."""

import importlib
import subprocess
import sys
import textwrap

import pytest

from mapopt.errors import InputError
from mapopt.studies import sources

FILES = {
    "__init__.py": "",
    "model.py": '''
        """A model."""
        from . import helper
        from .deep.inner import f

        def solve(x: int) -> int:
            """Solve it."""
            return helper.twice(x) + f(x)
        ''',
    "helper.py": "import numpy\n\ndef twice(x):\n    import package.lazy\n    return 2 * x\n",
    "lazy.py": "VALUE = 1\n",
    "deep/__init__.py": "",
    "deep/inner.py": "from ..other import g as f\n",
    "other.py": "def g(x):\n    return f'{x}'\n",
    "unrelated.py": "VALUE = 1\n",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package in a directory; the fixture writes it and returns its digest after an edit."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def digest(edits=(), modules=("package.model",)):
        for name, text in FILES.items():
            path = tmp_path / "package" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(dict(edits).get(name, text)))
        importlib.invalidate_caches()
        for each in list(sys.modules):
            if each.partition(".")[0] == "package":
                del sys.modules[each]
        for function in (sources._source, sources._imports, sources._file_digest):
            function.cache_clear()
        return sources.code_digest(*modules)

    return digest


@pytest.mark.parametrize("name", ["model.py", "helper.py", "lazy.py", "deep/inner.py", "other.py"])
def test_what_is_reached_counts(package, name):
    assert package() != package({name: textwrap.dedent(FILES[name]) + "\nX = 1\n"})


def test_what_is_not_reached_does_not_count(package):
    assert package() == package({"unrelated.py": "VALUE = 2\n"})
    assert package() != package({}, ("package.model", "package.unrelated"))


def test_documentation_layout_and_comments_do_not_count(package):
    edited = '''
        """Another text."""

        from . import helper  # helps
        from .deep.inner import f
        def solve(
            x: int,
        ) -> int:
            """More to say."""
            return (helper.twice(x)
                    + f(x))
        "An attribute's text."
        '''
    assert package() == package({"model.py": edited})


@pytest.mark.parametrize(
    ("before", "after"), [("2 * x", "3 * x"), ("2 * x", "2 * x if x else 'x'"), ("2 *", "2.0 *")]
)
def test_every_change_of_what_runs_counts(package, before, after):
    assert package() != package({"helper.py": FILES["helper.py"].replace(before, after)})


def test_the_order_of_modules_does_not_count(package):
    one = package({}, ("package.model", "package.unrelated"))
    assert one == package({}, ("package.unrelated", "package.model"))


def test_other_packages_are_named(package):
    package()
    assert sources.packages_of(["package.model"]) == ("numpy",)


def test_a_module_without_source_is_refused():
    with pytest.raises(InputError, match="no_such_module"):
        sources.code_digest("no_such_module")
    with pytest.raises(InputError, match="_socket"):
        sources.code_digest("_socket")


def test_a_mapper_does_not_depend_on_the_command_line_or_the_solvers():
    parts = {name.split(".")[1] for name in sources.reachable(["mapopt.mappers.lblp"]) if "." in name}
    assert "placement" in parts
    assert not parts & {"cli", "solvers", "studies", "importers", "comparison"}


def test_the_same_in_another_process_and_under_any_hash_seed():
    program = "from mapopt.studies.sources import code_digest; print(code_digest('mapopt.mappers.lblp'))"
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert found == {sources.code_digest("mapopt.mappers.lblp") + "\n"}
