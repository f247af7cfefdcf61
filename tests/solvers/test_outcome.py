import pytest

from mapopt.solvers.model import Objective, Status
from mapopt.solvers.outcome import Level, Outcome

PERIOD, LATENCY = Objective.PERIOD, Objective.LATENCY


@pytest.mark.parametrize(
    ("level", "status", "gap"),
    [
        (Level(PERIOD, 5, 5), Status.OPTIMAL, 0.0),
        (Level(PERIOD, 0, 0), Status.OPTIMAL, 0.0),
        (Level(PERIOD, 6, 5), Status.FEASIBLE, 0.2),
        (Level(PERIOD, 6, None), Status.FEASIBLE, None),
        (Level(PERIOD, 6, 0), Status.FEASIBLE, None),
        (Level(PERIOD, None, 5), Status.UNKNOWN, None),
        (Level(PERIOD, None, 5, failed=True), Status.FAILED, None),
        (Level(PERIOD, None, None, infeasible=True), Status.INFEASIBLE, None),
    ],
)
def test_a_level_says_no_more_than_it_knows(level, status, gap):
    assert level.status is status
    assert level.gap == (None if gap is None else pytest.approx(gap))


def test_an_outcome_is_optimal_only_if_every_level_is():
    proven, stopped = Level(PERIOD, 5, 5), Level(LATENCY, 9, 8)
    assert Outcome("", (proven,), None, (), 0.0).status is Status.OPTIMAL
    assert Outcome("", (proven, stopped), None, (), 0.0).status is Status.FEASIBLE
    assert Outcome("", (Level(PERIOD, 6, 5), Level(LATENCY, 9, 9)), None, (), 0.0).status is Status.FEASIBLE
    assert Outcome("", (proven,), None, (), 0.0).level(LATENCY) is None
