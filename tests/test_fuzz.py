"""Mutated valid files: every command either works or raises an error of mapopt's own, never anything else."""

import copy
import json
import random
from typing import Any

import pytest

from mapopt.documents import Document
from mapopt.emulator.measure import measure
from mapopt.emulator.schedule import schedule
from mapopt.errors import MapoptError
from mapopt.feasibility import require, require_feasible
from mapopt.instance import Instance, NodeUnits, SideConstraints
from mapopt.mappers.run import map_instance
from mapopt.mapping import Mapping
from mapopt.platform.library import parse_platform, preset_text
from mapopt.sources import load_instance
from mapopt.verification import verify

VALUES = (
    None,
    True,
    -1,
    0,
    1,
    2,
    7,
    10**15,
    2**63,
    2**100,
    0.5,
    1e30,
    "",
    "imc0",
    "conv",
    "x" * 2000,
    [],
    {},
    [[]],
    ["imc0"],
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(value, dict):
        for key in value:
            found += places(value[key], (*path, key))
    elif isinstance(value, list):
        for index in range(len(value)):
            found += places(value[index], (*path, index))
    return found


def mutate(document: Any, rng: random.Random) -> Any:
    document = copy.deepcopy(document)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        path = rng.choice(places(document)[1:] or [()])
        if not path:
            return rng.choice(VALUES)
        parent = document
        for key in path[:-1]:
            parent = parent[key]
        action = rng.randrange(4)
        if action == 0:
            del parent[path[-1]]
        elif action == 1 and isinstance(parent, list):
            parent.append(copy.deepcopy(rng.choice(parent)))
        elif action == 2 and isinstance(parent, list):
            rng.shuffle(parent)
        else:
            parent[path[-1]] = rng.choice(VALUES)
    return document


def instance(transfer: str) -> Instance:
    problem = load_instance("resnet8", platform=f"imc:imc=3,dpu=1,transfer={transfer}")
    names = [node.name for node in problem.nodes]
    rules = SideConstraints(
        pin=(NodeUnits(names[0], ("imc0", "imc1")),),
        forbid=(NodeUnits(names[1], ("imc2",)),),
        colocate=((names[0], names[1]),),
        separate=((names[0], names[3]),),
    )
    raw = json.loads(problem.to_json())
    raw["side_constraints"] = json.loads(json.dumps(_plain(rules)))
    return Instance.from_json(json.dumps(raw).encode())


def _plain(rules: SideConstraints) -> Any:
    import msgspec

    return msgspec.to_builtins(rules)


@pytest.mark.parametrize("transfer", ["links", "host", "delay"])
def test_mutated_instances(transfer):
    rng = random.Random(transfer)
    valid = json.loads(instance(transfer).to_json())
    accepted = 0
    for _ in range(400):
        data = json.dumps(mutate(valid, rng)).encode()
        try:
            problem = Instance.from_json(data)
            require_feasible(problem)
            mapping = map_instance(problem, rng.choice(("lblp", "wb", "rr", "heft", "pipeline")))
            measure(problem, mapping, frames=3)
            measure(problem, schedule(problem, mapping))
        except MapoptError as error:
            assert str(error)
        else:
            accepted += 1
    assert 20 < accepted < 380


@pytest.mark.parametrize("transfer", ["links", "host"])
def test_mutated_mappings(transfer):
    rng = random.Random(transfer)
    problem = instance(transfer)
    planned = schedule(problem, map_instance(problem, "lblp"))
    valid = json.loads(planned.to_json())
    assert verify(problem, planned).ok
    verdicts = {True: 0, False: 0}
    for _ in range(400):
        try:
            mapping = Mapping.from_json(json.dumps(mutate(valid, rng)).encode())
        except MapoptError as error:
            assert str(error)
            continue
        emulated, verified = emulates(problem, mapping), verifies(problem, mapping)
        if verified is not None:
            assert emulated == verified, mapping
            verdicts[emulated] += 1
    assert min(verdicts.values()) > 10, verdicts


def emulates(problem: Instance, mapping: Mapping) -> bool:
    """Whether the compiled emulator accepts a mapping."""
    try:
        require(problem, mapping)
        measure(problem, mapping)
    except MapoptError as error:
        assert str(error)
        return False
    return True


def verifies(problem: Instance, mapping: Mapping) -> bool | None:
    """Whether verification finds no rule broken; ``None`` if it refuses for the length of the run."""
    try:
        return not verify(problem, mapping).violations
    except MapoptError as error:
        assert str(error)
        return None if "verifying it takes" in str(error) else False


def test_mutated_platforms():
    rng = random.Random(0)
    text = preset_text("imc")
    for _ in range(1500):
        changed = list(text)
        for _ in range(rng.choice((1, 1, 3))):
            at = rng.randrange(len(changed))
            changed[at : at + rng.randrange(4)] = rng.choice(
                ("", "=", "-", '"', "0", "9" * 20, "nan", "[", "\x00")
            )
        try:
            parse_platform("".join(changed), "mutated")
        except MapoptError as error:
            assert str(error)


def test_random_bytes():
    rng = random.Random(0)
    kinds: tuple[type[Document], ...] = (Instance, Mapping)
    for kind in kinds:
        for size in (0, 1, 2, 10, 100, 1000):
            with pytest.raises(MapoptError):
                kind.from_json(rng.randbytes(size))
