"""Witnesses prove what they say, altered ones never prove what is false."""

import random

import msgspec
import pytest

from mapopt.bounds import lower_bounds
from mapopt.bounds.witnesses import (
    ClassBalance,
    ForcedTransfer,
    LinkLoad,
    MeanLoad,
    Path,
    Patterns,
    ReachableLoad,
    SharedUnit,
    Window,
)
from mapopt.emulator.lower import lower
from mapopt.emulator.stream import run_single
from mapopt.errors import InfeasibleError
from mapopt.evidence import RejectedError, is_about_latency, require_proof
from mapopt.instance import Instance, InstanceNode, InstanceTensor, NodeUnits, SideConstraints, Unit
from mapopt.mapping import Mapping
from mapopt.transfers import Blocking, Host, Link, Links
from tests.bounds.cases import RATE, assignments, loads, path_length, random_instance

KINDS = {MeanLoad, SharedUnit, ReachableLoad, ClassBalance, LinkLoad, Path, Window}


def cases(seeds, most=300):
    """Yield instances with mappings, and their witnesses."""
    for seed in seeds:
        instance = random_instance(seed, max_nodes=5)
        mappings = list(assignments(instance))
        if 0 < len(mappings) <= most:
            yield seed, instance, mappings, [bound.witness for bound in lower_bounds(instance).all]


def optimum(instance, mappings, witness):
    if isinstance(witness, Path):
        return min(path_length(instance, units) for units in mappings)
    if isinstance(witness, Window):
        return min(max(run_single(lower(instance, Mapping.of(instance, units)))) for units in mappings)
    return min(max(loads(instance, units).values()) for units in mappings)


def with_ticks(witness, ticks):
    return msgspec.structs.replace(witness, ticks=ticks)


def accepted(instance, witness):
    try:
        require_proof(instance, witness)
    except RejectedError:
        return False
    return True


def test_every_bound_has_a_witness_that_holds_and_no_more():
    kinds, exact, total = set(), 0, 0
    for seed, instance, mappings, witnesses in cases(range(220), most=100):
        bounds = lower_bounds(instance)
        for bound, witness in zip(bounds.all, witnesses, strict=True):
            require_proof(instance, witness)
            assert witness.ticks == bound.ticks
            assert is_about_latency(witness) == (bound.objective == "latency")
            best = optimum(instance, mappings, witness)
            assert not accepted(instance, with_ticks(witness, best + 1)), (seed, witness)
            kinds.add(type(witness))
            total += 1
            exact += not accepted(instance, with_ticks(witness, witness.ticks + 1))
    assert kinds == KINDS
    assert exact >= 0.95 * total


def test_altered_witnesses_never_prove_what_is_false():
    """Whatever a witness names, what it is accepted for is true."""
    rng, accepted_ones = random.Random(0), 0
    for seed, instance, mappings, witnesses in cases(range(1000, 1200), most=100):
        for witness in witnesses:
            best = optimum(instance, mappings, witness)
            for _ in range(6):
                altered = with_ticks(_altered(rng, instance, witness), best + 1)
                assert not accepted(instance, altered), (seed, altered)
                accepted_ones += accepted(instance, with_ticks(altered, 1))
    assert accepted_ones > 500


def _altered(rng, instance, witness):
    """Change one or two things in a witness, but leave it well-formed."""
    for _ in range(rng.randint(1, 2)):
        fields = [name for name in witness.__struct_fields__ if name not in ("ticks", "direction")]
        name = rng.choice(fields)
        value = list(getattr(witness, name))
        if name in ("weights", "crossbar_prices", "memory_prices"):
            value[rng.randrange(len(value))] = rng.choice([0, 1, 10**9, rng.randint(0, 10**10)])
        elif name == "transfers":
            if value and rng.random() < 0.3:
                value.pop(rng.randrange(len(value)))
            if instance.tensors and (rng.random() < 0.8 or not value):
                tensor = rng.choice(instance.tensors)
                readers = rng.sample(tensor.consumers, rng.randint(1, len(tensor.consumers)))
                value.append(ForcedTransfer(tensor.name, tuple(readers)))
            if not value:
                continue
        else:
            every = [each.name for each in (instance.units if name == "units" else instance.nodes)]
            others = [each for each in every if each not in value]
            if len(value) > 1 and (not others or rng.random() < 0.5):
                value.pop(rng.randrange(len(value)))
            elif others:
                value.append(rng.choice(others))
        witness = msgspec.structs.replace(witness, **{name: tuple(value)})
    return witness


