"""An instance as arrays for compiled searches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from mapopt.instance import Instance, IntArray
from mapopt.placement.communication import Communication
from mapopt.placement.problem import Problem
from mapopt.transfers import Blocking, Host, Link, Links

DELAYED, SENT, UPLOADED, ROUTED = range(4)
"""How tensors travel: free or delay; blocking; host; links."""

UNLIMITED = 2**62


class Tables(NamedTuple):
    """Nodes, tensors, units and groups by the numbers of the instance and of :class:`Problem`.

    Parameters
    ----------
    travel
        One of ``DELAYED``, ``SENT``, ``UPLOADED``, ``ROUTED``.
    duration
        Shape (nodes, units): ticks of a node, -1 where its group may not run.
    group
        Shape (nodes,): the group of colocated nodes that each belongs to.
    choice_offset, choice
        Units that each group may use, by rows: those of group g are ``choice[choice_offset[g]:choice_offset[g + 1]]``.
    entering_offset, entering_node, entering_tensor, leaving_offset, leaving_node, leaving_tensor
        Edges by node, as rows; the node at the other end, and the tensor.
    outgoing_offset, outgoing
        Tensors that each node writes, as rows.
    once
        Shape (tensors,): ticks that a tensor travels or occupies a unit; 0 under ``links``.
    route_offset, route
        Resources that a tensor occupies on its way from unit a to unit b, as row a * units + b: links under
        ``links``, the reading unit under ``host``, else none.
    ticks
        Shape (tensors, resources): how long each would be occupied; no rows where there are no routes.
    latency
        Shape (resources,): ticks after leaving a link.
    at_host
        Shape (units,): units that work on host memory itself.
    need, capacity
        Shape (groups, units, 2) and (units, 2): crossbars and bytes of memory.
    apart_offset, apart
        Groups that must be on other units, as rows.
    twin
        Shape (units,): the lowest unit that an empty unit can be exchanged with.
    """

    travel: int
    duration: IntArray
    group: IntArray
    choice_offset: IntArray
    choice: IntArray
    entering_offset: IntArray
    entering_node: IntArray
    entering_tensor: IntArray
    leaving_offset: IntArray
    leaving_node: IntArray
    leaving_tensor: IntArray
    outgoing_offset: IntArray
    outgoing: IntArray
    once: IntArray
    route_offset: IntArray
    route: IntArray
    ticks: IntArray
    latency: IntArray
    at_host: IntArray
    need: IntArray
    capacity: IntArray
    apart_offset: IntArray
    apart: IntArray
    twin: IntArray


def tables_of(problem: Problem) -> Tables:
    """Read the arrays off a problem."""
    instance = problem.instance
    communication = Communication(instance)
    units = range(len(instance.units))
    entering_offset, entering = _rows(instance.entering, 2)
    leaving_offset, leaving = _rows(instance.leaving, 2)
    written: list[list[tuple[int]]] = [[] for _ in instance.nodes]
    for number, tensor in enumerate(instance.tensors):
        written[instance.node_index[tensor.producer]].append((number,))
    outgoing_offset, outgoing = _rows(written, 1)
    choice_offset, choice = _rows([[(unit,) for unit in sorted(each)] for each in problem.allowed], 1)
    apart_offset, apart = _rows([[(group,) for group in each] for each in problem.apart], 1)
    routes = [_route(communication, source, target) for source in units for target in units]
    route_offset, route = _rows([[(resource,) for resource in each] for each in routes], 1)
    allowed = np.zeros((len(problem.groups), len(units)), dtype=np.bool_)
    for group, choices in enumerate(problem.allowed):
        allowed[group, sorted(choices)] = True
    group_of = np.array(problem.group_of, dtype=np.int64)
    return Tables(
        travel=_travel(instance),
        duration=np.where(allowed[group_of], instance.times[:, instance.unit_class], -1),
        group=group_of,
        choice_offset=choice_offset,
        choice=choice[:, 0].copy(),
        entering_offset=entering_offset,
        entering_node=entering[:, 0].copy(),
        entering_tensor=entering[:, 1].copy(),
        leaving_offset=leaving_offset,
        leaving_node=leaving[:, 0].copy(),
        leaving_tensor=leaving[:, 1].copy(),
        outgoing_offset=outgoing_offset,
        outgoing=outgoing[:, 0].copy(),
        once=_integers(communication.once(tensor) for tensor in range(len(instance.tensors))),
        route_offset=route_offset,
        route=route[:, 0].copy(),
        ticks=_ticks(communication, has_routes=bool(len(route))),
        latency=_integers([0] * len(units) + [link.latency_ticks for link in _links(instance)]),
        at_host=_integers(unit in communication.hosts for unit in units),
        need=_needs(problem),
        capacity=np.array(
            [
                [UNLIMITED if limit is None else limit for limit in (unit.crossbars, unit.memory_bytes)]
                for unit in instance.units
            ],
            dtype=np.int64,
        ),
        apart_offset=apart_offset,
        apart=apart[:, 0].copy(),
        twin=_twins(problem),
    )


def _rows(rows: Sequence[Sequence[tuple[int, ...]]], width: int) -> tuple[IntArray, IntArray]:
    """Return where each row begins, and all entries, shape (entries, width)."""
    offset = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum([len(row) for row in rows], out=offset[1:])
    return offset, np.array([entry for row in rows for entry in row], dtype=np.int64).reshape(-1, width)


def _integers(values: Iterable[int]) -> IntArray:
    return np.array(list(values), dtype=np.int64)


def _links(instance: Instance) -> tuple[Link, ...]:
    return instance.transfer.links if isinstance(instance.transfer, Links) else ()


def _travel(instance: Instance) -> int:
    match instance.transfer:
        case Blocking():
            return SENT
        case Host():
            return UPLOADED
        case Links():
            return ROUTED
        case _:
            return DELAYED


def _route(communication: Communication, source: int, target: int) -> tuple[int, ...]:
    """Return the resources that one tensor occupies after it has left its producer."""
    if source == target:
        return ()
    if isinstance(communication.instance.transfer, Host):
        return () if target in communication.hosts else (target,)
    return tuple(communication.n_units + link for link in communication.route(source, target))


def _ticks(communication: Communication, *, has_routes: bool) -> IntArray:
    instance, units = communication.instance, communication.n_units
    if not has_routes:
        return np.zeros((0, communication.n_resources), dtype=np.int64)
    rows = []
    for tensor in range(len(instance.tensors)):
        row = [communication.once(tensor)] * units
        rows.append(row + [communication.send(tensor, link.bytes_per_s) for link in _links(instance)])
    return np.array(rows, dtype=np.int64).reshape(-1, communication.n_resources)


def _needs(problem: Problem) -> IntArray:
    """Return the crossbars and memory of each group on each unit; 0 where nothing is limited."""
    need = np.zeros((len(problem.groups), len(problem.unit_class), 2), dtype=np.int64)
    if problem.is_limited:
        need[:, :, 0] = np.array(problem.crossbars, dtype=np.int64)[problem.unit_class].T
        need[:, :, 1] = np.array(problem.memory_bytes, dtype=np.int64)[:, None]
    return need


def _twins(problem: Problem) -> IntArray:
    """Tell which units are alike: same class, limits, and choices; all differ where routes or hosts may."""
    instance = problem.instance
    first: dict[object, int] = {}
    alike = []
    sets = list(dict.fromkeys(problem.allowed))
    for number, unit in enumerate(instance.units):
        kind: object = (
            unit.unit_class,
            unit.crossbars,
            unit.memory_bytes,
            *(number in each for each in sets),
        )
        if isinstance(instance.transfer, (Host, Links)):
            kind = number
        alike.append(first.setdefault(kind, number))
    return _integers(alike)
