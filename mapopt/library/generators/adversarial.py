"""Instances on which LBLP is as far as possible from the optimum, found by annealing.

A candidate is a small instance together with a mapping of its own. The search maximises how many times worse LBLP's
mapping is than that one. As the optimum is no worse than the candidate's own mapping, every ratio of the search is a
lower bound of LBLP's ratio to the optimum; :func:`prove` then has the optimum found and proven by the exact models.

*period*: the largest load under LBLP, which is the least period that its units allow, over the least period of all
mappings.

*latency*: the least latency that LBLP's units allow at a period of at most P, its largest load, over the least latency
of all mappings at a period of at most P; schedules have one pattern. For LBLP's units the search takes a lower bound:
the longest path, and on each unit and link the work between the paths before and after it.

Instances are drawn freely, with any of the transfer models (:func:`generate`), or are small CNNs on a platform, at its
own costs (:func:`generate_cnn`).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from random import Random

import msgspec

from mapopt.emulator.analysis import max_load
from mapopt.emulator.lower import lower
from mapopt.errors import InputError, NoMappingError
from mapopt.instance import Instance, NodeUnits, SideConstraints
from mapopt.library.generators.annealing import LBLP, C, Space, anneal, latency
from mapopt.library.generators.candidates import Changes, Family
from mapopt.library.generators.designs import Redesigns
from mapopt.library.generators.parts import one_of, whole
from mapopt.mapping import Mapping
from mapopt.platform.library import load_platform
from mapopt.solvers.driver import solve
from mapopt.solvers.model import Limits, Objective, Status

OBJECTIVES = ("period", "latency")

TRANSFERS = ("free", "delay", "blocking", "host", "links")


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
    _check_search(steps, restarts, seed)
    if imcs + dpus < 2:
        raise InputError(
            "parameter imcs: is 1 without dpu units; LBLP needs a choice, so make them 2 together"
        )
    family = Family(imcs, dpus, capacities, chain, transfer, max_nodes, max_ticks, send_ticks)
    kind = "classes" if dpus else "identical"
    marks = "".join(f"-{name}" for name, value in (("chain", chain), ("capacities", capacities)) if value)
    units = f"{imcs}-{dpus}" if dpus else f"{imcs}"
    name = f"{objective}-{kind}{marks}-{units}-{transfer}"
    return _worst(Changes(family, Random(seed)), objective, name, steps, restarts, seed)


def generate_cnn(
    platform: str,
    *,
    objective: str = "period",
    max_nodes: int = 8,
    steps: int = 3000,
    restarts: int = 4,
    seed: int = 0,
) -> Instance:
    """Return the small CNN of the largest ratio that was found, on a platform and at its costs.

    Parameters
    ----------
    platform
        As for :func:`mapopt.platform.library.load_platform`, e.g. ``"imce:imc=3,dpu=1"``.
    objective, steps, restarts, seed
        As for :func:`generate`.
    max_nodes
        At most so many layers; see :mod:`mapopt.library.generators.designs` for what they can be.

    Raises
    ------
    InputError
        If a parameter is out of range.

    Examples
    --------
    >>> instance = generate_cnn("imce:imc=2,dpu=1", max_nodes=4, steps=60, restarts=1)
    >>> prove(instance, "period").ratio > 1
    True
    """
    one_of("objective", objective, OBJECTIVES)
    whole("max_nodes", max_nodes, 2, 100)
    _check_search(steps, restarts, seed)
    model = load_platform(platform)
    units = "-".join(str(each.count) for each in model.classes)
    name = f"{objective}-{model.name}-{units}"
    return _worst(Redesigns(model, max_nodes, Random(seed)), objective, name, steps, restarts, seed)


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
    return Proof(objective, lblp, latency(program, period), value, period, bound_by)


def _check_search(steps: int, restarts: int, seed: int) -> None:
    whole("steps", steps, 1, 10**9)
    whole("restarts", restarts, 1, steps)
    whole("seed", seed, 0, 2**63)


def _worst(space: Space[C], objective: str, name: str, steps: int, restarts: int, seed: int) -> Instance:
    """Return the instance of the highest score of several searches."""
    results = [anneal(space, objective, steps // restarts) for _ in range(restarts)]
    _, best = max(results, key=lambda each: each[0])
    source = f"mapopt.library.generators.adversarial: {steps} steps, {restarts} searches, seed {seed}"
    return msgspec.structs.replace(space.instance(best), name=name, source=source)


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
