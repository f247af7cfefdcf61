from dataclasses import dataclass, field
from typing import Any, ClassVar

import msgspec
import pytest

from mapopt.errors import NoMappingError
from mapopt.instance import Instance
from mapopt.mappers.base import Mapper, NoOptions
from mapopt.mappers.registry import get, names
from mapopt.mapping import Mapping
from mapopt.options import Options
from mapopt.testing import ContractError, check_mapper, tiny_instances
from tests.bounds.cases import assignments
from tests.quick import quick


@pytest.mark.parametrize("name", names())
def test_every_registered_mapper_keeps_the_contract(name: str) -> None:
    check_mapper(quick(name))


@pytest.mark.parametrize(
    "settings",
    [
        ["path_order=path"],
        ["path_order=merged", "peel=repeat"],
        ["avoid=off"],
        ["avoid=hard", "scope=incomparable", "slack=0.5"],
        ["avoid=hard", "scope=fork-join"],
        ["transfers=true", "ties=index", "rest_order=topological", "examine=1"],
    ],
)
def test_lblp_keeps_the_contract_under_every_option(settings: list[str]) -> None:
    check_mapper(get("lblp", settings))


def test_tiny_instances_have_mappings_and_different_names() -> None:
    instances = list(tiny_instances())
    assert len({instance.name for instance in instances}) == len(instances)
    for instance in instances:
        assert next(assignments(instance), None) is not None, instance.name


@dataclass
class Spoilt:
    """A sound mapper with one fault."""

    fault: str
    options: Options = field(default_factory=NoOptions)
    name: ClassVar[str] = "wb"
    reference: ClassVar[str] = ""
    options_type: ClassVar[type[Options]] = NoOptions
    is_random: ClassVar[bool] = False
    summary: ClassVar[str] = "spoilt"

    def rejects(self, instance: Instance) -> str | None:
        return (
            "no"
            if self.fault == "rejects" or (self.fault == "refusal" and len(instance.nodes) == 1)
            else None
        )

    def map(self, instance: Instance, *, seed: int = 0) -> Mapping:
        import random

        if self.fault == "impossible" and instance.name == "impossible":
            raise KeyError
        sound = get("wb" if self.fault != "seed" else "rd").map(instance, seed=seed)
        assert sound.mapper is not None
        changes: dict[str, Any] = {"mapper": msgspec.structs.replace(sound.mapper, name="wb", seed=0)}
        if self.fault == "mapper":
            changes["mapper"] = None
        if self.fault == "global":
            random.random()
        if self.fault == "rules":
            return Mapping.of(instance, [0] * len(instance.nodes), mapper=changes["mapper"])
        if self.fault == "forgets":
            changes["mapper"] = msgspec.structs.replace(
                sound.mapper, seed=random.SystemRandom().randrange(10**9)
            )
        return msgspec.structs.replace(sound, **changes)


def test_the_sound_mapper_passes() -> None:
    mapper: Mapper = Spoilt("none")
    check_mapper(mapper)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("rejects", "maps an instance that it rejects"),
        ("refusal", "maps an instance that it rejects"),
        ("rules", "breaks the rule"),
        ("global", "global random generator"),
        ("mapper", "does not name its mapper"),
        ("seed", "is_random is False"),
        ("forgets", "two runs with the same seed"),
        ("impossible", "raised KeyError"),
    ],
)
def test_every_fault_is_found(fault: str, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        check_mapper(Spoilt(fault))


def test_a_missing_summary_is_found() -> None:
    class Silent(Spoilt):
        summary = ""

    with pytest.raises(ContractError, match="summary is ''"):
        check_mapper(Silent("none"))


def test_a_mapper_that_finds_nothing_breaks_the_contract() -> None:
    class Nothing(Spoilt):
        def map(self, instance: Instance, *, seed: int = 0) -> Mapping:
            raise NoMappingError(f"nothing for {instance.name} with seed {seed}")

    with pytest.raises(ContractError, match="any will do"):
        check_mapper(Nothing("none"))
