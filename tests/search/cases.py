"""Instances for the searches."""

from __future__ import annotations

import random

from mapopt.errors import InfeasibleError, NoMappingError
from mapopt.instance import Instance
from mapopt.search.assignment import least_load
from tests.bounds.cases import random_instance


def cases(first: int, last: int) -> list[tuple[int, Instance, int]]:
    """Random instances of all transfer models and side constraints, each with a period that some mapping keeps."""
    found = []
    for number in range(first, last):
        draw = random.Random(number)
        instance = random_instance(number, max_nodes=draw.choice([4, 8, 14]), constrained=draw.random() < 0.6)
        try:
            load = least_load(instance)
        except (InfeasibleError, NoMappingError):
            continue
        found.append((number, instance, max(1, int(load * draw.choice([1, 1, 1.2, 2, 50])))))
    return found
