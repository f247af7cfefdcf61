from itertools import pairwise

import pytest

from mapopt.errors import UnsupportedError
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.search.annealing import Schedule, annealed_cyclic, annealed_list
from mapopt.search.effort import Effort
from mapopt.transfers import Blocking, Delay, Free
from tests.bounds.cases import random_instance
from tests.search.cases import cases
from tests.search.test_list_search import assert_is_what_it_claims


def chain(times: list[int], units: int) -> Instance:
    """A chain of nodes; a transfer takes 1 tick."""
    names = [f"n{number}" for number in range(len(times))]
    return Instance(
        "chain",
        classes=("imc",),
        units=tuple(Unit(f"u{number}", "imc") for number in range(units)),
        nodes=tuple(InstanceNode(name, (time,)) for name, time in zip(names, times, strict=True)),
        tensors=tuple(InstanceTensor(one, one, (other,), 1) for one, other in pairwise(names)),
        transfer=Delay(10**9),
    )


def test_schedules_keep_every_rule() -> None:
    tried = 0
    for number, instance, period in cases(0, 400):
        if not isinstance(instance.transfer, (Free, Delay)):
            continue
        better: list[Schedule] = []
        schedule = annealed_cyclic(instance, period, seed=number, iterations=2000, on_better=better.append)
        assert schedule is not None, number
        assert_is_what_it_claims(instance, period, schedule)
        assert [each.latency for each in better] == sorted({each.latency for each in better}, reverse=True)
        assert better[-1] == schedule
        tried += 1
    assert tried > 80


def test_a_full_chain_is_cut_where_it_costs_least() -> None:
    """Two units filled completely: 12 ticks of work each, one transfer if the chain is cut once."""
    instance = chain([5, 3, 4, 6, 2, 4], 2)
    schedule = annealed_cyclic(instance, 12, iterations=20_000)
    assert schedule is not None
    assert schedule.latency == 25


def test_the_seed_and_not_the_clock_decides() -> None:
    instance = chain([5, 3, 4, 6, 2, 4, 3, 3, 7, 5], 3)
    runs = [annealed_cyclic(instance, 14, seed=2, iterations=3000) for _ in range(2)]
    assert runs[0] == runs[1]


def test_it_does_not_matter_how_often_a_search_looks_at_the_clock(monkeypatch) -> None:
    instance = chain([5, 3, 4, 6, 2, 4, 3, 3, 7, 5, 8, 2, 6, 4, 3], 4)
    found = []
    for chunk in (7, 64, 10**6):
        monkeypatch.setattr(Effort, "chunk", lambda self, chunk=chunk: min(chunk, self.iterations))
        found.append([annealed_cyclic(instance, 17, seed=seed, iterations=1500) for seed in range(8)])
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("case", [6, 10])
def test_nor_for_lists_with_transfers(monkeypatch, case) -> None:
    instance = random_instance(case, max_nodes=12)
    found = []
    for chunk in (100, 10**6):
        monkeypatch.setattr(Effort, "chunk", lambda self, chunk=chunk: min(chunk, self.iterations))
        found.append(annealed_list(instance, int(instance.times.sum()) // 2, seed=3, iterations=2000))
    assert found[0] == found[1]


def test_a_timed_start_is_the_first_schedule() -> None:
    instance = chain([5, 3, 4, 6, 2, 4], 2)
    best = annealed_cyclic(instance, 12, iterations=20_000)
    assert best is not None
    again = annealed_cyclic(instance, 12, iterations=1, start=best.mapping)
    assert again is not None
    assert again.latency == best.latency


def test_transfers_that_occupy_units_are_refused() -> None:
    instance = Instance(
        "b",
        classes=("imc",),
        units=(Unit("u", "imc"),),
        nodes=(InstanceNode("n", (1,)),),
        transfer=Blocking(10**9),
    )
    with pytest.raises(UnsupportedError, match="'blocking' transfers"):
        annealed_cyclic(instance, 1, iterations=1)
