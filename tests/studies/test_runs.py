"""Runs are made once, and made again as soon as anything that counts is different."""

import msgspec
import pytest

from mapopt.certificate import certify, verify_certificate
from mapopt.errors import InputError
from mapopt.instance import Instance, InstanceNode, Unit
from mapopt.mapping import Mapping
from mapopt.solvers import driver
from mapopt.solvers.model import Limits, Objective
from mapopt.solvers.outcome import Level, Outcome
from mapopt.solvers.watch import Progress
from mapopt.studies import methods, runs
from mapopt.studies.store import RunStore
from mapopt.verification import verify

INSTANCE = Instance(
    "four nodes",
    classes=("imc",),
    units=(Unit("a", "imc"), Unit("b", "imc")),
    nodes=tuple(InstanceNode(f"n{at}", (time,)) for at, time in enumerate((4, 5, 6, 9))),
    tick_ps=500,
)


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path)


def test_a_mapper_runs_once(store):
    record, reused = runs.mapper_run(store, INSTANCE, "lpt")
    assert not reused
    assert (record.status, record.period_ticks, record.period_ns) == ("feasible", "13", "6.5")
    assert (record.latency_ticks, record.latency_ns) == (13, "6.5")
    assert record.key.method == "mapper lpt"
    assert verify(INSTANCE, record.mapping).ok
    assert runs.mapper_run(store, INSTANCE, "lpt") == (record, True)


def test_what_counts_for_a_mapper(store):
    ids = {
        runs.mapper_run(store, *arguments, **options)[0].id
        for arguments, options in (
            ((INSTANCE, "lpt"), {}),
            ((INSTANCE, "rd"), {}),
            ((INSTANCE, "rd"), {"seed": 1}),
            ((msgspec.structs.replace(INSTANCE, tick_ps=1000), "lpt"), {}),
        )
    }
    assert len(ids) == 4
    # neither the name of an instance nor the seed of a mapper that is not random
    renamed = msgspec.structs.replace(INSTANCE, name="other")
    assert runs.mapper_run(store, renamed, "lpt", seed=5)[1] is True


def test_unknown_names_are_refused(store):
    with pytest.raises(InputError, match="lptt"):
        runs.mapper_run(store, INSTANCE, "lptt")
    with pytest.raises(InputError, match="no-such"):
        runs.solve_run(store, INSTANCE, formulation="no-such")
    assert list(store.records()) == []


def test_a_solve_runs_once(store):
    limits = Limits(time_s=5.0)
    record, reused = runs.solve_run(store, INSTANCE, "period", limits=limits)
    assert not reused
    assert record.status == "optimal"
    assert (record.level("period").value, record.level("period").bound) == (13, 13)
    assert record.period_ticks == "13"
    assert record.trace[-1].value == 13
    assert record.key.versions.keys() >= {"ortools"}
    assert verify(INSTANCE, record.mapping).ok
    assert runs.solve_run(store, INSTANCE, "period", limits=limits) == (record, True)


def test_a_record_can_be_certified(store):
    record, _ = runs.solve_run(store, INSTANCE, "period", limits=Limits(time_s=5.0))
    made = certify(INSTANCE, record.mapping, record)
    assert made.run == record.id
    assert made.schedule_class == record.schedule_class
    verdict = verify_certificate(made)
    assert verdict.ok
    assert (verdict.claims[0].status, verdict.claims[0].proof) == ("optimal", "witnessed")
    other = msgspec.structs.replace(INSTANCE, tick_ps=1000)
    with pytest.raises(InputError, match="of another instance"):
        certify(other, Mapping.of(other, [0, 1, 1, 0]), record)


def answer(interrupted=False):
    return Outcome(
        "one pattern", (Level(Objective.PERIOD, None, 12, "", "x", "why"),), None,
        (Progress(0.5, Objective.PERIOD, None, 12),), 1.5, interrupted,
    )  # fmt: skip


def test_what_counts_for_a_solve(store, monkeypatch):
    """And what is kept of a solve that found nothing."""
    monkeypatch.setattr(driver, "solve", lambda *_arguments, **_options: answer())
    variants = (
        {},
        {"objective": "latency"},
        {"objective": "latency", "max_period": 20},
        {"limits": Limits(time_s=1.0)},
        {"limits": Limits(seed=1)},
        {"limits": Limits(deterministic=True)},
        {"contiguous": True},
        {"solver": "cpsat"},
        {"formulation": "period-assignment"},
        {"start": runs.mapper_run(store, INSTANCE, "lpt")[0].mapping},
    )
    records = [runs.solve_run(store, INSTANCE, **options)[0] for options in variants]
    assert len({record.id for record in records}) == len(variants)
    assert (records[0].status, records[0].reason, records[0].mapping) == ("unknown", "why", None)
    assert (records[0].trace[0].time_s, records[0].trace[0].bound, records[0].runtime_s) == (0.5, 12, 1.5)
    assert records[0].schedule_class == "one pattern"
    assert records[0].level("period").value is None


def test_an_interrupted_solve_is_not_kept(store, monkeypatch):
    monkeypatch.setattr(driver, "solve", lambda *_arguments, **_options: answer(interrupted=True))
    assert runs.solve_run(store, INSTANCE)[0].interrupted
    assert list(store.records()) == []


def test_the_code_of_a_solve_is_that_of_its_formulation():
    """Another formulation may change without voiding its records; if the driver may choose, all count."""
    modules = methods.modules_of_solve("period", "period-assignment")
    assert "formulations.period_assignment" in modules
    assert not any("latency" in name for name in modules)
    assert any("latency" in name for name in methods.modules_of_solve("period", None))
    assert any("latency" in name for name in methods.modules_of_solve("period,latency", "period-assignment"))
