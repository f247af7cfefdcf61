"""What an instance and a mapping say of one frame, for the slow emulator: what runs where, how long, in which order.

Shares no code with the lowering.
"""

from __future__ import annotations

from mapopt.errors import InputError
from mapopt.instance import Instance
from mapopt.mapping import Mapping
from mapopt.transfers import Blocking, Delay, Host, Links, transfer_ticks

Job = tuple[str, int, int, int]
"""``("node", node, -1, -1)``, ``("read", tensor, unit, 0)`` or ``("send", tensor, unit, hop)``."""


class ReferenceFrames:
    """The jobs of every frame: nodes, readings from host memory, and transfers over links."""

    def __init__(self, instance: Instance, mapping: Mapping) -> None:
        self.instance, self.mapping = instance, mapping
        self.patterns = mapping.assignment(instance)
        self.size = len(self.patterns)
        order = {node: place for place, node in enumerate(instance.topological_order)}
        given = mapping.priorities
        where = {name: index for index, name in enumerate(mapping.nodes)}
        self.priority = [
            order[index] if given is None else given[where[node.name]]
            for index, node in enumerate(instance.nodes)
        ]
        number = {node.name: index for index, node in enumerate(instance.nodes)}
        self.producer = [number[tensor.producer] for tensor in instance.tensors]
        self.consumers = [[number[name] for name in tensor.consumers] for tensor in instance.tensors]
        self.outputs: dict[int, list[int]] = {index: [] for index in number.values()}
        self.inputs: dict[int, set[int]] = {index: set() for index in number.values()}
        for tensor, node in enumerate(self.producer):
            self.outputs[node].append(tensor)
            for consumer in self.consumers[tensor]:
                self.inputs[consumer].add(tensor)
        model = instance.transfer
        self.links = list(model.links) if isinstance(model, Links) else []
        self.resources = [unit.name for unit in instance.units] + [link.name for link in self.links]

    def unit(self, frame: int, node: int) -> int:
        """Return the unit that a node of a frame runs on."""
        return self.patterns[frame % self.size][node]

    def destinations(self, frame: int, tensor: int) -> list[int]:
        """Return the other units that read a tensor, in unit order."""
        home = self.unit(frame, self.producer[tensor])
        return sorted({self.unit(frame, node) for node in self.consumers[tensor]} - {home})

    def readers(self, frame: int, tensor: int, unit: int) -> list[int]:
        """Return the nodes on a unit that read a tensor."""
        return [node for node in self.consumers[tensor] if self.unit(frame, node) == unit]

    def route(self, frame: int, tensor: int, unit: int) -> list[int]:
        """Return the numbers of the links over which a tensor goes to a unit."""
        model = self.instance.transfer
        if not isinstance(model, Links):
            return []
        home = self.unit(frame, self.producer[tensor])
        ends = (self.instance.units[home].name, self.instance.units[unit].name)
        names = model.egress[home] + model.ingress[unit]
        for route in model.routes:
            if (route.source, route.target) == ends:
                names = route.links
        return [next(index for index, link in enumerate(self.links) if link.name == name) for name in names]

    def duration(self, frame: int, job: Job) -> int:
        """Return the ticks of work of a job, without the sends after it.

        Raises
        ------
        InputError
            If the node's unit is of a class that cannot run it.
        """
        kind, index, unit, hop = job
        if kind == "node":
            unit_class = self.instance.units[self.unit(frame, index)].unit_class
            time = self.instance.nodes[index].times[self.instance.classes.index(unit_class)]
            if time is None:
                raise InputError(f"node {self.instance.nodes[index].name!r}: its unit's class cannot run it")
            return time
        if kind == "read":
            return self.transfer(index)
        link = self.links[self.route(frame, index, unit)[hop]]
        return transfer_ticks(
            self.instance.tensors[index].size_bytes, link.bytes_per_s, self.instance.tick_ps
        )

    def transfer(self, tensor: int) -> int:
        """Return latency plus sending time where all transfers are alike."""
        model = self.instance.transfer
        if not isinstance(model, Delay | Blocking | Host):
            return 0
        size = self.instance.tensors[tensor].size_bytes
        return model.latency_ticks + transfer_ticks(size, model.bytes_per_s, self.instance.tick_ps)

    def at_host(self, unit: int) -> bool:
        """Tell whether a unit works on host memory itself."""
        model = self.instance.transfer
        return isinstance(model, Host) and self.instance.units[unit].name in model.host_units

    def resource(self, frame: int, job: Job) -> int:
        """Return the number of the unit or link that a job occupies."""
        kind, index, unit, hop = job
        if kind == "node":
            return self.unit(frame, index)
        return unit if kind == "read" else len(self.instance.units) + self.route(frame, index, unit)[hop]

    def rank(self, frame: int, job: Job) -> tuple[int, ...]:
        """Return what decides between ready jobs of one frame on one resource, smallest first."""
        kind, index, unit, hop = job
        if kind == "node":
            return (self.priority[index], index, 1)
        if kind == "read":
            first = min(self.readers(frame, index, unit), key=lambda node: (self.priority[node], node))
            return (self.priority[first], first, 0, index)
        return (self.priority[self.producer[index]], index, unit, hop)

    def jobs(self, frame: int) -> list[Job]:
        """Return everything that occupies a resource for one frame."""
        found: list[Job] = [("node", node, -1, -1) for node in range(len(self.instance.nodes))]
        for tensor in range(len(self.instance.tensors)):
            for unit in self.destinations(frame, tensor):
                if isinstance(self.instance.transfer, Host) and not self.at_host(unit):
                    found.append(("read", tensor, unit, 0))
                if isinstance(self.instance.transfer, Links):
                    hops = len(self.route(frame, tensor, unit))
                    found += [("send", tensor, unit, hop) for hop in range(hops)]
        return found

    def describe(self, frame: int, job: Job) -> str:
        """Name a job of a frame for people."""
        kind, index, unit, hop = job
        if kind == "node":
            return f"node {self.instance.nodes[index].name!r} of frame {frame}"
        tensor, target = self.instance.tensors[index].name, self.instance.units[unit].name
        if kind == "read":
            return f"the reading of tensor {tensor!r} by unit {target!r} of frame {frame}"
        return f"the transfer of tensor {tensor!r} to unit {target!r} (hop {hop}) of frame {frame}"

    def sends(self, frame: int, node: int) -> list[tuple[tuple[int, int], int]]:
        """Return each (destination unit, tensor) that leaves a node's unit, and how long after the node's end.

        For links that is the entry to the first link, for a host the end of the upload.
        """
        home, clock = self.unit(frame, node), 0
        outgoing = sorted(
            (unit, tensor) for tensor in self.outputs[node] for unit in self.destinations(frame, tensor)
        )
        found = []
        match self.instance.transfer:
            case Delay():
                return [(each, self.transfer(each[1])) for each in outgoing]
            case Blocking():
                for each in outgoing:
                    clock += self.transfer(each[1])
                    found.append((each, clock))
                return found
            case Host():
                for tensor in sorted({tensor for _, tensor in outgoing}):
                    clock += 0 if self.at_host(home) else self.transfer(tensor)
                    found += [(each, clock) for each in outgoing if each[1] == tensor]
                return found
        return [(each, 0) for each in outgoing]

    def hold(self, frame: int, node: int) -> int:
        """Return the ticks for which sends occupy the unit after a node's end."""
        if not isinstance(self.instance.transfer, Blocking | Host):
            return 0
        return max((after for _, after in self.sends(frame, node)), default=0)
