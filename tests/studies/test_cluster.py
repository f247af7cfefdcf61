"""A study on a real Dask cluster, one of whose workers is killed."""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack

import pytest

from mapopt.studies.cluster import Dask
from mapopt.studies.folder import Folder
from mapopt.studies.running import Local, run_study
from tests.studies.study_files import content, planned, write_study

pytest.importorskip("distributed")

SCHEDULER = """
import asyncio, sys
from distributed import Scheduler
async def main():
    scheduler = await Scheduler(host="127.0.0.1", port=0, dashboard=False)
    print(scheduler.address, flush=True)
    await scheduler.finished()
asyncio.run(main())
"""
WORKER = """
import asyncio, sys
from distributed import Worker
async def main():
    worker = await Worker(sys.argv[1], nthreads=1, dashboard=False)
    print("ready", flush=True)
    await worker.finished()
asyncio.run(main())
"""


def started(stack, program, *arguments):
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process, process.stdout.readline().strip()


@pytest.mark.slow
@pytest.mark.usefixtures("misbehaving")
def test_a_study_survives_the_loss_of_a_worker(tmp_path):
    text = (
        'schema = "mapopt.study/1"\nname = "s"\nseeds = 60\n[limits]\nkill_s = 5.0\n'
        '[[instances]]\nfiles = ["*.instance.json"]\n'
        '[[mappers]]\nname = "misbehaving"\noptions = { how = ["nap", "raise"] }\nseeds = 60\n'
        '[[mappers]]\nname = "misbehaving"\noptions = { how = "die" }\nseeds = 1'
    )
    path = write_study(tmp_path, text)
    with ExitStack() as stack:
        _, address = started(stack, SCHEDULER)
        (first, said), (_, _) = (started(stack, WORKER, address) for _ in range(2))
        assert said == "ready"
        killed = []

        def kill_one(progress):
            if progress.done == 30:
                killed.append(os.kill(first.pid, signal.SIGKILL))

        progress = run_study(path, tmp_path, Dask(address), on_progress=kill_one)
    assert len(killed) == 1
    assert (progress.total, progress.done, progress.failed) == (242, 242, 122)
    folder = tmp_path / "s"
    assert set(content(folder)) == set(planned(folder))
    records = list(Folder(folder).store.records())
    assert {each.reason.split(";")[0] for each in records if "SIGSEGV" in each.reason} == {
        "its process was ended by SIGSEGV"
    }
    run_study(path, tmp_path / "here", Local(2))
    assert content(folder) == content(tmp_path / "here" / "s")
    again = run_study(path, tmp_path, Local(1))
    assert (again.done, again.reused) == (0, 242)
