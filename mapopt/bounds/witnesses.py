"""What makes a lower bound believable without its author: names and integers from which it follows.

Every witness names the ``ticks`` that it proves, for mappings with one pattern. :mod:`mapopt.evidence` derives them
again from the instance alone.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from mapopt.documents import Count, Name, Part

Nodes = Annotated[tuple[Name, ...], msgspec.Meta(min_length=1)]
Units = Annotated[tuple[Name, ...], msgspec.Meta(min_length=1)]


class ForcedTransfer(Part, frozen=True):
    """A tensor that has to travel: its readers can share a unit neither with its producer nor with each other."""

    tensor: Name
    readers: Nodes


class MeanLoad(Part, frozen=True, tag_field="kind", tag="mean load"):
    """Nodes that have to run on some units: one of these works at least the mean.

    A node's work is its least time, and the transfers that occupy its unit wherever it is.
    """

    ticks: Count
    units: Units
    nodes: Nodes
    transfers: tuple[ForcedTransfer, ...] = ()


class SharedUnit(Part, frozen=True, tag_field="kind", tag="shared unit"):
    """More nodes than ``k`` times the units on which they have to run: ``k + 1`` of them share one.

    Nodes that have to be together count as one.
    """

    ticks: Count
    units: Units
    nodes: Nodes
    transfers: tuple[ForcedTransfer, ...] = ()


class ReachableLoad(Part, frozen=True, tag_field="kind", tag="reachable load"):
    """Nodes that have to run on some units of one class: the work of one of these is a sum of some of their times."""

    ticks: Count
    units: Units
    nodes: Nodes


class ClassBalance(Part, frozen=True, tag_field="kind", tag="class balance"):
    """Integer weights of the dual of the fractional assignment, see :mod:`mapopt.bounds.relaxation`.

    Parameters
    ----------
    weights
        Of each class's time, per unit.
    crossbar_prices, memory_prices
        Per crossbar and byte of each class.
    """

    ticks: Count
    weights: tuple[Count, ...]
    crossbar_prices: tuple[Count, ...]
    memory_prices: tuple[Count, ...]
    transfers: tuple[ForcedTransfer, ...] = ()


class LinkLoad(Part, frozen=True, tag_field="kind", tag="link load"):
    """Transfers that have to leave (or enter) some units: one of the links by which that is done carries the mean."""

    ticks: Count
    units: Units
    direction: Literal["leave", "enter"]
    transfers: Annotated[tuple[ForcedTransfer, ...], msgspec.Meta(min_length=1)]


class Patterns(Part, frozen=True, tag_field="kind", tag="patterns"):
    """Prices of the groups of nodes, in order of their first node, see :mod:`mapopt.bounds.pattern_duals`."""

    ticks: Count
    prices: tuple[Count, ...]


class Path(Part, frozen=True, tag_field="kind", tag="path"):
    """Nodes that run after one another, mostly a path: the transfers between units that have to differ take time."""

    ticks: Count
    nodes: Nodes


class Window(Part, frozen=True, tag_field="kind", tag="window"):
    """Nodes that have to run on some units, between the longest paths before the first and after the last of them."""

    ticks: Count
    units: Units
    nodes: Nodes


PeriodWitness: TypeAlias = MeanLoad | SharedUnit | ReachableLoad | ClassBalance | LinkLoad | Patterns
LatencyWitness: TypeAlias = Path | Window
Witness: TypeAlias = PeriodWitness | LatencyWitness
