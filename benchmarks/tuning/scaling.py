"""How many more trials two workers make than one on PostgreSQL: ``python -m benchmarks.tuning.scaling [URL]``.

Without a URL a server is started on loopback for the time of the measurement, as the tests do, by a user that is not
root. Beside it stands what the same processes reach with trials that no storage sees: what the machine allows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.tables import heading, table
from benchmarks.tuning.overhead import TUNING, instance
from mapopt.errors import InputError
from mapopt.studies.running import Local
from mapopt.tuning.setup import begin
from mapopt.tuning.storage import storage_errors
from mapopt.tuning.trials import enqueue_default, load_study
from tests.tuning.postgresql import binaries, server

SECONDS, ROUNDS = 10.0, 3
ITERATIONS = 20_000
"""Of annealed-list in a trial: some 200 ms."""

WORKER = """
import json, sys, threading, time
import optuna
from mapopt.tuning.evaluation import Evaluator
from mapopt.tuning.sampling import sampler_of, suggest
from mapopt.tuning.setup import existing
from mapopt.tuning.trials import work
path, results, url, worker, stored, seconds = sys.argv[1:]
setup, worker, seconds = existing(path, results, url), int(worker), float(seconds)
if stored == "yes":
    def trials(until):
        made = 0
        def count(_):
            nonlocal made
            made += 1
        work(setup, trials=10**6 if until else 1, until=until, worker=worker, on_trial=count)
        return made - 1
else:
    study = optuna.create_study(sampler=sampler_of("random", worker))
    evaluator, cases = Evaluator(setup), setup.counted("train")
    def trials(until):
        made = 0
        while not made or (until and time.monotonic() < until):
            trial = study.ask()
            list(evaluator.gaps(suggest(trial, setup.subject.space), cases))
            study.tell(trial, 1.0)
            made += 1
        return made
trials(None)
print("ready", flush=True)
sys.stdin.readline()
cpu, begin = time.process_time(), time.monotonic()
made = trials(begin + seconds)
wall, cpu = time.monotonic() - begin, time.process_time() - cpu
print(json.dumps({"trials": made, "wall": wall, "cpu": cpu, "threads": threading.active_count()}), flush=True)
"""


@dataclass(frozen=True)
class Made:
    """What workers did: trials, their rate per second, seconds of processor, and most threads of one."""

    trials: int
    rate: float
    cpu: float
    threads: int


def begun(top: Path, url: str, iterations: int) -> Path:
    """Begin the study that all workers join."""
    for number, name in enumerate(("train0", "validation", "test")):
        instance(number).save(top / f"{name}.json")
    text = TUNING.format(sampler="random", pruner="none")
    text = text.replace(
        'mapper = "lblp"',
        f'mapper = "annealed-list"\nseeds = 1\noptions = {{ iterations = {iterations} }}',
    )
    path = top / "tuning.toml"
    path.write_text(text.replace('"overhead"', f'"scaling-{os.getpid()}"'))
    setup = begin(path, top, url, Local(1))
    with storage_errors(url):
        enqueue_default(load_study(setup), setup)
    return path


def made_by(path: Path, url: str, workers: int, *, stored: bool) -> Made:
    """Return what workers do in the time; they begin together, when all are ready."""
    processes = []
    for worker in range(workers):
        words = [str(path), str(path.parent), url, str(worker), "yes" if stored else "no", f"{SECONDS}"]
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", WORKER, *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    found = []
    for process in processes:
        assert process.stdout is not None
        found.append(json.loads(process.stdout.readline()))
        process.wait()
    return Made(
        sum(each["trials"] for each in found),
        sum(each["trials"] / each["wall"] for each in found),
        sum(each["cpu"] for each in found),
        max(each["threads"] for each in found),
    )


@contextmanager
def some_server(url: str | None) -> Iterator[str]:
    """Give the server of this URL, or one that lives as long as this."""
    if url is not None:
        yield url
    elif binaries() is None:  # type: ignore[no-untyped-call]
        raise InputError(
            "PostgreSQL: its server is not installed; install Debian's postgresql, or give a URL"
        )
    else:
        with server() as own:
            yield own.url


def main(url: str | None, iterations: int) -> None:
    heading(
        "Tuning on PostgreSQL",
        f"Trials of annealed-list with {iterations:,} iterations on one instance in {ROUNDS} times {SECONDS:g} s, one "
        "and two workers, with and without the storage, by turns.",
    )
    cells = [(stored, workers) for stored in (False, True) for workers in (1, 2)]
    made: dict[tuple[bool, int], list[Made]] = {cell: [] for cell in cells}
    with some_server(url) as place, tempfile.TemporaryDirectory() as folder:
        path = begun(Path(folder), place, iterations)
        for _ in range(ROUNDS):
            for stored, workers in cells:
                made[stored, workers].append(made_by(path, place, workers, stored=stored))
    rate = {cell: sum(each.rate for each in found) / ROUNDS for cell, found in made.items()}
    rows = []
    for cell, found in made.items():
        stored, workers = cell
        trials = sum(each.trials for each in found)
        rows.append(
            [
                "PostgreSQL" if stored else "none",
                workers,
                f"{trials:,}",
                f"{1000 * workers / rate[cell]:.0f}",
                f"{1000 * sum(each.cpu for each in found) / trials:.0f}",
                max(each.threads for each in found),
                f"{rate[cell] / rate[stored, 1]:.2f}",
            ]
        )
    table(
        ["storage", "workers", "trials", "ms per trial", "of it CPU ms", "Python threads", "times as many"],
        rows,
    )
    print(
        f"load of the machine: {', '.join(f'{each:.1f}' for each in os.getloadavg())}; cores: {os.cpu_count()}"
    )


if __name__ == "__main__":
    urls = [each for each in sys.argv[1:] if "://" in each]
    counts = [int(each) for each in sys.argv[1:] if "://" not in each]
    main(urls[0] if urls else None, counts[0] if counts else ITERATIONS)
