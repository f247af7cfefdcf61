"""Trials on a real Dask cluster, one of whose workers is killed."""

import os
import signal
from contextlib import ExitStack, contextmanager, suppress
from types import SimpleNamespace

import msgspec
import pytest

from mapopt.errors import InputError
from mapopt.studies.cluster import Dask
from mapopt.tuning import cluster as cluster_module
from mapopt.tuning.cluster import storage_for_all, supervise_cluster
from mapopt.tuning.concluding import conclude
from mapopt.tuning.processes import Order
from mapopt.tuning.running import Budgeted, run_tuning
from mapopt.tuning.trials import INTERRUPTED, Progress, load_study
from mapopt.tuning.tuning import read_tuning
from tests.studies.test_cluster import SCHEDULER, WORKER, started
from tests.tuning.tuning_files import Here, write_tuning

pytest.importorskip("distributed")
pytestmark = pytest.mark.usefixtures("tunable", "cheap")


@pytest.fixture
def cluster():
    """A scheduler and two workers: its address, and the first worker."""
    with ExitStack() as stack:
        _, address = started(stack, SCHEDULER)
        (first, said), (_, _) = (started(stack, WORKER, address) for _ in range(2))
        assert said == "ready"
        yield address, first


def tune(path, top, address, trials, on_trial=lambda _: None):
    asked = Budgeted(trials=trials, executor=Dask(address))
    return run_tuning(path, top / "results", f"journal:{top / 'trials.log'}", asked, on_trial=on_trial)


@pytest.mark.slow
def test_the_trial_of_a_lost_worker_is_made_again_before_the_study_ends(tmp_path, cluster):
    """So few trials are left that the other worker has made them before the loss is certain."""
    address, first = cluster
    path = write_tuning(tmp_path, head="options = { sleep_s = 0.5 }")
    killed = []

    def kill_one(progress):
        if progress.done >= 2 and progress.running == 2 and not killed:
            killed.append(os.kill(first.pid, signal.SIGKILL))

    setup, progress = tune(path, tmp_path, address, 6, kill_one)
    assert len(killed) == 1
    assert (progress.done, progress.completed, progress.failed, progress.running) == (6, 6, 0, 0)
    trials = load_study(setup).trials
    (lost,) = [trial for trial in trials if trial.state.name == "FAIL"]
    (again,) = [trial for trial in trials if trial.system_attrs.get("failed_trial") == lost.number]
    assert (again.state.name, again.params) == ("COMPLETE", lost.params)
    assert trials[0].params == {"spread": 1}
    assert len(list(setup.folder.store.records())) >= 2  # they see the folder of the study
    findings = conclude(setup, Here())
    assert findings.summary("train", findings.tuned).score == pytest.approx(progress.best)
    assert tune(path, tmp_path, address, 7)[1].done == 7


@pytest.mark.slow
def test_workers_stop_when_told_and_need_not_see_the_folder(tmp_path, cluster, monkeypatch):
    address, _ = cluster
    path = write_tuning(tmp_path, head="options = { sleep_s = 0.5 }")
    from mapopt.tuning import running

    unseen = running.Order

    def elsewhere(tuning, cases, _, *more):
        return unseen(tuning, cases, str(tmp_path / "on" / "another" / "machine"), *more)

    monkeypatch.setattr(running, "Order", elsewhere)

    def stop(progress):
        if progress.done >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(path, tmp_path, address, 500, stop)
    setup, progress = run_tuning(
        path, tmp_path / "results", f"journal:{tmp_path / 'trials.log'}", Budgeted(trials=1)
    )
    assert 2 <= progress.done < 10
    assert (progress.running, progress.failed) == (0, 0)
    assert any(INTERRUPTED in trial.user_attrs for trial in load_study(setup).trials)
    assert not list(setup.folder.store.records())
    assert not (tmp_path / "on").exists()


