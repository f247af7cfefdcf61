"""Small instances that a search changes step by step, each with a mapping of its own to compare with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random
from typing import TypeVar

from mapopt.instance import Instance, InstanceNode, InstanceTensor
from mapopt.library.generators.parts import classes_of, transfer_model, units_of

MAX_NEED = 4
"""Largest number of crossbars of a node."""

MIN_NODES = 2

FIRST_TICKS = 8
"""Searches begin with times up to this, as few different times are easier to bring into step, and double them later."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Family:
    """What the instances of a search have in common.

    Parameters
    ----------
    imcs, dpus
        Units of each class; with dpu units, every node runs on both classes.
    capacities
        Whether nodes need crossbars, of which the imc units hold what the candidate's own mapping needs on one.
    chain
        Whether every node reads from the one before it and from no other.
    transfer
        As for :func:`mapopt.library.generators.parts.transfer_model`.
    max_nodes, max_ticks, send_ticks
        At most so many nodes of 1 to so many ticks; a tensor is sent in 1 to so many.
    """

    imcs: int
    dpus: int
    capacities: bool
    chain: bool
    transfer: str
    max_nodes: int
    max_ticks: int
    send_ticks: int

    @property
    def units(self) -> int:
        """Number of units."""
        return self.imcs + self.dpus


@dataclass(frozen=True, slots=True)
class Candidate:
    """An instance in the making: per node its times, crossbars, bytes sent and unit; and edges from lower to higher."""

    times: tuple[tuple[int, ...], ...]
    needs: tuple[int, ...]
    sizes: tuple[int, ...]
    units: tuple[int, ...]
    edges: frozenset[tuple[int, int]]

    def instance(self, family: Family, name: str) -> Instance:
        """Return the instance; the units that ``units`` stands for can hold the nodes."""
        room = None
        if family.capacities:
            held = [0] * family.units
            for need, unit in zip(self.needs, self.units, strict=True):
                held[unit] += need
            room = max(held[: family.imcs])
        classes = classes_of(family.imcs, family.dpus)
        platform = units_of(family.imcs, family.dpus, room)
        readers: dict[int, list[int]] = {}
        for source, target in pairwise(range(len(self.units))) if family.chain else sorted(self.edges):
            readers.setdefault(source, []).append(target)
        return Instance(
            name,
            classes=classes,
            units=platform,
            nodes=tuple(
                InstanceNode(
                    f"n{at}", times, crossbars=(need, 0)[: len(classes)] if family.capacities else ()
                )
                for at, (times, need) in enumerate(zip(self.times, self.needs, strict=True))
            ),
            tensors=tuple(
                InstanceTensor(
                    f"t{source}", f"n{source}", tuple(f"n{target}" for target in targets), self.sizes[source]
                )
                for source, targets in readers.items()
            ),
            transfer=transfer_model(family.transfer, platform),
        )


