"""Derive what a witness proves, from the instance alone and in exact integers.

This is what makes a bound trustworthy, so it shares nothing with the code that finds bounds: units, forced transfers
and paths are worked out here again, in the plainest way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from mapopt.bounds.pattern_duals import check_pattern_certificate
from mapopt.bounds.witnesses import (
    ClassBalance,
    ForcedTransfer,
    LatencyWitness,
    LinkLoad,
    MeanLoad,
    Path,
    Patterns,
    ReachableLoad,
    SharedUnit,
    Window,
    Witness,
)
from mapopt.errors import InputError, MapoptError
from mapopt.instance import Instance
from mapopt.transfers import Blocking, Delay, Free, Host, Links, Routes, transfer_ticks

IntArray = npt.NDArray[np.int64]

NEVER = 2**60
"""Later than any time that can be checked."""

MAX_SUM_BITS = 2**28
"""Largest sum of times whose subset sums are looked at."""


class RejectedError(MapoptError):
    """A witness does not prove what it says; the message says why."""


def require_proof(instance: Instance, witness: Witness) -> None:
    """Check that a witness proves its ticks for every mapping of one pattern.

    Raises
    ------
    RejectedError
        With the reason, if it does not.
    """
    try:
        proven = _Checker(instance).proven(witness)
    except InputError as error:
        raise RejectedError(str(error)) from None
    if proven < witness.ticks:
        raise RejectedError(f"it says that it proves {witness.ticks} ticks, but it proves {proven}")


def is_about_latency(witness: Witness) -> bool:
    """Whether a witness bounds the latency, else the period."""
    return isinstance(witness, LatencyWitness)


class _Checker:
    """Where nodes can run, and what has to travel."""

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

    def proven(self, witness: Witness) -> int:
        """Return the ticks that a witness proves."""
        match witness:
            case MeanLoad():
                return self._mean(witness)
            case SharedUnit():
                return self._shared(witness)
            case ReachableLoad():
                return self._reachable(witness)
            case ClassBalance():
                return self._balance(witness)
            case LinkLoad():
                return self._link_load(witness)
            case Patterns():
                return self._patterns(witness)
            case Path():
                return self._path(witness)
            case Window():
                return self._window(witness)

    # what the instance says

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

    def _apart(self, one: int, other: int) -> bool:
        """Return whether two nodes can never share a unit."""
        first, second = self.group_of[one], self.group_of[other]
        if first == second:
            return False
        if self.allowed[one].isdisjoint(self.allowed[other]):
            return True
        return any(first in groups and second in groups for groups in self._separate)

    def _nodes(self, names: Sequence[str]) -> list[int]:
        return _numbers("node", names, self.instance.node_index)

    def _inside(self, witness: MeanLoad | SharedUnit | ReachableLoad | Window) -> tuple[list[int], list[int]]:
        """Return units and nodes of a witness, all of which have to run there."""
        units = _numbers("unit", witness.units, self.instance.unit_index)
        nodes = self._nodes(witness.nodes)
        for node in nodes:
            if not self.allowed[node] <= set(units):
                name = self.instance.nodes[node].name
                raise RejectedError(f"node {name!r} can also run outside the units of the witness")
        return units, nodes

    def _sizes(self, nodes: Iterable[int], charges: Sequence[int]) -> list[int]:
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

    # transfers

    def _forced(self, transfers: Sequence[ForcedTransfer]) -> list[tuple[str, int, list[int]]]:
        """Return tensor, producer and readers of transfers that cannot be avoided."""
        found = []
        at = self.instance.node_index
        for transfer in transfers:
            tensor = self.tensor.get(transfer.tensor)
            if tensor is None or not set(transfer.readers) <= set(tensor.consumers):
                raise RejectedError(
                    f"tensor {transfer.tensor!r} does not exist or is not read by all its readers"
                )
            ends = [at[tensor.producer], *self._nodes(transfer.readers)]
            for one, other in combinations(ends, 2):
                if not self._apart(one, other):
                    names = " and ".join(repr(self.instance.nodes[node].name) for node in (one, other))
                    raise RejectedError(f"tensor {tensor.name!r} need not travel: {names} can share a unit")
            found.append((tensor.name, ends[0], ends[1:]))
        if len({name for name, _, _ in found}) < len(found):
            raise RejectedError("a tensor appears twice among the transfers")
        return found

    def _charges(self, transfers: Sequence[ForcedTransfer]) -> list[int]:
        """Return for each node the ticks by which forced transfers occupy its unit, wherever that is."""
        model = self.instance.transfer
        charges = [0] * len(self.times)
        for name, producer, readers in self._forced(transfers):
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

    def _delay(self, size_bytes: int) -> IntArray:
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

    # bounds on the period

    def _mean(self, witness: MeanLoad) -> int:
        units, nodes = self._inside(witness)
        return -(-sum(self._sizes(nodes, self._charges(witness.transfers))) // len(units))

    def _shared(self, witness: SharedUnit) -> int:
        units, nodes = self._inside(witness)
        return _shared_by_some(self._sizes(nodes, self._charges(witness.transfers)), len(units))

    def _reachable(self, witness: ReachableLoad) -> int:
        units, nodes = self._inside(witness)
        kinds = {self.unit_class[unit] for unit in units}
        if len(kinds) > 1:
            raise RejectedError("its units are not of one class")
        sizes = self._sizes(nodes, self._charges(()))
        if sum(sizes) > MAX_SUM_BITS:
            raise RejectedError(
                f"its times add up to {sum(sizes)} ticks; at most {MAX_SUM_BITS} can be checked"
            )
        at_least = -(-sum(sizes) // len(units))
        for count in range(1, len(sizes) + 1):
            at_least = max(at_least, _shared_by_some(sizes[-count:], len(units)))
        sums = 1
        for size in sizes:
            sums |= sums << size
        above = sums >> at_least
        return at_least + (above & -above).bit_length() - 1

    def _balance(self, witness: ClassBalance) -> int:
        classes = self.instance.classes
        for prices in (witness.weights, witness.crossbar_prices, witness.memory_prices):
            if len(prices) != len(classes):
                raise RejectedError(f"it has {len(prices)} weights or prices for {len(classes)} classes")
        units = self.instance.units
        whole = sum(witness.weights[kind] for kind in self.unit_class)
        if whole == 0:
            raise RejectedError("no class with units has a weight")
        total = 0
        for kind in sorted(set(self.unit_class)):
            members = [unit for unit, at in zip(units, self.unit_class, strict=True) if at == kind]
            for price, limits in (
                (witness.crossbar_prices[kind], [unit.crossbars for unit in members]),
                (witness.memory_prices[kind], [unit.memory_bytes for unit in members]),
            ):
                if price and None in limits:
                    raise RejectedError(f"class {classes[kind]!r} has a price, but is not limited")
                total -= price * sum(limit or 0 for limit in limits)
        charges = self._charges(witness.transfers)
        costs: dict[int, dict[int, int]] = {}
        for node, group in enumerate(self.group_of):
            cost = costs.setdefault(group, {self.unit_class[unit]: 0 for unit in sorted(self.allowed[node])})
            for kind in cost:
                cost[kind] += witness.weights[kind] * (self.times[node][kind] + charges[node])
                cost[kind] += witness.crossbar_prices[kind] * int(self.instance.crossbars[node, kind])
                cost[kind] += witness.memory_prices[kind] * int(self.instance.memory_bytes[node])
        total += sum(min(cost.values(), default=0) for cost in costs.values())
        return max(0, -(-total // whole))

    def _link_load(self, witness: LinkLoad) -> int:
        model = self.instance.transfer
        if not isinstance(model, Links) or self.routes is None:
            raise RejectedError("the instance has no links")
        units = _numbers("unit", witness.units, self.instance.unit_index)
        leaves = witness.direction == "leave"
        ports: set[int] = set()
        for inside in units:
            for other in range(self.n_units):
                if other != inside:
                    path = self.routes.path(inside, other) if leaves else self.routes.path(other, inside)
                    if not path:
                        raise RejectedError("some route that it is about has no link")
                    ports.add(path[0] if leaves else path[-1])
        if not ports:
            raise RejectedError("no route leaves or enters its units")
        fastest = max(model.links[port].bytes_per_s for port in ports)
        work = []
        for name, producer, readers in self._forced(witness.transfers):
            for node in [producer] if leaves else readers:
                if not self.allowed[node] <= set(units):
                    raise RejectedError(
                        f"tensor {name!r} need not {witness.direction} the units of the witness"
                    )
            ticks = transfer_ticks(self.tensor[name].size_bytes, fastest, self.instance.tick_ps)
            work += [ticks] * len(readers)
        return max(-(-sum(work) // len(ports)), *work)

    def _patterns(self, witness: Patterns) -> int:
        if witness.ticks > 0 and not check_pattern_certificate(
            self.instance, witness.prices, witness.ticks - 1
        ):
            raise RejectedError(f"its prices do not refute a period of {witness.ticks - 1} ticks")
        return witness.ticks

    # bounds on the latency

    def _path(self, witness: Path) -> int:
        nodes = set(self._nodes(witness.nodes))
        until = self._until(nodes)
        return max(int(until[node].min()) for node in nodes)

    def _window(self, witness: Window) -> int:
        units, nodes = self._inside(witness)
        everything = set(range(len(self.times)))
        before, after = self._until(everything), self._after(everything)
        start = min(int((before[node] - self._duration(node)).min()) for node in nodes)
        rest = min(int((after[node] - self._duration(node)).min()) for node in nodes)
        work = sum(self._sizes(nodes, self._charges(())))
        return start + -(-work // len(units)) + rest

    def _duration(self, node: int) -> IntArray:
        """Return the time of a node on each unit; 0 where it cannot run."""
        return np.array(
            [
                self.times[node][kind] if unit in self.allowed[node] else 0
                for unit, kind in enumerate(self.unit_class)
            ],
            dtype=np.int64,
        )

    def _until(self, nodes: set[int]) -> dict[int, IntArray]:
        """Return for each node and unit the least end after those of ``nodes`` before it."""
        order = [node for node in self.instance.topological_order if node in nodes]
        return self._longest(order, self.instance.entering, outwards=False)

    def _after(self, nodes: set[int]) -> dict[int, IntArray]:
        """Return for each node and unit the least time from its start to the last output."""
        order = [node for node in reversed(self.instance.topological_order) if node in nodes]
        return self._longest(order, self.instance.leaving, outwards=True)

    def _longest(
        self, order: Sequence[int], neighbours: Sequence[Sequence[tuple[int, int]]], *, outwards: bool
    ) -> dict[int, IntArray]:
        found: dict[int, IntArray] = {}
        for node in order:
            ready = np.zeros(self.n_units, np.int64)
            for other, tensor in neighbours[node]:
                if other in found:
                    hop = self._delay(self.instance.tensors[tensor].size_bytes)
                    hop = hop.T.copy() if outwards else hop.copy()
                    if self._apart(other, node):
                        np.fill_diagonal(hop, NEVER)
                    ready = np.maximum(ready, (found[other][:, None] + hop).min(axis=0))
            ends = np.minimum(ready + self._duration(node), NEVER)
            ends[[unit for unit in range(self.n_units) if unit not in self.allowed[node]]] = NEVER
            if ends.min() >= NEVER:
                raise RejectedError("its paths are too long to be checked")
            found[node] = ends
        return found


def _shared_by_some(sizes: Sequence[int], units: int) -> int:
    """Return the least work on the unit with most of these items, given ascending."""
    return sum(sizes[: -(-len(sizes) // units)])


def _numbers(what: str, names: Sequence[str], index: dict[str, int]) -> list[int]:
    for name in names:
        if name not in index:
            raise RejectedError(f"{what} {name!r} does not exist")
    if len(set(names)) < len(names):
        raise RejectedError(f"a {what} appears twice")
    return [index[name] for name in names]