def two_classes(**fields):
    """Three nodes for two imc units, then one for the dpu."""
    values = {
        "name": "two classes",
        "classes": ("imc", "dpu"),
        "units": (Unit("a", "imc"), Unit("b", "imc"), Unit("d", "dpu")),
        "nodes": (*(InstanceNode(f"n{at}", (5, None)) for at in range(3)), InstanceNode("end", (None, 4))),
        "tensors": (InstanceTensor("t0", "n0", ("end",), 7), InstanceTensor("t1", "n1", ("n2",), 9)),
    }
    return Instance(**{**values, **fields})


IMC, ITS = ("a", "b"), ("n0", "n1", "n2")


@pytest.mark.parametrize(
    ("witness", "ticks"),
    [
        (MeanLoad(0, IMC, ITS), 8),
        (MeanLoad(0, IMC, ITS[:2]), 5),
        (MeanLoad(0, ("a", "b", "d"), (*ITS, "end")), 7),
        (SharedUnit(0, IMC, ITS), 10),
        (SharedUnit(0, IMC, ITS[:2]), 5),
        (ReachableLoad(0, IMC, ITS), 10),
        (ClassBalance(0, (1, 0), (0, 0), (0, 0)), 8),
        (ClassBalance(0, (0, 1), (0, 0), (0, 0)), 4),
        (ClassBalance(0, (2, 1), (0, 0), (0, 0)), 7),
        (Path(0, ("n0", "end")), 9),
        (Path(0, ("n0", "n1")), 5),
        (Window(0, IMC, ITS), 8),
        (Window(0, IMC, ("n0",)), 3 + 4),
    ],
)
def test_each_kind_by_hand(witness, ticks):
    assert accepted(two_classes(), with_ticks(witness, ticks))
    assert not accepted(two_classes(), with_ticks(witness, ticks + 1))


def test_pattern_prices_are_checked():
    instance = two_classes()
    require_proof(instance, Patterns(10, (1, 1, 1, 0)))
    assert not accepted(instance, Patterns(11, (1, 1, 1, 0)))
    assert not accepted(instance, Patterns(10, (1, 1, 0, 0)))
    assert not accepted(instance, Patterns(10, (1, 1, 1)))


@pytest.mark.parametrize(
    ("witness", "says"),
    [
        (MeanLoad(1, ("a",), ITS), "can also run outside"),
        (MeanLoad(1, IMC, ("n0", "no")), "node 'no' does not exist"),
        (MeanLoad(1, ("a", "x"), ITS), "unit 'x' does not exist"),
        (MeanLoad(1, IMC, ("n0", "n0")), "node appears twice"),
        (MeanLoad(1, ("a", "b", "b"), ITS), "unit appears twice"),
        (ReachableLoad(1, ("a", "b", "d"), ITS), "not of one class"),
        (ClassBalance(1, (1,), (0,), (0,)), "for 2 classes"),
        (ClassBalance(1, (0, 0), (0, 0), (0, 0)), "no class"),
        (ClassBalance(1, (1, 0), (1, 0), (0, 0)), "not limited"),
        (ClassBalance(1, (1, 0), (0, 0), (0, 1)), "not limited"),
        (LinkLoad(1, IMC, "leave", (ForcedTransfer("t0", ("end",)),)), "no links"),
        (MeanLoad(1, IMC, ITS, (ForcedTransfer("t1", ("n2",)),)), "'n1' and 'n2' can share a unit"),
        (MeanLoad(1, IMC, ITS, (ForcedTransfer("t0", ("n1",)),)), "not read by all"),
        (MeanLoad(1, IMC, ITS, (ForcedTransfer("t9", ("n1",)),)), "does not exist"),
        (MeanLoad(1, IMC, ITS, (ForcedTransfer("t0", ("end",)),) * 2), "appears twice"),
        (MeanLoad(9, IMC, ITS), "it says that it proves 9 ticks, but it proves 8"),
    ],
)
def test_what_is_wrong_with_a_witness_is_said(witness, says):
    with pytest.raises(RejectedError, match=says):
        require_proof(two_classes(), witness)


def test_forced_transfers_occupy_units():
    transfers = (ForcedTransfer("t0", ("end",)),)
    sender = two_classes(transfer=Blocking(RATE, 1))
    assert accepted(sender, SharedUnit(5 + 8, IMC, ("n0",), transfers))
    assert not accepted(sender, SharedUnit(5 + 9, IMC, ("n0",), transfers))
    assert not accepted(sender, SharedUnit(6, IMC, ("n0",)))
    both = two_classes(transfer=Host(RATE, 1))
    assert accepted(both, SharedUnit(4 + 8, ("d",), ("end",), transfers))
    assert not accepted(both, SharedUnit(4 + 9, ("d",), ("end",), transfers))
    one = two_classes(transfer=Host(RATE, 1, ("d",)))
    assert not accepted(one, SharedUnit(4 + 1, ("d",), ("end",), transfers))


