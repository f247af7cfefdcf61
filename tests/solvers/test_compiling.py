import pytest

from mapopt.search import effort
from mapopt.solvers import compiling, driver
from mapopt.solvers.model import Limits
from mapopt.transfers import Blocking, Delay, Free, Host, Links
from tests.formulations.cases import tiny_instance


@pytest.mark.parametrize("kind", [Free, Delay, Blocking, Host, Links])
def test_every_search_runs_for_a_moment(kind):
    compiling.compile_searches(kind)
    compiling.compile_searches.cache_clear()
    compiling.compile_searches(kind)


def test_compiling_takes_no_time_of_the_solve(monkeypatch):
    """A solve with a limit shorter than its compiling still has all of its time afterwards."""
    waited = []

    def compile_slowly(kind):
        effort.time.sleep(1.5)
        waited.append(kind)

    monkeypatch.setattr(driver, "compile_searches", compile_slowly)
    for seed in range(20):
        outcome = driver.solve(
            tiny_instance(seed, "delay"), "period,latency", limits=Limits(time_s=0.3, workers=1)
        )
        if waited:
            break
    assert waited == [Delay]
    assert outcome.levels[1].value is not None
    assert outcome.runtime_s < 1.5
