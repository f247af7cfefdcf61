"""Imports run one way: a module may import only from its own layer or a lower one."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1] / "mapopt"
LAYERS = (
    ("errors",),
    ("documents", "options"),
    ("plugins",),
    ("transfers", "network", "platform"),
    ("instance",),
    ("costs", "whatif"),
    ("mapping", "importers", "sources", "tables", "feasibility"),
    ("placement",),
    ("emulator", "bounds"),
    ("verification", "mappers", "search", "solvers"),
    ("evidence", "explanation"),
    ("testing", "comparison", "studies", "library"),
    ("tuning",),
    ("certificate", "report"),
    ("cli",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("mapopt."):
            yield node.module.split(".")[1]


def test_imports_run_one_way():
    wrong = []
    for path in sorted(ROOT.rglob("*.py")):
        part = path.relative_to(ROOT).with_suffix("").parts[0]
        if part in ("__init__", "__main__"):
            continue
        wrong += [f"{path.name} imports {name}" for name in imports(path) if RANK[name] > RANK[part]]
    assert wrong == []


def test_mapopt_never_names_a_formulation():
    """They are found through entry points only."""
    wrong = [
        path.name
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "formulations")
        or (isinstance(node, ast.Import) and any(name.name.startswith("formulations") for name in node.names))
        or (isinstance(node, ast.Constant) and str(node.value).startswith("formulations"))
    ]
    assert wrong == []


def test_formulations_do_not_import_each_other():
    wrong = [
        path.name
        for path in (ROOT.parent / "formulations").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith("formulations"))
    ]
    assert wrong == []


def test_the_judges_share_nothing_with_mappers():
    for name in (
        "feasibility.py",
        "verification.py",
        "emulator/reference.py",
        "emulator/reference_frames.py",
    ):
        assert not set(imports(ROOT / name)) & {"mappers", "placement", "bounds"}
