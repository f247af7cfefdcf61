import math

import msgspec
import pytest

from mapopt.report import report
from mapopt.studies.folder import Folder
from mapopt.studies.plan import KnownBound, Plan
from mapopt.studies.records import LevelRecord
from tests.report import studies


def case_of(path):
    return report.read([path]).cases[0]


def run_of(case, method):
    return case.by_method[method][0]


def test_gaps_by_hand(small):
    case = case_of(small)
    assert case.gap(run_of(case, "lblp"), "period") == 0
    assert case.gap(run_of(case, "wb"), "period") == 1
    assert case.proof(run_of(case, "wb"), "period").by == "counting"
    assert case.proof(run_of(case, "wb"), "period").run == run_of(case, "solve period,latency").id


def test_a_latency_bound_counts_only_for_its_period(small):
    case = case_of(small)
    # The optimum of 32 is proved for a period of 15: it holds for lblp (15), not for wb (30, latency 30 < 32).
    assert case.gap(run_of(case, "lblp"), "latency") == 0.25
    floor = case.proof(run_of(case, "wb"), "latency")
    assert floor.ticks == 25  # the chain
    assert floor.run is None
    assert case.gap(run_of(case, "wb"), "latency") == 0.2


def test_what_is_proven(small):
    case = case_of(small)
    assert case.proven("period")
    assert case.proven("latency")
    assert case.best("period") == 15
    assert case.best("latency") == 30


def made(path, *runs):
    """One instance; runs are (method, class, period level, latency level)."""
    instance, result = studies.chain(), studies.Made(path)
    for method, stated, period, latency in runs:
        key = studies.key(instance.digest, method)
        levels = (LevelRecord("period", "feasible", *period), LevelRecord("latency", "feasible", *latency))
        result.add(studies.record(key, schedule_class=stated, levels=levels), instance, method)
    return result.done()


@pytest.mark.parametrize(
    ("stated", "bound"),
    [
        ("one frame alone, any transfer model, free transfers", 28),
        ("time-triggered, one frame alone, free transfers", 28),
        ("time-triggered, one pattern (K = 1), free transfers, period 20 ticks", 28),
        ("time-triggered, one pattern (K = 1), free transfers, period 15 to 20 ticks", 28),
        ("time-triggered, one pattern (K = 1), free transfers, period 21 ticks", 25),
        ("time-triggered, one pattern (K = 1), free transfers, period 12 to 19 ticks", 25),
        ("", 25),
        ("contiguous, one pattern (K = 1), period 20 ticks", 25),
    ],
)
def test_which_latency_bounds_hold_for_a_period_of_20(tmp_path, stated, bound):
    path = made(tmp_path / "r", ("mapper a", "", (20,), (40,)), ("solve", stated, (20, 15), (40, 28)))
    case = case_of(path)
    assert case.proof(run_of(case, "mapper a"), "latency").ticks == bound


@pytest.mark.parametrize(
    ("objective", "at", "compared", "ticks", "counts"),
    [
        ("period", None, "time-triggered", 19, True),
        ("period", None, "time-triggered", 12, False),  # the structure gives 13
        ("period", None, "single-frame", 19, False),
        ("latency", 20, "time-triggered", 38, True),
        ("latency", 19, "time-triggered", 38, False),
    ],
)
def test_bounds_of_the_library_count_where_they_hold(tmp_path, objective, at, compared, ticks, counts):
    folder = Folder(made(tmp_path / "r", ("mapper a", "", (20,), (40,))))
    plan = Plan.load(folder.plan)
    bound = KnownBound(plan.runs[0].instance_digest, objective, ticks, "search", "light21/x", at)
    msgspec.structs.replace(plan, known=(bound,), compared=compared).save(folder.plan)
    case = case_of(folder.path)
    proof = case.proof(run_of(case, "mapper a"), objective)
    assert (proof.ticks == ticks) is counts
    assert (proof.by == "search (library: light21/x)") is counts
    assert proof.run is None


def test_bounds_of_contiguous_mappings_hold_for_no_others(tmp_path):
    path = made(
        tmp_path / "r", ("mapper a", "", (20,), (40,)), ("solve", "contiguous, one pattern", (20, 19), (40,))
    )
    case = case_of(path)
    assert case.proof(run_of(case, "mapper a"), "period").ticks == 13


def test_mappings_that_alternate_have_no_gap(tmp_path):
    # All bounds here are of mappings with one pattern; two patterns may go below them.
    instance, result = studies.chain(), studies.Made(tmp_path / "r")
    key, level = studies.key(instance.digest, "mapper a"), LevelRecord("period", "feasible", 14)
    stated = "time-triggered, 2 patterns (K = 2), free transfers"
    result.add(studies.record(key, levels=(level,), schedule_class=stated), instance, "a")
    case = case_of(result.done())
    assert case.gap(case.runs[0], "period") is None


def test_the_median_run_of_a_random_method(tmp_path):
    instance, result = studies.chain(), studies.Made(tmp_path / "r")
    for seed, period in enumerate((30, 20, 25, None)):
        levels = () if period is None else (LevelRecord("period", "feasible", period),)
        status = "unknown" if period is None else "feasible"
        key = studies.key(instance.digest, "mapper rd", seed)
        result.add(studies.record(key, status, levels=levels), instance, "rd", seed=seed)
    case = case_of(result.done())
    assert case.typical("rd", "period") == 25
    assert case.typical_run("rd").value("period") == 25
    assert case.best_run("rd").value("period") == 20
    assert case.typical("other", "period") is None


def test_more_failures_than_values_make_an_infinite_median(tmp_path):
    instance, result = studies.chain(), studies.Made(tmp_path / "r")
    for seed, period in enumerate((30, None, None)):
        levels = () if period is None else (LevelRecord("period", "feasible", period),)
        key = studies.key(instance.digest, "mapper rd", seed)
        result.add(
            studies.record(key, "feasible" if levels else "failed", levels=levels), instance, "rd", seed=seed
        )
    case = case_of(result.done())
    assert case.typical("rd", "period") == math.inf


def test_runs_without_an_instance_still_have_gaps(small):
    for file in (small / "instances").iterdir():
        file.unlink()
    case = case_of(small)
    assert case.gap(run_of(case, "wb"), "period") == 1
    assert case.gap(run_of(case, "wb"), "latency") is None


def test_classes_are_kept_apart(small, tmp_path):
    other = studies.small(tmp_path / "other")
    plan = msgspec.json.decode((other / "plan.json").read_bytes())
    plan["class"] = "single-frame"
    (other / "plan.json").write_bytes(msgspec.json.encode(plan))
    scene = report.read([small, other])
    assert [case.compared for case in scene.cases] == ["time-triggered"] * 2 + ["single-frame"] * 2
    # A bound for a stream with some period says nothing about a frame alone.
    alone = scene.cases[2]
    assert alone.proof(run_of(alone, "lblp"), "latency").ticks == 25