class Changes:
    """Random candidates of a family, and random changes of them."""

    def __init__(self, family: Family, dice: Random) -> None:
        self.family, self.dice = family, dice
        self.moves = (
            self._added,
            self._copied,
            self._removed,
            self._timed,
            self._timed,
            self._scaled,
            self._sized,
            self._needing,
            self._moved,
            self._moved,
            self._joined,
            self._joined,
        )

    def first(self) -> Candidate:
        """Return a candidate with half as many nodes as allowed."""
        candidate = Candidate((), (), (), (), frozenset())
        for _ in range(max(MIN_NODES, self.family.max_nodes // 2)):
            candidate = self._added(candidate)
        for _ in candidate.units:
            candidate = self._joined(candidate)
        return candidate

    def neighbour(self, candidate: Candidate) -> Candidate:
        """Return the candidate with one to three changes."""
        for _ in range(self.dice.choice((1, 1, 2, 3))):
            candidate = self.dice.choice(self.moves)(candidate)
        return candidate

    def instance(self, candidate: Candidate) -> Instance:
        """Return the candidate's instance."""
        return candidate.instance(self.family, "candidate")

    def units(self, candidate: Candidate) -> tuple[int, ...]:
        """Return the unit of each node."""
        return candidate.units

    def _added(self, candidate: Candidate) -> Candidate:
        """Append a node without edges."""
        if len(candidate.units) == self.family.max_nodes:
            return candidate
        classes = len(classes_of(self.family.imcs, self.family.dpus))
        return replace(
            candidate,
            times=(
                *candidate.times,
                tuple(self._ticks(candidate) for _ in range(classes)),
            ),
            needs=(*candidate.needs, self.dice.randint(0, MAX_NEED)),
            sizes=(*candidate.sizes, self.dice.randint(1, self.family.send_ticks)),
            units=(*candidate.units, self.dice.randrange(self.family.units)),
        )

    def _copied(self, candidate: Candidate) -> Candidate:
        """Append a copy of a node, that reads from it or from what it reads."""
        count = len(candidate.units)
        if count == self.family.max_nodes:
            return candidate
        node = self.dice.randrange(count)
        edges = {(source, count) for source, target in candidate.edges if target == node}
        return Candidate(
            (*candidate.times, candidate.times[node]),
            (*candidate.needs, candidate.needs[node]),
            (*candidate.sizes, candidate.sizes[node]),
            (*candidate.units, self.dice.randrange(self.family.units)),
            candidate.edges | (edges if self.dice.random() < 0.5 else {(node, count)}),
        )

    def _removed(self, candidate: Candidate) -> Candidate:
        """Remove a node and its edges."""
        count = len(candidate.units)
        if count == MIN_NODES:
            return candidate
        node = self.dice.randrange(count)

        def without(values: tuple[T, ...]) -> tuple[T, ...]:
            return (*values[:node], *values[node + 1 :])

        return Candidate(
            without(candidate.times),
            without(candidate.needs),
            without(candidate.sizes),
            without(candidate.units),
            frozenset(
                (source - (source > node), target - (target > node))
                for source, target in candidate.edges
                if node not in (source, target)
            ),
        )

    def _timed(self, candidate: Candidate) -> Candidate:
        """Give a node another time on one class: any, one tick more or less, or that of another node."""
        count = len(candidate.units)
        node, other = self.dice.randrange(count), self.dice.randrange(count)
        kind = self.dice.randrange(len(candidate.times[node]))
        now = candidate.times[node][kind]
        time = self.dice.choice((self._ticks(candidate), now - 1, now + 1, candidate.times[other][kind]))
        row = list(candidate.times[node])
        row[kind] = max(1, min(self.family.max_ticks, time))
        return replace(candidate, times=_put(candidate.times, node, tuple(row)))

    def _ticks(self, candidate: Candidate) -> int:
        """Draw a time of the order of those that there are."""
        longest = max((max(row) for row in candidate.times), default=0)
        return self.dice.randint(1, min(self.family.max_ticks, max(longest + 1, FIRST_TICKS)))

    def _scaled(self, candidate: Candidate) -> Candidate:
        """Double all times, if none is too long then, and sizes as far as they go."""
        times = tuple(tuple(2 * time for time in row) for row in candidate.times)
        if max(map(max, times)) > self.family.max_ticks:
            return candidate
        sizes = tuple(min(2 * size, self.family.send_ticks) for size in candidate.sizes)
        return replace(candidate, times=times, sizes=sizes)

    def _sized(self, candidate: Candidate) -> Candidate:
        """Give a node's tensor another size."""
        node = self.dice.randrange(len(candidate.units))
        return replace(
            candidate, sizes=_put(candidate.sizes, node, self.dice.randint(1, self.family.send_ticks))
        )

    def _needing(self, candidate: Candidate) -> Candidate:
        """Give a node another need of crossbars."""
        node = self.dice.randrange(len(candidate.units))
        return replace(candidate, needs=_put(candidate.needs, node, self.dice.randint(0, MAX_NEED)))

    def _moved(self, candidate: Candidate) -> Candidate:
        """Put a node on another unit."""
        node = self.dice.randrange(len(candidate.units))
        return replace(candidate, units=_put(candidate.units, node, self.dice.randrange(self.family.units)))

    def _joined(self, candidate: Candidate) -> Candidate:
        """Add an edge, or remove it."""
        one, two = sorted(self.dice.sample(range(len(candidate.units)), 2))
        return replace(candidate, edges=candidate.edges ^ {(one, two)})


def _put(values: tuple[T, ...], at: int, value: T) -> tuple[T, ...]:
    return (*values[:at], value, *values[at + 1 :])
