"""The seam between :mod:`mapopt.solvers.milp` and one MILP solver, and the protocol of solvers run in Python children.

A child (``python -m mapopt.solvers.backends.highs DIR``) finds ``job.json`` and ``model.mps`` in its directory, writes
``solution.json`` there, whole, each time it has a better solution, and prints JSON lines: improvements while it runs,
its status at the end. It stops when its standard input ends.
"""

from __future__ import annotations

import json
import select
import sys
import time
from dataclasses import asdict, dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, Protocol

from mapopt.solvers.isolation import Exit, Process, close_input
from mapopt.solvers.model import Status

POLL_S = 0.1
STOPPED = "stopped"
UNBOUNDED = "unbounded"


@dataclass(frozen=True, slots=True)
class Job:
    """What a solver is to run.

    Parameters
    ----------
    directory
        Holds ``model.mps``, whose columns are named ``X0000000``, ``X0000001``...; the solver's files go there too.
    time_s, nodes
        Limits on wall-clock time and on branch-and-bound nodes, or ``None``.
    workers, seed
        Threads and random seed.
    gap
        Solutions that cannot be improved by more than this are optimal.
    start
        Values of columns in a solution to start from; may be partial.
    """

    directory: str
    time_s: float | None
    nodes: int | None
    workers: int
    seed: int
    gap: float
    start: dict[str, float] = field(default_factory=dict)

    @property
    def model(self) -> str:
        """Path of the model."""
        return str(Path(self.directory) / "model.mps")


@dataclass(frozen=True, slots=True)
class Found:
    """An improvement: the solver's own value and bound; what does not exist is ``None``."""

    value: float | None = None
    bound: float | None = None


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended.

    Parameters
    ----------
    status
        The solver's verdict; ``None`` if it was stopped.
    bound
        Its last dual bound.
    solution
        Its best solution, by column.
    reason
        Why it failed, or what was unusual.
    nodes
        Branch-and-bound nodes.
    """

    status: Status | None
    bound: float | None = None
    solution: dict[str, float] | None = None
    reason: str = ""
    nodes: int = 0


class Backend(Protocol):
    """One MILP solver."""

    def missing(self) -> str | None:
        """Return why the solver cannot be run here, or ``None``."""

    def command(self, job: Job) -> list[str]:
        """Return the command that runs the job."""

    def read(self, line: str) -> Found | None:
        """Read a line of the command's output; later calls may rely on earlier lines."""

    def stop(self, process: Process) -> None:
        """Ask the solver to stop and to hand over what it has."""

    def end(self, job: Job, ended: Exit) -> End:
        """Return what the run came to."""


class ChildBackend:
    """A solver with a Python interface, run as a child of its own.

    Parameters
    ----------
    module
        Of this package; both the child's program and the place where its needs are named.
    package
        What must be installed, and what is said if it is not.
    """

    def __init__(self, module: str, package: str, remedy: str) -> None:
        self._module, self._package, self._remedy = module, package, remedy
        self._bound: float | None = None
        self._last: dict[str, Any] = {}

    def missing(self) -> str | None:
        """Return why the solver cannot be run here, or ``None``."""
        from importlib.util import find_spec

        return None if find_spec(self._package) else f"is not installed; {self._remedy}"

    def command(self, job: Job) -> list[str]:
        """Write the job down and return the command that runs it."""
        (Path(job.directory) / "job.json").write_text(json.dumps(asdict(job)))
        return [sys.executable, "-m", f"mapopt.solvers.backends.{self._module}", job.directory]

    def read(self, line: str) -> Found | None:
        """Read a JSON line; what is none (a solver's chatter) is skipped."""
        try:
            words = json.loads(line)
        except ValueError:
            return None
        if not isinstance(words, dict):
            return None
        self._last = words
        found = Found(words.get("value"), words.get("bound"))
        if found.bound is not None and (self._bound is None or found.bound > self._bound):
            self._bound = found.bound
        return found

    def stop(self, process: Process) -> None:
        """End its standard input."""
        close_input(process)

    def end(self, job: Job, ended: Exit) -> End:
        """Return the child's verdict; without one it crashed, unless it was killed because it did not stop."""
        verdict = self._last.get("status")
        if verdict is None and not ended.killed:
            return End(Status.FAILED, reason=ended.reason or "ended without an answer")
        if verdict == Status.FAILED:
            return End(Status.FAILED, reason=str(self._last.get("reason", "")))
        if verdict == UNBOUNDED:
            return End(Status.FAILED, reason="the model is unbounded")
        path = Path(job.directory) / "solution.json"
        solution = json.loads(path.read_text()) if path.exists() else None
        status = Status(verdict) if verdict in (Status.OPTIMAL, Status.INFEASIBLE) else None
        return End(status, self._bound, solution, ended.reason, int(self._last.get("nodes", 0)))


class ChildReporter:
    """The child's side of the protocol.

    Parameters
    ----------
    directory
        Where ``solution.json`` goes.
    """

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)
        self._asked, self._next = False, 0.0

    def job(self) -> Job:
        """Return the job."""
        return Job(**json.loads((self._directory / "job.json").read_text()))

    def say(self, **words: object) -> None:
        """Print one JSON line; numbers that are not finite do not exist."""
        kept = {
            key: each for key, each in words.items() if not (isinstance(each, float) and not isfinite(each))
        }
        print(json.dumps(kept), flush=True)

    def keep(self, solution: dict[str, float]) -> None:
        """Write the best solution so far, whole."""
        path = self._directory / "solution.json"
        part = path.with_suffix(".part")
        part.write_text(json.dumps(solution))
        part.replace(path)

    def asked_to_stop(self) -> bool:
        """Whether standard input has ended; looked at every :data:`POLL_S` seconds."""
        now = time.monotonic()
        if not self._asked and now >= self._next:
            self._next = now + POLL_S
            self._asked = bool(select.select([sys.stdin], [], [], 0)[0])
        return self._asked
