import itertools
from pathlib import Path

import pytest

from mapopt.errors import NoMappingError, UnsupportedError
from mapopt.importers.device_placement import read_workload
from mapopt.instance import Instance, InstanceNode, InstanceTensor, NodeUnits, SideConstraints, Unit
from mapopt.mappers import registry
from mapopt.placement.communication import Communication
from mapopt.transfers import Blocking, Free, Host, TransferModel
from tests.bounds.cases import is_feasible, loads, random_instance


def chain(*times: int, units: int = 2, transfer: TransferModel | None = None, sizes: int = 1) -> Instance:
    return Instance(
        "chain",
        classes=("imc",),
        units=tuple(Unit(f"u{number}", "imc") for number in range(units)),
        nodes=tuple(InstanceNode(f"n{number}", (time,)) for number, time in enumerate(times)),
        tensors=tuple(
            InstanceTensor(f"t{number}", f"n{number}", (f"n{number + 1}",), sizes)
            for number in range(len(times) - 1)
        ),
        transfer=transfer or Free(),
    )


def units_of(instance: Instance) -> tuple[int, ...]:
    return registry.get("pipeline").map(instance).assignment(instance)[0]


def test_cuts_by_hand() -> None:
    assert units_of(chain(1, 2, 3, 4, 5)) == (0, 0, 0, 1, 1)
    assert max(loads(chain(1, 2, 3, 4, 5), (0, 0, 0, 1, 1)).values()) == 9


def test_transfers_that_charge_units_move_the_cut() -> None:
    instance = Instance(
        "uneven",
        classes=("imc",),
        units=(Unit("u0", "imc"), Unit("u1", "imc")),
        nodes=tuple(InstanceNode(f"n{number}", (10,)) for number in range(4)),
        tensors=tuple(
            InstanceTensor(f"t{number}", f"n{number}", (f"n{number + 1}",), size)
            for number, size in enumerate((1, 30, 1))
        ),
        transfer=Host(10**9),
    )
    # In the middle 20 + 30 on both units; after the first or third node 31 at most.
    units = units_of(instance)
    assert max(loads(instance, units).values()) == 31


def contiguous(instance: Instance) -> list[tuple[int, ...]]:
    """Every feasible contiguous assignment: per class, the node order cut into stages in unit order."""
    own = [
        min((time, kind) for kind, time in enumerate(node.times) if time is not None)[1]
        for node in instance.nodes
    ]
    choices = []
    for kind, name in enumerate(instance.classes):
        nodes = [node for node in range(len(own)) if own[node] == kind]
        units = [number for number, unit in enumerate(instance.units) if unit.unit_class == name]
        choices.append(
            [
                dict(zip(nodes, stages, strict=True))
                for stages in itertools.combinations_with_replacement(units, len(nodes))
            ]
        )
    found = []
    for parts in itertools.product(*choices):
        home = {node: unit for part in parts for node, unit in part.items()}
        units_tuple = tuple(home[node] for node in range(len(own)))
        if is_feasible(instance, units_tuple):
            found.append(units_tuple)
    return found


def test_optimal_among_contiguous_partitions_of_one_class() -> None:
    compared = 0
    for seed in range(600):
        instance = random_instance(seed, max_nodes=7)
        if len(instance.classes) > 1 or instance.side_constraints.colocate:
            continue
        if isinstance(instance.transfer, Blocking) and any(len(t.consumers) > 1 for t in instance.tensors):
            continue  # documented: a tensor with several destinations is underestimated
        allowed = contiguous(instance)
        if not allowed:
            continue
        work = {unit.name for unit in instance.units}
        value = [
            max(load for name, load in loads(instance, each).items() if name in work) for each in allowed
        ]
        units = units_of(instance)
        found = max(load for name, load in loads(instance, units).items() if name in work)
        assert found == min(value), seed
        assert units in allowed
        compared += 1
    assert compared > 60


def test_every_class_is_contiguous() -> None:
    for seed in range(200):
        instance = random_instance(seed, max_nodes=8, constrained=False)
        assert units_of(instance) in contiguous(instance)


def test_colocated_nodes_are_not_cut_apart() -> None:
    instance = chain(5, 1, 1, 5)
    joined = Instance(
        instance.name,
        classes=instance.classes,
        units=instance.units,
        nodes=instance.nodes,
        side_constraints=SideConstraints(colocate=(("n0", "n2"),)),
    )
    assert units_of(joined) == (0, 0, 0, 1)


def test_a_pin_against_the_order_is_not_found_and_says_so() -> None:
    instance = chain(5, 5)
    crossed = Instance(
        instance.name,
        classes=instance.classes,
        units=instance.units,
        nodes=instance.nodes,
        side_constraints=SideConstraints(pin=(NodeUnits("n0", ("u1",)), NodeUnits("n1", ("u0",)))),
    )
    with pytest.raises(NoMappingError, match="'n1'"):
        units_of(crossed)


def test_large_graphs_are_rejected_with_the_reason() -> None:
    instance = chain(*([1] * 5001))
    mapper = registry.get("pipeline")
    assert "5000" in (mapper.rejects(instance) or "")
    with pytest.raises(UnsupportedError, match="at most 5000 nodes"):
        mapper.map(instance)


@pytest.mark.parametrize(("graph", "published"), [("bert24", 17.79), ("gnmt", 33.03)])
def test_published_device_placements_of_pipedream(graph: str, published: float) -> None:
    # Largest loads that Tarnawski et al., NeurIPS 2020, report for PipeDream on their workloads.
    data = Path(__file__).parents[2] / "instances" / "device-placement"
    instance = read_workload(data / f"{graph}_inference.json")
    largest = max(Communication(instance).loads(units_of(instance)))
    assert largest / 1e6 == pytest.approx(published, abs=0.005)
