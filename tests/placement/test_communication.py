import itertools

import pytest

from mapopt.emulator.lower import lower
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.mapping import Mapping
from mapopt.placement.communication import Communication
from mapopt.transfers import Blocking, Delay, Free, Host, TransferModel
from tests.bounds.cases import assignments, delay, loads, random_instance


def test_loads_agree_with_an_independent_sum_and_with_the_emulator() -> None:
    for seed in range(250):
        instance = random_instance(seed, max_nodes=5)
        communication = Communication(instance)
        for units in itertools.islice(assignments(instance), 20):
            found = communication.loads(units)
            assert found == list(loads(instance, units).values()), seed
            assert found == lower(instance, Mapping.of(instance, units)).loads().tolist(), seed


def test_delays_and_their_mean_agree_with_an_independent_sum() -> None:
    checked = 0
    for seed in range(250):
        instance = random_instance(seed)
        communication = Communication(instance)
        names = [unit.name for unit in instance.units]
        for number, tensor in enumerate(instance.tensors):
            between = [
                [delay(instance, tensor.size_bytes, source, target) for target in names] for source in names
            ]
            assert between == [
                [communication.delay(number, source, target) for target in range(len(names))]
                for source in range(len(names))
            ]
            total, pairs = sum(map(sum, between)), len(names) * (len(names) - 1)
            assert communication.mean_delay(number) == pytest.approx(total / pairs if pairs else 0)
            with_own = communication.mean_delay(number, own_unit_counts=True)
            assert with_own == pytest.approx(total / 2 / (pairs / 2 + len(names)) if pairs else 0)
            checked += 1
    assert checked > 300


@pytest.mark.parametrize(
    ("transfer", "once"),
    [(Free(), 0), (Delay(10**9, 2), 27), (Blocking(10**9, 2), 27), (Host(10**9, 2, ("b",)), 27)],
)
def test_a_transfer_costs_its_latency_and_its_bytes_once(transfer: TransferModel, once: int) -> None:
    instance = Instance(
        "once",
        classes=("imc",),
        units=(Unit("a", "imc"), Unit("b", "imc")),
        nodes=(InstanceNode("n0", (1,)), InstanceNode("n1", (1,))),
        tensors=(InstanceTensor("t", "n0", ("n1",), 25),),
        transfer=transfer,
    )
    communication = Communication(instance)
    assert communication.once(0) == once
    assert communication.hosts == ({1} if isinstance(transfer, Host) else set())
    assert communication.route(0, 1) == ()
