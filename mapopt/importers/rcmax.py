"""Unrelated parallel machines: the text files of R||Cmax benchmarks.

A file holds the number of jobs n and of machines m, then n rows with the time of the job on each of the m machines.

References
----------
Fanjul-Peyro, Ruiz: Iterated greedy local search methods for unrelated parallel machine scheduling, European Journal of
Operational Research 207 (2010).
"""

from __future__ import annotations

from pathlib import Path

from mapopt.documents import read_bytes
from mapopt.errors import InputError
from mapopt.instance import MAX_FRAME_TICKS, Instance, InstanceNode, Unit

MAX_TIMES = 10_000_000
"""Most jobs times machines."""


def read_rcmax(path: str | Path) -> Instance:
    """Read an R||Cmax file: every machine is a unit with a class of its own, every job a node; transfers are free.

    A time of the file is one tick of 1 ns. The makespan of the file is the period of the instance.

    Raises
    ------
    InputError
        If the file cannot be read, a word is not a whole number, a number is out of range, or there are not n x m
        times.
    """
    try:
        words = read_bytes(path).decode("ascii").split()
    except UnicodeDecodeError:
        raise InputError(
            f"{path}: is not a text of numbers; give an R||Cmax file: n, m, then n x m times"
        ) from None
    if len(words) < 2:
        raise InputError(
            f"{path}: has {len(words)} numbers; it must start with the numbers of jobs and machines"
        )
    jobs, machines = (_number(path, words[at], at, 1, MAX_TIMES) for at in range(2))
    given = len(words) - 2
    if given != jobs * machines:
        raise InputError(
            f"{path}: has {given} times for {jobs} jobs on {machines} machines; it must have {jobs * machines}"
        )
    times = [_number(path, word, at, 0, MAX_FRAME_TICKS) for at, word in enumerate(words[2:], 2)]
    names = [f"m{machine}" for machine in range(machines)]
    return Instance(
        name=Path(path).stem,
        classes=tuple(names),
        units=tuple(Unit(name, name) for name in names),
        nodes=tuple(
            InstanceNode(f"j{job}", tuple(times[job * machines : (job + 1) * machines]))
            for job in range(jobs)
        ),
        tick_ps=1000,
        source=f"R||Cmax file {Path(path).name}; a time is one tick of 1 ns",
    )


def _number(path: str | Path, word: str, at: int, least: int, most: int) -> int:
    """Return a word of the file as a number within limits."""
    digits = word.removeprefix("-")
    if not digits.isdecimal() or len(digits) > 20:
        raise InputError(
            f"{path}: number {at + 1} is {word[:40]!r}; it must be a whole number in {least}..{most}"
        )
    if not least <= int(word) <= most:
        raise InputError(f"{path}: number {at + 1} is {word}; it must be in {least}..{most}")
    return int(word)
