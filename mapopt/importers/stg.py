"""Task graphs: the text files of the Standard Task Graph Set.

The first number is n, the number of tasks. Then come n + 2 rows ``id time count predecessor...`` with ids from 0 on:
the first and the last row are dummies of no time that begin and end the graph. Text after ``#`` is comment.

References
----------
Tobita, Kasahara: A standard task graph set for fair evaluation of multiprocessor scheduling algorithms, Journal of
Scheduling 5 (2002).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mapopt.documents import read_bytes
from mapopt.errors import InputError
from mapopt.instance import MAX_FRAME_TICKS, Instance, InstanceNode, InstanceTensor, Unit

MAX_TASKS = 1_000_000
"""Most tasks."""

UNIT_CLASS = "processor"


def read_stg(path: str | Path, units: int) -> Instance:
    """Read a task graph for a number of identical units; transfers are free.

    A time of the file is one tick of 1 ns. The makespan (``P | prec | Cmax``) is the latency of a frame alone. The
    dummies stay: nodes of no time, named like all nodes by their id.

    Parameters
    ----------
    path
        The file.
    units
        Number of units; the file does not say it.

    Raises
    ------
    InputError
        If the number of units is not positive; the file cannot be read or is cut short; a word is not a whole number;
        ids are not 0, 1, 2, ...; or a predecessor does not stand before its successor, or is given twice.
    """
    if units < 1:
        raise InputError(f"units: is {units}; it must be >= 1")
    words = _words(path)
    count = _next(path, words, "the number of tasks", 0, MAX_TASKS) + 2
    times, consumers = list[int](), dict[int, list[int]]()
    for task in range(count):
        where = f"row {task} of {count}"
        number = _next(path, words, f"{where}: the id", 0, MAX_TASKS + 1)
        if number != task:
            raise InputError(f"{path}: {where}: the id is {number}; ids must be 0, 1, 2, ... in order")
        times.append(_next(path, words, f"{where}: the time", 0, MAX_FRAME_TICKS))
        for _ in range(_next(path, words, f"{where}: the number of predecessors", 0, task)):
            before = _next(path, words, f"{where}: a predecessor", 0, MAX_TASKS + 1)
            if before >= task:
                raise InputError(
                    f"{path}: {where}: the predecessor is {before}; it must be below {task}, so that there is no cycle"
                )
            readers = consumers.setdefault(before, [])
            if readers[-1:] == [task]:
                raise InputError(f"{path}: {where}: predecessor {before} is given twice; give it once")
            readers.append(task)
    rest = next(words, None)
    if rest is not None:
        raise InputError(f"{path}: has {rest[:40]!r} after its last task; it must end after {count} rows")
    return Instance(
        name=f"{Path(path).stem}-{units}",
        classes=(UNIT_CLASS,),
        units=tuple(Unit(f"p{number}", UNIT_CLASS) for number in range(units)),
        nodes=tuple(InstanceNode(str(task), (time,)) for task, time in enumerate(times)),
        tensors=tuple(
            InstanceTensor(str(before), str(before), tuple(map(str, readers)))
            for before, readers in sorted(consumers.items())
        ),
        source=f"task graph {Path(path).name} on {units} identical units; a time is one tick of 1 ns",
    )


def _words(path: str | Path) -> Iterator[str]:
    """Yield the words of a file, comments left out."""
    try:
        lines = read_bytes(path).decode("ascii").splitlines()
    except UnicodeDecodeError:
        raise InputError(
            f"{path}: is not a text of numbers; give a file of the Standard Task Graph Set"
        ) from None
    for line in lines:
        yield from line.partition("#")[0].split()


def _next(path: str | Path, words: Iterator[str], what: str, least: int, most: int) -> int:
    """Return the next word as a number within limits."""
    word = next(words, None)
    if word is None:
        raise InputError(f"{path}: ends before {what}; it is cut short")
    if not word.removeprefix("-").isdecimal() or len(word) > 20 or not least <= int(word) <= most:
        raise InputError(f"{path}: {what} is {word[:40]!r}; it must be a whole number in {least}..{most}")
    return int(word)
