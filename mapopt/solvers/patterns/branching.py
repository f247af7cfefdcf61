"""Branch and price: the search for a choice of patterns that holds every item within a period."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from mapopt.solvers.patterns.columns import Columns, FloatArray
from mapopt.solvers.patterns.loads import IntArray, LoadProblem
from mapopt.solvers.watch import Watch

Try = Callable[[FloatArray], bool]
"""Takes the shares of a node's linear program, shape (items, slots); says whether they led to a mapping."""


class State(Enum):
    """How a search stands."""

    OPEN = auto()
    FOUND = auto()
    REFUTED = auto()


@dataclass(frozen=True, slots=True)
class _Node:
    """Where items may be, shape (items, slots), and how many units each slot has, shape (slots,)."""

    most: IntArray
    units: IntArray


class BranchAndPrice:
    """A depth-first search that can be continued.

    Units of a kind start together in one slot; when branching cannot tell them apart, one of them gets a slot of its
    own and holds the item in question, which is no restriction because they are identical. An item is branched on by
    cutting its slots in two halves. A node is given up only if integer prices refute it exactly.

    Parameters
    ----------
    problem
        With identical items and units counted.
    ticks
        The period.
    watch
        Says when to stop.
    """

    def __init__(self, problem: LoadProblem, ticks: int, watch: Watch) -> None:
        self.slots = _slots(problem)
        """The problem of the search: every group told apart, units of a kind in the slots."""
        self.ticks = ticks
        self._watch = watch
        self._columns = Columns(self.slots, ticks, watch)
        self._stack = [_Node(self._columns.knapsacks.most, self.slots.units)]
        self._is_complete = True  # no node was left because a whole solution of its program was no mapping
        self.nodes = 0

    @property
    def is_stuck(self) -> bool:
        """Whether nothing is left to look at and yet nothing is known."""
        return not self._stack and not self._is_complete

    def run(self, nodes: int, attempt: Try) -> State:
        """Look at some more nodes; ``attempt`` is called at each with the shares of its linear program."""
        for _ in range(nodes):
            if self._watch.stopped:
                break
            if not self._stack:
                return State.REFUTED if self._is_complete else State.OPEN
            node = self._stack[-1]
            self._columns.restrict(node.most, node.units)
            verdict = self._columns.generate()
            if not verdict.finished:
                break
            self.nodes += 1
            self._stack.pop()
            if verdict.refuted:
                continue
            shares = self._columns.shares()
            if attempt(shares):
                return State.FOUND
            children = self._branch(node, shares)
            self._is_complete &= bool(children)
            self._stack.extend(children)
        return State.OPEN

    def _branch(self, node: _Node, shares: FloatArray) -> list[_Node]:
        """Return the children by the item with the largest shortest time among those in several places."""
        allowed = (node.most > 0) & (node.units > 0)
        shortest = np.where(allowed, self.slots.times, np.iinfo(np.int64).max).min(axis=1)
        largest = shares.max(axis=1)
        split = largest < 1 - 1e-6
        pooled = ((shares > 1e-6) & (node.units > 1)).any(axis=1)
        if split.any():
            item = int(np.where(split, shortest + (1 - largest), -1).argmax())
            return self._halve(node, shares, item)
        if not pooled.any():
            return []
        return self._halve(node, shares, int(np.where(pooled, shortest, -1).argmax()))

    def _halve(self, node: _Node, shares: FloatArray, item: int) -> list[_Node]:
        """Cut the slots of an item in two, the half with the larger shares last (so that it is looked at first)."""
        slots = np.flatnonzero((node.most[item] > 0) & (node.units > 0))
        if len(slots) == 1:
            return [self._single_out(node, item, int(slots[0]))]
        order = slots[np.argsort(-shares[item, slots], kind="stable")]
        until = int(np.searchsorted(np.cumsum(shares[item, order]), 0.5 - 1e-9)) + 1
        until = min(until, len(order) - 1)
        halves = []
        for part in (order[until:], order[:until]):
            most = node.most.copy()
            most[item] = 0
            most[item, part] = node.most[item, part]
            halves.append(_Node(most, node.units))
        return halves

    def _single_out(self, node: _Node, item: int, slot: int) -> _Node:
        """Give one unit of a slot a slot of its own and put the item there."""
        own = slot + 1 + int(np.flatnonzero(node.units[slot + 1 :] == 0)[0])
        units, most = node.units.copy(), node.most.copy()
        units[slot] -= 1
        units[own] = 1
        most[:, own] = node.most[:, slot]
        most[item] = 0
        most[item, own] = 1
        return _Node(most, units)


def _slots(problem: LoadProblem) -> LoadProblem:
    """Tell every group apart; units of a kind: all in its first slot, the others empty."""
    spread = problem.spread()
    units = np.concatenate([[count, *[0] * (count - 1)] for count in problem.units]).astype(np.int64)
    return LoadProblem(
        times=spread.times,
        sizes=spread.sizes,
        capacities=spread.capacities,
        demand=spread.demand,
        units=units,
        groups_of=spread.groups_of,
        units_of=spread.units_of,
    )
