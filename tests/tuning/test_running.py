"""A tuning study finds what there is to find, goes on where it was, and loses nothing."""

import os
import signal
import subprocess
import sys
import time

import pytest

from mapopt.errors import InputError
from mapopt.tuning import lost
from mapopt.tuning.running import Budgeted, run_tuning
from mapopt.tuning.status import status_of
from mapopt.tuning.trials import load_study, progress_of
from tests.tuning.tuning_files import write_tuning

pytestmark = pytest.mark.usefixtures("tunable", "cheap")

SLOW = {"spread": 2, "heavy_first": True}
"""A trial during which a worker is killed."""


def tune(path, top, storage=None, **asked):
    seen = []
    setup, progress = run_tuning(path, top / "results", storage, Budgeted(**asked), on_trial=seen.append)
    return setup, progress, seen


def params(setup):
    return [trial.params for trial in load_study(setup).trials]


@pytest.mark.parametrize("seed", range(4))
def test_the_default_is_tried_first_and_the_best_is_found(tmp_path, seed):
    path = write_tuning(tmp_path, trials=12, head=f"seed = {seed}")
    setup, progress, seen = tune(path, tmp_path)
    assert (progress.done, progress.completed, progress.failed) == (12, 12, 0)
    assert params(setup)[0] == {"spread": 1}
    assert progress.best < progress.default == seen[1].best
    assert load_study(setup).best_params["spread"] == 3
    assert [each.done for each in seen] == list(range(13))


def test_conditions_are_sampled_as_declared(tmp_path):
    setup, _, _ = tune(write_tuning(tmp_path, trials=12), tmp_path)
    tried = params(setup)
    assert all(("heavy_first" in each) == (each["spread"] > 1) for each in tried)
    assert {each["spread"] for each in tried} == {1, 2, 3}


@pytest.mark.parametrize("storage", [None, "sqlite:///{}/all.db", "journal:{}/all.log"])
def test_going_on_adds_what_is_missing(tmp_path, storage):
    path = write_tuning(tmp_path)
    url = None if storage is None else storage.format(tmp_path)
    first, _, _ = tune(path, tmp_path, url, trials=3)
    before = params(first)
    again, progress, _ = tune(path, tmp_path, url, trials=5)
    assert progress.done == 5
    assert params(again)[:3] == before
    _, progress, seen = tune(path, tmp_path, url, trials=5)
    assert (progress.done, len(seen)) == (5, 1)


def test_same_seed_same_trials(tmp_path):
    path = write_tuning(tmp_path, trials=15)
    found = [
        params(tune(path, tmp_path / name)[0]) for name in ("one", "two") if (tmp_path / name).mkdir() is None
    ]
    assert found[0] == found[1]


def test_runs_are_kept_and_made_once(tmp_path, monkeypatch):
    from mapopt.tuning import evaluation

    path = write_tuning(tmp_path, trials=12)
    setup, _, _ = tune(path, tmp_path)
    records = list(setup.folder.store.records())
    assert {record.instance_name for record in records} == {"chain 0", "chain 1"}  # the training split alone
    settings = {tuple(sorted(setup.subject.settings(each).items())) for each in params(setup)}
    assert len(records) == 2 * len(settings)
    (tmp_path / "results" / "tiny" / "trials.db").unlink()
    made = []
    original = evaluation.run_or_reuse
    monkeypatch.setattr(evaluation, "run_or_reuse", lambda *a: made.append(original(*a)[1]) or original(*a))
    tune(path, tmp_path)
    assert made
    assert all(made)


def test_nothing_left_to_gain_ends_it(tmp_path):
    """One instance a split, on one unit's worth of work: the default is at the reference, and one trial says so."""
    path = write_tuning(tmp_path, each=1)
    for family in "abc":
        from tests.tuning.tuning_files import instance

        instance(ord(family), nodes=1).save(tmp_path / family / f"{family}0.json")
    _, progress, _ = tune(path, tmp_path, trials=50)
    assert (progress.done, progress.best, progress.nothing_left) == (1, 0.0, True)


