"""A store keeps records whole, whoever is killed and whoever else writes."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
import warnings

import pytest

from mapopt.documents import write_atomic
from mapopt.errors import InputError
from mapopt.studies.store import RecordWarning, RunStore, run_or_reuse
from tests.studies.cases import KEY, key, record


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "results" / "runs")


@pytest.fixture(autouse=True)
def _no_unexpected_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_what_is_put_is_got(store):
    assert store.get(KEY) is None
    assert list(store.records()) == []
    kept = store.put(record())
    assert store.get(KEY) == kept == record().sealed()
    assert store.file(KEY) == store.path / KEY.id[:2] / f"{KEY.id}.json"
    assert [each.name for each in store.file(KEY).parent.iterdir()] == [f"{KEY.id}.json"]


def test_the_first_record_stands(store):
    first = store.put(record())
    assert store.put(record(runtime_s=9.0)) == first == store.get(KEY)


def test_a_run_is_made_once(store):
    made = []

    def compute():
        made.append(1)
        return record()

    assert run_or_reuse(store, KEY, compute) == (record().sealed(), False)
    assert run_or_reuse(store, KEY, compute) == (record().sealed(), True)
    assert run_or_reuse(store, key(2), lambda: record(key(2)))[1] is False
    assert len(made) == 1


def test_interrupted_runs_are_made_again(store):
    def stopped():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_or_reuse(store, KEY, stopped)
    assert run_or_reuse(store, KEY, lambda: record(interrupted=True))[0].interrupted
    assert store.get(KEY) is None


def test_a_record_of_another_run_is_refused(store):
    with pytest.raises(ValueError, match="key"):
        run_or_reuse(store, KEY, lambda: record(key(2)))
    assert list(store.records()) == []


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda data: data[: len(data) // 2], "truncated"),
        (lambda _data: b"", "not valid JSON"),
        (lambda data: data.replace(b'"bound":10', b'"bound":12'), "altered: delete it"),
        (lambda data: data.replace(b"mapopt.record/1", b"mapopt.record/2"), "version 2"),
        (lambda _data: b'{"schema": "mapopt.mapping/1"}', "is a mapopt mapping"),
        (lambda _data: record(key(2)).sealed().to_json(), "rename or delete"),
    ],
)
def test_a_damaged_record_is_reported_and_made_again(store, damage, says):
    store.put(record())
    store.put(record(key(3)))
    path = store.file(KEY)
    bad = damage(path.read_bytes())
    path.write_bytes(bad)
    with pytest.warns(RecordWarning, match=says) as caught:
        assert store.get(KEY) is None
    assert str(path) in str(caught[0].message)
    with pytest.warns(RecordWarning, match=says):
        assert [each.key for each in store.records()] == [key(3)]
    with pytest.warns(RecordWarning, match=says):
        again, reused = run_or_reuse(store, KEY, record)
    assert (again, reused) == (record().sealed(), False)
    assert store.get(KEY) == again
    (aside,) = path.parent.glob("*.damaged")
    assert aside.read_bytes() == bad
    assert len(list(store.records())) == 2


def test_setting_aside_never_takes_an_intact_record(store):
    """Another process may have repaired the file in the meantime."""
    kept = store.put(record())
    store._set_aside(store.file(KEY), KEY.id)
    assert store.get(KEY) == kept
    assert len(list(store.file(KEY).parent.iterdir())) == 1


def test_a_store_that_cannot_be_written_says_so(tmp_path):
    write_atomic(tmp_path / "file", b"")
    with pytest.raises(InputError, match="cannot be written"):
        RunStore(tmp_path / "file").put(record())


def _write_many(path, first, last):
    store = RunStore(path)
    for seed in range(first, last):
        run_or_reuse(store, key(seed), lambda seed=seed: record(key(seed), reason=f"by {os.getpid()}"))


def test_two_processes_share_a_store(store):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write_many, args=(store.path, 0, 100)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert sorted(each.key.seed for each in store.records()) == list(range(100))
    assert {each.suffix for each in store.path.glob("??/*")} == {".json"}


WRITER = """
import itertools, sys
from mapopt.studies.store import RunStore
from tests.studies.cases import key, record
store = RunStore(sys.argv[1])
for seed in itertools.count():
    store.put(record(key(seed), reason="x" * 200_000))
    print(seed, flush=True)
"""


def test_a_writer_that_is_killed_leaves_whole_records(store):
    kept = set()
    for wait in (0.0, 0.013, 0.031):
        before = kept
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(store.path)], stdout=subprocess.PIPE, text=True
        )
        with writer:
            said = [int(writer.stdout.readline()) for _ in range(3)]
            time.sleep(wait)
            writer.send_signal(signal.SIGKILL)
            said += [int(line) for line in writer.stdout.read().splitlines()]
        kept = {each.key.seed for each in store.records()}
        assert set(said) <= kept <= {*before, *said, len(said)}


@pytest.mark.slow
def test_tens_of_thousands_of_records_work(store):
    for seed in range(20_000):
        store.put(record(key(seed)))
    begin = time.monotonic()
    assert sum(1 for _ in store.records()) == 20_000
    assert time.monotonic() - begin < 30
    begin = time.monotonic()
    assert store.get(key(17)) is not None
    assert time.monotonic() - begin < 0.1
