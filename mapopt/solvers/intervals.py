"""Units and starts of nodes in a CP-SAT model where transfers are delays: what such formulations of the latency share.

What remains for a formulation is that nodes on one unit do not overlap. The names of the constraints are those of the
formulations' documentation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from collections.abc import Mapping as Dictionary
from typing import Any

from ortools.sat.python import cp_model

from mapopt.bounds.modulo import Windows
from mapopt.mapping import Mapping
from mapopt.placement.communication import Communication
from mapopt.placement.symmetry import interchangeable_units, relabelled
from mapopt.solvers.base import Task
from mapopt.solvers.cpsat import Values, run
from mapopt.solvers.latencies import refuted
from mapopt.solvers.model import Answer, Objective, Status
from mapopt.solvers.placing import needs


class IntervalModel(ABC):
    """A model that chooses a unit for every group and a start for every node, and minimises the latency.

    Parameters
    ----------
    task
        With transfers that occupy nobody.
    windows
        Of the task's instance.
    bound, horizon
        No latency is below ``bound``, and none above ``horizon`` is of interest.
    by_paths
        Whether starts have to keep their windows, beyond 0 and the horizon.

    Attributes
    ----------
    period
        A variable, or ``None`` for a frame alone.
    on
        For each group its units, each with a literal that is true if the group runs there.
    start, earliest, latest
        Of each node: its variable, and its window by class.
    staying
        By pairs of groups, first the producer's: a literal that is true only if they share a unit.
    """

    def __init__(self, task: Task, windows: Windows, bound: int, horizon: int, *, by_paths: bool) -> None:
        self.task, self.windows, self.problem = task, windows, windows.problem
        self.bound, self.horizon, self.by_paths = bound, horizon, by_paths
        self.communication = Communication(task.instance)
        self.parts = interchangeable_units(self.problem)
        self.nodes = range(len(task.instance.nodes))
        self.model = cp_model.CpModel()
        limits = task.period
        self.period: Any = None if limits is None else self.model.new_int_var(limits.low, limits.high, "T")
        self.latency = self.model.new_int_var(bound, horizon, "L")
        self.on: list[dict[int, Any]] = []
        self.start: list[Any] = []
        self.earliest: list[dict[int, int]] = []
        self.latest: list[dict[int, int]] = []
        self.staying: dict[tuple[int, int], Any] = {}

    @abstractmethod
    def decode(self, value: Values) -> tuple[Mapping, int]:
        """Return the mapping of a solution, and its latency."""

    def solve(self, settings: Dictionary[str, Any], *, strong_propagation: bool) -> Answer:
        """Run the model with parameters of CP-SAT and read its solution."""
        parameters = {
            **settings,
            "use_strong_propagation_in_disjunctive": strong_propagation,
            "use_lns_only": self.task.improving,
        }
        found = run(self.model, self.task.watch, Objective.LATENCY, parameters=parameters)
        if found.status is Status.INFEASIBLE:
            return refuted(self.task)
        bound = self.bound if found.bound is None else max(self.bound, found.bound)
        if found.values is None:
            return Answer(found.status, bound=bound)
        mapping, value = self.decode(found.values)
        status = Status.OPTIMAL if value == bound else Status.FEASIBLE
        return Answer(status, mapping, value, bound)

    def choose_units(self) -> None:
        """Add (1): every group runs on one unit; the period rules out units that are too slow."""
        problem, period = self.problem, self.windows.period
        self.on = [
            {
                unit: self.model.new_bool_var(f"x{group},{unit}")
                for unit in sorted(allowed)
                if period is None or problem.time[problem.unit_class[unit]][group] <= period
            }
            for group, allowed in enumerate(problem.allowed)
        ]
        for choice in self.on:
            self.model.add_exactly_one(choice.values())

    def choice(self, node: int) -> dict[int, Any]:
        """Return the units of a node, each with its literal; empty where units are anonymous."""
        return self.on[self.problem.group_of[node]] if self.on else {}

    def length(self, node: int) -> Any:
        """Return sum_p d_vp x_gp, a constant where all classes take the same time."""
        times = {self.problem.node_time[kind][node] for kind in self.windows.kinds[node]}
        if len(times) == 1:
            return next(iter(times))
        return sum(self.problem.duration(node, unit) * chosen for unit, chosen in self.choice(node).items())

    def start_in_windows(self, anchored: Collection[int] = ()) -> None:
        """Add (2), the latency is the last end, and (3), starts lie between the paths before and after.

        Nodes in ``anchored`` start at 0.
        """
        problem, windows = self.problem, self.windows
        for node in self.nodes:
            kinds = windows.kinds[node]
            head = windows.head[node] if self.by_paths else [0] * len(kinds)
            tail = windows.tail[node] if self.by_paths else [0] * len(kinds)
            early = dict(zip(kinds, head, strict=True))
            late = {
                kind: self.horizon - rest - problem.node_time[kind][node]
                for kind, rest in zip(kinds, tail, strict=True)
            }
            self.earliest.append(early)
            self.latest.append(late)
            if node in anchored:
                late = {kind: min(0, last) for kind, last in late.items()}
            first, last = min(early.values()), max(late.values())
            start = self.model.new_int_var(first, max(first, last), f"s{node}")
            self.start.append(start)
            for unit, chosen in self.choice(node).items():
                kind = problem.unit_class[unit]
                if early[kind] > late[kind]:
                    self.model.add(chosen == 0)
                elif (early[kind], late[kind]) != (first, last):
                    within = self.model.add_linear_constraint(start, early[kind], late[kind])
                    within.only_enforce_if(chosen)
            if not problem.instance.successors[node]:
                self.model.add(self.latency >= start + self.length(node))

    def precede(self) -> None:
        """Add (4), (5), (6): data are there in time, and a tensor that stays on its unit takes no time."""
        problem = self.problem
        for before, after, tensor in self.task.instance.edges:
            pair = problem.group_of[before], problem.group_of[after]
            end = self.start[before] + self.length(before)
            delay = self.communication.once(tensor)
            if pair[0] == pair[1] or delay == 0:
                self.model.add(self.start[after] >= end)
            elif self._may_share(*pair):
                if pair not in self.staying:
                    self.staying[pair] = self._shared(*pair)
                self.model.add(self.start[after] >= end)
                self.model.add(self.start[after] >= end + delay).only_enforce_if(self.staying[pair].negated())
            else:
                self.model.add(self.start[after] >= end + delay)

    def _may_share(self, one: int, other: int) -> bool:
        common = [unit for unit in self.on[one] if unit in self.on[other]]
        if not self.by_paths:
            return bool(common)
        return any(self.windows.may_share(one, other, self.problem.unit_class[unit]) for unit in common)

    def _shared(self, one: int, other: int) -> Any:
        """Return y_gh with (6)."""
        shared = self.model.new_bool_var(f"y{one},{other}")
        for unit in sorted({*self.on[one], *self.on[other]}):
            first, second = self.on[one].get(unit, False), self.on[other].get(unit, False)
            self.model.add_implication(first, second).only_enforce_if(shared)
            self.model.add_implication(second, first).only_enforce_if(shared)
        return shared

    def keep_apart(self) -> None:
        """Add (7): groups that a rule keeps apart."""
        for one, others in enumerate(self.problem.apart):
            for other in others:
                if one < other:
                    self.forbid_sharing(one, other, self.on[one])

    def forbid_sharing(self, one: int, other: int, units: Collection[int]) -> None:
        """Keep two groups from sharing one of these units, all of which the first may use."""
        for unit in units:
            if unit in self.on[other]:
                self.model.add_at_most_one(self.on[one][unit], self.on[other][unit])

    def keep_capacities(self) -> None:
        """Add (8): what runs on a unit fits into it."""
        for unit in range(len(self.problem.unit_class)):
            here = [group for group, choice in enumerate(self.on) if unit in choice]
            for need, capacity in needs(self.problem, unit, here, [self.on[group][unit] for group in here]):
                self.model.add(need <= capacity)

    def order_units(self, order: Sequence[int]) -> None:
        """Add (9): the i-th group in an order that may use interchangeable units uses one of the first i."""
        for part in self.parts:
            users = [group for group in order if part[0] in self.on[group]]
            for position, group in enumerate(users):
                for unit in part[position + 1 :]:
                    self.model.add(self.on[group][unit] == 0)

    def hint_units(self, mapping: Mapping, order: Sequence[int] | None) -> None:
        """Hint at the units of a mapping, with interchangeable ones renamed by (9) if there is an order."""
        units = mapping.assignment(self.task.instance)[0]
        homes = [units[group[0]] for group in self.problem.groups]
        if order is not None:
            homes = relabelled(homes, order, self.parts)
        for group, choice in enumerate(self.on):
            for unit, chosen in choice.items():
                self.model.add_hint(chosen, homes[group] == unit)
        for (one, other), shared in self.staying.items():
            self.model.add_hint(shared, homes[one] == homes[other])

    def units(self, value: Values) -> list[int]:
        """Return the unit of each node in a solution."""
        home = [next(unit for unit, chosen in choice.items() if value(chosen)) for choice in self.on]
        return self.problem.units(home)
