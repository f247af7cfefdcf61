import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from mapopt.errors import InputError
from mapopt.instance import Instance, InstanceNode, Unit
from mapopt.mappers import registry
from mapopt.mappers.base import Mapper
from mapopt.testing import check_mapper

IN_TREE = ("cpop", "cpop-tp", "heft", "heft-tp", "lblp", "lpt", "maxtp", "pipeline", "rd", "rr", "wb")

THIRD_PARTY = """
from dataclasses import dataclass
from typing import Literal

from mapopt.mappers.base import Heuristic, Placement
from mapopt.options import Options, option
from mapopt.mappers.packing import Packing
from mapopt.placement.problem import Problem


@dataclass(frozen=True)
class LastOptions(Options):
    which: Literal["last", "first"] = option("last", "which unit that fits")


class LastUnit(Heuristic[LastOptions]):
    name = "last-unit"
    summary = "every node on the last unit that takes it"
    options_type = LastOptions

    def place(self, problem: Problem, packing: Packing, seed: int) -> Placement:
        for group in range(len(problem.groups)):
            units = packing.everywhere(group)
            packing.place(group, units[-1 if self.options.which == "last" else 0])
        return Placement(problem.units(packing.unit_of))
"""


def install(
    where: Path,
    distribution: str,
    entries: dict[str, str],
    modules: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Lay out what an installer would leave on the path, and put it there."""
    information = where / f"{distribution}-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    lines = [f"{name} = {value}" for name, value in entries.items()]
    (information / "entry_points.txt").write_text("\n".join(["[mapopt.mappers]", *lines, ""]))
    for name, text in modules.items():
        (where / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(where))
    importlib.invalidate_caches()


def test_the_mappers_of_this_project_are_registered() -> None:
    found = {info.name: info for info in registry.available()}
    assert set(IN_TREE) <= set(found)
    for name in IN_TREE:
        assert found[name].summary
        assert found[name].reference
        assert found[name].distribution.startswith("mapopt ")
    assert found["rd"].is_random
    assert {option.name for option in found["lblp"].options} >= {
        "path_order",
        "peel",
        "avoid",
        "scope",
        "slack",
    }


def test_a_third_party_is_found_used_and_keeps_the_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(
        tmp_path, "plus", {"last-unit": "plus_mappers:LastUnit"}, {"plus_mappers": THIRD_PARTY}, monkeypatch
    )
    assert "last-unit" in registry.names()
    assert "plus_mappers" not in sys.modules
    mapper: Mapper = registry.get("last-unit")
    check_mapper(mapper)
    check_mapper(registry.get("last-unit", ["which=first"]))
    info = next(info for info in registry.available() if info.name == "last-unit")
    assert info.distribution == "plus 1.0"
    assert [option.name for option in info.options] == ["which"]


def test_a_name_registered_twice_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "again", {"wb": "again_mappers:Wb"}, {}, monkeypatch)
    with pytest.raises(InputError, match=r"'wb'.*again 1\.0.*mapopt") as caught:
        registry.names()
    assert "uninstall one" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import no_such_module_anywhere", "ModuleNotFoundError"),
        ("raise RuntimeError('on import')", "RuntimeError: on import"),
        ("", "AttributeError"),
        ("class Broken: name = 'broken'", "lacks summary"),
        (
            "from mapopt.mappers.greedy import WeightBalance\nclass Broken(WeightBalance): pass",
            "calls itself 'wb'",
        ),
        (
            "from mapopt.mappers.greedy import WeightBalance\n"
            "class Broken(WeightBalance):\n    name = 'broken'\n    options_type = dict",
            "options_type must be",
        ),
    ],
)
def test_a_mapper_that_cannot_be_loaded_is_named_when_used_or_listed(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "broken_mappers", raising=False)
    install(tmp_path, "broken", {"broken": "broken_mappers:Broken"}, {"broken_mappers": text}, monkeypatch)
    assert "broken" in registry.names()
    assert registry.get("wb").name == "wb"
    for act in (lambda: registry.get("broken"), registry.available):
        with pytest.raises(InputError) as caught:
            act()
        assert "mapper 'broken' of broken 1.0" in str(caught.value)
        assert message in str(caught.value)
    monkeypatch.delitem(sys.modules, "broken_mappers", raising=False)


def test_an_unknown_name_lists_close_ones() -> None:
    with pytest.raises(InputError, match=r"mapper 'lblb': is not registered; did you mean 'lblp'"):
        registry.get("lblb")


def test_a_refused_option_names_mapper_and_choices() -> None:
    with pytest.raises(
        InputError, match=r"mapper 'lblp': option 'avoid': is 'x'; it must be off \| tied \| hard"
    ):
        registry.get("lblp", ["avoid=x"])
    with pytest.raises(InputError, match=r"mapper 'wb': option 'x': .* it has no options"):
        registry.get("wb", {"x": 1})


def test_mapping_names_mapper_options_and_seed() -> None:
    instance = Instance("i", classes=("imc",), units=(Unit("u", "imc"),), nodes=(InstanceNode("n", (1,)),))
    mapping = registry.get("lblp", ["slack=0.5"]).map(instance, seed=3)
    assert mapping.mapper is not None
    assert (mapping.mapper.name, mapping.mapper.seed) == ("lblp", 3)
    assert mapping.mapper.options["slack"] == 0.5
    again = registry.get(mapping.mapper.name, mapping.mapper.options)
    assert again.map(instance, seed=3) == mapping


def test_listing_names_imports_no_mapper() -> None:
    script = (
        "import sys; from mapopt.mappers.registry import names; assert 'lblp' in names(); "
        "sys.exit(any(name in sys.modules for name in ('mapopt.mappers.lblp', 'numba', 'networkx', 'onnx')))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
