"""The commands that repeat what is recorded of an instance of the library."""

from __future__ import annotations

import shlex
from typing import Any

from mapopt.studies.records import RunKey
from mapopt.studies.study import RunLimits
from mapopt.studies.tasks import MapperTask, SolveTask

FILE = "instance.json"


def command_of_bounds(name: str) -> str:
    """Return the command that shows the lower bounds of an instance."""
    return f"{_export(name)} && mapopt bounds {FILE}"


def command_of_construction(name: str) -> str:
    """Return the command that makes an instance again and compares its reference with what the construction proves."""
    return shlex.join(["mapopt", "library", "check", "--only", name])


def command_of_mapper(mapper: str, name: str) -> str:
    """Return the command that maps an instance and shows its period."""
    return f"{_export(name)} && {MapperTask(mapper, 'time-triggered').command(FILE, 0)}"


def command_of_run(key: RunKey, name: str) -> str:
    """Return the command that makes a solve again, or ``""`` if it had no time limit or a schedule to start from."""
    asked: dict[str, Any] = dict(key.parameters)
    time_s, workers = key.limits.get("time_s"), key.limits.get("workers")
    if asked.pop("start", None) is not None or time_s is None:
        return ""
    memory_mb: Any = key.limits.get("memory_mb")
    how = {each: asked.pop(each) for each in ("solver", "contiguous", "max_period", "slack") if each in asked}
    task = SolveTask(
        key.objective,
        RunLimits(float(time_s), bool(key.limits.get("deterministic")), memory_mb, int(workers or 1)),
        key.method.removeprefix("formulation ") if key.method != "solve" else None,
        asked,
        **how,
    )
    return f"{_export(name)} && {task.command(FILE, key.seed)}"


def command_of_update(name: str, limits: RunLimits, seed: int) -> str:
    """Return the command that goes on from the schedule that the library has of an instance."""
    words = ["mapopt", "library", "update", "--only", name, "--again", "--time-limit", f"{limits.time_s:g}"]
    words += ["--workers", str(limits.workers), "--seed", str(seed)]
    return shlex.join([*words, *(["--deterministic"] if limits.deterministic else [])])


def _export(name: str) -> str:
    return shlex.join(["mapopt", "library", "export", name, "-o", FILE])
