"""What an instance says, worked out in the plainest way: where nodes can run, and what has to travel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from mapopt.bounds.witnesses import ForcedTransfer, MeanLoad, ReachableLoad, SharedUnit, Window
from mapopt.errors import MapoptError
from mapopt.instance import Instance
from mapopt.transfers import Blocking, Delay, Free, Host, Links, Routes, transfer_ticks

IntArray = npt.NDArray[np.int64]

NEVER = 2**60
"""Later than any time that can be checked."""


class RejectedError(MapoptError):
    """A witness does not prove what it says; the message says why."""


class Facts:
    """Where nodes can run, and what has to travel.

    Attributes
    ----------
    times, unit_class
        Ticks of each node on each class, and the class of each unit.
    group_of
        For each node the first of the nodes that have to be on its unit.
    allowed
        The units on which each node can run, that is its whole group.
    tensor, hosts, routes
        Tensors by name, units on host memory, and the routes under links.
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.n_units = len(instance.units)
        self.unit_class: list[int] = instance.unit_class.tolist()
        self.times: list[list[int]] = instance.times.tolist()
        self.group_of = self._groups()
        self.allowed = self._allowed()
        self.tensor = {tensor.name: tensor for tensor in instance.tensors}
        model = instance.transfer
        self.hosts = frozenset(
            instance.unit_index[name] for name in (model.host_units if isinstance(model, Host) else ())
        )
        self.routes = (
            Routes(model, [unit.name for unit in instance.units]) if isinstance(model, Links) else None
        )
        self._separate = [
            {self.group_of[instance.node_index[name]] for name in names}
            for names in instance.side_constraints.separate
        ]
        self._delays: dict[int, IntArray] = {}

    def _groups(self) -> list[int]:
        """Return for each node the first of the nodes that have to be on its unit."""
        group_of = list(range(len(self.instance.nodes)))
        at = self.instance.node_index
        for names in self.instance.side_constraints.colocate:
            joined = {group_of[at[name]] for name in names}
            group_of = [min(joined) if group in joined else group for group in group_of]
        return group_of

    def _allowed(self) -> list[frozenset[int]]:
        """Return the units on which each node can run, that of its whole group."""
        rules, at = self.instance.side_constraints, self.instance.node_index
        units = [
            {unit for unit, kind in enumerate(self.unit_class) if times[kind] >= 0} for times in self.times
        ]
        for pin in rules.pin:
            units[at[pin.node]] &= {self.instance.unit_index[name] for name in pin.units}
        for forbidden in rules.forbid:
            units[at[forbidden.node]] -= {self.instance.unit_index[name] for name in forbidden.units}
        together: dict[int, frozenset[int]] = {}
        for node, group in enumerate(self.group_of):
            together[group] = together.get(group, frozenset(range(self.n_units))) & units[node]
        return [together[group] for group in self.group_of]

    def apart(self, one: int, other: int) -> bool:
        """Return whether two nodes can never share a unit."""
        first, second = self.group_of[one], self.group_of[other]
        if first == second:
            return False
        if self.allowed[one].isdisjoint(self.allowed[other]):
            return True
        return any(first in groups and second in groups for groups in self._separate)

    def nodes(self, names: Sequence[str]) -> list[int]:
        """Return the numbers of nodes, see :func:`numbers`."""
        return numbers("node", names, self.instance.node_index)

    def inside(self, witness: MeanLoad | SharedUnit | ReachableLoad | Window) -> tuple[list[int], list[int]]:
        """Return units and nodes of a witness, all of which have to run there."""
        units = numbers("unit", witness.units, self.instance.unit_index)
        nodes = self.nodes(witness.nodes)
        for node in nodes:
            if not self.allowed[node] <= set(units):
                name = self.instance.nodes[node].name
                raise RejectedError(f"node {name!r} can also run outside the units of the witness")
        return units, nodes

    def sizes(self, nodes: Iterable[int], charges: Sequence[int]) -> list[int]:
        """Return, ascending, the least work of the nodes that have to be together, with what transfers charge them."""
        members: dict[int, list[int]] = {}
        for node in nodes:
            members.setdefault(self.group_of[node], []).append(node)
        return sorted(
            min(
                (
                    sum(self.times[node][kind] for node in group)
                    for kind in sorted({self.unit_class[unit] for unit in self.allowed[group[0]]})
                ),
                default=0,
            )
            + sum(charges[node] for node in group)
            for group in members.values()
        )

    def forced(self, transfers: Sequence[ForcedTransfer]) -> list[tuple[str, int, list[int]]]:
        """Return tensor, producer and readers of transfers that cannot be avoided."""
        found = []
        at = self.instance.node_index
        for transfer in transfers:
            tensor = self.tensor.get(transfer.tensor)
            if tensor is None or not set(transfer.readers) <= set(tensor.consumers):
                raise RejectedError(
                    f"tensor {transfer.tensor!r} does not exist or is not read by all its readers"
                )
            ends = [at[tensor.producer], *self.nodes(transfer.readers)]
            for one, other in combinations(ends, 2):
                if not self.apart(one, other):
                    names = " and ".join(repr(self.instance.nodes[node].name) for node in (one, other))
                    raise RejectedError(f"tensor {tensor.name!r} need not travel: {names} can share a unit")
            found.append((tensor.name, ends[0], ends[1:]))
        if len({name for name, _, _ in found}) < len(found):
            raise RejectedError("a tensor appears twice among the transfers")
        return found

    def charges(self, transfers: Sequence[ForcedTransfer]) -> list[int]:
        """Return for each node the ticks by which forced transfers occupy its unit, wherever that is."""
        model = self.instance.transfer
        charges = [0] * len(self.times)
        for name, producer, readers in self.forced(transfers):
            once = self._once(name)
            if isinstance(model, Blocking):
                charges[producer] += once * len(readers)
            elif isinstance(model, Host):
                for node in (producer, *readers):
                    charges[node] += once * self.allowed[node].isdisjoint(self.hosts)
        return charges

    def _once(self, name: str) -> int:
        model = self.instance.transfer
        if isinstance(model, Free | Links):
            return 0
        size = self.tensor[name].size_bytes
        return model.latency_ticks + transfer_ticks(size, model.bytes_per_s, self.instance.tick_ps)

    def delay(self, size_bytes: int) -> IntArray:
        """Return the delay of a tensor of this size between any two units; 0 from a unit to itself."""
        if size_bytes not in self._delays:
            rows = [
                [
                    0 if source == target else min(NEVER, self._between(size_bytes, source, target))
                    for target in range(self.n_units)
                ]
                for source in range(self.n_units)
            ]
            self._delays[size_bytes] = np.array(rows, dtype=np.int64)
        return self._delays[size_bytes]

    def _between(self, size_bytes: int, source: int, target: int) -> int:
        model = self.instance.transfer
        match model:
            case Free():
                return 0
            case Links():
                assert self.routes is not None
                links = [model.links[link] for link in self.routes.path(source, target)]
                return sum(
                    link.latency_ticks + transfer_ticks(size_bytes, link.bytes_per_s, self.instance.tick_ps)
                    for link in links
                )
            case Delay() | Blocking() | Host():
                once = model.latency_ticks + transfer_ticks(
                    size_bytes, model.bytes_per_s, self.instance.tick_ps
                )
                if isinstance(model, Host):
                    return once * ((source not in self.hosts) + (target not in self.hosts))
                return once


def numbers(what: str, names: Sequence[str], index: dict[str, int]) -> list[int]:
    """Return the numbers of things by name, all of which have to exist and be different."""
    for name in names:
        if name not in index:
            raise RejectedError(f"{what} {name!r} does not exist")
    if len(set(names)) < len(names):
        raise RejectedError(f"a {what} appears twice")
    return [index[name] for name in names]
