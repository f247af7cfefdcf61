"""How many more trials two workers make than one on PostgreSQL: ``python -m benchmarks.tuning.scaling URL``."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.tables import heading, table
from benchmarks.tuning.overhead import TUNING, instance
from mapopt.studies.running import Local
from mapopt.tuning.setup import begin
from mapopt.tuning.storage import storage_errors
from mapopt.tuning.trials import enqueue_default, load_study

SECONDS, ROUNDS = 10.0, 3
WORKER = """
import sys, time
from mapopt.tuning.setup import existing
from mapopt.tuning.trials import work
path, results, url, worker = sys.argv[1:]
setup = existing(path, results, url)
work(setup, trials=1, until=None, worker=int(worker))
print("ready", flush=True)
sys.stdin.readline()
before = time.monotonic()
work(setup, trials=10**6, until=before + {seconds}, worker=int(worker))
"""


def trials_of(url: str, tag: str, workers: int, iterations: int) -> tuple[int, float]:
    """Return how many trials workers complete in the time, and the mean seconds of a trial."""
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        for number, name in enumerate(("train0", "validation", "test")):
            instance(number).save(top / f"{name}.json")
        name = f"scaling-{os.getpid()}-{tag}"
        text = TUNING.format(sampler="random", pruner="none")
        text = text.replace(
            'mapper = "lblp"',
            f'mapper = "annealed-list"\nseeds = 1\noptions = {{ iterations = {iterations} }}',
        )
        path = top / "tuning.toml"
        path.write_text(text.replace('"overhead"', f'"{name}"'))
        setup = begin(path, top, url, Local(1))
        study = load_study(setup)
        with storage_errors(url):
            enqueue_default(study, setup)
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", WORKER.format(seconds=SECONDS), str(path), str(top), url, str(worker)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for worker in range(workers)
        ]
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        before = len(study.get_trials(deepcopy=False))
        begin_s = time.monotonic()
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in processes:
            process.wait()
        taken = time.monotonic() - begin_s
        made = len(study.get_trials(deepcopy=False)) - before
        return made, workers * taken / max(1, made)


def main(url: str, iterations: int) -> None:
    heading(
        "Tuning on PostgreSQL",
        f"Trials of annealed-list with {iterations:,} iterations on one instance in "
        f"{ROUNDS} times {SECONDS:g} s, one and two workers by turns.",
    )
    made: dict[int, list[tuple[int, float]]] = {1: [], 2: []}
    for number in range(ROUNDS):
        for workers, found in made.items():
            found.append(trials_of(url, f"{number}-{workers}", workers, iterations))
    trials = {workers: sum(count for count, _ in found) for workers, found in made.items()}
    rows = [
        [
            workers,
            f"{trials[workers]:,}",
            f"{1000 * sum(count * each for count, each in found) / trials[workers]:.0f}",
            f"{trials[workers] / trials[1]:.2f}",
        ]
        for workers, found in made.items()
    ]
    table(["workers", "trials", "ms per trial", "times as many"], rows)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20_000)
