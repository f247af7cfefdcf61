"""An instance as plain lists, colocated nodes taken together: what placing heuristics read."""

from __future__ import annotations

from mapopt.errors import InfeasibleError
from mapopt.instance import Instance


class Problem:
    """The placing problem of an instance.

    Nodes that must share a unit form a group; without colocation group g is node g. All lists are indexed by
    node, group, unit or class numbers and must not be changed.

    Attributes
    ----------
    groups, group_of
        Nodes of each group, and the group of each node.
    allowed
        Units each group may use by class, pin and forbid; equal sets are shared.
    time, node_time
        Ticks per class of each group, or of each node; -1 where it cannot run.
    classes
        Classes with an allowed unit, fastest first, of each group. The first is its *own* class.
    unit_class, units_of
        Class of each unit, and units of each class.
    crossbars, memory_bytes
        Crossbars per class of each group, and memory of each group.
    apart
        Groups that each group must not share a unit with.
    is_limited
        Whether any unit has limited crossbars or memory.

    Raises
    ------
    InfeasibleError
        If a group has no unit, or the same nodes must be together and apart.
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.unit_class: list[int] = instance.unit_class.tolist()
        self.units_of = [
            [unit for unit, kind in enumerate(self.unit_class) if kind == number]
            for number in range(len(instance.classes))
        ]
        self.is_limited = any(
            unit.crossbars is not None or unit.memory_bytes is not None for unit in instance.units
        )
        self.group_of, self.groups = _groups(instance)
        self.node_time: list[list[int]] = instance.times.T.tolist()
        self.time = [self._sums(column, absent=-1) for column in self.node_time]
        self.crossbars = [self._sums(column) for column in instance.crossbars.T.tolist()]
        self.memory_bytes = self._sums(instance.memory_bytes.tolist())
        self.allowed = self._allowed()
        self.classes = self._classes()
        self.apart = self._apart()

    @property
    def own_time(self) -> list[int]:
        """The time of each group on its own class."""
        return [self.time[classes[0]][group] for group, classes in enumerate(self.classes)]

    def names(self, group: int) -> str:
        """Return the nodes of a group for messages."""
        quoted = [repr(self.instance.nodes[node].name) for node in self.groups[group][:4]]
        more = ", ..." if len(self.groups[group]) > 4 else ""
        return f"node {quoted[0]}" if len(quoted) == 1 else f"colocated nodes {', '.join(quoted)}{more}"

    def duration(self, node: int, unit: int) -> int:
        """Return the ticks of a node on a unit."""
        return self.node_time[self.unit_class[unit]][node]

    def units(self, unit_of_group: list[int]) -> list[int]:
        """Expand the units of groups to the units of nodes."""
        return [unit_of_group[group] for group in self.group_of]

    def _sums(self, column: list[int], absent: int | None = None) -> list[int]:
        """Sum a column of the nodes over each group; a sum with an ``absent`` part is absent."""
        if len(self.groups) == len(column):
            return column
        parts = ([column[node] for node in group] for group in self.groups)
        return [-1 if absent in part else sum(part) for part in parts]

    def _allowed(self) -> list[frozenset[int]]:
        instance, rules = self.instance, self.instance.side_constraints
        by_classes: dict[tuple[bool, ...], frozenset[int]] = {}
        allowed = []
        for times in zip(*self.time, strict=True):
            runs = tuple(time >= 0 for time in times)
            if runs not in by_classes:
                by_classes[runs] = frozenset(unit for unit, kind in enumerate(self.unit_class) if runs[kind])
            allowed.append(by_classes[runs])
        for rule in rules.pin:
            allowed[self.group_of[instance.node_index[rule.node]]] &= {
                instance.unit_index[name] for name in rule.units
            }
        for rule in rules.forbid:
            allowed[self.group_of[instance.node_index[rule.node]]] -= {
                instance.unit_index[name] for name in rule.units
            }
        for group, units in enumerate(allowed):
            if not units:
                raise InfeasibleError(
                    f"{self.names(group)}: classes, pin and forbid leave no unit; relax one of them or add a unit"
                )
        return allowed

    def _classes(self) -> list[tuple[int, ...]]:
        known: dict[tuple[int, ...], tuple[int, ...]] = {}
        found = []
        shared: dict[frozenset[int], tuple[int, ...]] = {}
        for group, units in enumerate(self.allowed):
            if units not in shared:
                shared[units] = tuple(sorted({self.unit_class[unit] for unit in units}))
            kinds = shared[units]
            if len(kinds) > 1:
                kinds = tuple(kind for _, kind in sorted((self.time[kind][group], kind) for kind in kinds))
            found.append(known.setdefault(kinds, kinds))
        return found

    def _apart(self) -> list[tuple[int, ...]]:
        instance = self.instance
        apart: dict[int, set[int]] = {}
        for names in instance.side_constraints.separate:
            groups = [self.group_of[instance.node_index[name]] for name in names]
            for at, group in enumerate(groups):
                if group in groups[:at]:
                    raise InfeasibleError(
                        f"{self.names(group)}: must be both together (colocate) and apart (separate); drop one"
                    )
                apart.setdefault(group, set()).update(groups[:at] + groups[at + 1 :])
        none: tuple[int, ...] = ()
        return [tuple(sorted(apart[group])) if group in apart else none for group in range(len(self.groups))]


def _groups(instance: Instance) -> tuple[list[int], list[tuple[int, ...]]]:
    """Join colocated nodes; groups are numbered by their first node."""
    parent = list(range(len(instance.nodes)))
    if not instance.side_constraints.colocate:
        return parent, [(node,) for node in parent]

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for names in instance.side_constraints.colocate:
        for name in names[1:]:
            ends = sorted((root(instance.node_index[names[0]]), root(instance.node_index[name])))
            parent[ends[1]] = ends[0]
    number: dict[int, int] = {}
    group_of = [number.setdefault(root(node), len(number)) for node in range(len(parent))]
    members: list[list[int]] = [[] for _ in number]
    for node, group in enumerate(group_of):
        members[group].append(node)
    return group_of, [tuple(nodes) for nodes in members]
