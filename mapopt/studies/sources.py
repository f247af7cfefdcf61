"""A digest of the code that a result depends on, and of nothing else.

Starting from the modules that make a result, imports are followed through the packages of these modules; what cannot be
reached from there (the command line, the documentation, other mappers) does not count. Of each file only what runs
counts: comments, layout and documentation strings do not. So committed records stay valid when something else changes,
and stop being valid as soon as anything changes that could have changed them.

Imports by name at run time (``importlib``, entry points) are not seen: name such modules beside the first one.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import msgspec

from mapopt.errors import InputError


def code_digest(*modules: str) -> str:
    """Return the digest of modules and of everything they import from their own packages.

    Parameters
    ----------
    modules
        Full names; the packages that are followed are their top-level ones.

    Returns
    -------
    str
        ``sha256:<hex>``, the same for every order of the modules.

    Raises
    ------
    InputError
        If a module does not exist or has no Python source.
    """
    sources = reachable(modules)
    shapes = [[name, _file_digest(path)] for name, path in sorted(sources.items())]
    return "sha256:" + hashlib.sha256(msgspec.json.encode(shapes)).hexdigest()


def reachable(modules: Iterable[str]) -> dict[str, Path]:
    """Return the source of modules and of everything they import from their own packages, by module name.

    Raises
    ------
    InputError
        If a module does not exist or has no Python source.
    """
    waiting = list(modules)
    packages = {name.partition(".")[0] for name in waiting}
    found: dict[str, Path] = {}
    for name in waiting:
        if _source(name) is None:
            raise InputError(
                f"module {name!r}: has no Python source; name a module that is installed with its source"
            )
    while waiting:
        name = waiting.pop()
        path = _source(name)
        if name in found or path is None:
            continue
        found[name] = path
        waiting += [each for each in _imports(name, path) if each.partition(".")[0] in packages]
    return found


def packages_of(modules: Iterable[str]) -> tuple[str, ...]:
    """Return the other packages that are imported by the modules or what they import, without the standard library."""
    sources = reachable(modules)
    own = {name.partition(".")[0] for name in sources}
    roots = {each.partition(".")[0] for name, path in sources.items() for each in _imports(name, path)}
    return tuple(sorted(roots - own - sys.stdlib_module_names - {""}))


@cache
def _source(name: str) -> Path | None:
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin)


@cache
def _imports(name: str, path: Path) -> tuple[str, ...]:
    return tuple(_imported(_tree(path), name if path.name == "__init__.py" else name.rpartition(".")[0]))


def _imported(tree: ast.Module, package: str) -> Iterator[str]:
    """Yield the modules that a module may import, and the names that may be modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


@cache
def _file_digest(path: Path) -> str:
    return hashlib.sha256(msgspec.json.encode(_shape(_tree(path)))).hexdigest()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes(), str(path))


def _shape(value: object) -> object:
    """Return a syntax tree as nested lists, without strings that stand alone and without empty fields.

    New versions of Python add fields, empty in old code, to its trees.
    """
    if isinstance(value, ast.AST):
        fields = ((name, _shape(each)) for name, each in ast.iter_fields(value))
        return [type(value).__name__, *([name, each] for name, each in fields if each not in (None, []))]
    if isinstance(value, list):
        return [_shape(each) for each in value if not _is_documentation(each)]
    return value if value is None or isinstance(value, str) else repr(value)


def _is_documentation(node: object) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
