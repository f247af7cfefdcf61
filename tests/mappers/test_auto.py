import pytest

from mapopt.library.generators import planted, tight
from mapopt.mappers.registry import get
from mapopt.solvers.judging import measured
from mapopt.solvers.model import Objective
from mapopt.verification import verify


def outcome(instance, budget_s, seed=0):
    mapping = get("auto", {"budget_s": budget_s}).map(instance, seed=seed)
    assert verify(instance, mapping).ok
    assert mapping.mapper.name == "auto"
    return mapping.horizon, measured(instance, mapping, Objective.LATENCY)


@pytest.mark.parametrize("transfer", ["free", "delay", "links"])
def test_more_time_is_never_worse_and_enough_of_it_finds_the_optimum(transfer):
    made = planted.generate(
        imcs=2, dpus=1, nodes_per_unit=4, stages=2, transfer=transfer, period_ticks=1000, seed=1
    )
    moment, second, long = (outcome(made.instance, budget_s) for budget_s in (0.01, 0.5, 10.0))
    assert moment >= second >= long == (made.period_ticks, made.latency_ticks)


def test_annealing_shortens_what_a_few_lists_find_where_units_are_full():
    made = tight.generate(imcs=3, dpus=1, seed=2)
    moment, second = outcome(made.instance, 0.01), outcome(made.instance, 0.5)
    assert second[0] == made.period_ticks
    assert second < moment
