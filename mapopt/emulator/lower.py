"""Lowering: (instance, mapping) to a program, one rule per transfer model.

Each pattern's tasks are first the nodes, then the transfers that occupy a link or the reading unit. They are
sorted into the order of dispatch: by priority (default: topological position), then node index. A transfer over
a link has its producer's priority, then the tensor, the destination and the hop decide; a reading from host memory
stands just before the first of its consumers on that unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from mapopt.documents import MAX_TICKS
from mapopt.emulator.lower_starts import pattern_starts
from mapopt.emulator.program import MAX_PROGRAM_TICKS, PatternColumns, Program
from mapopt.errors import InputError
from mapopt.instance import Instance, IntArray
from mapopt.mapping import Mapping
from mapopt.transfers import Blocking, Delay, Free, Host, Links, Routes, transfer_ticks


def lower(instance: Instance, mapping: Mapping) -> Program:
    """Turn a mapping of an instance into the program that the emulator runs.

    Takes time linear in nodes, edges and transfers (but for sorting). The program of a time-triggered mapping has
    the start of every task; :func:`mapopt.emulator.kernel.advance` ignores them and runs the same tasks self-timed.

    Raises
    ------
    InputError
        If the mapping is of another instance, a node stands on a unit that cannot run it, a transfer takes
        more than ``MAX_TICKS``, or the starts of a time-triggered mapping's transfers are not those it needs.
    """
    lowering = _Lowering(instance, _priorities(instance, mapping))
    columns = []
    position = mapping.positions(instance)
    for number, units in enumerate(mapping.assignment(instance)):
        draft = lowering.draft(np.array(units, dtype=np.int64))
        start = pattern_starts(instance, mapping.patterns[number], position, draft.label, number)
        columns.append(_sorted(draft, start))
    links = instance.transfer.links if isinstance(instance.transfer, Links) else ()
    return Program.of_columns(
        [*(unit.name for unit in instance.units), *(link.name for link in links)],
        columns,
        n_units=len(instance.units),
        tick_ps=instance.tick_ps,
        horizon=mapping.horizon,
    )


def _priorities(instance: Instance, mapping: Mapping) -> IntArray:
    if mapping.priorities is not None:
        return np.array([mapping.priorities[at] for at in mapping.positions(instance)], dtype=np.int64)
    rank = np.empty(len(instance.nodes), dtype=np.int64)
    rank[list(instance.topological_order)] = np.arange(len(instance.nodes))
    return rank


@dataclass(slots=True)
class _Draft:
    """One pattern before sorting; ``key`` has shape (tasks, 4), the most significant column first."""

    resource: IntArray
    duration: IntArray
    hold: IntArray
    label: IntArray
    key: IntArray
    arcs: list[tuple[IntArray, IntArray, IntArray]] = field(default_factory=list)

    def add_tasks(self, resource: IntArray, duration: IntArray, label: Columns, key: Columns) -> IntArray:
        """Append tasks without hold and return their numbers."""
        first = len(self.resource)
        self.resource = np.concatenate([self.resource, resource])
        self.duration = np.concatenate([self.duration, duration])
        self.hold = np.concatenate([self.hold, np.zeros(len(resource), dtype=np.int64)])
        self.label = np.concatenate([self.label, np.column_stack(label)])
        self.key = np.concatenate([self.key, np.column_stack(key)])
        return np.arange(first, len(self.resource))

    def add_arcs(self, before: IntArray, after: IntArray, delay: IntArray | int = 0) -> None:
        self.arcs.append((before, after, np.broadcast_to(np.asarray(delay, dtype=np.int64), before.shape)))


Columns = Sequence[IntArray]


@dataclass(frozen=True, slots=True)
class _Crossings:
    """The edges between different units, and the transfers (tensor, destination unit) that serve them.

    ``producer``, ``consumer`` and ``transfer`` have one entry per edge; ``tensor``, ``source`` (a node) and
    ``unit`` one per transfer, ordered by tensor, then unit.
    """

    producer: IntArray
    consumer: IntArray
    transfer: IntArray
    tensor: IntArray
    source: IntArray
    unit: IntArray


class _Lowering:
    """What all patterns of one instance share."""

    def __init__(self, instance: Instance, priority: IntArray) -> None:
        self.instance = instance
        self.priority = priority
        edges = np.array(instance.edges, dtype=np.int64).reshape(-1, 3)
        self.producer, self.consumer, self.tensor = edges[:, 0], edges[:, 1], edges[:, 2]
        self.source = np.array(
            [instance.node_index[each.producer] for each in instance.tensors], dtype=np.int64
        )

    def draft(self, units: IntArray) -> _Draft:
        """Lower one pattern: the node tasks, the arcs inside units, then the transfers' own rule."""
        count = len(units)
        node = np.arange(count)
        none = np.full(count, -1)
        draft = _Draft(
            resource=units,
            duration=self._durations(units),
            hold=np.zeros(count, dtype=np.int64),
            label=np.column_stack([node, none, none, none]),
            key=np.column_stack([self.priority, node, np.ones(count, dtype=np.int64), none]),
        )
        cross = units[self.producer] != units[self.consumer]
        draft.add_arcs(self.producer[~cross], self.consumer[~cross])
        crossings = self._crossings(units, cross)
        match self.instance.transfer:
            case Free():
                draft.add_arcs(crossings.producer, crossings.consumer)
            case Delay() as model:
                delay = self._transfer_ticks(crossings, model)
                draft.add_arcs(crossings.producer, crossings.consumer, delay[crossings.transfer])
            case Blocking() as model:
                self._blocking(draft, crossings, model)
            case Host() as model:
                self._host(draft, crossings, model)
            case Links() as model:
                self._links(draft, crossings, model)
        return draft

    def _durations(self, units: IntArray) -> IntArray:
        duration = self.instance.times[np.arange(len(units)), self.instance.unit_class[units]]
        if (duration < 0).any():
            node = int(np.argmax(duration < 0))
            unit = self.instance.units[units[node]]
            raise InputError(
                f"node {self.instance.nodes[node].name!r}: is mapped to unit {unit.name!r} of class "
                f"{unit.unit_class!r}, which has no time for it; map it to a class that can run it"
            )
        return duration

    def _crossings(self, units: IntArray, cross: np.typing.NDArray[np.bool_]) -> _Crossings:
        width = len(self.instance.units)
        keys, transfer = np.unique(
            self.tensor[cross] * width + units[self.consumer[cross]], return_inverse=True
        )
        tensor = keys // width
        return _Crossings(
            producer=self.producer[cross],
            consumer=self.consumer[cross],
            transfer=transfer.reshape(-1),
            tensor=tensor,
            source=self.source[tensor],
            unit=keys % width,
        )

    def _ticks(self, tensors: IntArray, bytes_per_s: IntArray) -> IntArray:
        """Return the ticks to send each of ``tensors`` at the rate of the same entry."""
        found = np.empty(len(tensors), dtype=np.int64)
        for at, (index, rate) in enumerate(zip(tensors.tolist(), bytes_per_s.tolist(), strict=True)):
            tensor = self.instance.tensors[index]
            ticks = transfer_ticks(tensor.size_bytes, rate, self.instance.tick_ps)
            if ticks > MAX_TICKS:
                raise InputError(
                    f"tensor {tensor.name!r}: takes {ticks} ticks to send at {rate} bytes/s; at most "
                    f"{MAX_TICKS:.0e} are supported; use a larger tick_ps"
                )
            found[at] = ticks
        return found

    def _transfer_ticks(self, crossings: _Crossings, model: Delay | Blocking | Host) -> IntArray:
        """Return latency plus sending time of each transfer."""
        rate = np.full(len(crossings.tensor), model.bytes_per_s)
        ticks = model.latency_ticks + self._ticks(crossings.tensor, rate)
        if float(ticks.sum(dtype=np.float64)) > MAX_PROGRAM_TICKS:
            raise InputError(
                f"instance {self.instance.name!r}: its transfers take more than {MAX_PROGRAM_TICKS:.0e} ticks "
                "together; use a larger tick_ps"
            )
        return ticks

    def _blocking(self, draft: _Draft, crossings: _Crossings, model: Blocking) -> None:
        """Each sender sends to its destinations in unit order, then by tensor."""
        ticks = self._transfer_ticks(crossings, model)
        order = np.lexsort((crossings.tensor, crossings.unit, crossings.source))
        ends = _ends_within_groups(crossings.source, ticks, order)
        np.add.at(draft.hold, crossings.source, ticks)
        draft.add_arcs(crossings.producer, crossings.consumer, ends[crossings.transfer])

    def _host(self, draft: _Draft, crossings: _Crossings, model: Host) -> None:
        """Each tensor that leaves its unit is uploaded once, by tensor index; each unit that reads it reads once."""
        index = self.instance.unit_index
        at_host = np.isin(np.arange(len(self.instance.units)), [index[name] for name in model.host_units])
        ticks = self._transfer_ticks(crossings, model)
        upload = np.where(at_host[draft.resource[crossings.source]], 0, ticks)
        upload[1:][crossings.tensor[1:] == crossings.tensor[:-1]] = 0
        order = np.lexsort((crossings.unit, crossings.tensor, crossings.source))
        uploaded = _ends_within_groups(crossings.source, upload, order)
        np.add.at(draft.hold, crossings.source, upload)

        reads = ~at_host[crossings.unit]
        first = self._first_consumers(crossings)[reads]
        task = np.full(len(reads), -1)
        task[reads] = draft.add_tasks(
            crossings.unit[reads],
            ticks[reads],
            [np.full(len(first), -1), crossings.tensor[reads], crossings.unit[reads], np.zeros_like(first)],
            [self.priority[first], first, np.zeros_like(first), crossings.tensor[reads]],
        )
        draft.add_arcs(crossings.source[reads], task[reads], uploaded[reads])
        reading = task[crossings.transfer]
        direct = reading < 0
        draft.add_arcs(reading[~direct], crossings.consumer[~direct])
        draft.add_arcs(
            crossings.producer[direct], crossings.consumer[direct], uploaded[crossings.transfer[direct]]
        )

    def _first_consumers(self, crossings: _Crossings) -> IntArray:
        """Return the consumer of each transfer that comes first in dispatch order."""
        order = np.lexsort((crossings.consumer, self.priority[crossings.consumer], crossings.transfer))
        _, first = np.unique(crossings.transfer[order], return_index=True)
        return crossings.consumer[order[first]]

    def _links(self, draft: _Draft, crossings: _Crossings, model: Links) -> None:
        """Make a chain of tasks over the route; a link's latency is the delay of the arc that leaves its task."""
        routes = Routes(model, [unit.name for unit in self.instance.units])
        paths = [
            routes.path(source, unit)
            for source, unit in zip(
                draft.resource[crossings.source].tolist(), crossings.unit.tolist(), strict=True
            )
        ]
        hops = np.array([len(path) for path in paths], dtype=np.int64)
        link = np.array([link for path in paths for link in path], dtype=np.int64)
        transfer = np.repeat(np.arange(len(paths)), hops)
        end = np.cumsum(hops)
        hop = np.arange(len(link)) - np.repeat(end - hops, hops)
        tensor, unit = crossings.tensor[transfer], crossings.unit[transfer]
        rate = np.array([each.bytes_per_s for each in model.links], dtype=np.int64)
        latency = np.array([each.latency_ticks for each in model.links], dtype=np.int64)
        task = draft.add_tasks(
            len(self.instance.units) + link,
            self._ticks(tensor, rate[link]),
            [np.full(len(link), -1), tensor, unit, hop],
            [self.priority[crossings.source[transfer]], tensor, unit, hop],
        )
        inner = hop > 0
        draft.add_arcs(crossings.source[transfer[~inner]], task[~inner])
        draft.add_arcs(task[inner] - 1, task[inner], latency[link[np.flatnonzero(inner) - 1]])
        routed = hops[crossings.transfer] > 0
        final = end[crossings.transfer[routed]] - 1
        draft.add_arcs(task[final], crossings.consumer[routed], latency[link[final]])
        draft.add_arcs(crossings.producer[~routed], crossings.consumer[~routed])


def _ends_within_groups(group: IntArray, ticks: IntArray, order: IntArray) -> IntArray:
    """Sum ``ticks`` in the given order, anew for each group; the order keeps the members of a group together."""
    total = np.cumsum(ticks[order])
    sorted_group = group[order]
    opens = np.flatnonzero(np.diff(sorted_group, prepend=-1))
    before = np.repeat((total - ticks[order])[opens], np.diff(opens, append=len(order)))
    ends = np.empty_like(ticks)
    ends[order] = total - before
    return ends


def _sorted(draft: _Draft, start: IntArray | None) -> PatternColumns:
    order = np.lexsort(draft.key.T[::-1])
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    before, after, delay = (np.concatenate(parts) for parts in zip(*draft.arcs, strict=True))
    return PatternColumns(
        resource=draft.resource[order],
        duration=draft.duration[order],
        hold=draft.hold[order],
        label=draft.label[order],
        before=place[before],
        after=place[after],
        delay=delay,
        start=None if start is None else start[order],
    )