@pytest.mark.parametrize("sampler", ["random", "nsga2", "cmaes"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_samplers(tmp_path, sampler):
    setup, progress, _ = tune(write_tuning(tmp_path, head=f'sampler = "{sampler}"', trials=14), tmp_path)
    assert progress.done == 14
    assert progress.best <= progress.default
    study = load_study(setup)
    assert len(study.directions) == (2 if sampler == "nsga2" else 1)


def test_the_gaussian_process_needs_packages(tmp_path, monkeypatch):
    from mapopt.tuning import sampling

    monkeypatch.setattr(sampling, "find_spec", lambda _: None)
    with pytest.raises(InputError, match="needs the packages torch and scipy"):
        tune(write_tuning(tmp_path, head='sampler = "gp"'), tmp_path)


@pytest.mark.parametrize("pruner", ["median", "halving", "hyperband"])
def test_poor_trials_are_given_up_early(tmp_path, pruner):
    head = f'sampler = "random"\nseed = 2\npruner = "{pruner}"'
    path = write_tuning(tmp_path, each=4, trials=40)
    path.write_text(path.read_text().replace('pruner = "none"', head))
    setup, progress, _ = tune(path, tmp_path)
    assert progress.pruned > 0
    assert progress.done == 40
    best = min(
        trial.values[0] for trial in load_study(setup).trials if trial.values and trial.params["spread"] == 3
    )
    assert progress.best == best


def test_a_slow_run_costs_its_trial(tmp_path):
    head = "run_s = 0.15\noptions = { sleep_s = 0.2, sleep_at = 3 }"
    path = write_tuning(tmp_path, head=head, trials=9, each=1)
    setup, progress, _ = tune(path, tmp_path)
    assert progress.pruned > 0
    assert load_study(setup).best_params["spread"] == 2
    reasons = status_of(path, tmp_path / "results", None).reasons
    assert all("run_s is 0.15" in reason for reason in reasons.values())
    assert len(reasons) == progress.pruned


def test_a_defect_costs_its_trial(tmp_path):
    path = write_tuning(tmp_path, head="options = { crash_at = 2 }", trials=9)
    _, progress, _ = tune(path, tmp_path)
    assert progress.failed > 0
    assert progress.done == 9
    assert "crashed as told" in next(iter(status_of(path, tmp_path / "results", None).reasons.values()))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('pruner = "none"', 'pruner = "none"\noptions = { sleep_s = 0.01 }', "options"),
        ('pruner = "none"', 'pruner = "none"\ntuned = ["spread"]', "space"),
        ('pruner = "none"', 'pruner = "none"\nlatency_weight = 0.5', "score"),
        ('train = ["a"]\nvalidation = ["b"]', 'train = ["b"]\nvalidation = ["a"]', "instances or splits"),
    ],
)
def test_a_changed_study_is_refused(tmp_path, old, new, said):
    path = write_tuning(tmp_path, trials=2)
    tune(path, tmp_path)
    text = path.read_text()
    path.write_text(text.replace(old, new))
    with pytest.raises(InputError) as error:
        tune(path, tmp_path)
    assert f"changed since the study began: {said}; " in str(error.value)
    assert "Give the file another name" in str(error.value)
    path.write_text(text.replace("trials = 2", "trials = 3"))
    assert tune(path, tmp_path)[1].done == 3


def test_a_mapper_whose_code_changed_is_refused(tmp_path, monkeypatch):
    from mapopt.studies import methods

    path = write_tuning(tmp_path, trials=2)
    tune(path, tmp_path)
    monkeypatch.setattr(methods, "code_digest", lambda *_: "sha256:" + "1" * 64)
    with pytest.raises(InputError, match="changed since the study began: code of the mapper; "):
        tune(path, tmp_path)


def test_two_processes_share_a_study(tmp_path):
    path = write_tuning(tmp_path, head="options = { sleep_s = 0.05 }", trials=16)
    setup, progress, _ = tune(path, tmp_path, jobs=2)
    assert progress.done in (16, 17)
    assert progress.running == 0
    assert params(setup).count({"spread": 1}) >= 1


