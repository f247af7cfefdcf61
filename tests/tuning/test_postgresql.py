"""Many processes, one study, on a real server that may go away."""

import threading
import time

import pytest

from mapopt.tuning import postgresql as tables
from mapopt.tuning.running import Budgeted, run_tuning
from mapopt.tuning.storage import StorageError
from mapopt.tuning.trials import load_study
from tests.tuning import postgresql
from tests.tuning.test_running import SLOW, _wait_for, _worker
from tests.tuning.tuning_files import write_tuning

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("tunable", "cheap")]


@pytest.fixture(scope="module")
def running():
    if postgresql.binaries() is None:
        pytest.skip("postgresql is not installed")
    with postgresql.server() as server:
        yield server


def tune(path, top, url, **asked):
    return run_tuning(path, top / "results", url, Budgeted(**asked))


def test_processes_share_a_study(running, tmp_path):
    path = write_tuning(tmp_path, head="options = { sleep_s = 0.05 }", name="shared", trials=12)
    setup, progress = tune(path, tmp_path, running.url, jobs=2)
    assert progress.done in (12, 13)
    assert progress.running == 0
    assert load_study(setup).best_params["spread"] == 3
    workers = [_worker(path, tmp_path / "results", running.url, 20) for _ in range(2)]
    assert [worker.wait() for worker in workers] == [0, 0]
    assert len(load_study(setup).trials) in (20, 21)


def test_a_server_that_goes_away_half_way(running, tmp_path):
    path = write_tuning(tmp_path, head="options = { sleep_s = 0.1 }", name="away", trials=10)
    seen = []

    def stop(progress):
        seen.append(progress.done)
        if progress.done == 4:
            running.stop()

    try:
        with pytest.raises(StorageError) as error:
            run_tuning(path, tmp_path / "results", running.url, Budgeted(), on_trial=stop)
    finally:
        running.start()
    assert f"storage postgresql://tuner@127.0.0.1:{running.port}/postgres: failed" in str(error.value)
    assert postgresql.PASSWORD not in str(error.value)
    _, progress = tune(path, tmp_path, running.url)
    assert (progress.done, progress.failed) == (10, 0)
    assert seen[-1] == 4


def test_the_trial_of_a_killed_worker_is_made_again(running, begun, tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "HEARTBEAT_S", 1)
    monkeypatch.setattr(tables, "GRACE_S", 2)
    path = write_tuning(
        tmp_path, head="options = { sleep_s = 1.0, sleep_at = 2 }", name="killed", trials=4, each=3
    )
    setup = begun(path, running.url)
    load_study(setup).enqueue_trial(SLOW)
    worker = _worker(path, tmp_path / "results", running.url, 4)
    _wait_for(lambda: load_study(setup).trials[0].params == SLOW)
    time.sleep(0.5)
    worker.kill()
    worker.wait()
    time.sleep(3)
    _, progress = tune(path, tmp_path, running.url)
    trials = load_study(setup).trials
    assert (trials[0].state.name, trials[0].params) == ("FAIL", SLOW)
    again = [trial for trial in trials if trial.system_attrs.get("failed_trial") == 0]
    assert [(trial.state.name, trial.params) for trial in again] == [("COMPLETE", SLOW)]
    assert (progress.completed, progress.failed) == (4, 0)


def test_two_on_two_machines_begin_at_once(running, tmp_path):
    """Each has results of its own; the storage alone is shared."""
    found = []

    def begin(top):
        top.mkdir()
        found.append(tune(write_tuning(top, name="both", trials=8), top, running.url)[1].done)

    threads = [threading.Thread(target=begin, args=(tmp_path / name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(found) in (8, 9)
