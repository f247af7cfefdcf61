"""The optimisation problem: integers only, solver-neutral, one JSON file."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable
from functools import cached_property
from typing import Annotated, ClassVar

import msgspec
import numpy as np
import numpy.typing as npt

from mapopt.documents import Count, Document, Name, Part, Ticks, unique, unknown
from mapopt.errors import InputError
from mapopt.transfers import Free, Host, Links, TransferModel

IntArray = npt.NDArray[np.int64]

Adjacent = tuple[tuple[tuple[int, int], ...], ...]
"""For each node the (other node, tensor) of its edges."""

MAX_FRAME_TICKS = 10**17
"""Largest total time of one frame (all nodes at their slowest), so that horizons fit 64-bit integers."""


class Unit(Part, frozen=True):
    """A processing unit. ``None`` means without limit.

    Parameters
    ----------
    name
        Unique among the units.
    unit_class
        Key ``class`` in JSON; one of the instance's classes.
    crossbars
        Crossbars it holds; the weights of all nodes mapped to it must fit.
    memory_bytes
        Memory it holds; the ``memory_bytes`` of all nodes mapped to it must fit.
    """

    name: Name
    unit_class: Name = msgspec.field(name="class")
    crossbars: Count | None = None
    memory_bytes: Count | None = None


class InstanceNode(Part, frozen=True):
    """A node of the instance.

    Parameters
    ----------
    name
        Unique among the nodes.
    times
        Ticks on a unit of each class, in the order of the instance's classes; ``None`` where it cannot run.
    op
        Operator type, for people.
    crossbars
        Crossbars needed on a unit of each class; ``()`` means none on any.
    memory_bytes
        Memory needed on the unit it runs on.
    energy
        Energy per frame on a unit of each class, in the instance's ``energy_unit``; ``()`` means unknown.
    """

    name: Name
    times: tuple[Ticks | None, ...]
    op: str = ""
    crossbars: tuple[Count, ...] = ()
    memory_bytes: Count = 0
    energy: tuple[Ticks, ...] = ()


class InstanceTensor(Part, frozen=True):
    """A tensor: written by one node, read by others, ``size_bytes`` long (key ``bytes`` in JSON)."""

    name: Name
    producer: Name
    consumers: tuple[Name, ...]
    size_bytes: Count = msgspec.field(name="bytes", default=0)


class NodeUnits(Part, frozen=True):
    """A node and the units that a side constraint allows or forbids it."""

    node: Name
    units: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1)]


class SideConstraints(Part, frozen=True):
    """Restrictions on top of classes and capacities.

    Parameters
    ----------
    pin
        The node must run on one of these units.
    forbid
        The node must not run on any of these units.
    colocate
        Groups of nodes that must share a unit.
    separate
        Groups of nodes no two of which may share a unit.
    """

    pin: tuple[NodeUnits, ...] = ()
    forbid: tuple[NodeUnits, ...] = ()
    colocate: tuple[tuple[Name, ...], ...] = ()
    separate: tuple[tuple[Name, ...], ...] = ()


class Instance(Document, frozen=True, dict=True):
    """A mapping problem.

    Nodes, units, tensors and classes are numbered in the order listed; arrays derived from the instance use these
    indices. Times are ticks of ``tick_ps`` picoseconds.

    Parameters
    ----------
    name
        For people and file names; not part of the digest.
    classes
        Unit classes, e.g. ``("imc", "dpu")``.
    units, nodes, tensors
        See :class:`Unit`, :class:`InstanceNode` and :class:`InstanceTensor`.
    transfer
        One of the five transfer models.
    side_constraints
        See :class:`SideConstraints`.
    tick_ps
        Length of a tick in picoseconds.
    energy_unit
        What the nodes' energies count, e.g. ``"fJ"``; any cost that adds up over the nodes may stand there.
    source
        Where the numbers come from, for people; not part of the digest.

    Raises
    ------
    InputError
        If names repeat or are unknown, lengths differ, the graph has a cycle, or numbers are out of range.
    """

    KIND: ClassVar[str] = "instance"

    name: Name
    classes: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1)]
    units: Annotated[tuple[Unit, ...], msgspec.Meta(min_length=1)]
    nodes: Annotated[tuple[InstanceNode, ...], msgspec.Meta(min_length=1)]
    tensors: tuple[InstanceTensor, ...] = ()
    transfer: TransferModel = Free()
    side_constraints: SideConstraints = SideConstraints()
    tick_ps: Annotated[int, msgspec.Meta(ge=1, le=10**12)] = 1000
    energy_unit: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        unique("class", self.classes)
        unique("unit", (unit.name for unit in self.units))
        unique("node", (node.name for node in self.nodes))
        unique("tensor", (tensor.name for tensor in self.tensors))
        self._check_units()
        self._check_nodes()
        self._check_tensors()
        self._check_transfer()
        self._check_side_constraints()
        _ = self.topological_order

    def _check_units(self) -> None:
        for unit in self.units:
            if unit.unit_class not in self.classes:
                raise unknown(f"unit {unit.name!r}: class", unit.unit_class, self.classes)

    def _check_nodes(self) -> None:
        width, total = len(self.classes), 0
        for node in self.nodes:
            if len(node.times) != width:
                raise InputError(
                    f"node {node.name!r}: has {len(node.times)} times for {width} classes; give one per class "
                    "(null where it cannot run)"
                )
            if node.crossbars and len(node.crossbars) != width:
                raise InputError(
                    f"node {node.name!r}: has {len(node.crossbars)} crossbar counts for {width} classes; give "
                    "one per class, or none at all"
                )
            if node.energy and len(node.energy) != width:
                raise InputError(
                    f"node {node.name!r}: has {len(node.energy)} energies for {width} classes; give one per class, "
                    "or none at all"
                )
            times = [time for time in node.times if time is not None]
            if not times:
                raise InputError(
                    f"node {node.name!r}: no class can run it; give it a time for at least one class"
                )
            total += max(times)
        if total > MAX_FRAME_TICKS:
            raise InputError(
                f"instance {self.name!r}: the nodes take {total} ticks together; at most {MAX_FRAME_TICKS} are "
                "supported; use a larger tick_ps"
            )

    def _check_tensors(self) -> None:
        known = self.node_index
        for tensor in self.tensors:
            for end in (tensor.producer, *tensor.consumers):
                if end not in known:
                    raise unknown(f"tensor {tensor.name!r}: node", end, known)
            unique(f"consumer of tensor {tensor.name!r}:", tensor.consumers)

    def _check_transfer(self) -> None:
        model, known = self.transfer, self.unit_index
        if isinstance(model, Host):
            for name in model.host_units:
                if name not in known:
                    raise unknown("transfer: host unit", name, known)
        if isinstance(model, Links):
            links = dict.fromkeys(link.name for link in model.links)
            unique("link", (link.name for link in model.links))
            for key, table in (("egress", model.egress), ("ingress", model.ingress)):
                if len(table) != len(self.units):
                    raise InputError(
                        f"transfer: {key} has {len(table)} entries for {len(self.units)} units; give one list of links "
                        "per unit"
                    )
            for route in model.routes:
                for end in (route.source, route.target):
                    if end not in known:
                        raise unknown("transfer: a route's unit", end, known)
            unique("route", (f"{route.source} -> {route.target}" for route in model.routes))
            used = (*model.egress, *model.ingress, *(route.links for route in model.routes))
            for name in (name for path in used for name in path):
                if name not in links:
                    raise unknown("transfer: link", name, links)
            for route in model.routes:
                unique(f"link on the route {route.source} -> {route.target}:", route.links)

    def _check_side_constraints(self) -> None:
        rules = self.side_constraints
        for key, placements in (("pin", rules.pin), ("forbid", rules.forbid)):
            for placement in placements:
                if placement.node not in self.node_index:
                    raise unknown(f"side constraint {key}: node", placement.node, self.node_index)
                for name in placement.units:
                    if name not in self.unit_index:
                        raise unknown(f"side constraint {key}: unit", name, self.unit_index)
        for key, groups in (("colocate", rules.colocate), ("separate", rules.separate)):
            for group in groups:
                unique(f"side constraint {key}: node", group)
                for name in group:
                    if name not in self.node_index:
                        raise unknown(f"side constraint {key}: node", name, self.node_index)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything but ``name`` and ``source``, as ``sha256:<hex>``."""
        problem = msgspec.to_builtins(self)
        problem = {key: value for key, value in problem.items() if key not in ("name", "source")}
        return "sha256:" + hashlib.sha256(msgspec.json.encode([self.schema_id(), problem])).hexdigest()

    @cached_property
    def node_index(self) -> dict[str, int]:
        """Index of each node by name."""
        return {node.name: index for index, node in enumerate(self.nodes)}

    @cached_property
    def unit_index(self) -> dict[str, int]:
        """Index of each unit by name."""
        return {unit.name: index for index, unit in enumerate(self.units)}

    @cached_property
    def unit_class(self) -> IntArray:
        """Class index of each unit, shape (units,)."""
        number = {name: index for index, name in enumerate(self.classes)}
        return frozen([number[unit.unit_class] for unit in self.units])

    @cached_property
    def times(self) -> IntArray:
        """Ticks of each node on each class, shape (nodes, classes); -1 where it cannot run."""
        return frozen([[-1 if time is None else time for time in node.times] for node in self.nodes])

    @cached_property
    def crossbars(self) -> IntArray:
        """Crossbars each node needs on each class, shape (nodes, classes)."""
        none = (0,) * len(self.classes)
        return frozen([node.crossbars or none for node in self.nodes])

    @cached_property
    def memory_bytes(self) -> IntArray:
        """Memory each node needs, shape (nodes,)."""
        return frozen([node.memory_bytes for node in self.nodes])

    @cached_property
    def energy(self) -> IntArray | None:
        """Energy of each node on each class, shape (nodes, classes); ``None`` unless every node has it."""
        rows = [node.energy for node in self.nodes]
        return frozen(rows) if all(rows) else None

    @cached_property
    def edges(self) -> tuple[tuple[int, int, int], ...]:
        """``(producer, consumer, tensor)`` indices, ordered by tensor, then by the tensor's consumer list."""
        at = self.node_index
        return tuple(
            (at[tensor.producer], at[consumer], index)
            for index, tensor in enumerate(self.tensors)
            for consumer in tensor.consumers
        )

    @cached_property
    def entering(self) -> Adjacent:
        """``(producer, tensor)`` of the edges that enter each node, in the order of ``edges``."""
        found: list[list[tuple[int, int]]] = [[] for _ in self.nodes]
        for producer, consumer, tensor in self.edges:
            found[consumer].append((producer, tensor))
        return tuple(map(tuple, found))

    @cached_property
    def leaving(self) -> Adjacent:
        """``(consumer, tensor)`` of the edges that leave each node, in the order of ``edges``."""
        found: list[list[tuple[int, int]]] = [[] for _ in self.nodes]
        for producer, consumer, tensor in self.edges:
            found[producer].append((consumer, tensor))
        return tuple(map(tuple, found))

    @cached_property
    def successors(self) -> tuple[tuple[int, ...], ...]:
        """Nodes that read from each node, ascending, without repetition."""
        return self._neighbours(0)

    @cached_property
    def predecessors(self) -> tuple[tuple[int, ...], ...]:
        """Nodes that each node reads from, ascending, without repetition."""
        return self._neighbours(1)

    def _neighbours(self, end: int) -> tuple[tuple[int, ...], ...]:
        found: list[set[int]] = [set() for _ in self.nodes]
        for edge in self.edges:
            found[edge[end]].add(edge[1 - end])
        return tuple(tuple(sorted(others)) for others in found)

    @cached_property
    def topological_order(self) -> tuple[int, ...]:
        """Node indices, every producer before its consumers; the listed order is kept where it is topological."""
        waiting = [len(before) for before in self.predecessors]
        ready = [node for node, count in enumerate(waiting) if count == 0]
        order: list[int] = []
        while ready:
            node = heapq.heappop(ready)
            order.append(node)
            for after in self.successors[node]:
                waiting[after] -= 1
                if waiting[after] == 0:
                    heapq.heappush(ready, after)
        if len(order) < len(self.nodes):
            raise InputError(
                f"instance {self.name!r}: has a cycle {self._cycle(waiting)}; the graph must be acyclic"
            )
        return tuple(order)

    def _cycle(self, waiting: list[int]) -> str:
        node = next(index for index, count in enumerate(waiting) if count > 0)
        path: list[int] = []
        while node not in path:
            path.append(node)
            node = next(before for before in self.predecessors[node] if waiting[before] > 0)
        cycle = [*path[path.index(node) :], node][::-1]
        names = [self.nodes[index].name for index in cycle]
        return " -> ".join(names if len(names) <= 8 else [*names[:7], "...", names[-1]])


def frozen(values: Iterable[object]) -> IntArray:
    """Return a read-only int64 array."""
    array = np.array(list(values), dtype=np.int64)
    array.setflags(write=False)
    return array
