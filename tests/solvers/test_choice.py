import pytest

from mapopt.errors import UnsupportedError
from mapopt.solvers.choice import candidates
from mapopt.solvers.model import Objective
from mapopt.sources import load_instance
from tests.formulations.cases import tiny_instance

FREE = load_instance("resnet8", platform="imce:imc=2,dpu=1,transfer=free")
LINKS = load_instance("resnet8", platform="imce:imc=2,dpu=1")


def names(*arguments, **options):
    return [formulation.name for formulation in candidates(*arguments, **options)]


def test_periods_have_a_portfolio_and_latencies_one_method():
    assert names(FREE, Objective.PERIOD, False, False)[0] == "period-patterns"
    assert "period-patterns" not in names(LINKS, Objective.PERIOD, False, False)
    assert names(FREE, Objective.PERIOD, False, True) == ["period-contiguous"]
    assert names(FREE, Objective.LATENCY, True, False) == ["latency-modulo"]
    assert names(LINKS, Objective.LATENCY, True, False) == ["latency-modulo-transfers"]
    assert names(FREE, Objective.LATENCY, False, False) == ["latency-single"]
    assert names(LINKS, Objective.LATENCY, False, False) == ["latency-single-transfers"]


def test_a_solver_chooses_the_formulations_that_run_on_it():
    assert names(LINKS, Objective.PERIOD, False, False, solver="cbc") == ["period-assignment-milp"]
    assert "latency-modulo-milp" in names(tiny_instance(0), Objective.LATENCY, True, False, solver="highs")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((LINKS, Objective.PERIOD, False, False, "period-patterns"), "transfers are 'links'"),
        ((FREE, Objective.LATENCY, True, False, "latency-single"), "a frame alone, not a stream"),
        ((LINKS, Objective.LATENCY, True, False, None, (), "highs"), "use a CP-SAT formulation, or a larger"),
        ((FREE, Objective.PERIOD, False, True, "period-patterns"), "any mapping, not at contiguous"),
        ((FREE, Objective.PERIOD, False, False, "period-patterns", (), "highs"), "runs on own"),
    ],
)
def test_reasons_are_given(arguments, message):
    with pytest.raises(UnsupportedError, match=message):
        candidates(*arguments)