def _worker(path, results, url, trials):
    code = (
        "import sys; from mapopt.tuning.setup import existing; from mapopt.tuning.trials import work; "
        f"work(existing({str(path)!r}, {str(results)!r}, {url!r}), trials={trials}, until=None, worker=7)"
    )
    return subprocess.Popen([sys.executable, "-c", code])


def _wait_for(what, seconds=60):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("storage", ["sqlite:///{}/all.db", "journal:{}/all.log"])
def test_the_trial_of_a_killed_worker_is_made_again(begun, tmp_path, monkeypatch, storage):
    url = storage.format(tmp_path)
    path = write_tuning(tmp_path, head="options = { sleep_s = 1.0, sleep_at = 2 }", trials=4, each=3)
    setup = begun(path, url)
    load_study(setup).enqueue_trial(SLOW)
    worker = _worker(path, tmp_path / "results", url, 4)
    _wait_for(lambda: [trial.state.name for trial in load_study(setup).trials] == ["RUNNING"])
    _wait_for(lambda: load_study(setup).trials[0].params == SLOW)
    monkeypatch.setattr(lost, "LOST_AFTER_S", 0.0)
    claims = lost.TrialClaims(url)
    time.sleep(0.2)
    claims.retry_lost(load_study(setup))
    assert [trial.state.name for trial in load_study(setup).trials] == ["RUNNING"]  # it lives
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    _, progress, _ = tune(path, tmp_path, url)
    trials = load_study(setup).trials
    assert (trials[0].state.name, trials[0].params) == ("FAIL", SLOW)
    again = [trial for trial in trials if trial.system_attrs.get("failed_trial") == 0]
    assert [(trial.state.name, trial.params) for trial in again] == [("COMPLETE", SLOW)]
    assert (progress.done, progress.completed, progress.failed) == (4, 4, 0)


def test_ctrl_c_keeps_what_is_done(tmp_path):
    path = write_tuning(tmp_path, trials=10)

    def stop(progress):
        if progress.done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_tuning(path, tmp_path / "results", None, Budgeted(), on_trial=stop)
    _, progress, seen = tune(path, tmp_path)
    assert seen[0].done == 4
    assert (progress.done, progress.failed) == (10, 0)


def test_a_study_that_was_refused_leaves_nothing(tmp_path, monkeypatch):
    """Else its number of objectives would stay, and every trial of another fail for ever."""
    from mapopt.tuning import setup
    from tests.tuning.tuning_files import cheap_references

    def refuse(*_):
        raise InputError("nothing to gain")

    path = write_tuning(tmp_path, trials=2)
    monkeypatch.setattr(setup, "references_of", refuse)
    with pytest.raises(InputError, match="nothing to gain"):
        tune(path, tmp_path)
    assert not (tmp_path / "results" / "tiny" / "trials.db").exists()
    monkeypatch.setattr(setup, "references_of", cheap_references)
    path = write_tuning(tmp_path, trials=2, head='sampler = "nsga2"')
    assert tune(path, tmp_path)[1].done == 2


def test_other_objectives_are_refused(tmp_path):
    import optuna

    from mapopt.tuning.storage import open_storage

    url = f"sqlite:///{tmp_path}/t.db"
    optuna.create_study(study_name="tiny", storage=open_storage(url), directions=["minimize"])
    path = write_tuning(tmp_path, trials=2, head='sampler = "nsga2"')
    with pytest.raises(InputError, match="has 1 objectives, and sampler 'nsga2' needs 2"):
        tune(path, tmp_path, url)


def test_a_trial_that_failed_counts_whatever_the_reason(tmp_path):
    setup, _, _ = tune(write_tuning(tmp_path, trials=2), tmp_path)
    study = load_study(setup)
    study.tell(study.ask(), state=__import__("optuna").trial.TrialState.FAIL)
    assert progress_of(study, setup, 4).failed == 1


