"""What transfers cost: delays between units, and the work they put on resources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mapopt.instance import Instance
from mapopt.transfers import Blocking, Free, Host, Link, Links, Routes, transfer_ticks


class Communication:
    """Transfer times and charges of an instance.

    Resources are numbered: units first, then links in the order of the instance.

    Attributes
    ----------
    hosts
        Units that work on host memory itself; empty unless the model is ``host``.
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.n_units = len(instance.units)
        self._ticks: dict[tuple[int, int], int] = {}
        model = instance.transfer
        hosts = model.host_units if isinstance(model, Host) else ()
        self.hosts = frozenset(instance.unit_index[name] for name in hosts)
        units = [unit.name for unit in instance.units]
        self._routes = Routes(model, units) if isinstance(model, Links) else None

    @property
    def n_resources(self) -> int:
        """Number of units and links."""
        model = self.instance.transfer
        return self.n_units + (len(model.links) if isinstance(model, Links) else 0)

    def route(self, source: int, target: int) -> tuple[int, ...]:
        """Return the link numbers from one unit to another; empty unless the model is ``links``."""
        return () if self._routes is None else self._routes.path(source, target)

    def send(self, tensor: int, bytes_per_s: int) -> int:
        """Return the ticks to send a tensor at a rate, latency aside."""
        key = self.instance.tensors[tensor].size_bytes, bytes_per_s
        if key not in self._ticks:
            self._ticks[key] = transfer_ticks(*key, self.instance.tick_ps)
        return self._ticks[key]

    def once(self, tensor: int) -> int:
        """Return the ticks that a tensor travels or occupies a unit, latency included.

        Of ``host`` these are the ticks of one end; 0 under ``free``, and under ``links``, where it is the route
        that counts.
        """
        model = self.instance.transfer
        if isinstance(model, (Free, Links)):
            return 0
        return model.latency_ticks + self.send(tensor, model.bytes_per_s)

    def over(self, tensor: int, link: Link) -> int:
        """Return the ticks that a tensor takes over a link, latency included."""
        return self.send(tensor, link.bytes_per_s) + link.latency_ticks

    def delay(self, tensor: int, source: int, target: int) -> int:
        """Return the ticks from the end of the producer on ``source`` until the tensor is at ``target``.

        Nothing is in its way: no other transfer uses the sender, the reader or a link.
        """
        if source == target:
            return 0
        model = self.instance.transfer
        if isinstance(model, Links):
            return sum(self.over(tensor, model.links[link]) for link in self.route(source, target))
        if isinstance(model, Host):
            return self.once(tensor) * ((source not in self.hosts) + (target not in self.hosts))
        return self.once(tensor)

    def mean_delay(self, tensor: int, *, own_unit_counts: bool = False) -> float:
        """Return the mean delay over all pairs of different units.

        With ``own_unit_counts`` the mean is over unordered pairs and includes each unit with itself, at no cost.
        """
        if self.n_units == 1:
            return 0.0
        pairs = self.n_units * (self.n_units - 1)
        return self._total_delay(tensor) / (pairs + 2 * self.n_units if own_unit_counts else pairs)

    def _total_delay(self, tensor: int) -> int:
        """Sum of the delays over all ordered pairs of different units."""
        model, others = self.instance.transfer, self.n_units - 1
        if isinstance(model, Host):
            return 2 * (self.n_units - len(self.hosts)) * others * self.once(tensor)
        if not isinstance(model, Links):
            return self.n_units * others * self.once(tensor)
        if model.routes:
            units = range(self.n_units)
            return sum(self.delay(tensor, source, target) for source in units for target in units)
        ports = [name for path in (*model.egress, *model.ingress) for name in path]
        link = {each.name: each for each in model.links}
        return others * sum(self.over(tensor, link[name]) for name in ports)

    def charges(
        self, tensor: int, source: int, target: int, *, first_departure: bool
    ) -> Iterator[tuple[int, int]]:
        """Yield (resource, ticks) of the work of one transfer; ``first_departure`` if none left the producer yet."""
        model = self.instance.transfer
        if isinstance(model, Links):
            for link in self.route(source, target):
                yield self.n_units + link, self.send(tensor, model.links[link].bytes_per_s)
        elif isinstance(model, Blocking):
            yield source, self.once(tensor)
        elif isinstance(model, Host):
            if first_departure and source not in self.hosts:
                yield source, self.once(tensor)
            if target not in self.hosts:
                yield target, self.once(tensor)

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
