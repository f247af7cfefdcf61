"""The five transfer models: what it costs to move a tensor between two units.

One transfer moves one tensor to one destination unit, whatever number of consumers sits there. Times are
ticks; ``bytes_per_s`` is exact, and a transfer of b bytes takes ``ceil(b * 10**12 / (bytes_per_s * tick_ps))``.
"""

from __future__ import annotations

from collections.abc import Sequence

from mapopt.documents import Name, Part, Rate, Ticks


def transfer_ticks(size_bytes: int, bytes_per_s: int, tick_ps: int) -> int:
    """Ticks to send ``size_bytes`` at ``bytes_per_s``, rounded up; exact integer arithmetic.

    Examples
    --------
    >>> transfer_ticks(1500, 1_250_000_000, 1000)
    1200
    """
    return -(-size_bytes * 10**12 // (bytes_per_s * tick_ps))


class Free(Part, frozen=True, tag_field="model", tag="free"):
    """Transfers take no time."""


class Delay(Part, frozen=True, tag_field="model", tag="delay"):
    """Transfers take ``latency_ticks`` plus the sending time and occupy nobody."""

    bytes_per_s: Rate
    latency_ticks: Ticks = 0


class Blocking(Part, frozen=True, tag_field="model", tag="blocking"):
    """The sender is occupied, one destination after the other in unit order.

    Each transfer takes ``latency_ticks`` plus the sending time; the consumers at a destination may start when
    its own transfer ends.
    """

    bytes_per_s: Rate
    latency_ticks: Ticks = 0


class Host(Part, frozen=True, tag_field="model", tag="host"):
    """Tensors travel through host memory, which both ends pay for (Tarnawski et al., NeurIPS 2020).

    The producing unit is occupied once per tensor that any other unit reads, each consuming unit once per tensor
    it reads from another. Units in ``host_units`` work on host memory itself and pay nothing.
    """

    bytes_per_s: Rate
    latency_ticks: Ticks = 0
    host_units: tuple[Name, ...] = ()


class Link(Part, frozen=True):
    """A channel that carries one transfer at a time; ``latency_ticks`` is propagation and occupies nobody."""

    name: Name
    bytes_per_s: Rate
    latency_ticks: Ticks = 0


class Route(Part, frozen=True):
    """The links from one unit to another, in order; it replaces the default of egress and ingress."""

    source: Name
    target: Name
    links: tuple[Name, ...]


class Links(Part, frozen=True, tag_field="model", tag="links"):
    """Store and forward over a route of links, one link at a time.

    The route from unit a to unit b is ``egress[a] + ingress[b]`` unless ``routes`` names another. ``egress`` and
    ``ingress`` hold link names, one tuple per unit in unit order. A link serves the oldest frame first, then the
    priority of the transfer's producer, then the tensor, then the destination.
    """

    links: tuple[Link, ...]
    egress: tuple[tuple[Name, ...], ...]
    ingress: tuple[tuple[Name, ...], ...]
    routes: tuple[Route, ...] = ()


class Routes:
    """The links between any two of ``units``, given by name in unit order; all by number."""

    def __init__(self, model: Links, units: Sequence[str]) -> None:
        link = {each.name: number for number, each in enumerate(model.links)}
        unit = {name: number for number, name in enumerate(units)}
        self._egress = [tuple(link[name] for name in path) for path in model.egress]
        self._ingress = [tuple(link[name] for name in path) for path in model.ingress]
        self._named = {
            (unit[route.source], unit[route.target]): tuple(link[name] for name in route.links)
            for route in model.routes
        }

    def path(self, source: int, target: int) -> tuple[int, ...]:
        """Return the links that a tensor takes from one unit to another, in order."""
        named = self._named.get((source, target))
        return self._egress[source] + self._ingress[target] if named is None else named


TransferModel = Free | Delay | Blocking | Host | Links
