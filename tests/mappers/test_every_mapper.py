"""Properties of all mappers on random constrained instances."""

import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapopt.comparison import is_search
from mapopt.errors import InfeasibleError, NoMappingError
from mapopt.instance import Instance
from mapopt.mappers import registry
from mapopt.mappers.base import Mapper
from tests.bounds.cases import assignments, is_feasible, random_instance
from tests.quick import quick

NAMES = registry.names()
MAPPERS: dict[str, Mapper] = {name: quick(name) for name in NAMES}


def outcome(mapper: Mapper, instance: Instance, seed: int) -> tuple[int, ...] | None:
    try:
        return mapper.map(instance, seed=seed).assignment(instance)[0]
    except (NoMappingError, InfeasibleError):
        return None


@settings(max_examples=400, deadline=None)
@given(case=st.integers(0, 10**6), name=st.sampled_from(NAMES), seed=st.integers(0, 3))
def test_mappings_keep_every_rule_and_infeasibility_is_true(case: int, name: str, seed: int) -> None:
    instance = random_instance(case)
    mapper = MAPPERS[name]
    if mapper.rejects(instance) is not None:
        assert name in ("annealed-cyclic", "annealed-elastic", "annealed-retimed")
        return
    try:
        units = mapper.map(instance, seed=seed).assignment(instance)[0]
    except InfeasibleError:
        assert next(assignments(instance), None) is None
    except NoMappingError as error:
        assert name == "pipeline", error
        assert "'n" in str(error)
    else:
        assert is_feasible(instance, units)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "pipeline"])
def test_no_feasible_tiny_instance_is_missed(name: str) -> None:
    for case in range(3000, 3060 if is_search(MAPPERS[name]) else 3300):
        instance = random_instance(case)
        if MAPPERS[name].rejects(instance) is None and outcome(MAPPERS[name], instance, 0) is None:
            assert next(assignments(instance), None) is None, case


SCRIPT = """
from mapopt.mappers import registry
from tests.bounds.cases import random_instance
from tests.quick import quick
for name in registry.names():
    for case in range(8):
        try:
            mapping = quick(name).map(random_instance(case, max_nodes=12), seed=3)
            print(name, case, mapping.patterns[0].units, mapping.priorities)
        except Exception as error:
            print(name, case, error)
"""


def test_the_hash_seed_changes_nothing() -> None:
    outputs = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]
    assert outputs[0].count("\n") == 8 * len(NAMES)
