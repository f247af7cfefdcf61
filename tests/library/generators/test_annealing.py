from math import exp
from random import Random

import pytest

from mapopt.errors import NoMappingError
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.library.generators.adversarial import prove
from mapopt.library.generators.annealing import NODE_COST, anneal, score
from mapopt.library.generators.candidates import Changes, Family
from mapopt.library.generators.designs import Redesigns
from mapopt.library.generators.parts import transfer_model, units_of
from mapopt.platform.library import load_platform


def stated(instance, units, objective):
    """The ratio that a score stands for."""
    return exp(score(instance, units, objective) + NODE_COST * len(units))


def chain(times, size, transfer, units=2):
    made = units_of(units, 0)
    return Instance(
        "chain",
        classes=("imc",),
        units=made,
        nodes=tuple(InstanceNode(f"n{at}", (time,)) for at, time in enumerate(times)),
        tensors=tuple(
            InstanceTensor(f"t{at}", f"n{at}", (f"n{at + 1}",), size) for at in range(len(times) - 1)
        ),
        transfer=transfer_model(transfer, made),
    )


@pytest.mark.parametrize(
    ("transfer", "load"), [("free", 2), ("delay", 2), ("blocking", 7), ("host", 12), ("links", 5)]
)
def test_loads_hold_what_transfers_occupy(transfer, load):
    """LBLP puts n0 and n3 on one unit, n1 and n2 on the other: a tensor of 5 ticks goes there, and one comes back."""
    instance = chain((1, 1, 1, 1), 5, transfer)
    assert stated(instance, (0, 0, 0, 0), "period") == pytest.approx(load / 4)


@pytest.mark.parametrize(("transfer", "latency"), [("blocking", 14), ("host", 24), ("links", 24)])
def test_latencies_count_the_way_of_the_data(transfer, latency):
    instance = chain((1, 1, 1, 1), 5, transfer)
    assert stated(instance, (0, 0, 0, 0), "latency") == pytest.approx(latency / 4)


def test_what_is_slower_than_lblp_has_no_latency_to_compare():
    instance = chain((1, 1, 1, 1), 5, "delay")
    assert stated(instance, (0, 0, 0, 0), "latency") == pytest.approx(2 / 4)


@pytest.mark.parametrize("transfer", ["free", "delay", "blocking", "host", "links"])
def test_the_search_never_overstates(transfer):
    family = Family(2, 1, transfer == "free", False, transfer, max_nodes=6, max_ticks=5, send_ticks=3)
    for seed in range(3):
        changes = Changes(family, Random(seed))
        candidate = changes.first()
        for _ in range(30):
            candidate = changes.neighbour(candidate)
        instance, units = changes.instance(candidate), changes.units(candidate)
        for objective in ("period", "latency"):
            assert stated(instance, units, objective) <= prove(instance, objective).ratio * (1 + 1e-9)


@pytest.mark.parametrize("preset", ["imce:imc=2,dpu=1", "imc:imc=2,dpu=1"])
def test_nor_on_a_platform(preset):
    changes = Redesigns(load_platform(preset), 5, Random(3))
    design = changes.first()
    for _ in range(40):
        design = changes.neighbour(design)
    instance, units = changes.instance(design), changes.units(design)
    for objective in ("period", "latency"):
        assert stated(instance, units, objective) <= prove(instance, objective).ratio * (1 + 1e-9)


def test_a_candidate_that_lblp_cannot_map_scores_least(monkeypatch):
    instance = Instance(
        "full",
        classes=("imc",),
        units=(Unit("u0", "imc", crossbars=4), Unit("u1", "imc", crossbars=4)),
        nodes=tuple(
            InstanceNode(f"n{at}", (time,), crossbars=(need,))
            for at, (time, need) in enumerate([(9, 1), (8, 1), (2, 3), (1, 3)])
        ),
    )
    fine = score(instance, (0, 1, 0, 1), "period")

    def stuck(*_):
        raise NoMappingError("no unit is left")

    monkeypatch.setattr("mapopt.library.generators.annealing.LBLP.__class__.map", stuck)
    assert score(instance, (0, 1, 0, 1), "period") == -1.0 < fine


def test_annealing_keeps_the_best_that_it_saw():
    family = Family(2, 0, False, False, "free", max_nodes=6, max_ticks=8, send_ticks=1)
    seen = []

    class Watched(Changes):
        def neighbour(self, candidate):
            found = super().neighbour(candidate)
            seen.append(score(self.instance(found), self.units(found), "period"))
            return found

    best, candidate = anneal(Watched(family, Random(0)), "period", 150)
    assert best == max(seen)
    assert score(candidate.instance(family, "candidate"), candidate.units, "period") == best
