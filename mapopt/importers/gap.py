"""Generalised assignment problems in the OR-Library's layout.

A file holds one problem as integers separated by white space: the number m of agents and n of jobs, m rows of n costs,
m rows of n resource needs, and m capacities. (The OR-Library's own files ``gap1`` to ``gap12`` hold several problems
each, to be maximised: split them and negate the profits around their largest, ``cost = largest - profit``.)

References
----------
Beasley: OR-Library: distributing test problems by electronic mail, Journal of the Operational Research Society 41,
1990.
"""

from __future__ import annotations

from pathlib import Path

from mapopt.documents import read_bytes
from mapopt.errors import InputError
from mapopt.instance import Instance, InstanceNode, Unit

MAX_NUMBER = 10**15
"""Largest cost, need or capacity."""


def read_gap(path: str | Path) -> Instance:
    """Read a generalised assignment problem as an instance whose energy is the cost.

    Every agent is a unit ``a0``, ``a1``, ... of a class of its own with the agent's capacity in crossbars; every job is
    a node ``j0``, ``j1``, ... whose cost is its energy and whose need its crossbars on that class. The problem has no
    times: they are 0 ticks, so that any unit can run any node. There are no tensors.

    Raises
    ------
    InputError
        If the file cannot be read, holds anything but numbers >= 0, or not as many as its first two call for.
    """
    text = read_bytes(path).decode("utf-8", errors="replace")
    numbers = [_number(word, path) for word in text.split()]
    if len(numbers) < 2 or 0 in numbers[:2]:
        raise InputError(f"{path}: does not begin with the numbers of agents and jobs; both must be >= 1")
    agents, jobs, *rest = numbers
    if len(rest) != 2 * agents * jobs + agents:
        raise InputError(
            f"{path}: has {len(rest)} numbers after its first two, {agents} agents and {jobs} jobs; it must have "
            f"{2 * agents * jobs + agents}: {agents} rows of costs, {agents} rows of needs, {agents} capacities"
        )
    rows = [rest[at : at + jobs] for at in range(0, 2 * agents * jobs, jobs)]
    classes = tuple(f"agent{number}" for number in range(agents))
    return Instance(
        name=Path(path).stem,
        classes=classes,
        units=tuple(
            Unit(f"a{number}", name, crossbars=capacity)
            for number, (name, capacity) in enumerate(zip(classes, rest[-agents:], strict=True))
        ),
        nodes=tuple(
            InstanceNode(f"j{number}", times=(0,) * agents, energy=cost, crossbars=need)
            for number, (cost, need) in enumerate(
                zip(zip(*rows[:agents], strict=True), zip(*rows[agents:], strict=True), strict=True)
            )
        ),
        energy_unit="cost",
        source="generalised assignment problem: energy is the cost, crossbars are the resource, there are no times",
    )


def _number(word: str, path: str | Path) -> int:
    if not word.isascii() or not word.isdecimal() or len(word) > 18 or int(word) > MAX_NUMBER:
        raise InputError(
            f"{path}: has {word[:20]!r} where a number is expected; numbers are integers in 0..{MAX_NUMBER}"
        )
    return int(word)
