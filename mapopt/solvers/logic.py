"""Literals of a CP-SAT model that know where nothing is left to decide."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

Literal = Any
"""A Boolean variable or its negation, or True or False."""


def negated(literal: Literal) -> Literal:
    """Return the opposite."""
    return not literal if isinstance(literal, bool) else ~literal


class Logic:
    """Rules and literals of one model; what is decided beforehand costs no variable and no constraint."""

    def __init__(self, model: cp_model.CpModel) -> None:
        self._model = model
        self._made: dict[frozenset[int], Any] = {}

    def all_of(self, *literals: Literal) -> Literal:
        """Return a literal that is true if and only if all are; the same for the same literals."""
        if any(each is False for each in literals):
            return False
        left = {each.index: each for each in literals if each is not True}
        if len(left) < 2:
            return next(iter(left.values()), True)
        key = frozenset(left)
        if key not in self._made:
            made = self._made[key] = self._model.new_bool_var("")
            self._model.add_bool_and(left.values()).only_enforce_if(made)
            self._model.add_bool_or(made, *(~each for each in left.values()))
        return self._made[key]

    def any_of(self, literals: Iterable[Literal]) -> Literal:
        """Return a literal that is true if and only if one is."""
        return negated(self.all_of(*map(negated, literals)))

    def clause(self, *literals: Literal) -> None:
        """Require that one is true."""
        if not any(each is True for each in literals):
            self._model.add_bool_or(each for each in literals if each is not False)

    def require(self, rule: Any, *when: Literal) -> None:
        """Require a linear rule where all of ``when`` are true."""
        if not any(each is False for each in when):
            self._model.add(rule).only_enforce_if([each for each in when if each is not True])