def test_a_trial_that_was_interrupted_has_not_failed(tmp_path, monkeypatch):
    from mapopt.tuning import evaluation

    def stop(*_):
        raise KeyboardInterrupt

    path = write_tuning(tmp_path, trials=3)
    tune(path, tmp_path, trials=1)
    monkeypatch.setattr(evaluation.Evaluator, "gaps", stop)
    with pytest.raises(KeyboardInterrupt):
        tune(path, tmp_path)
    assert status_of(path, tmp_path / "results", None).progress.failed == 0


def test_stale_trials_are_looked_for_on_servers(tmp_path, monkeypatch):
    import optuna

    setup, _, _ = tune(write_tuning(tmp_path, trials=1), tmp_path)
    seen = []
    monkeypatch.setattr(optuna.storages, "fail_stale_trials", seen.append)
    study = load_study(setup)
    lost.TrialClaims("postgresql://db/x").retry_lost(study)
    assert seen == [study]


def test_two_that_join_at_once_draw_differently(tmp_path):
    setup, _, _ = tune(write_tuning(tmp_path, trials=1), tmp_path)
    one, two = load_study(setup), load_study(setup)
    drawn = []
    trials = [each.ask() for each in (one, two)]
    for trial in trials:
        drawn.append([trial.suggest_float(f"x{at}", 0, 1) for at in range(3)])
    assert drawn[0] != drawn[1]


def test_status_makes_no_file(tmp_path):
    path = write_tuning(tmp_path)
    with pytest.raises(InputError, match="was not begun in sqlite:///"):
        status_of(path, tmp_path / "results", f"sqlite:///{tmp_path}/typo.db")
    assert not (tmp_path / "typo.db").exists()


def test_a_study_whose_file_is_gone(tmp_path):
    from mapopt.tuning.storage import StorageError

    setup, _, _ = tune(write_tuning(tmp_path, trials=1), tmp_path)
    (tmp_path / "results" / "tiny" / "trials.db").unlink()
    with pytest.raises(StorageError, match="study 'tiny' is gone"):
        load_study(setup)


@pytest.mark.parametrize("name", ["nope", "tuned:nope.json"])
def test_baselines_are_looked_up_first(tmp_path, name):
    path = write_tuning(tmp_path)
    path.write_text(path.read_text().replace('["rr"]', f'["{name}"]'))
    with pytest.raises(InputError, match=r"tuning 'tiny': baselines: .*nope"):
        tune(path, tmp_path)
    assert not (tmp_path / "results").exists()


def test_time_is_a_budget_too(tmp_path):
    path = write_tuning(tmp_path, head="options = { sleep_s = 0.1 }", trials=1000)
    _, progress, _ = tune(path, tmp_path, time_s=1.0)
    assert 1 <= progress.done < 20


def test_nothing_is_looked_at_where_nothing_was_begun(tmp_path):
    path = write_tuning(tmp_path)
    with pytest.raises(InputError, match="was not begun in sqlite:///"):
        status_of(path, tmp_path / "results", None)
    assert not (tmp_path / "results").exists()


def test_a_trial_that_has_ended_is_read_once(tmp_path, monkeypatch):
    from mapopt.tuning import trials

    setup, _, _ = tune(write_tuning(tmp_path, head="options = { crash_at = 2 }", trials=9), tmp_path)
    study = load_study(setup)
    follower = trials.Follower(study, setup, 9)
    scored = []
    original = trials.trial_score
    monkeypatch.setattr(
        trials, "trial_score", lambda trial, of: scored.append(trial.number) or original(trial, of)
    )
    seen = follower.look()
    assert scored == list(range(9))
    assert (seen.completed + seen.failed, seen.running) == (9, 0)
    running = study.ask()
    assert follower.look().running == 1
    added = study.add_trial(study.trials[0]) or study.trials[-1].number
    assert follower.look().done == 10
    study.tell(running, seen.best / 2)
    after = follower.look()
    assert (after.best, after.best_trial, after.running, after.done) == (seen.best / 2, 9, 0, 11)
    assert after == progress_of(study, setup, 9)
    assert added == 10
    scored.clear()
    assert follower.look() == after
    assert scored == []
