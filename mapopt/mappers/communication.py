"""What transfers cost, as list scheduling needs it: delays between units, and the work they put on resources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mapopt.instance import Instance
from mapopt.transfers import Blocking, Delay, Free, Host, Links, transfer_ticks


class Communication:
    """Transfer times and charges of an instance.

    Resources are numbered: units first, then links in the order of the instance.
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.n_units = len(instance.units)
        self._ticks: dict[tuple[int, int], int] = {}
        model = instance.transfer
        self._hosts = (
            {instance.unit_index[name] for name in model.host_units} if isinstance(model, Host) else set()
        )
        self._link_number: dict[str, int] = {}
        self._routes: dict[tuple[int, int], tuple[int, ...]] = {}
        if isinstance(model, Links):
            self._link_number = {link.name: number for number, link in enumerate(model.links)}
            for route in model.routes:
                ends = instance.unit_index[route.source], instance.unit_index[route.target]
                self._routes[ends] = tuple(self._link_number[name] for name in route.links)

    @property
    def n_resources(self) -> int:
        """Number of units and links."""
        return self.n_units + len(self._link_number)

    def route(self, source: int, target: int) -> tuple[int, ...]:
        """Return the link numbers from one unit to another; empty unless the model is ``links``."""
        model = self.instance.transfer
        if not isinstance(model, Links):
            return ()
        if (source, target) not in self._routes:
            names = model.egress[source] + model.ingress[target]
            self._routes[source, target] = tuple(self._link_number[name] for name in names)
        return self._routes[source, target]

    def delay(self, tensor: int, source: int, target: int) -> int:
        """Return the ticks from the end of the producer on ``source`` until the tensor is at ``target``.

        Nothing is in its way: no other transfer uses the sender, the reader or a link.
        """
        if source == target:
            return 0
        model, size = self.instance.transfer, self.instance.tensors[tensor].size_bytes
        if isinstance(model, Links):
            return sum(
                self._send(size, model.links[link].bytes_per_s) + model.links[link].latency_ticks
                for link in self.route(source, target)
            )
        if isinstance(model, Free):
            return 0
        once = model.latency_ticks + self._send(size, model.bytes_per_s)
        if isinstance(model, Host):
            return once * ((source not in self._hosts) + (target not in self._hosts))
        return once

    def mean_delay(self, tensor: int, *, own_unit_counts: bool = False) -> float:
        """Return the mean delay over all pairs of different units.

        With ``own_unit_counts`` the mean is over unordered pairs and includes each unit with itself, at no cost.
        """
        if self.n_units == 1:
            return 0.0
        total = self._total_delay(self.instance.tensors[tensor].size_bytes, tensor)
        pairs = self.n_units * (self.n_units - 1)
        return total / (pairs + 2 * self.n_units if own_unit_counts else pairs)

    def _total_delay(self, size: int, tensor: int) -> int:
        """Sum of the delays over all ordered pairs of different units."""
        model, others = self.instance.transfer, self.n_units - 1
        if isinstance(model, Free):
            return 0
        if isinstance(model, (Delay, Blocking)):
            return self.n_units * others * (model.latency_ticks + self._send(size, model.bytes_per_s))
        if isinstance(model, Host):
            once = model.latency_ticks + self._send(size, model.bytes_per_s)
            return 2 * (self.n_units - len(self._hosts)) * others * once
        if model.routes:
            units = range(self.n_units)
            return sum(self.delay(tensor, source, target) for source in units for target in units)
        ports = [name for path in (*model.egress, *model.ingress) for name in path]
        links = [model.links[self._link_number[name]] for name in ports]
        return others * sum(self._send(size, link.bytes_per_s) + link.latency_ticks for link in links)

    def charges(
        self, tensor: int, source: int, target: int, *, first_departure: bool
    ) -> Iterator[tuple[int, int]]:
        """Yield (resource, ticks) of the work of one transfer; ``first_departure`` if none left the producer yet."""
        model, size = self.instance.transfer, self.instance.tensors[tensor].size_bytes
        if isinstance(model, Links):
            for link in self.route(source, target):
                yield self.n_units + link, self._send(size, model.links[link].bytes_per_s)
        elif isinstance(model, Blocking):
            yield source, model.latency_ticks + self._send(size, model.bytes_per_s)
        elif isinstance(model, Host):
            once = model.latency_ticks + self._send(size, model.bytes_per_s)
            if first_departure and source not in self._hosts:
                yield source, once
            if target not in self._hosts:
                yield target, once

    def loads(self, units: Sequence[int]) -> list[int]:
        """Return the ticks of work per frame on every resource for the units of all nodes."""
        load = [0] * self.n_resources
        for node, unit in enumerate(units):
            load[unit] += int(self.instance.times[node, self.instance.unit_class[unit]])
        at = self.instance.node_index
        for number, tensor in enumerate(self.instance.tensors):
            source = units[at[tensor.producer]]
            targets = sorted({units[at[name]] for name in tensor.consumers} - {source})
            for position, target in enumerate(targets):
                for resource, ticks in self.charges(number, source, target, first_departure=position == 0):
                    load[resource] += ticks
        return load

    def _send(self, size: int, bytes_per_s: int) -> int:
        key = size, bytes_per_s
        if key not in self._ticks:
            self._ticks[key] = transfer_ticks(size, bytes_per_s, self.instance.tick_ps)
        return self._ticks[key]
