"""Why an instance has no mapping: a minimal set of rules that contradict each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ortools.sat.python import cp_model

from mapopt.instance import Instance
from mapopt.solvers.cpsat import run
from mapopt.solvers.model import Limits, Objective, Status
from mapopt.solvers.watch import Watch

EFFORT = 1.0
"""Deterministic effort of each question to the solver."""

MAX_QUESTIONS = 400
"""After so many questions the conflict is returned as it is, which may not be minimal."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Rules that no mapping can keep together.

    Parameters
    ----------
    rules
        For people, with names and numbers.
    minimal
        Whether the rest is satisfiable as soon as any one rule is dropped.
    """

    rules: tuple[str, ...]
    minimal: bool

    def __str__(self) -> str:
        few = "; ".join(self.rules[:12])
        more = f"; and {len(self.rules) - 12} more" if len(self.rules) > 12 else ""
        head = "these rules contradict each other" + (", and any one less would do" if self.minimal else "")
        return f"{head}: {few}{more}"


def find_conflict(instance: Instance) -> Conflict | None:
    """Return a conflict, or ``None`` if there is a mapping or none was found with limited effort.

    Whole kinds of rules are dropped first, then single ones (deletion filter), each time asking CP-SAT whether the
    rest is still infeasible. Deterministic.

    References
    ----------
    Chinneck and Dravnieks, Locating minimal infeasible constraint sets in linear programs, ORSA J. Computing 3 (1991).
    """
    rules = _Rules(instance)
    kept = list(range(len(rules.texts)))
    if rules.ask(kept) is not Status.INFEASIBLE:
        return None
    minimal, questions = True, 0
    chunk = max(1, len(kept) // 4)
    while True:
        at = 0
        while at < len(kept):
            fewer = kept[:at] + kept[at + chunk :]
            questions += 1
            if questions > MAX_QUESTIONS:
                return Conflict(tuple(rules.texts[each] for each in kept), False)
            answer = rules.ask(fewer)
            if answer is Status.INFEASIBLE:
                kept = fewer
            else:
                minimal &= chunk > 1 or answer is Status.OPTIMAL
                at += chunk
        if chunk == 1:
            return Conflict(tuple(rules.texts[each] for each in kept), minimal)
        chunk = max(1, chunk // 4)


class _Rules:
    """The rules of an instance as parts of a CP-SAT model that can be left out."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.texts: list[str] = []
        self._parts: list[tuple[str, int]] = []
        side = instance.side_constraints
        for number, rule in enumerate(side.pin):
            self._add("pin", number, f"{rule.node!r} is pinned to {_listed(rule.units)}")
        for number, rule in enumerate(side.forbid):
            self._add("forbid", number, f"{rule.node!r} must not run on {_listed(rule.units)}")
        for number, names in enumerate(side.colocate):
            self._add("colocate", number, f"{_listed(names)} share a unit")
        for number, names in enumerate(side.separate):
            self._add("separate", number, f"{_listed(names)} run on different units")
        for number, unit in enumerate(instance.units):
            if unit.crossbars is not None:
                self._add("crossbars", number, f"unit {unit.name!r} holds {unit.crossbars} crossbars")
            if unit.memory_bytes is not None:
                self._add("memory", number, f"unit {unit.name!r} holds {unit.memory_bytes} bytes")
        for number, node in enumerate(instance.nodes):
            self._add("node", number, self._describe(number, node.name))

    def ask(self, kept: Sequence[int]) -> Status:
        """Return whether these rules can be kept together."""
        instance = self.instance
        parts = [self._parts[each] for each in kept]
        nodes = [number for kind, number in parts if kind == "node"]
        model = cp_model.CpModel()
        on = {
            (node, unit): model.new_bool_var("")
            for node in nodes
            for unit, kind in enumerate(instance.unit_class.tolist())
            if instance.times[node, kind] >= 0
        }
        units = range(len(instance.units))
        for node in nodes:
            model.add_exactly_one(on[node, unit] for unit in units if (node, unit) in on)
        side, at = instance.side_constraints, instance.node_index
        for kind, number in parts:
            if kind in ("pin", "forbid"):
                rule = (side.pin if kind == "pin" else side.forbid)[number]
                for unit in units:
                    named = instance.units[unit].name in rule.units
                    if (at[rule.node], unit) in on and named == (kind == "forbid"):
                        model.add(on[at[rule.node], unit] == 0)
            elif kind == "colocate":
                names = [at[name] for name in side.colocate[number] if at[name] in nodes]
                for one, two in pairwise(names):
                    for unit in units:
                        model.add(on.get((one, unit), 0) == on.get((two, unit), 0))
            elif kind == "separate":
                names = [at[name] for name in side.separate[number]]
                for unit in units:
                    model.add_at_most_one(on[node, unit] for node in names if (node, unit) in on)
            elif kind != "node":
                spec = instance.units[number]
                needs = (
                    instance.crossbars[:, instance.unit_class[number]]
                    if kind == "crossbars"
                    else instance.memory_bytes
                )
                limit = spec.crossbars if kind == "crossbars" else spec.memory_bytes
                here = [node for node in nodes if (node, number) in on]
                model.add(sum(int(needs[node]) * on[node, number] for node in here) <= (limit or 0))
        watch = Watch(Limits(time_s=EFFORT, workers=1, deterministic=True))
        return run(model, watch, Objective.PERIOD, reports=False).status

    def _add(self, kind: str, number: int, text: str) -> None:
        self._parts.append((kind, number))
        self.texts.append(text)

    def _describe(self, number: int, name: str) -> str:
        needs = [
            f"{count} crossbars on {kind!r}"
            for kind, count in zip(
                self.instance.classes, self.instance.crossbars[number].tolist(), strict=True
            )
            if count
        ]
        if self.instance.memory_bytes[number]:
            needs.append(f"{self.instance.memory_bytes[number]} bytes")
        classes = [
            kind
            for kind, time in zip(self.instance.classes, self.instance.nodes[number].times, strict=True)
            if time is not None
        ]
        what = f" and needs {', '.join(needs)}" if needs else ""
        return f"node {name!r} runs on {' or '.join(classes)}{what}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:4]))
    return f"{shown} and {len(names) - 4} more" if len(names) > 4 else shown
