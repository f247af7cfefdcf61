"""The periods that witnesses prove."""

from __future__ import annotations

from collections.abc import Sequence

from mapopt.bounds.pattern_duals import check_pattern_certificate
from mapopt.bounds.witnesses import ClassBalance, LinkLoad, MeanLoad, Patterns, ReachableLoad, SharedUnit
from mapopt.evidence.facts import Facts, RejectedError, numbers
from mapopt.transfers import Links, transfer_ticks

MAX_SUM_BITS = 2**28
"""Largest sum of times whose subset sums are looked at."""


def mean(facts: Facts, witness: MeanLoad) -> int:
    """Return the mean load of the units on which some nodes have to run."""
    units, nodes = facts.inside(witness)
    return -(-sum(facts.sizes(nodes, facts.charges(witness.transfers))) // len(units))


def shared(facts: Facts, witness: SharedUnit) -> int:
    """Return the least work of so many nodes as have to share one of the units."""
    units, nodes = facts.inside(witness)
    return _shared_by_some(facts.sizes(nodes, facts.charges(witness.transfers)), len(units))


def reachable(facts: Facts, witness: ReachableLoad) -> int:
    """Return the least sum of times from the mean load and from what has to share a unit on."""
    units, nodes = facts.inside(witness)
    kinds = {facts.unit_class[unit] for unit in units}
    if len(kinds) > 1:
        raise RejectedError("its units are not of one class")
    sizes = facts.sizes(nodes, facts.charges(()))
    if sum(sizes) > MAX_SUM_BITS:
        raise RejectedError(f"its times add up to {sum(sizes)} ticks; at most {MAX_SUM_BITS} can be checked")
    at_least = -(-sum(sizes) // len(units))
    for count in range(1, len(sizes) + 1):
        at_least = max(at_least, _shared_by_some(sizes[-count:], len(units)))
    sums = 1
    for size in sizes:
        sums |= sums << size
    above = sums >> at_least
    return at_least + (above & -above).bit_length() - 1


def balance(facts: Facts, witness: ClassBalance) -> int:
    """Return the value of a dual solution: the cheapest class of each group, less what capacities are worth."""
    classes = facts.instance.classes
    for prices in (witness.weights, witness.crossbar_prices, witness.memory_prices):
        if len(prices) != len(classes):
            raise RejectedError(f"it has {len(prices)} weights or prices for {len(classes)} classes")
    units = facts.instance.units
    whole = sum(witness.weights[kind] for kind in facts.unit_class)
    if whole == 0:
        raise RejectedError("no class with units has a weight")
    total = 0
    for kind in sorted(set(facts.unit_class)):
        members = [unit for unit, at in zip(units, facts.unit_class, strict=True) if at == kind]
        for price, limits in (
            (witness.crossbar_prices[kind], [unit.crossbars for unit in members]),
            (witness.memory_prices[kind], [unit.memory_bytes for unit in members]),
        ):
            if price and None in limits:
                raise RejectedError(f"class {classes[kind]!r} has a price, but is not limited")
            total -= price * sum(limit or 0 for limit in limits)
    charges = facts.charges(witness.transfers)
    costs: dict[int, dict[int, int]] = {}
    for node, group in enumerate(facts.group_of):
        cost = costs.setdefault(group, {facts.unit_class[unit]: 0 for unit in sorted(facts.allowed[node])})
        for kind in cost:
            cost[kind] += witness.weights[kind] * (facts.times[node][kind] + charges[node])
            cost[kind] += witness.crossbar_prices[kind] * int(facts.instance.crossbars[node, kind])
            cost[kind] += witness.memory_prices[kind] * int(facts.instance.memory_bytes[node])
    total += sum(min(cost.values(), default=0) for cost in costs.values())
    return max(0, -(-total // whole))


def link_load(facts: Facts, witness: LinkLoad) -> int:
    """Return the mean load of the links by which tensors have to leave or enter some units."""
    model = facts.instance.transfer
    if not isinstance(model, Links) or facts.routes is None:
        raise RejectedError("the instance has no links")
    units = numbers("unit", witness.units, facts.instance.unit_index)
    leaves = witness.direction == "leave"
    ports: set[int] = set()
    for inside in units:
        for other in range(facts.n_units):
            if other != inside:
                path = facts.routes.path(inside, other) if leaves else facts.routes.path(other, inside)
                if not path:
                    raise RejectedError("some route that it is about has no link")
                ports.add(path[0] if leaves else path[-1])
    if not ports:
        raise RejectedError("no route leaves or enters its units")
    fastest = max(model.links[port].bytes_per_s for port in ports)
    work = []
    for name, producer, readers in facts.forced(witness.transfers):
        for node in [producer] if leaves else readers:
            if not facts.allowed[node] <= set(units):
                raise RejectedError(f"tensor {name!r} need not {witness.direction} the units of the witness")
        ticks = transfer_ticks(facts.tensor[name].size_bytes, fastest, facts.instance.tick_ps)
        work += [ticks] * len(readers)
    return max(-(-sum(work) // len(ports)), *work)


def patterns(facts: Facts, witness: Patterns) -> int:
    """Return the period above the one that prices of groups refute."""
    if witness.ticks > 0 and not check_pattern_certificate(facts.instance, witness.prices, witness.ticks - 1):
        raise RejectedError(f"its prices do not refute a period of {witness.ticks - 1} ticks")
    return witness.ticks


def _shared_by_some(sizes: Sequence[int], units: int) -> int:
    """Return the least work on the unit with most of these items, given ascending."""
    return sum(sizes[: -(-len(sizes) // units)])
