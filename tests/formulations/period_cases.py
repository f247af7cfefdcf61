"""What the tests of the models of period, energy and traffic share: brute force on random tiny instances."""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec

from mapopt.bounds.every import lower_bounds
from mapopt.emulator.analysis import max_load
from mapopt.emulator.lower import lower
from mapopt.errors import InfeasibleError
from mapopt.feasibility import check
from mapopt.instance import Instance
from mapopt.mapping import Mapping
from mapopt.solvers.base import Formulation, Task
from mapopt.solvers.judging import accepted
from mapopt.solvers.model import Answer, Limits, Objective, Status
from mapopt.solvers.watch import Watch
from tests.bounds.cases import assignments, loads

Units = tuple[int, ...]


def period(instance: Instance, units: Units) -> int:
    return max(loads(instance, units).values())


def emulated_period(instance: Instance, units: Units) -> int:
    return int(max_load(lower(instance, Mapping.of(instance, units))).ticks)


def energy(instance: Instance, units: Units) -> int:
    return sum(
        node.energy[int(instance.unit_class[unit])] for node, unit in zip(instance.nodes, units, strict=True)
    )


def traffic(instance: Instance, units: Units) -> int:
    home = {node.name: unit for node, unit in zip(instance.nodes, units, strict=True)}
    return sum(
        tensor.size_bytes * len({home[name] for name in tensor.consumers} - {home[tensor.producer]})
        for tensor in instance.tensors
    )


def is_contiguous(instance: Instance, units: Units) -> bool:
    """Whether the units can be ordered so that no data flow backwards: remove units that nothing enters."""
    home = {node.name: unit for node, unit in zip(instance.nodes, units, strict=True)}
    arcs = {(home[each.producer], home[name]) for each in instance.tensors for name in each.consumers}
    arcs = {(one, other) for one, other in arcs if one != other}
    while arcs:
        open_units = {one for one, _ in arcs} - {other for _, other in arcs}
        if not open_units:
            return False
        arcs = {(one, other) for one, other in arcs if one not in open_units}
    return True


def alike(instance: Instance) -> Instance:
    """The same with units of one class and without limits, so that many are interchangeable."""
    kind = instance.units[0]
    return msgspec.structs.replace(
        instance,
        units=tuple(
            msgspec.structs.replace(kind, name=unit.name, crossbars=None, memory_bytes=None)
            for unit in instance.units
        ),
    )


def with_energy(instance: Instance, seed: int) -> Instance:
    draw = random.Random(seed)
    return msgspec.structs.replace(
        instance,
        nodes=tuple(
            msgspec.structs.replace(node, energy=tuple(draw.randint(0, 9) for _ in node.times))
            for node in instance.nodes
        ),
    )


def answered(
    formulation: Formulation,
    instance: Instance,
    objective: Objective = Objective.PERIOD,
    *,
    solver: str = "cpsat",
    **given: object,
) -> Answer:
    """Solve with one worker and have the answer judged."""
    task = Task(instance, objective, Watch(Limits(time_s=30, workers=1)), solver, **given)
    answer = formulation.solve(task)
    accepted(instance, answer, objective, formulation.name)
    return answer


def must_equal_brute_force(
    formulation: Formulation,
    instance: Instance,
    value: Callable[[Instance, Units], int] = period,
    objective: Objective = Objective.PERIOD,
    solver: str = "cpsat",
) -> bool:
    """Compare an answer with the enumeration of all assignments; return whether there is one."""
    values = [
        value(instance, units)
        for units in assignments(instance)
        if not formulation.contiguous or is_contiguous(instance, units)
    ]
    bound = 0
    if objective is Objective.PERIOD:
        try:
            bound = lower_bounds(instance).period.ticks
        except InfeasibleError:
            assert not values
    answer = answered(formulation, instance, objective, solver=solver, bound=bound)
    if not values:
        assert (answer.status, answer.mapping, answer.value) == (Status.INFEASIBLE, None, None)
        assert answer.reason
        return False
    assert (answer.status, answer.value, answer.bound) == (Status.OPTIMAL, min(values), min(values))
    assert answer.mapping is not None
    assert check(instance, answer.mapping) == ()
    none_below = answered(formulation, instance, objective, solver=solver, cutoff=min(values))
    assert (none_below.status, none_below.mapping) == (Status.INFEASIBLE, None)
    return True
