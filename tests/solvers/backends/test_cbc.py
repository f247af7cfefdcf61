"""What CBC prints is read for what it is worth."""

import pytest

from mapopt.solvers.backends.base import End, Found, Job
from mapopt.solvers.backends.cbc import Cbc
from mapopt.solvers.isolation import Exit
from mapopt.solvers.model import Status

ROWS = "\n      0 X0000000 1 0\n      1 X0000001 -0 5\n"
BAD = "\n**    0 X0000000 0.5 0\n      1 X0000001 0 5\n"
SOLUTION = {"X0000000": 1.0, "X0000001": 0.0}


@pytest.fixture
def job(tmp_path):
    return Job(str(tmp_path), 1.0, None, 1, 0, 0.5)


def read(job, text, log=(), ended=None):
    backend = Cbc()
    backend.command(job)
    for line in log:
        backend.read(line)
    if text is not None:
        (job_path(job)).write_text(text)
    return backend.end(job, ended or Exit(0))


def job_path(job):
    from pathlib import Path

    return Path(job.directory) / "solution.txt"


LOG = (
    "Cbc0010I After 1000 nodes, 2 on tree, 12 best solution, best possible 10.5 (0.17 seconds)\n",
    "Lower bound:                    11.203\n",
    "Enumerated nodes:               4321\n",
)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        (f"Optimal - objective value 12.00000000{ROWS}", End(Status.OPTIMAL, 11.5, SOLUTION, nodes=4321)),
        (f"Stopped on time - objective value 12.00000000{ROWS}", End(None, 11.203, SOLUTION, nodes=4321)),
        (
            f"Stopped on iterations - objective value 12.00000000{ROWS}",
            End(None, 11.203, SOLUTION, nodes=4321),
        ),
        (f"Stopped on time - objective value 1e+50{ROWS}", End(None, 11.203, None, nodes=4321)),
        (
            f"Stopped on time (no integer solution - continuous used) - objective value 11.2{ROWS}",
            End(None, 11.203, None, nodes=4321),
        ),
        (f"Stopped on time - objective value 11.20000000{BAD}", End(None, 11.203, None, nodes=4321)),
        (f"Infeasible - objective value 12.00000000{BAD}", End(Status.INFEASIBLE)),
        (f"Integer infeasible - objective value 12.00000000{BAD}", End(Status.INFEASIBLE)),
        (
            f"Unbounded - objective value 0.00000000{ROWS}",
            End(Status.FAILED, reason="the model is unbounded"),
        ),
    ],
)
def test_solution_files(job, text, end):
    assert read(job, text, LOG) == end


def test_no_answer_is_a_failure(job):
    assert read(job, None).status is Status.FAILED
    assert (
        read(job, f"Optimal - objective value 12.0{ROWS}", ended=Exit(1, "oh")).reason
        == "ended with exit code 1: oh"
    )
    assert read(job, "Surprise - 1").status is Status.FAILED


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Cbc0012I Integer solution of 554 found by feasibility pump after 0 iterations\n", Found(value=554)),
        ("Cbc0004I Integer solution of 1234567.4 found after 9 iterations\n", Found(value=1234568.4)),
        (
            "Cbc0010I After 0 nodes, 1 on tree, 1e+50 best solution, best possible 536 (0.1 seconds)\n",
            Found(bound=536),
        ),
        (
            "Cbc0010I After 0 nodes, 1 on tree, 7 best solution, best possible 3.25 (0.1 s)\n",
            Found(bound=3.249999),
        ),
        (
            "Cbc0010I After 0 nodes, 1 on tree, 7 best solution, best possible 1.234568e+08 (1 s)\n",
            Found(bound=123456700.0),
        ),
        ("Lower bound:                    -3.000\n", Found(bound=-3.0)),
        ("Gap:                            0.01\n", None),
    ],
)
def test_the_log_is_read_on_the_safe_side(line, found):
    assert Cbc().read(line) == found
