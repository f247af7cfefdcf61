"""Simple assembly line balancing problems: the ``.alb`` and ``.IN2`` files of the assembly line balancing library.

With a given number of stations (SALBP-2) the least cycle time is the least period of a contiguous mapping: stations are
identical units, precedence is data that must not flow backwards, and transfers are free.

References
----------
Scholl: Balancing and Sequencing of Assembly Lines, Physica, 1999 (``.IN2``). Otto, Otto and Scholl: Systematic data
generation and test design for solution algorithms on the example of SALBPGen for assembly line balancing, European
Journal of Operational Research 228, 2013 (``.alb``).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mapopt.documents import read_bytes
from mapopt.errors import InputError
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit

MAX_TIME = 10**15
"""Longest task."""


def read_salbp(path: str | Path, units: int) -> Instance:
    """Read an assembly line balancing problem.

    Parameters
    ----------
    path
        An ``.alb`` file, with sections such as ``<task times>``; or an ``.IN2`` file: the number of tasks, their times
        and pairs ``i,j``, closed by ``-1,-1``.
    units
        Number of stations; a cycle time in the file is not used.

    Returns
    -------
    Instance
        Nodes named by their number in the file, one time unit a tick; ``units`` units of one class.

    Raises
    ------
    InputError
        If the file cannot be read or breaks a rule, or ``units`` is not positive.
    """
    if units < 1:
        raise InputError(f"units: is {units}; the number of stations must be >= 1")
    lines = [line.strip() for line in read_bytes(path).decode("utf-8", errors="replace").splitlines()]
    lines = [line for line in lines if line]
    is_sectioned = bool(lines) and lines[0].startswith("<")
    times, pairs = _read_alb(lines, path) if is_sectioned else _read_in2(lines, path)
    after: dict[int, dict[int, None]] = {}
    for one, other in pairs:
        if not (1 <= one <= len(times) and 1 <= other <= len(times)):
            raise InputError(f"{path}: precedence {one},{other} names no task; tasks are 1..{len(times)}")
        after.setdefault(one, {})[other] = None
    return Instance(
        name=f"{Path(path).stem}@{units}",
        classes=("station",),
        units=tuple(Unit(f"s{number}", "station") for number in range(units)),
        nodes=tuple(InstanceNode(str(number), times=(time,)) for number, time in enumerate(times, 1)),
        tensors=tuple(
            InstanceTensor(f"t{one}", str(one), tuple(map(str, others))) for one, others in after.items()
        ),
        source="simple assembly line balancing problem; contiguous mappings are its line balances",
    )


def _read_alb(lines: list[str], path: str | Path) -> tuple[list[int], list[tuple[int, int]]]:
    sections: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("<"):
            body = sections.setdefault(line.lower(), [])
        else:
            body.append(line)
    for name in ("<number of tasks>", "<task times>"):
        if not sections.get(name):
            raise InputError(f"{path}: has no section {name}, or nothing in it; it is needed")
    count = _whole(sections["<number of tasks>"][0], path)
    times = dict(_pairs(sections["<task times>"], path))
    if sorted(times) != list(range(1, count + 1)):
        raise InputError(f"{path}: has times of {len(times)} tasks; give one for each task 1..{count}")
    return [times[number] for number in sorted(times)], list(
        _pairs(sections.get("<precedence relations>", []), path)
    )


def _read_in2(lines: list[str], path: str | Path) -> tuple[list[int], list[tuple[int, int]]]:
    count = _whole(lines[0], path) if lines else 0
    if count < 1 or len(lines) <= count:
        raise InputError(
            f"{path}: has {max(0, len(lines) - 1)} lines after the number of tasks, {count}; "
            "it must have a time for each"
        )
    end = next((at for at, line in enumerate(lines) if line.replace(" ", "") == "-1,-1"), len(lines))
    return [_whole(line, path) for line in lines[1 : count + 1]], list(_pairs(lines[count + 1 : end], path))


def _pairs(lines: list[str], path: str | Path) -> Iterator[tuple[int, int]]:
    for line in lines:
        words = line.replace(",", " ").split()
        if len(words) != 2:
            raise InputError(f"{path}: has the line {line[:40]!r} where two numbers are expected")
        yield _whole(words[0], path), _whole(words[1], path)


def _whole(word: str, path: str | Path) -> int:
    if not word.isascii() or not word.isdecimal() or len(word) > 18 or int(word) > MAX_TIME:
        raise InputError(
            f"{path}: has {word[:20]!r} where a number is expected; numbers are integers in 0..{MAX_TIME}"
        )
    return int(word)