def test_separated_nodes_send_and_colocated_nodes_count_together():
    apart = two_classes(
        transfer=Blocking(RATE),
        side_constraints=SideConstraints(separate=(("n1", "n2"),)),
    )
    assert accepted(apart, SharedUnit(5 + 9, IMC, ("n1",), (ForcedTransfer("t1", ("n2",)),)))
    assert accepted(apart, Path(5 + 9 + 5, ("n1", "n2")))
    assert not accepted(two_classes(transfer=Blocking(RATE)), Path(5 + 1 + 5, ("n1", "n2")))
    together = two_classes(side_constraints=SideConstraints(colocate=(("n0", "n1"),)))
    assert accepted(together, SharedUnit(10, IMC, ("n0", "n1")))
    assert not accepted(together, SharedUnit(11, IMC, ITS))
    pinned = two_classes(
        side_constraints=SideConstraints(pin=(NodeUnits("n0", ("a",)), NodeUnits("n1", ("a",))))
    )
    assert accepted(pinned, MeanLoad(10, ("a",), ("n0", "n1")))


def test_links_carry_what_is_forced():
    units = ("a", "b", "d")
    model = Links(
        tuple(Link(f"{unit}.{way}", RATE, 2) for unit in units for way in ("out", "in")),
        egress=tuple((f"{unit}.out",) for unit in units),
        ingress=tuple((f"{unit}.in",) for unit in units),
    )
    instance = two_classes(transfer=model)
    transfers = (ForcedTransfer("t0", ("end",)),)
    assert accepted(instance, LinkLoad(7, ("d",), "enter", transfers))
    assert not accepted(instance, LinkLoad(8, ("d",), "enter", transfers))
    assert accepted(instance, LinkLoad(7, IMC, "leave", transfers))
    assert not accepted(instance, LinkLoad(7, ("d",), "leave", transfers))
    assert accepted(instance, Path(5 + 2 + 7 + 2 + 7 + 4, ("n0", "end")))
    assert not accepted(instance, Path(5 + 2 + 7 + 2 + 7 + 5, ("n0", "end")))
    without = msgspec.structs.replace(model, ingress=((), (), ()))
    assert not accepted(
        two_classes(transfer=msgspec.structs.replace(without, egress=((), (), ()))),
        LinkLoad(1, ("d",), "enter", transfers),
    )


def test_ports_are_the_near_ends_of_routes():
    """The port of d is a hundred times as fast as those of a and b: it is the slow ones that 700 bytes leave by."""
    model = Links(
        tuple(Link(name, RATE * factor) for name, factor in (("a.out", 1), ("b.out", 1), ("d.in", 100))),
        egress=(("a.out",), ("b.out",), ("a.out",)),
        ingress=(("d.in",), ("d.in",), ("d.in",)),
    )
    instance = two_classes(transfer=model, tensors=(InstanceTensor("t0", "n0", ("end",), 700),))
    transfers = (ForcedTransfer("t0", ("end",)),)
    for units, direction, ticks in ((IMC, "leave", 700), (("d",), "enter", 7)):
        assert accepted(instance, LinkLoad(ticks, units, direction, transfers))
        assert not accepted(instance, LinkLoad(ticks + 1, units, direction, transfers))


def test_times_too_long_to_check_are_refused():
    instance = two_classes(nodes=tuple(InstanceNode(f"n{at}", (10**15, None)) for at in range(3)), tensors=())
    with pytest.raises(RejectedError, match="at most"):
        require_proof(instance, ReachableLoad(1, IMC, ITS))
    assert accepted(instance, SharedUnit(2 * 10**15, IMC, ITS))


def test_an_instance_without_mapping_does_not_crash_the_check():
    instance = two_classes(side_constraints=SideConstraints(forbid=(NodeUnits("n0", ("a", "b")),)))
    with pytest.raises(InfeasibleError):
        lower_bounds(instance)
    with pytest.raises(RejectedError):
        require_proof(instance, Path(1, ("n0", "end")))
    with pytest.raises(RejectedError):
        require_proof(instance, Patterns(10, (1, 1, 1, 0)))


def test_judges_share_nothing_with_what_they_judge():
    """Beside the data of witnesses and the check of pattern prices."""
    import ast
    from pathlib import Path as File

    import mapopt.evidence

    files = list(File(mapopt.evidence.__file__).parent.glob("*.py"))
    assert len(files) == 4
    trees = [ast.parse(each.read_text()) for each in files]
    modules = {node.module for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    ours = {name for name in modules if name.startswith("mapopt.") and not name.startswith("mapopt.evidence")}
    allowed = {"mapopt.bounds.pattern_duals", "mapopt.bounds.witnesses"}
    allowed |= {"mapopt.errors", "mapopt.instance", "mapopt.transfers"}
    assert ours <= allowed
