"""Instances with more pins."""

from __future__ import annotations

from mapopt.feasibility import check
from mapopt.mapping import Mapping
from mapopt.placement.problem import Problem
from mapopt.solvers.neighbourhoods import pinned, rebound
from tests.bounds.cases import assignments
from tests.formulations.cases import tiny_instance


def test_only_free_groups_may_move() -> None:
    for seed in range(40):
        instance = tiny_instance(seed, "delay")
        problem = Problem(instance)
        every = list(assignments(instance))
        home = every[seed % len(every)]
        free = {seed % len(problem.groups)}
        smaller = pinned(problem, Mapping.of(instance, home), free)
        kept = [
            units
            for units in every
            if all(units[node] == home[node] or problem.group_of[node] in free for node in range(len(units)))
        ]
        assert list(assignments(smaller)) == kept, seed
        mapping = rebound(Mapping.of(smaller, kept[0]), instance)
        assert mapping == Mapping.of(instance, kept[0])
        assert not check(instance, mapping)
