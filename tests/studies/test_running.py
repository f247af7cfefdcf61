"""A study makes each run once, keeps what is done, and survives whatever its runs do."""

import errno
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from mapopt.errors import InputError
from mapopt.studies.claims import Claims
from mapopt.studies.folder import Folder
from mapopt.studies.load import load_results
from mapopt.studies.records import Record
from mapopt.studies.running import Local, Queue, prepare, run_study
from mapopt.studies.store import _create
from mapopt.studies.worker import Job
from tests.studies.study_files import Here, content, planned, write_study

SOLVE = '[[solves]]\nobjective = ["period", "period,latency"]'


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A study and its results: made once, not to be changed."""
    top = tmp_path_factory.mktemp("whole")
    path = write_study(top, more=SOLVE)
    progress = run_study(path, top / "results", Local(2))
    return path, top / "results" / "tiny", progress


def test_a_study_leaves_records_plan_and_instances(whole):
    path, folder, progress = whole
    assert (progress.total, progress.done, progress.reused, progress.failed) == (12, 12, 0, 0)
    assert (folder / "study.toml").read_bytes() == path.read_bytes()
    results = load_results([folder])
    assert results.warnings == ()
    assert list(planned(folder)) == [run.id for run in results.plans[0].runs]
    assert set(results.records) == set(planned(folder)) == set(results.rows)
    for run in results.plans[0].runs:
        record = results.records[run.id]
        instance = results.instance(run.instance_digest)
        assert instance.digest == record.key.instance
        assert results.rows[run.id].level("period").value == record.level("period").value


def test_mappers_and_solves_carry_the_same_levels(whole):
    """In the same class: no mapper beats a proven optimum of it."""
    results = load_results([whole[1]])
    runs = results.plans[0].runs
    best = {}
    for run in runs:
        record = results.records[run.id]
        assert record.schedule_class.startswith(
            ("time-triggered, one pattern (K = 1)", "one pattern (K = 1)")
        )
        if run.method == "solve period,latency":
            assert record.status == "optimal"
            best[run.instance] = {level.objective: level.value for level in record.levels}
    for run in runs:
        if run.role == "mapper":
            record = results.records[run.id]
            assert [level.objective for level in record.levels] == ["period", "latency"]
            assert {level.status for level in record.levels} == {"feasible"}
            assert record.level("period").value >= best[run.instance]["period"]
            assert record.mapping.is_time_triggered
            assert record.mapping.claims.latency_ticks == record.level("latency").value
            assert record.runtime_s > 0


def test_running_again_makes_nothing(whole):
    path, folder, _ = whole
    before = {file: file.stat().st_mtime_ns for file in folder.glob("runs/*/*.json")}
    progress = run_study(path, folder.parent, Local(2))
    assert (progress.done, progress.reused) == (0, 12)
    assert {file: file.stat().st_mtime_ns for file in folder.glob("runs/*/*.json")} == before


def test_a_larger_study_reuses_what_is_there(tmp_path):
    run_study(write_study(tmp_path), tmp_path, Here())
    progress = run_study(write_study(tmp_path, seeds=5), tmp_path, Here())
    assert (progress.reused, progress.done) == (8, 4)


def test_the_single_frame_class(tmp_path):
    text = (
        'schema = "mapopt.study/1"\nname = "s"\nclass = "single-frame"\n[[instances]]\nfiles = ["*.instance.json"]\n'
        '[[mappers]]\nname = "heft"\n[[solves]]\nobjective = "latency"\nlimits = { time_s = 5 }'
    )
    run_study(write_study(tmp_path, text), tmp_path, Here())
    results = load_results([tmp_path / "s"])
    for run in results.plans[0].runs:
        record = results.records[run.id]
        assert [level.objective for level in record.levels] == ["latency"]
        assert record.level("latency").value == (13 if run.instance == "four.instance" else 8)
        assert "one frame alone" in record.schedule_class


def misbehave(tmp_path, *manners, limits="", name="misbehaving", executor=None):
    options = f"options = {{ how = {list(manners)} }}" if manners else ""
    text = (
        f'schema = "mapopt.study/1"\nname = "s"\n[limits]\n{limits}\n[[instances]]\nfiles = ["four.instance.json"]\n'
        f'[[mappers]]\nname = "{name}"\n{options}'
    )
    path = write_study(tmp_path, text)
    progress = run_study(path, tmp_path, executor or Local(1))
    results = load_results([tmp_path / "s"])
    return (
        path,
        progress,
        {run.method.partition("=")[2]: results.records[run.id] for run in results.plans[0].runs},
    )


@pytest.mark.usefixtures("misbehaving")
def test_whatever_a_run_does_the_others_go_on(tmp_path):
    """One record each, with the reason."""
    manners = ("sleep", "eat", "die", "raise", "print", "well")
    path, progress, records = misbehave(tmp_path, *manners, limits="kill_s = 1.0\nmemory_mib = 500")
    assert {name: record.status for name, record in records.items()} == {
        "sleep": "failed",
        "eat": "failed",
        "die": "failed",
        "raise": "failed",
        "print": "feasible",
        "well": "feasible",
    }
    assert records["sleep"].reason == "took longer than 1 s and was killed"
    assert "ran out of memory (the limit is 500 MiB" in records["eat"].reason
    assert "SIGSEGV" in records["die"].reason
    assert "a defect" in records["raise"].reason
    assert (progress.done, progress.failed) == (6, 4)
    again = run_study(path, tmp_path, Here())
    assert (again.done, again.reused, again.failed) == (0, 6, 4)


@pytest.mark.usefixtures("misbehaving")
def test_failed_runs_are_retried_on_request(tmp_path):
    path, _, records = misbehave(tmp_path, "raise", "well", executor=Here())
    failed = records["raise"]
    progress = run_study(path, tmp_path, Here(), retry_failed=True)
    assert (progress.done, progress.reused, progress.failed) == (1, 1, 1)
    (aside,) = (tmp_path / "s" / "runs").glob("*/*.failed")  # nothing is lost
    assert Record.from_json(aside.read_bytes()) == failed
    assert len(list(Folder(tmp_path / "s").store.records())) == 2


@pytest.mark.usefixtures("misbehaving")
def test_a_mapper_that_does_not_apply_has_not_failed(tmp_path):
    _, progress, records = misbehave(tmp_path, name="blind", executor=Here())
    (record,) = records.values()
    assert (record.status, progress.failed) == ("unknown", 0)
    assert "sees nothing" in record.reason


@pytest.mark.filterwarnings("ignore::mapopt.studies.store.RecordWarning")
def test_a_damaged_record_is_made_again(tmp_path):
    path = write_study(tmp_path)
    run_study(path, tmp_path, Here())
    before = content(tmp_path / "tiny")
    files = sorted((tmp_path / "tiny" / "runs").glob("*/*.json"))
    files[0].write_bytes(files[0].read_bytes()[:100])
    files[1].write_bytes(files[2].read_bytes())
    progress = run_study(path, tmp_path, Here())
    assert (progress.done, progress.reused) == (2, 6)
    assert [str(file) in problem for file, problem in zip(files, progress.damaged, strict=False)] == [
        True
    ] * 2
    assert content(tmp_path / "tiny") == before
    assert len(list((tmp_path / "tiny" / "runs").glob("*/*.damaged"))) == 2


def test_runs_of_another_process_are_left_to_it(tmp_path):
    path = write_study(tmp_path)
    folder, expansion = prepare(path, tmp_path)
    jobs = [Job(task) for task in expansion.tasks]
    folder.path.mkdir()
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from mapopt.studies.claims import Claims\n"
            "claims = Claims(Path(sys.argv[1]))\n"
            "print(claims.take(sys.argv[2]), flush=True); sys.stdin.read()",
            str(folder.path / "claims"),
            jobs[0].task.id,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder, Claims(folder.path / "claims") as claims:
        assert holder.stdout.readline() == "True\n"
        queue = Queue(jobs[:2], folder, claims)
        assert claims.held(jobs[0].task.id)
        assert not claims.held(jobs[1].task.id)
        assert queue.take() == jobs[1]
        assert queue.take() is None
        assert len(queue) == 1
        holder.kill()
        holder.wait()
        assert queue.take() == jobs[0]
        assert queue.take() is None
        assert len(queue) == 0


def test_what_another_process_has_made_meanwhile_is_not_made_again(tmp_path):
    path = write_study(tmp_path)
    folder, expansion = prepare(path, tmp_path)
    jobs = [Job(task) for task in expansion.tasks[:3]]
    with Claims(folder.path / "claims") as claims:
        queue = Queue([jobs[0], jobs[1], Job(jobs[2].task, again=True)], folder, claims)
        for job in jobs:
            folder.store.put(job.task.failed("a reason"))
        assert queue.take() == Job(jobs[2].task, again=True)  # that one is to be retried
        assert [each.id for each in queue.passed()] == [job.task.id for job in jobs[:2]]
        assert queue.passed() == []


COMMAND = [sys.executable, "-m", "mapopt", "study", "run"]


@pytest.mark.slow
def test_two_processes_share_a_study(tmp_path):
    path = write_study(tmp_path, seeds=40)
    command = [*COMMAND, str(path), "--results", str(tmp_path), "--jobs", "1", "--json"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert set(content(tmp_path / "tiny")) == set(planned(tmp_path / "tiny"))


def kill_and_resume(folder, moments, *, seeds, more=""):
    """Kill the whole process group at each moment, let it end; return these results, and those without a kill."""
    path = write_study(folder, seeds=seeds, more=more)
    command = [*COMMAND, str(path), "--results", str(folder), "--jobs", "2"]
    kept = 0
    for moment in moments:
        process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
        time.sleep(moment)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        now = len(list(Folder(folder / "tiny").store.records()))
        assert now >= kept
        kept = now
    subprocess.run(command, check=True, timeout=300)
    run_study(path, folder / "whole", Here())
    return content(folder / "tiny"), content(folder / "whole" / "tiny")


def test_a_study_that_is_killed_goes_on(tmp_path):
    resumed, uninterrupted = kill_and_resume(tmp_path, [2.5], seeds=200)
    assert resumed == uninterrupted
    assert len(resumed) == 402


@pytest.mark.slow
def test_a_study_that_is_killed_at_twenty_random_moments_goes_on(tmp_path):
    rng = random.Random(1)
    moments = [rng.uniform(0.0, 6.0) for _ in range(20)]
    resumed, uninterrupted = kill_and_resume(tmp_path, moments, seeds=1500, more=SOLVE)
    assert resumed == uninterrupted
    assert len(resumed) == 3006


def run_with_hash_seed(folder, seed, more=""):
    folder.mkdir()
    path = write_study(folder, more=more)
    command = [*COMMAND, str(path), "--results", str(folder), "--jobs", "2"]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": seed}, timeout=300)
    return planned(folder / "tiny"), content(folder / "tiny")


def test_the_same_study_gives_the_same_results(tmp_path):
    """Under another hash seed, and in other processes."""
    run_study(write_study(tmp_path), tmp_path, Here())
    expected = (planned(tmp_path / "tiny"), content(tmp_path / "tiny"))
    assert run_with_hash_seed(tmp_path / "1", "1") == expected


@pytest.mark.slow
def test_the_same_study_gives_the_same_results_under_two_hash_seeds(tmp_path):
    """With solves under deterministic limits."""
    assert run_with_hash_seed(tmp_path / "1", "1", SOLVE) == run_with_hash_seed(tmp_path / "2", "2", SOLVE)


def test_a_store_that_cannot_be_written_is_a_message(tmp_path):
    path = write_study(tmp_path)
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "runs").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        run_study(path, tmp_path, Local(1))


def test_a_full_disk_ends_a_study_and_loses_nothing(whole, tmp_path, monkeypatch):
    path, folder, _ = whole
    left = iter(range(5))

    def create(*arguments, **options):
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return _create(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr("mapopt.studies.store._create", create)
        with pytest.raises(InputError, match=r"cannot be written .No space left on device"):
            run_study(path, tmp_path, Here())
    assert len(content(tmp_path / "tiny")) == 5
    again = run_study(path, tmp_path, Here())
    assert (again.reused, again.done) == (5, 7)
    assert content(tmp_path / "tiny") == content(folder)
