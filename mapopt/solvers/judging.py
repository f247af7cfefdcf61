"""Every claim of a formulation is measured again before it is believed."""

from __future__ import annotations

import msgspec

from mapopt.emulator import timetriggered
from mapopt.emulator.analysis import max_load
from mapopt.emulator.explain import explain
from mapopt.emulator.lower import lower
from mapopt.emulator.stream import run_single
from mapopt.errors import MapoptError
from mapopt.feasibility import check
from mapopt.instance import Instance
from mapopt.mapping import Claims, Mapping
from mapopt.solvers.model import Answer, Objective


class BrokenFormulationError(MapoptError):
    """A defect of a formulation or a solver: its claim differs from what the emulator measures."""


def measured(instance: Instance, mapping: Mapping, objective: Objective) -> int:
    """Return the value of a mapping with one pattern.

    Raises
    ------
    BrokenFormulationError
        If it breaks a rule of the instance, or its starts are not feasible.
    """
    broken = check(instance, mapping)
    if broken:
        raise BrokenFormulationError(f"the mapping breaks the rule {broken[0].rule!r}: {broken[0].message}")
    match objective:
        case Objective.PERIOD:
            return int(max_load(lower(instance, mapping)).ticks)
        case Objective.LATENCY:
            return int(judged(instance, mapping).latencies.max())
        case Objective.ENERGY:
            return _energy(instance, mapping)
        case Objective.TRAFFIC:
            return _traffic(instance, mapping)


def judged(instance: Instance, mapping: Mapping) -> timetriggered.Feasible:
    """Return period and latencies of a time-triggered mapping.

    Raises
    ------
    BrokenFormulationError
        If its starts are not feasible.
    """
    program = lower(instance, mapping)
    verdict = timetriggered.judge(program)
    if isinstance(verdict, timetriggered.Conflict):
        raise BrokenFormulationError(f"the schedule is not feasible: {explain(instance, program, verdict)}")
    return verdict


def accepted(instance: Instance, answer: Answer, objective: Objective, name: str) -> int | None:
    """Return the measured value of an answer, or ``None`` if it has no mapping.

    Raises
    ------
    BrokenFormulationError
        If the mapping is infeasible, or the claim differs from the measurement, or is below the claimed bound.
    """
    if answer.mapping is None:
        return None
    try:
        value = measured(instance, answer.mapping, objective)
    except BrokenFormulationError as error:
        raise BrokenFormulationError(f"formulation {name!r}: {error}; report it to its authors") from None
    if value != answer.value:
        raise BrokenFormulationError(
            f"formulation {name!r}: claims {objective} {answer.value}, but the emulator measures {value}; report it to "
            "its authors"
        )
    if answer.bound is not None and answer.bound > value:
        raise BrokenFormulationError(
            f"formulation {name!r}: claims that no {objective} is below {answer.bound}, but the emulator measures "
            f"{value}; report it to its authors"
        )
    return value


def with_timed_claims(instance: Instance, mapping: Mapping) -> Mapping:
    """Return a time-triggered mapping with the claims that the emulator measures."""
    program, verdict = lower(instance, mapping), judged(instance, mapping)
    return msgspec.structs.replace(
        mapping,
        claims=Claims(
            max_load_ticks=str(max_load(program).ticks),
            latency_single_ticks=max(run_single(program)),
            period_ticks=str(verdict.period),
            latency_ticks=int(verdict.latencies.max()),
        ),
    )


def _energy(instance: Instance, mapping: Mapping) -> int:
    if instance.energy is None:
        raise BrokenFormulationError("the instance has no energies")
    (units,) = mapping.assignment(instance)
    return sum(int(instance.energy[node, instance.unit_class[unit]]) for node, unit in enumerate(units))


def _traffic(instance: Instance, mapping: Mapping) -> int:
    (units,) = mapping.assignment(instance)
    at = instance.node_index
    return sum(
        tensor.size_bytes * len({units[at[name]] for name in tensor.consumers} - {units[at[tensor.producer]]})
        for tensor in instance.tensors
    )