@pytest.mark.slow
def test_workers_that_cannot_work_say_why(tmp_path, cluster, tunable):
    address, _ = cluster
    path = write_tuning(tmp_path)
    run_tuning(path, tmp_path / "results", f"journal:{tmp_path / 'trials.log'}", Budgeted(trials=1))
    tunable.write_text(tunable.read_text().replace("order = range(len(", "order = range(0, len("))
    with pytest.raises(
        InputError, match=r"workers: all failed \(.*changed since the study began: code of the mapper"
    ):
        tune(path, tmp_path, address, 3)


class Ended:
    """What has been sent out and has ended at once."""

    def __init__(self, reason=""):
        self.reason = reason

    def done(self):
        return True

    def result(self):
        return self.reason


class Pretended:
    """A cluster whose workers end at once, for a reason or none."""

    def __init__(self, reason=""):
        self.sent, self.reason = [], reason

    @contextmanager
    def connected(self):
        yield self

    def nthreads(self):
        return {"one": 1, "two": 1}

    def submit(self, _make, data, _stop, **_):
        self.sent.append(msgspec.json.decode(data)["worker"])
        return Ended(self.reason)

    def cancel(self, futures):
        self.sent.append(f"{len(futures)} cancelled")

    def Event(self, name, client):  # noqa: N802 - as Dask calls it
        assert client is self
        return SimpleNamespace(name=name, set=lambda: self.sent.append("stop"))

    def wait(self, futures, timeout):
        assert timeout > 0
        self.sent.append(f"waited for {len(futures)}")


@pytest.fixture
def supervised(tmp_path, monkeypatch):
    """Supervise a pretended cluster while the study is in these states (done, running), of 6 trials."""
    monkeypatch.setattr(cluster_module, "POLL_S", 0.0)
    tuning = read_tuning(write_tuning(tmp_path))

    def supervise(states, reason="", until=None):
        pretended, states = Pretended(reason), iter(states)
        monkeypatch.setattr(cluster_module, "distributed_package", lambda: pretended)

        def look():
            done, running = next(states)
            return Progress(6, done, 0, 0, running, None, None, None)

        def order(worker):
            return Order(tuning, (), "folder", "journal:x", worker, 6, None)

        with suppress(StopIteration):
            supervise_cluster(pretended, order, look, until)
        return pretended.sent

    return supervise


def test_a_lost_trial_is_waited_for_and_made_by_a_new_worker(supervised):
    states = [(4, 2), (5, 1), (5, 1), (5, 0), (5, 1), (6, 0), (6, 0)]
    assert supervised(states) == [0, 1, 2, "1 cancelled"]


def test_a_trial_that_others_make_is_not_waited_for_forever(supervised, monkeypatch):
    monkeypatch.setattr(cluster_module, "LOST_S", 0.01)
    assert supervised((5, 1) for _ in iter(int, 1)) == [0, 1, "2 cancelled"]


def test_late_is_the_end(supervised):
    assert supervised([(2, 0)], until=0.0) == [0, 1, "2 cancelled"]


def test_if_all_workers_fail_the_first_reason_is_told(supervised):
    with pytest.raises(InputError, match=r"workers: all failed \(no such mapper\)"):
        supervised([(0, 0)], "no such mapper")


def test_what_ends_the_command_ends_the_workers(supervised):
    """Here it is the lack of further states."""
    assert supervised([(5, 1)]) == [0, 1, "stop", "waited for 2", "2 cancelled"]


@pytest.mark.parametrize(
    ("url", "said"),
    [(None, "none is given"), ("sqlite:///x.db", "it is sqlite:///x.db")],
)
def test_a_storage_that_workers_cannot_share_is_refused(url, said):
    with pytest.raises(InputError) as error:
        storage_for_all(url)
    assert said in str(error.value)
    assert "--storage" in str(error.value)


def test_storages_that_workers_share(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert storage_for_all("journal:all.log") == f"journal:{tmp_path}/all.log"
    url = "postgresql://me:secret@db.example/tuning"
    assert storage_for_all(url) == url
