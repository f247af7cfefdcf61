"""The search over links: bounds, values and proofs against brute force."""

from collections.abc import Callable
from typing import Any

import pytest

from mapopt.mapping import Mapping
from mapopt.solvers import linked
from mapopt.solvers.base import Formulation, Task
from mapopt.solvers.choice import candidates
from mapopt.solvers.contention import without_contention
from mapopt.solvers.judging import measured
from mapopt.solvers.linked import improve_linked
from mapopt.solvers.model import Answer, Limits, Objective, PeriodRange, Status
from mapopt.solvers.watch import Watch
from tests.bounds.cases import assignments, loads
from tests.formulations.cases import least_period, tiny_instance
from tests.formulations.oracle import least_latency


def solved(seed: int, **wishes: Any) -> tuple[Answer, int | None]:
    """Return the answer for a tiny instance at its least period, and the least latency."""
    instance = tiny_instance(seed, "links")
    period = least_period(instance)
    units = next(each for each in assignments(instance) if max(loads(instance, each).values()) <= period)
    fixed, watch = PeriodRange(period, period), Watch(Limits(time_s=wishes.pop("time_s", 6), workers=1))
    over, without = (
        candidates(each, Objective.LATENCY, True, False)[0]
        for each in (instance, without_contention(instance))
    )
    task = Task(
        instance, Objective.LATENCY, watch, over.solvers[0], fixed, Mapping.of(instance, units), **wishes
    )
    answer = improve_linked(task, over, without)
    if answer.mapping is not None:
        assert answer.value == measured(instance, answer.mapping, Objective.LATENCY)
    return answer, least_latency(instance, fixed)


def test_brute_force() -> None:
    proven = 0
    for seed in range(5):
        answer, least = solved(seed)
        assert least is not None
        assert answer.bound is not None
        assert answer.bound <= least, seed
        assert answer.value == least, seed
        proven += answer.status is Status.OPTIMAL
    assert proven >= 3


def test_without_time_nothing_wrong_is_claimed() -> None:
    answer, least = solved(1, time_s=0.001)
    assert least is not None
    assert (answer.bound or 0) <= least
    assert answer.value is None or answer.value >= least
    assert (answer.status is Status.OPTIMAL) == (answer.value == answer.bound)


def test_the_method_that_gained_most_goes_on_and_the_whole_problem_comes_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instance = tiny_instance(0, "links")
    formulation: Formulation = candidates(instance, Objective.LATENCY, True, False)[0]
    period = PeriodRange(1000, 1000)
    task = Task(instance, Objective.LATENCY, Watch(Limits(time_s=20)), period=period)
    search = linked._Search(task, formulation)
    search.value, search.bound = 1000, 900
    search.mapping = Mapping.of(instance, next(iter(assignments(instance))))
    turns: list[str] = []
    gains = {"_by_insertion": [10, 5], "_in_neighbourhoods": [20], "_by_annealing": [0], "_whole": [1000]}

    def method(name: str) -> Callable[[linked._Search], None]:
        def gain(self: linked._Search) -> None:
            assert self.value is not None
            turns.append(name)
            self.value -= gains[name].pop(0) if gains[name] else 0

        return gain

    for name in gains:
        monkeypatch.setattr(linked._Search, name, method(name))
    monkeypatch.setattr(linked._Search, "_list", lambda _: None)
    search.improve()
    assert turns == [
        *("_by_insertion", "_in_neighbourhoods", "_by_annealing"),
        *("_in_neighbourhoods", "_by_insertion", "_by_insertion"),
        "_whole",
    ]


def test_variants_keep_the_other_options() -> None:
    instance = tiny_instance(0, "links")
    formulation: Formulation = candidates(instance, Objective.LATENCY, True, False)[0]
    found = linked._variant(formulation, relax=False)
    assert found is not None
    assert found.options.as_dict() == {**formulation.options.as_dict(), "relax": False}
    assert linked._variant(formulation, unheard_of=True) is None
