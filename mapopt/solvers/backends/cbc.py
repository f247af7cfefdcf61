"""CBC, as the program that comes with PuLP; its bound stands in its log alone.

References
----------
J. Forrest, R. Lougee-Heimer: CBC user guide. INFORMS Tutorials in Operations Research, 2005, 257-277.
"""

from __future__ import annotations

import os
import re
import shutil
from math import floor, log10
from pathlib import Path

from mapopt.solvers.backends.base import Backend, End, Found, Job
from mapopt.solvers.isolation import Exit, Process, interrupt
from mapopt.solvers.model import Status

NO_VALUE = 1e49
"""CBC's stand-in for a value that does not exist is 1e50."""

_NUMBER = r"(-?\d[\d.]*(?:e[+-]?\d+)?)"
_INCUMBENT = re.compile(rf"Integer solution of {_NUMBER} found")
_SEARCH = re.compile(rf"best possible {_NUMBER}")
_NODES = re.compile(r"^Enumerated nodes:\s+(\d+)$")
_BOUND = re.compile(rf"^Lower bound:\s+{_NUMBER}$")


def backend() -> Backend:
    """Return a fresh backend for one run."""
    return Cbc()


class Cbc:
    """Runs the program and reads its log and its solution file."""

    def __init__(self) -> None:
        self._bound: float | None = None
        self._nodes = 0

    def missing(self) -> str | None:
        """Return why the solver cannot be run here, or ``None``."""
        return None if _program() else "is not installed; install pulp 3, which brings it, or the program cbc"

    def command(self, job: Job) -> list[str]:
        """Return the command that runs the job."""
        # line by line, where that can be had: else the log comes in blocks and progress is late
        command = ["stdbuf", "-oL"] if shutil.which("stdbuf") else []
        command += [_program() or "cbc", job.model]
        if job.start:
            path = Path(job.directory) / "start.mst"
            rows = (f"{row} {name} {value:.12g} 0" for row, (name, value) in enumerate(job.start.items()))
            path.write_text("Stopped on time - objective value 0\n" + "\n".join(rows) + "\n")
            command += ["-mips", str(path)]
        command += ["-ratioGap", "0", "-allowableGap", str(job.gap), "-timeMode", "elapsed"]
        command += ["-randomSeed", str(job.seed or 1), "-randomCbcSeed", str(job.seed or 1)]
        if job.time_s is not None:
            command += ["-sec", f"{job.time_s:.3f}"]
        if job.nodes is not None:
            command += ["-maxNodes", str(job.nodes)]
        if job.workers > 1 and job.nodes is None:  # with threads the search depends on timing
            command += ["-threads", str(job.workers)]
        return [*command, "-branch", "-printingOptions", "all", "-solution", _solution_path(job)]

    def read(self, line: str) -> Found | None:
        """Read a line of the log."""
        if match := _NODES.match(line.rstrip()):
            self._nodes = int(match[1])
            return None
        if match := _BOUND.match(line.rstrip()):
            self._note(float(match[1]))
            return Found(bound=self._bound)
        if match := _INCUMBENT.search(line):
            return Found(value=_rounded_up(float(match[1])))
        if match := _SEARCH.search(line):
            self._note(_rounded_down(float(match[1])))
            return Found(bound=self._bound)
        return None

    def stop(self, process: Process) -> None:
        """Interrupt it: CBC then writes its incumbent and its bound."""
        interrupt(process)

    def end(self, job: Job, ended: Exit) -> End:
        """Return what the solution file and the log say."""
        path = Path(_solution_path(job))
        if ended.killed:
            return End(None, self._bound, reason=ended.reason)
        if ended.code != 0 or not path.exists():
            return End(Status.FAILED, reason=ended.reason or "ended without an answer")
        head, *rows = path.read_text().splitlines() or [""]
        if head.startswith("Unbounded"):
            return End(Status.FAILED, reason="the model is unbounded")
        if head.startswith(("Infeasible", "Integer infeasible")):
            return End(Status.INFEASIBLE)
        values = [row.split() for row in rows]
        if any(fields[0] == "**" for fields in values) or "no integer solution" in head:
            return End(None, self._bound, nodes=self._nodes)
        solution = {name: float(value) for _, name, value, *_ in values}
        objective = float(head.rpartition(" ")[2])
        if head.startswith("Optimal"):
            return End(Status.OPTIMAL, objective - job.gap, solution, nodes=self._nodes)
        if head.startswith("Stopped"):
            found = solution if abs(objective) < NO_VALUE else None
            return End(None, self._bound, found, nodes=self._nodes)
        return End(Status.FAILED, reason=f"CBC ended with {head!r}")

    def _note(self, bound: float) -> None:
        if abs(bound) < NO_VALUE and (self._bound is None or bound > self._bound):
            self._bound = bound


def _program() -> str | None:
    import pulp

    path = pulp.PULP_CBC_CMD.pulp_cbc_path
    return path if path and os.access(path, os.X_OK) else shutil.which("cbc")


def _solution_path(job: Job) -> str:
    return str(Path(job.directory) / "solution.txt")


def _rounded_down(printed: float) -> float:
    """Return a number that is surely not above the one that was printed with seven digits."""
    return printed - _last_place(printed)


def _rounded_up(printed: float) -> float:
    return printed + _last_place(printed)


def _last_place(printed: float) -> float:
    place: float = 10.0 ** (floor(log10(abs(printed))) - 6) if printed else 0.0
    return place if abs(printed) >= 1e6 or printed != int(printed) else 0.0
