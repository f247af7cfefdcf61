"""Instances on which LBLP is as far as possible from the optimum, found by annealing.

A candidate is a small instance together with a mapping of its own. The search maximises how many times worse LBLP's
mapping is than that one. As the optimum is no worse than the candidate's own mapping, every ratio of the search is a
lower bound of LBLP's ratio to the optimum; :func:`prove` then has the optimum found and proven by the exact models.

*period*: the largest load under LBLP, which is the least period that its units allow, over the least period of all
mappings.

*latency*: the least latency that LBLP's units allow at a period of at most P, its largest load, over the least latency
of all mappings at a period of at most P; schedules have one pattern. For LBLP's units the search takes a lower bound:
the longest path, and on each unit and link the work between the paths before and after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import exp, log
from random import Random

import msgspec
import numpy as np

from mapopt.emulator import timetriggered
from mapopt.emulator.analysis import earliest_ends, max_load
from mapopt.emulator.lower import lower
from mapopt.emulator.paths import longest_tails
from mapopt.emulator.program import Program
from mapopt.emulator.schedule import schedule_program
from mapopt.errors import InputError, MapoptError, NoMappingError
from mapopt.instance import Instance, NodeUnits, SideConstraints
from mapopt.library.generators.candidates import Candidate, Changes, Family
from mapopt.library.generators.parts import one_of, whole
from mapopt.mappers.lblp import Lblp, LblpOptions
from mapopt.mapping import Mapping
from mapopt.solvers.driver import solve
from mapopt.solvers.model import Limits, Objective, Status
from mapopt.transfers import Links

OBJECTIVES = ("period", "latency")

TRANSFERS = ("free", "delay", "links")

LBLP = Lblp(LblpOptions())
"""With its default options."""

HOT, COLD = 0.05, 0.001
"""First and last temperature, of the logarithm of the ratio."""

NODE_COST = 1e-4
"""What a node costs of the logarithm of the ratio, so that small instances win among equals."""


@dataclass(frozen=True, slots=True)
class Proof:
    """How far LBLP is from the optimum of an instance, in ticks; the optimum is proven.

    Parameters
    ----------
    objective
        One of :data:`OBJECTIVES`, see the module.
    lblp
        The least that LBLP's units allow.
    scheduled
        What LBLP's units attain as ``mapopt schedule`` schedules them; with ``period`` the same.
    optimum
        The least possible.
    period
        LBLP's; with ``latency`` all may take at most that.
    bound_by
        The bound or formulation that proves the optimum.
    """

    objective: str
    lblp: int
    scheduled: int
    optimum: int
    period: int
    bound_by: str

    @property
    def ratio(self) -> Fraction:
        """LBLP over optimum."""
        return Fraction(self.lblp, self.optimum)


def generate(
    *,
    objective: str = "period",
    imcs: int = 2,
    dpus: int = 0,
    capacities: bool = False,
    chain: bool = False,
    transfer: str = "free",
    max_nodes: int = 10,
    max_ticks: int = 10,
    send_ticks: int = 10,
    steps: int = 3000,
    restarts: int = 4,
    seed: int = 0,
) -> Instance:
    """Return the instance of the largest ratio that was found.

    Parameters
    ----------
    objective
        One of :data:`OBJECTIVES`.
    imcs, dpus
        Units of each class; where there are dpu units, every node runs on both classes.
    capacities
        Whether nodes need crossbars and imc units hold few.
    chain
        Whether the graph is a chain.
    transfer
        One of :data:`TRANSFERS`; ``links`` are one full-duplex port per unit.
    max_nodes, max_ticks
        At most so many nodes of 1 to so many ticks.
    send_ticks
        A tensor is sent in 1 to this many ticks (per link).
    steps, restarts
        Changes that are tried in all, in so many searches one after the other.
    seed
        Of everything random.

    Raises
    ------
    InputError
        If a parameter is out of range.

    Examples
    --------
    >>> instance = generate(steps=300, seed=0)
    >>> prove(instance, "period").ratio > 1
    True
    """
    one_of("objective", objective, OBJECTIVES)
    one_of("transfer", transfer, TRANSFERS)
    whole("imcs", imcs, 1, 100)
    whole("dpus", dpus, 0, 100)
    for name, value in (("capacities", capacities), ("chain", chain)):
        if not isinstance(value, bool):
            raise InputError(f"parameter {name}: is {value!r}; it must be true or false")
    whole("max_nodes", max_nodes, 2, 100)
    whole("max_ticks", max_ticks, 1, 10**6)
    whole("send_ticks", send_ticks, 1, 10**6)
    whole("steps", steps, 1, 10**9)
    whole("restarts", restarts, 1, steps)
    whole("seed", seed, 0, 2**63)
    if imcs + dpus < 2:
        raise InputError(
            "parameter imcs: is 1 without dpu units; LBLP needs a choice, so make them 2 together"
        )
    family = Family(imcs, dpus, capacities, chain, transfer, max_nodes, max_ticks, send_ticks)
    changes = Changes(family, Random(seed))
    results = [_anneal(changes, objective, steps // restarts) for _ in range(restarts)]
    _, best = max(results, key=lambda each: each[0])
    kind = "classes" if dpus else "identical"
    marks = "".join(f"-{name}" for name, value in (("chain", chain), ("capacities", capacities)) if value)
    units = f"{imcs}-{dpus}" if dpus else f"{imcs}"
    instance = best.instance(family, f"{objective}-{kind}{marks}-{units}-{transfer}")
    found_by = f"mapopt.library.generators.adversarial: {steps} steps, {restarts} searches, seed {seed}"
    return msgspec.structs.replace(instance, source=found_by)


def prove(instance: Instance, objective: str, limits: Limits | None = None) -> Proof:
    """Compare LBLP with the proven optimum.

    Raises
    ------
    NoMappingError
        If LBLP finds no mapping, or the optimum is not proven within ``limits`` (default 60 s).
    """
    one_of("objective", objective, OBJECTIVES)
    mapping = LBLP.map(instance)
    program = lower(instance, mapping)
    period = int(max_load(program).ticks)
    if objective == "period":
        value, bound_by = _least(instance, objective, None, limits)
        return Proof(objective, period, period, value, period, bound_by)
    lblp = _least(_pinned(instance, mapping), objective, period, limits)[0]
    value, bound_by = _least(instance, objective, period, limits)
    return Proof(objective, lblp, _latency(program, period), value, period, bound_by)


def _least(
    instance: Instance, objective: str, max_period: int | None, limits: Limits | None
) -> tuple[int, str]:
    """Return the proven optimum, and what proves it."""
    outcome = solve(instance, objective, max_period=max_period, limits=limits)
    level = outcome.level(Objective(objective))
    if outcome.status is not Status.OPTIMAL or level is None or level.value is None:
        raise NoMappingError(
            f"instance {instance.name!r}: its least {objective} is not proven; allow more time"
        )
    return level.value, level.bound_by


def _pinned(instance: Instance, mapping: Mapping) -> Instance:
    """Return the instance with every node on its unit."""
    units = mapping.patterns[0].units
    pins = tuple(NodeUnits(node, (unit,)) for node, unit in zip(mapping.nodes, units, strict=True))
    return msgspec.structs.replace(instance, side_constraints=SideConstraints(pin=pins))


def _anneal(changes: Changes, objective: str, steps: int) -> tuple[float, Candidate]:
    """Return the highest score of one search, and its candidate."""
    family, dice = changes.family, changes.dice
    now = changes.first()
    score = _score(now, family, objective)
    best = score, now
    for step in range(steps):
        temperature = HOT * (COLD / HOT) ** (step / steps)
        other = changes.neighbour(now)
        reached = _score(other, family, objective)
        if reached >= score or dice.random() < exp((reached - score) / temperature):
            now, score = other, reached
            if score > best[0]:
                best = score, now
    return best


def _score(candidate: Candidate, family: Family, objective: str) -> float:
    """Return the logarithm of the ratio, less the price of the nodes."""
    instance = candidate.instance(family, "candidate")
    try:
        mapping = LBLP.map(instance)
    except NoMappingError:
        return -1.0
    period = _load(instance, mapping.assignment(instance)[0])
    ratio = period / _load(instance, candidate.units)
    if objective == "latency" and ratio >= 1:
        own = Mapping.of(instance, candidate.units)
        ratio = _least_latency(lower(instance, mapping)) / _latency(lower(instance, own), period)
    return log(ratio) - NODE_COST * len(candidate.units)


def _load(instance: Instance, units: Sequence[int]) -> int:
    """Return the largest load of units and links."""
    if isinstance(instance.transfer, Links):
        return int(max_load(lower(instance, Mapping.of(instance, units))).ticks)
    load = [0] * len(instance.units)
    for unit, times in zip(units, instance.times.tolist(), strict=True):
        load[unit] += times[instance.unit_class[unit]]
    return max(load)


def _latency(program: Program, period: int) -> int:
    """Return the latency of a schedule of the program with this period."""
    judged = timetriggered.judge(schedule_program(program, period))
    if isinstance(judged, timetriggered.Conflict):
        raise MapoptError("the schedule made for a candidate is infeasible")
    return int(np.max(judged.latencies))


def _least_latency(program: Program) -> int:
    """Return a lower bound of the latency of a program whose tasks all take time."""
    ends = earliest_ends(program)
    order = np.argsort(ends, kind="stable")
    tails = longest_tails(order, program.arc_offset, program.arc_target, program.arc_delay, program.duration)
    head, rest = ends - program.duration, tails - program.duration
    bound = int(ends.max())
    for resource in range(len(program.resources)):
        tasks = np.flatnonzero(program.resource == resource)
        for start in np.unique(head[tasks]):
            late = tasks[head[tasks] >= start]
            for after in np.unique(rest[late]):
                between = late[rest[late] >= after]
                bound = max(bound, int(start + program.duration[between].sum() + after))
    return bound
