"""What is said in the end: a choice on the validation split, and a comparison on instances not seen before."""

import dataclasses

import msgspec
import pytest

from mapopt.errors import InputError
from mapopt.mappers.registry import get
from mapopt.studies.load import load_results
from mapopt.tuning.concluding import conclude, overfitting, parameters_of
from mapopt.tuning.findings import Findings, Summary, changed_options, findings_file
from mapopt.tuning.running import Budgeted, run_tuning
from mapopt.tuning.trials import load_study
from tests.tuning.tuning_files import Here, write_tuning

pytestmark = pytest.mark.usefixtures("tunable", "cheap")


@pytest.fixture
def concluded(tmp_path):
    path = write_tuning(tmp_path, trials=14, each=3)
    setup, _ = run_tuning(path, tmp_path / "results", None, Budgeted())
    return setup, conclude(setup, Here())


def test_findings(concluded):
    setup, findings = concluded
    assert Findings.load(findings_file(setup.folder)) == findings
    assert findings.methods == ("tunable (tuned)", "tunable (default)", "rr")
    assert [len(setup.counted(split)) for split in ("train", "validation", "test")] == [3, 3, 3]
    assert changed_options(findings)["spread"] == 3
    assert len(findings.trials) == 14
    assert sum(findings.importances.values()) == pytest.approx(1)
    assert {(each.split, each.method) for each in findings.summaries} == {
        (split, method) for split in ("train", "validation", "test") for method in findings.methods
    }
    for split in ("train", "validation", "test"):
        tuned, default = (findings.summary(split, method) for method in findings.methods[:2])
        assert tuned.period_gap < default.period_gap
        assert tuned.period_interval is None  # of 3 instances
    against = {(each.split, each.against): each for each in findings.contrasts}
    contrast = against["test", "tunable (default)"]
    assert (contrast.wins, contrast.losses, contrast.ties) == (3, 0, 0)
    assert contrast.difference < 0
    assert contrast.p_value == 0.25
    assert findings.overfitting == ""


def test_the_score_of_the_chosen_trial_is_that_of_its_training_split(concluded):
    setup, findings = concluded
    trial = load_study(setup).trials[findings.trial]
    assert findings.summary("train", findings.tuned).score == pytest.approx(trial.values[0])
    default = findings.summary("train", findings.default).score
    assert default == pytest.approx(
        next(t.values[0] for t in load_study(setup).trials if t.params == {"spread": 1})
    )


def test_validation_chooses(concluded):
    _, findings = concluded
    best = min(findings.finalists, key=lambda each: (each.validation, each.train))
    assert findings.trial == best.trial
    assert len(findings.finalists) > 1


def test_the_defaults_stand_where_nothing_holds_up(tmp_path, monkeypatch):
    """The best on train may lose on validation; then the defaults are the result."""
    from mapopt.tuning import concluding

    path = write_tuning(tmp_path, trials=10)
    setup, _ = run_tuning(path, tmp_path / "results", None, Budgeted())
    original = concluding.score
    monkeypatch.setattr(concluding, "score", lambda mean, weight: -original(mean, weight))
    findings = conclude(setup, Here())
    assert changed_options(findings) == {}


def test_the_plan_is_one_that_reports_read(concluded):
    setup, _ = concluded
    results = load_results([setup.folder.path])
    plan = results.plans[0]
    assert {run.instance for run in plan.runs} == {"c0", "c1", "c2"}
    assert set(results.records) == {run.id for run in plan.runs}
    assert len(plan.runs) == 9


def test_the_parameter_file(concluded, tmp_path):
    _, findings = concluded
    parameters_of(findings).save(tmp_path / "p.json")
    mapper = get(f"tuned:{tmp_path / 'p.json'}")
    assert mapper.options.as_dict() == findings.options
    scores = {each.split: each for each in parameters_of(findings).scores}
    assert scores["test"].period_gap == findings.summary("test", findings.tuned).period_gap


def test_the_default_is_the_mapper_without_options(tmp_path):
    path = write_tuning(tmp_path, head="parameters = { spread = { low = 2, high = 3 } }", trials=4)
    setup, _ = run_tuning(path, tmp_path / "results", None, Budgeted())
    findings = conclude(setup, Here())
    assert findings.methods == ("tunable (tuned)", "tunable (default)", "tunable (start)", "rr")
    assert (
        findings.summary("test", "tunable (start)").period_gap
        < findings.summary("test", findings.default).period_gap
    )


def test_references_know_the_latencies_of_the_compared_runs(concluded):
    setup, findings = concluded
    assert findings.proven()["test"] == (3, 3, 3)
    worse = [
        msgspec.structs.replace(each, latency=10 * each.latency, period=10 * each.period)
        for each in setup.references
    ]
    lowered = conclude(dataclasses.replace(setup, references=tuple(worse)), Here())
    for case, before in zip(lowered.cases, worse, strict=True):
        assert case.reference.latency < before.latency
        assert "; latency of run " in case.reference.source
        assert min(latency for _, latency in case.gaps.values()) == 0
    assert {periods for _, periods, _ in lowered.proven().values()} == {0}


def test_no_trial_no_findings(tmp_path):
    path = write_tuning(
        tmp_path, head="options = { crash_at = 1 }\nparameters = { spread = { low = 1, high = 2 } }"
    )
    setup, progress = run_tuning(path, tmp_path / "results", None, Budgeted(trials=1))
    assert (progress.completed, progress.failed) == (0, 1)
    with pytest.raises(InputError, match="no trial was completed"):
        conclude(setup, Here())


def summaries(**scores):
    return [
        Summary(split, method, 3, 0, (0, 0), 0, (0, 0), value, (0, 0))
        for split, pair in scores.items()
        for method, value in zip(("tuned", "default"), pair, strict=True)
    ]


@pytest.mark.parametrize(
    ("train", "validation", "test", "flagged"),
    [
        ((0.5, 1.0), (0.6, 1.0), (0.7, 1.0), []),
        ((0.5, 1.0), (0.6, 1.0), (0.9, 1.0), ["+10% on test"]),
        ((0.5, 1.0), (1.2, 1.0), (0.5, 1.0), ["-20% on validation"]),
        ((0.0, 1.0), (0.1, 0.0), (0.0, 0.0), ["-100% on validation", "+0% on test"]),
        ((1.0, 1.0), (2.0, 1.0), (2.0, 1.0), []),
    ],
)
def test_overfitting(train, validation, test, flagged):
    told = overfitting(summaries(train=train, validation=validation, test=test), "tuned", "default")
    assert bool(told) == bool(flagged)
    assert all(each in told for each in flagged)
