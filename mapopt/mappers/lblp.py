"""LBLP: load balancing along the longest path, with the choices that its publication leaves open as options."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice
from typing import Literal

from mapopt.instance import Instance
from mapopt.mappers.base import Heuristic, Placement
from mapopt.mappers.graph import (
    EdgeDelay,
    OverlappingWindows,
    Parallel,
    SharedBits,
    earliest_windows,
    incomparable,
    longest_path,
    same_fork_join,
)
from mapopt.mappers.packing import Packing, Stuck
from mapopt.options import Options, Tune, option
from mapopt.placement.communication import Communication
from mapopt.placement.problem import Problem

MAX_NODES_WITH_PAIRS = 20_000
"""Largest graph for the scopes that hold one bit per pair of nodes (50 MB at this size)."""


@dataclass(frozen=True)
class LblpOptions(Options):
    """The open choices of LBLP; docs/mappers.md tabulates what each of them does."""

    path_order: Literal["path", "decreasing", "merged"] = option(
        "decreasing",
        "place the nodes of a longest path from first to last, or by decreasing time, or only before the equally "
        "long of all other nodes",
        tune=Tune(),
    )
    peel: Literal["once", "repeat"] = option(
        "once",
        "take one longest path, or take the longest path of what is left again and again",
        tune=Tune(),
    )
    rest_order: Literal["decreasing", "topological"] = option(
        "decreasing",
        "order of the nodes that are on no longest path taken",
        tune=Tune(),
    )
    avoid: Literal["off", "tied", "hard"] = option(
        "tied",
        "pass over units that hold nodes able to run in parallel: never, for a unit that counts as equally loaded, "
        "or for any other unit",
        tune=Tune(),
    )
    scope: Literal["windows", "fork-join", "incomparable"] = option(
        "windows",
        "which nodes are able to run in parallel: those that would with unlimited units, incomparable nodes of the "
        "same innermost fork-join, or any incomparable pair",
        tune=Tune(),
        only_if=("avoid", ("tied", "hard")),
    )
    slack: float = option(
        0.02,
        "a unit counts as equally loaded if its load is above the least by at most this share of the ideal load",
        ge=0,
        le=1,
        tune=Tune(0.0, 0.2),
    )
    ties: Literal["index", "neighbour"] = option(
        "neighbour",
        "among equally loaded units take the first, or first one that holds a producer or consumer",
        tune=Tune(),
    )
    transfers: bool = option(False, "count mean transfer times in longest paths and windows", tune=Tune())
    fallback: bool = option(True, "let a slower class take a node that no unit of its own class can hold")
    examine: int = option(
        8,
        "how many of the least loaded units are looked at to avoid parallel nodes",
        ge=1,
        tune=Tune(1, 32, log=True),
        only_if=("avoid", ("tied", "hard")),
    )


class Lblp(Heuristic[LblpOptions]):
    """Balance the longest path first, then the rest, keeping branches apart.

    The steps, as read from the abstract and the figures of the publication, whose full text was not available:

    1. Weigh each node by its time on its own class, the fastest that can run it.
    2. Find the heaviest path through the graph.
    3. Place the path's nodes, class by class, on the least loaded units.
    4. Place the other nodes on the least loaded unit of their class, avoiding units that hold nodes able to run in
       parallel with them.

    With default options the time is O((n + e) + n (log n + log m)) for n nodes, e edges and m units.

    References
    ----------
    A. Bougioukou and T. Antonakopoulos, MOCAST 2025, arXiv 2511.04682.
    """

    name = "lblp"
    summary = "load balancing along the longest path, branches kept on different units"
    reference = "Bougioukou & Antonakopoulos, MOCAST 2025, arXiv 2511.04682"
    options_type = LblpOptions

    def rejects(self, instance: Instance) -> str | None:
        """Refuse scopes that need every pair of nodes on large graphs."""
        pairs = self.options.avoid != "off" and self.options.scope != "windows"
        if pairs and len(instance.nodes) > MAX_NODES_WITH_PAIRS:
            return (
                f"scope={self.options.scope} is for at most {MAX_NODES_WITH_PAIRS} nodes and instance "
                f"{instance.name!r} has {len(instance.nodes)}; use scope=windows"
            )
        return None

    def place(self, problem: Problem, packing: Packing, seed: int) -> Placement:
        """Place every node; see the class."""
        options, instance = self.options, problem.instance
        # Step 1.
        weight = [
            problem.node_time[problem.classes[group][0]][node] for node, group in enumerate(problem.group_of)
        ]
        delay = _mean_delays(instance) if options.transfers else None
        chooser = _Chooser(problem, packing, options, self._parallel(instance, weight, delay))
        # Step 2 and step 3's order.
        first: list[int] = []
        rest = instance.topological_order
        while rest:
            path = longest_path(instance, weight, delay, None if len(rest) == len(weight) else rest)
            if options.path_order == "decreasing":
                path.sort(key=lambda node: -weight[node])
            first += path
            taken = set(path)
            rest = tuple(node for node in rest if node not in taken)
            if options.peel == "once":
                break
        # Step 4's order.
        if options.rest_order == "decreasing":
            rest = tuple(sorted(rest, key=lambda node: -weight[node]))
        order = [*first, *rest]
        if options.path_order == "merged":
            order.sort(key=lambda node: -weight[node])
        # Steps 3 and 4.
        for node in order:
            chooser.place(node)
        return Placement(problem.units(packing.unit_of))

    def _parallel(self, instance: Instance, weight: list[int], delay: EdgeDelay | None) -> Parallel | None:
        if self.options.avoid == "off":
            return None
        units = len(instance.units)
        if self.options.scope == "windows":
            return OverlappingWindows(earliest_windows(instance, weight, delay), units)
        return SharedBits(
            (same_fork_join if self.options.scope == "fork-join" else incomparable)(instance), units
        )


class _Chooser:
    """Puts a node, with those colocated with it, on the least loaded unit that suits it best."""

    def __init__(
        self, problem: Problem, packing: Packing, options: LblpOptions, parallel: Parallel | None
    ) -> None:
        self._problem = problem
        self._packing = packing
        self._options = options
        self._parallel = parallel
        self._slack = [int(options.slack * ideal) for ideal in _ideal_loads(problem)]

    def place(self, node: int) -> None:
        problem = self._problem
        group = problem.group_of[node]
        if self._packing.unit_of[group] >= 0:
            return
        unit = self._choose(group)
        self._packing.place(group, unit)
        if self._parallel is not None:
            for member in problem.groups[group]:
                self._parallel.add(member, unit)

    def _choose(self, group: int) -> int:
        """Take the first class that has a unit for the group, and there the unit that suits it best."""
        classes = self._problem.classes[group]
        for kind in classes if self._options.fallback else classes[:1]:
            unit = self._choose_in(group, kind)
            if unit is not None:
                return unit
        raise Stuck(group)

    def _choose_in(self, group: int, kind: int) -> int | None:
        """Prefer units without parallel nodes, then lightly loaded ones, then those that hold a neighbour."""
        options, load = self._options, self._packing.load
        by_load = self._packing.least_loaded(group, kind)
        least = next(by_load, None)
        if least is None:
            return None
        limit = load[least] + self._slack[kind]
        neighbours = self._neighbours_within(group, kind, limit) if options.ties == "neighbour" else []
        for unit in neighbours:
            if not self._meets(group, unit):
                return unit
        if self._parallel is not None:
            for unit in chain((least,), islice(by_load, options.examine - 1)):
                if load[unit] > limit and options.avoid != "hard":
                    break
                if not self._meets(group, unit):
                    return unit
        return neighbours[0] if neighbours else least

    def _neighbours_within(self, group: int, kind: int, limit: int) -> list[int]:
        """Return the units of the class that hold a producer or consumer, take the group and are within the limit."""
        problem, packing = self._problem, self._packing
        instance, load, unit_of, group_of = problem.instance, packing.load, packing.unit_of, problem.group_of
        found = []
        for node in problem.groups[group]:
            for others in (instance.predecessors[node], instance.successors[node]):
                for other in others:
                    unit = unit_of[group_of[other]]
                    if unit >= 0 and load[unit] <= limit and problem.unit_class[unit] == kind:
                        found.append(unit)
        if not found:
            return found
        return sorted(
            (unit for unit in set(found) if packing.fits(group, unit)), key=lambda unit: (load[unit], unit)
        )

    def _meets(self, group: int, unit: int) -> bool:
        parallel = self._parallel
        if parallel is None:
            return False
        nodes = self._problem.groups[group]
        return parallel.meets(nodes[0], unit) or any(parallel.meets(node, unit) for node in nodes[1:])


def _ideal_loads(problem: Problem) -> list[int]:
    """Return per class the larger of the longest node and the mean load."""
    total, longest = [0] * len(problem.units_of), [0] * len(problem.units_of)
    for time, classes in zip(problem.own_time, problem.classes, strict=True):
        total[classes[0]] += time
        longest[classes[0]] = max(longest[classes[0]], time)
    return [
        max(most, -(-work // max(1, len(units))))
        for most, work, units in zip(longest, total, problem.units_of, strict=True)
    ]


def _mean_delays(instance: Instance) -> EdgeDelay:
    communication = Communication(instance)
    delays: dict[tuple[int, int], float] = {}
    for producer, consumer, tensor in instance.edges:
        delays[producer, consumer] = max(
            delays.get((producer, consumer), 0.0), communication.mean_delay(tensor)
        )
    return lambda producer, consumer: delays[producer, consumer]
