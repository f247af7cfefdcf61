"""Transfers that every mapping has to make, and what they cost at least."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mapopt.bounds.witnesses import ForcedTransfer
from mapopt.placement.communication import Communication
from mapopt.placement.problem import Problem
from mapopt.transfers import Blocking, Host, Links


@dataclass(frozen=True, slots=True)
class Departure:
    """A tensor that has to leave its unit.

    Parameters
    ----------
    tensor
        Its number.
    producer
        The producing group.
    readers
        Groups that read it on units other than the producer's, and no two of them on the same unit.
    """

    tensor: int
    producer: int
    readers: tuple[int, ...]


class Unavoidable:
    """The departures of a problem, and least transfer costs between sets of units."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.communication = Communication(problem.instance)
        self._disjoint: dict[tuple[int, int], bool] = {}
        self._least: dict[tuple[int, int, int], int] = {}
        self._kinds: dict[tuple[int, bool], tuple[tuple[tuple[int, int], ...], ...]] = {}
        self._sets: dict[int, frozenset[int]] = {}
        self._number: dict[frozenset[int], int] = {}
        self.departures = tuple(self._departures())

    def must_part(self, one: int, other: int) -> bool:
        """Return whether two groups can never share a unit."""
        if one == other:
            return False
        problem = self.problem
        first, second = problem.allowed[one], problem.allowed[other]
        if first is second:
            return bool(problem.apart[one]) and other in problem.apart[one]
        key = self.number(first), self.number(second)
        if key not in self._disjoint:
            self._disjoint[key] = first.isdisjoint(second)
        return self._disjoint[key] or other in problem.apart[one]

    def number(self, units: frozenset[int]) -> int:
        """Return a small number for a set of units, the same for equal sets."""
        number = self._number.setdefault(units, len(self._number))
        self._sets[number] = units
        return number

    def least_delay(self, tensor: int, sources: frozenset[int], targets: frozenset[int]) -> int:
        """Return a lower bound on the delay of a tensor from any source to any other unit among the targets."""
        size = self.problem.instance.tensors[tensor].size_bytes
        key = self.number(sources), self.number(targets), size
        if key not in self._least:
            self._least[key] = self._least_delay(tensor, sources, targets)
        return self._least[key]

    def charges(self) -> list[int]:
        """Return for each group the ticks of transfers that occupy its unit, wherever it is."""
        model = self.problem.instance.transfer
        extra = [0] * len(self.problem.groups)
        if not isinstance(model, (Blocking, Host)):
            return extra
        for departure in self.departures:
            once = self.communication.once(departure.tensor)
            if isinstance(model, Blocking):
                extra[departure.producer] += once * len(departure.readers)
                continue
            for group in (departure.producer, *departure.readers):
                if self.problem.allowed[group].isdisjoint(self.communication.hosts):
                    extra[group] += once
        return extra

    def charging(self) -> tuple[ForcedTransfer, ...]:
        """Return the transfers that :meth:`charges` is made of."""
        if not isinstance(self.problem.instance.transfer, (Blocking, Host)):
            return ()
        return tuple(self.forced(departure, departure.readers) for departure in self.departures)

    def forced(self, departure: Departure, readers: Sequence[int]) -> ForcedTransfer:
        """Return a departure to some of its readers, with a reading node of each group."""
        instance, group_of = self.problem.instance, self.problem.group_of
        tensor = instance.tensors[departure.tensor]
        first: dict[int, str] = {}
        for name in tensor.consumers:
            first.setdefault(group_of[instance.node_index[name]], name)
        return ForcedTransfer(tensor.name, tuple(first[group] for group in readers))

    def link_ticks(self, tensor: int, links: Iterable[int]) -> int:
        """Return the ticks that a tensor takes on the fastest of some links."""
        model = self.problem.instance.transfer
        rates = [model.links[link].bytes_per_s for link in links] if isinstance(model, Links) else []
        return self.communication.send(tensor, max(rates)) if rates else 0

    def _departures(self) -> Iterable[Departure]:
        problem, at = self.problem, self.problem.instance.node_index
        for number, tensor in enumerate(problem.instance.tensors):
            producer = problem.group_of[at[tensor.producer]]
            readers: list[int] = []
            for name in tensor.consumers:
                group = problem.group_of[at[name]]
                if self.must_part(producer, group) and all(self.must_part(group, other) for other in readers):
                    readers.append(group)
            if readers:
                yield Departure(number, producer, tuple(readers))

    def _least_delay(self, tensor: int, sources: frozenset[int], targets: frozenset[int]) -> int:
        model, communication = self.problem.instance.transfer, self.communication
        if isinstance(model, Host):
            paying = sources.isdisjoint(communication.hosts) + targets.isdisjoint(communication.hosts)
            return paying * communication.once(tensor)
        if not isinstance(model, Links):
            return communication.once(tensor)
        if model.routes:
            if len(sources) * len(targets) > 10_000:
                return 0
            pairs = ((source, target) for source in sources for target in targets if source != target)
            return min((communication.delay(tensor, *pair) for pair in pairs), default=0)
        return self._least_port(model, tensor, sources, True) + self._least_port(
            model, tensor, targets, False
        )

    def _least_port(self, model: Links, tensor: int, units: frozenset[int], outwards: bool) -> int:
        key = self.number(units), outwards
        if key not in self._kinds:
            speed = {link.name: (link.bytes_per_s, link.latency_ticks) for link in model.links}
            paths = model.egress if outwards else model.ingress
            self._kinds[key] = tuple(sorted({tuple(speed[name] for name in paths[unit]) for unit in units}))
        return min(
            sum(self.communication.send(tensor, rate) + latency for rate, latency in path)
            for path in self._kinds[key]
        )
