"""The contract that every mapper keeps, for third parties to run on theirs.

In a test of your own package::

    from mapopt.mappers.registry import get
    from mapopt.testing import check_mapper

    def test_contract():
        check_mapper(get("mine"))
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mapopt.emulator.lower import lower
from mapopt.errors import MapoptError, NoMappingError, UnsupportedError
from mapopt.feasibility import check
from mapopt.instance import Instance, InstanceNode, InstanceTensor, NodeUnits, SideConstraints, Unit
from mapopt.mappers.base import Mapper
from mapopt.mapping import Mapping
from mapopt.options import Options
from mapopt.transfers import Blocking, Delay, Free, Host, Link, Links, TransferModel


class ContractError(AssertionError):
    """A mapper breaks the contract; the message says on which instance and how."""


def check_mapper(mapper: Mapper) -> None:
    """Run a mapper on tiny instances and check all that other parts rely on.

    It declares itself; refuses an instance with a reason or maps it; its mappings keep every rule, name their
    mapper and can be lowered; the same seed gives the same mapping, and another seed another one only if the mapper
    says that it is random; and the instance and the global random states stay as they were. NoMappingError is for
    instances with capacities or side constraints, and where no mapping exists there is an error of mapopt.

    Raises
    ------
    ContractError
        On the first breach.
    """
    _check_declaration(mapper)
    accepted = 0
    for instance in tiny_instances():
        reason = mapper.rejects(instance)
        if reason is None:
            _check_mapping(mapper, instance)
            accepted += 1
        else:
            _check_refusal(mapper, instance, reason)
    if accepted == 0:
        raise ContractError(f"mapper {mapper.name!r} rejects every tiny instance; it should map some")
    _check_impossible(mapper)


def tiny_instances() -> Iterator[Instance]:
    """Yield instances of 1 to 8 nodes that all have a mapping, over the transfer models and side constraints."""
    yield _instance("one node", [_Node("a", 5)], [], imc=1)
    yield _instance("more units than nodes", [_Node("a", 5), _Node("b", 0)], [], imc=4, dpu=2)
    for model in _transfer_models(5):
        yield _instance(
            f"branches, {type(model).__name__.lower()}", _NODES, _EDGES, imc=3, dpu=2, transfer=model
        )
    yield _instance("choice of class", [_Node(f"n{at}", 3 + at, 9 - at) for at in range(7)], [], imc=2, dpu=2)
    yield _instance(
        "tight crossbars",
        [_Node(f"n{at}", 4, crossbars=need) for at, need in enumerate((1, 1, 2, 3, 3, 2))],
        [("n0", "n1"), ("n1", "n2"), ("n2", "n3")],
        imc=3,
        crossbars=4,
    )
    yield _instance(
        "tight memory",
        [_Node(f"n{at}", 4, memory_bytes=need) for at, need in enumerate((1, 1, 2, 3, 3, 2))],
        [("n0", "n5")],
        imc=2,
        memory_bytes=6,
    )
    yield _instance(
        "side constraints",
        _NODES,
        _EDGES,
        imc=3,
        dpu=2,
        rules=SideConstraints(
            pin=(NodeUnits("a", ("imc2",)), NodeUnits("d", ("dpu0", "dpu1"))),
            forbid=(NodeUnits("b", ("imc0", "imc2")),),
            colocate=(("a", "e"), ("d", "h")),
            separate=(("a", "b", "c"),),
        ),
    )


def impossible_instance() -> Instance:
    """Return an instance without any mapping: three nodes apart on two units."""
    return _instance(
        "impossible",
        [_Node("a", 1), _Node("b", 1), _Node("c", 1)],
        [],
        imc=2,
        rules=SideConstraints(separate=(("a", "b", "c"),)),
    )


class _Node(NamedTuple):
    """A node with its times on imc and dpu, ``None`` where it cannot run, and its needs."""

    name: str
    imc: int | None
    dpu: int | None = None
    crossbars: int = 0
    memory_bytes: int = 0


_NODES = [
    _Node("a", 7),
    _Node("b", 5),
    _Node("c", 4),
    _Node("d", None, 2),
    _Node("e", 6),
    _Node("f", 3, 8),
    _Node("g", 3),
    _Node("h", None, 1),
]
_EDGES = [
    ("a", "b"),
    ("a", "c"),
    ("b", "d"),
    ("c", "d"),
    ("d", "e"),
    ("e", "f"),
    ("d", "g"),
    ("f", "h"),
    ("g", "h"),
]


def _transfer_models(units: int) -> Iterator[TransferModel]:
    names = [f"imc{at}" for at in range(3)] + [f"dpu{at}" for at in range(units - 3)]
    yield Free()
    yield Delay(10**9, 1)
    yield Blocking(10**9)
    yield Host(10**9, host_units=("dpu0",))
    yield Links(
        tuple(Link(f"{name}.{way}", 10**9) for name in names for way in ("out", "in")),
        egress=tuple((f"{name}.out",) for name in names),
        ingress=tuple((f"{name}.in",) for name in names),
    )


def _instance(
    name: str,
    nodes: list[_Node],
    edges: list[tuple[str, str]],
    *,
    imc: int,
    dpu: int = 0,
    crossbars: int | None = None,
    memory_bytes: int | None = None,
    transfer: TransferModel | None = None,
    rules: SideConstraints | None = None,
) -> Instance:
    """Edges are (producer, consumer)."""
    producers = dict.fromkeys(producer for producer, _ in edges)
    return Instance(
        name=name,
        classes=("imc", "dpu"),
        units=(
            *(Unit(f"imc{at}", "imc", crossbars, memory_bytes) for at in range(imc)),
            *(Unit(f"dpu{at}", "dpu") for at in range(dpu)),
        ),
        nodes=tuple(
            InstanceNode(
                node.name, (node.imc, node.dpu), crossbars=(node.crossbars, 0), memory_bytes=node.memory_bytes
            )
            for node in nodes
        ),
        tensors=tuple(
            InstanceTensor(
                f"{producer}.out", producer, tuple(end for start, end in edges if start == producer), 4
            )
            for producer in producers
        ),
        transfer=transfer or Free(),
        side_constraints=rules or SideConstraints(),
    )


def _check_declaration(mapper: Mapper) -> None:
    for attribute in ("name", "summary", "reference"):
        text = getattr(mapper, attribute, None)
        if not isinstance(text, str) or "\n" in text or (attribute != "reference" and not text):
            raise ContractError(f"mapper {mapper!r}: {attribute} is {text!r}; it must be one line of text")
    if not isinstance(mapper.options, Options):
        raise ContractError(f"mapper {mapper.name!r}: options are {mapper.options!r}; they must be Options")
    if type(mapper.options).of(mapper.options.as_dict()) != mapper.options:
        raise ContractError(f"mapper {mapper.name!r}: its options cannot be made again from as_dict()")


def _check_refusal(mapper: Mapper, instance: Instance, reason: str) -> None:
    where = f"mapper {mapper.name!r} on {instance.name!r}"
    if not isinstance(reason, str) or not reason:
        raise ContractError(f"{where}: rejects() returned {reason!r}; it must be a reason or None")
    try:
        mapper.map(instance)
    except UnsupportedError:
        return
    raise ContractError(f"{where}: maps an instance that it rejects; map() must raise UnsupportedError")


def _check_mapping(mapper: Mapper, instance: Instance) -> None:
    where = f"mapper {mapper.name!r} on {instance.name!r}"
    before, states = instance.to_json(), _random_states()
    try:
        mapping = mapper.map(instance, seed=7)
    except NoMappingError as error:
        if _is_restricted(instance):
            return
        raise ContractError(f"{where}: finds no mapping, but any will do ({error})") from error
    if not isinstance(mapping, Mapping):
        raise ContractError(f"{where}: returned {type(mapping).__name__}; it must return a Mapping")
    if instance.to_json() != before:
        raise ContractError(f"{where}: changed the instance")
    if _random_states() != states:
        raise ContractError(f"{where}: drew from a global random generator; draw from one made of the seed")
    broken = check(instance, mapping)
    if broken:
        raise ContractError(f"{where}: breaks the rule {broken[0].rule!r}: {broken[0].message}")
    if mapping.instance.digest != instance.digest:
        raise ContractError(f"{where}: the mapping does not name the instance's digest; use Mapping.of")
    if mapping.mapper is None or mapping.mapper.name != mapper.name:
        raise ContractError(f"{where}: the mapping does not name its mapper")
    lower(instance, mapping)
    if mapper.map(instance, seed=7).to_json() != mapping.to_json():
        raise ContractError(f"{where}: two runs with the same seed gave different mappings")
    other = mapper.map(instance, seed=8)
    if check(instance, other):
        raise ContractError(f"{where}: seed 8 breaks a rule that seed 7 keeps")
    if not mapper.is_random and (other.patterns, other.priorities) != (mapping.patterns, mapping.priorities):
        raise ContractError(f"{where}: another seed gave another mapping, but is_random is False")


def _is_restricted(instance: Instance) -> bool:
    """Whether capacities or side constraints rule mappings out, so that a heuristic may find none."""
    limited = any(unit.crossbars is not None or unit.memory_bytes is not None for unit in instance.units)
    return limited or instance.side_constraints != SideConstraints()


def _check_impossible(mapper: Mapper) -> None:
    instance = impossible_instance()
    where = f"mapper {mapper.name!r} on {instance.name!r}"
    try:
        mapper.map(instance)
    except MapoptError:
        return
    except Exception as error:
        raise ContractError(f"{where}: raised {type(error).__name__}; raise a MapoptError") from error
    raise ContractError(f"{where}: returned a mapping although none exists")


def _random_states() -> tuple[object, ...]:
    kind, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002 - watched, not drawn from
    return random.getstate(), kind, bytes(np.asarray(keys)), tuple(rest)
