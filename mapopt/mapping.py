"""The decisions: on which unit, and where scheduled at which time, every node of every pattern runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import msgspec

from mapopt.documents import Count, Document, Name, Part, Ticks, unique, unknown
from mapopt.errors import InputError
from mapopt.instance import Instance

TicksRatio = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,18}(/[1-9][0-9]{0,17})?$")]
"""An exact number of ticks, e.g. ``"7"`` or ``"7/2"``."""


class TransferStart(Part, frozen=True):
    """When a time-triggered transfer starts: one time per task of it, in order.

    With ``links`` that is one per link of the route, with ``host`` one for the reading by ``unit``.
    """

    tensor: Name
    unit: Name
    starts: Annotated[tuple[Ticks, ...], msgspec.Meta(min_length=1)]


class Pattern(Part, frozen=True):
    """Where one frame in K runs: unit names and, if time-triggered, start ticks, in the order of the nodes."""

    units: tuple[Name, ...]
    starts: tuple[Ticks, ...] | None = None
    transfers: tuple[TransferStart, ...] = ()


class InstanceRef(Part, frozen=True):
    """The instance a mapping is for; an empty digest binds it to any instance with these names."""

    name: str = ""
    digest: str = ""


class MapperRef(Part, frozen=True):
    """Who made the mapping, so that it can be made again."""

    name: Name
    options: dict[str, Any] = msgspec.field(default_factory=dict)
    seed: int = 0


class Claims(Part, frozen=True):
    """What the mapping's author says of it; ``mapopt verify`` measures it again.

    Parameters
    ----------
    max_load_ticks
        The work per frame on the busiest unit or link.
    latency_single_ticks
        One frame in an empty machine, self-timed.
    period_ticks, latency_ticks
        Of a time-triggered mapping: H/K, and the largest latency over its patterns.
    """

    max_load_ticks: TicksRatio | None = None
    latency_single_ticks: Ticks | None = None
    period_ticks: TicksRatio | None = None
    latency_ticks: Ticks | None = None


class Mapping(Document, frozen=True):
    """A mapping of an instance.

    Parameters
    ----------
    nodes
        Node names; the other sequences follow this order.
    patterns
        Frame f uses pattern ``f mod K``.
    horizon
        Time-triggered only: pattern k of frames k, k+K, ... repeats every ``horizon`` ticks, so that the period
        is horizon/K. Given if and only if every pattern has starts.
    priorities
        Self-timed only: smaller runs first among tasks of one frame; default is the topological position.
    instance, mapper, claims
        Provenance; see there.

    Raises
    ------
    InputError
        If lengths differ, names repeat, or starts and horizon do not go together.
    """

    KIND: ClassVar[str] = "mapping"

    nodes: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1)]
    patterns: Annotated[tuple[Pattern, ...], msgspec.Meta(min_length=1)]
    horizon: Annotated[int, msgspec.Meta(ge=1, le=10**15)] | None = None
    priorities: tuple[Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)], ...] | None = None
    instance: InstanceRef = InstanceRef()
    mapper: MapperRef | None = None
    claims: Claims | None = None

    def __post_init__(self) -> None:
        unique("node", self.nodes)
        count = len(self.nodes)
        for number, pattern in enumerate(self.patterns):
            if len(pattern.units) != count:
                raise InputError(
                    f"pattern {number}: has {len(pattern.units)} units for {count} nodes; give one per node"
                )
            if pattern.starts is not None and len(pattern.starts) != count:
                raise InputError(
                    f"pattern {number}: has {len(pattern.starts)} starts for {count} nodes; give one per node"
                )
            if (pattern.starts is None) != (self.horizon is None):
                raise InputError(
                    f"pattern {number}: starts and horizon go together; a time-triggered mapping has both, "
                    "a self-timed one neither"
                )
            if pattern.starts is None and pattern.transfers:
                raise InputError(f"pattern {number}: has transfer starts but no starts; give both or neither")
        if self.priorities is not None and len(self.priorities) != count:
            raise InputError(
                f"mapping: has {len(self.priorities)} priorities for {count} nodes; give one per node"
            )

    @property
    def is_time_triggered(self) -> bool:
        """Whether the mapping fixes start times."""
        return self.horizon is not None

    @classmethod
    def of(
        cls,
        instance: Instance,
        *assignments: Sequence[int],
        priorities: Sequence[int] | None = None,
        mapper: MapperRef | None = None,
    ) -> Mapping:
        """Make a self-timed mapping from unit indices.

        Parameters
        ----------
        assignments
            For each pattern the unit index of every node, in the instance's order.
        priorities
            One integer per node, smaller first.
        """
        names = [unit.name for unit in instance.units]
        return cls(
            nodes=tuple(node.name for node in instance.nodes),
            patterns=tuple(Pattern(units=tuple(names[unit] for unit in row)) for row in assignments),
            priorities=None if priorities is None else tuple(map(int, priorities)),
            instance=InstanceRef(instance.name, instance.digest),
            mapper=mapper,
        )

    def assignment(self, instance: Instance) -> tuple[tuple[int, ...], ...]:
        """Return the unit index of every node, per pattern, in the instance's order.

        Raises
        ------
        InputError
            If the mapping is of another instance, or names nodes or units that the instance does not have.
        """
        self.check_belongs(instance)
        position = self.positions(instance)
        return tuple(
            tuple(self._unit(instance, pattern.units[at], self.nodes[at]) for at in position)
            for pattern in self.patterns
        )

    def positions(self, instance: Instance) -> tuple[int, ...]:
        """Return where each node of the instance stands in ``nodes``."""
        place = {name: index for index, name in enumerate(self.nodes)}
        for name in self.nodes:
            if name not in instance.node_index:
                raise unknown(f"mapping: in instance {instance.name!r} node", name, instance.node_index)
        for node in instance.nodes:
            if node.name not in place:
                raise InputError(
                    f"mapping: node {node.name!r} of instance {instance.name!r} is missing; map every node"
                )
        return tuple(place[node.name] for node in instance.nodes)

    def check_belongs(self, instance: Instance) -> None:
        """Refuse an instance with another digest than the one the mapping was made for."""
        if self.instance.digest and self.instance.digest != instance.digest:
            raise InputError(
                f"mapping: was made for instance {self.instance.name!r} ({self.instance.digest[:19]}...), not for "
                f"{instance.name!r} ({instance.digest[:19]}...); map this instance, or clear the mapping's digest"
            )

    @staticmethod
    def _unit(instance: Instance, unit: str, node: str) -> int:
        if unit not in instance.unit_index:
            raise InputError(
                f"mapping: node {node!r} is on unit {unit!r}, which instance {instance.name!r} does not have"
            )
        return instance.unit_index[unit]


class Violation(Part, frozen=True):
    """A broken rule, with names and numbers in ``message``."""

    rule: str
    message: str
    pattern: Count | None = None
