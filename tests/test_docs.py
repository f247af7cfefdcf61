"""What the documentation shows as JSON, mapopt reads."""

import json
import re
from pathlib import Path

import pytest

from mapopt.feasibility import check
from mapopt.instance import Instance
from mapopt.mapping import Mapping

ROOT = Path(__file__).parents[1]
DOCS = sorted((ROOT / "docs").glob("*.md"))


def blocks():
    text = (ROOT / "docs" / "instances.md").read_text()
    return re.findall(r"```\n( ?[{\"].*?)```", text, flags=re.DOTALL)


def test_the_examples_of_instances_and_mappings():
    toy, links, swapped = blocks()
    instance = Instance.from_json(toy.encode())
    wired = json.loads(toy) | json.loads("{" + links + "}")
    assert Instance.from_json(json.dumps(wired).encode()).transfer.routes[0].links == ("port", "bus")
    broken = check(instance, Mapping.from_json(swapped.encode()))
    assert [violation.rule for violation in broken] == ["crossbars", "crossbars"]


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS], ids=lambda path: path.name
)
def test_links_lead_somewhere_and_nothing_is_left_to_fill_in(path):
    text = path.read_text()
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (path.parent / target).exists(), target
    assert not re.search(r"@[A-Z]+@", text)
