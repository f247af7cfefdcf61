"""Bounds on the period from the work that units have to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import accumulate
from math import ceil

from mapopt.bounds.model import Bound
from mapopt.bounds.subset_sums import least_reachable
from mapopt.bounds.unavoidable import Unavoidable
from mapopt.bounds.witnesses import ForcedTransfer, MeanLoad, ReachableLoad, SharedUnit
from mapopt.placement.problem import Problem

MAX_UNIT_SETS = 256
"""Above this many different sets of allowed units only whole classes are looked at."""


def load_bounds(unavoidable: Unavoidable) -> Iterator[Bound]:
    """Yield the bounds by the longest node, the mean load, counting, and reachable sums."""
    problem = unavoidable.problem
    work = least_work(problem, unavoidable.charges())
    transfers = unavoidable.charging()
    yield _longest(problem, work, transfers)
    for units, members in unit_sets(problem):
        yield _mean(problem, units, members, [work[group] for group in members], transfers)
    for kind, units_of in enumerate(problem.units_of):
        if units_of:
            yield from _class_bounds(problem, kind, work, transfers)


def least_work(problem: Problem, charges: Sequence[int]) -> list[int]:
    """Return for each group its time on its fastest class, and the transfers that occupy its unit anywhere."""
    return [time + extra for time, extra in zip(problem.own_time, charges, strict=True)]


def unit_sets(problem: Problem) -> Iterator[tuple[frozenset[int], list[int]]]:
    """Yield sets of units, each with the groups that have to run within it; sets without such groups are left out."""
    by_set: dict[frozenset[int], list[int]] = {}
    for group, units in enumerate(problem.allowed):
        by_set.setdefault(units, []).append(group)
    candidates = list(dict.fromkeys([*by_set, *(frozenset(units) for units in problem.units_of)]))
    if len(candidates) > MAX_UNIT_SETS:
        candidates = [frozenset(units) for units in problem.units_of] + [
            frozenset(range(len(problem.unit_class)))
        ]
    for units in candidates:
        members = [group for inside, groups in by_set.items() if inside <= units for group in groups]
        if members:
            yield units, members


def describe(problem: Problem, units: frozenset[int]) -> str:
    """Return a short name for a set of units."""
    for kind, members in enumerate(problem.units_of):
        if units == frozenset(members):
            return f"the {len(units)} {problem.instance.classes[kind]!r} unit{'s' * (len(units) > 1)}"
    names = unit_names(problem, units)
    return ", ".join(map(repr, names)) if len(names) <= 4 else f"{len(names)} units from {names[0]!r} on"


def unit_names(problem: Problem, units: frozenset[int]) -> tuple[str, ...]:
    """Return the names of units, in unit order."""
    return tuple(problem.instance.units[unit].name for unit in sorted(units))


def node_names(problem: Problem, groups: Iterable[int]) -> tuple[str, ...]:
    """Return the names of the nodes of groups."""
    return tuple(problem.instance.nodes[node].name for group in groups for node in problem.groups[group])


def _longest(problem: Problem, work: list[int], transfers: tuple[ForcedTransfer, ...]) -> Bound:
    group = max(range(len(work)), key=lambda group: work[group])
    names = node_names(problem, [group])
    return Bound(
        "longest node",
        "period",
        work[group],
        None,
        f"{problem.names(group)} occupies its unit for at least {work[group]} ticks per frame",
        names,
        SharedUnit(work[group], unit_names(problem, problem.allowed[group]), names, transfers),
    )


def _mean(
    problem: Problem,
    units: frozenset[int],
    members: list[int],
    work: list[int],
    transfers: tuple[ForcedTransfer, ...],
) -> Bound:
    mean, where = Fraction(sum(work), len(units)), unit_names(problem, units)
    return Bound(
        "mean load",
        "period",
        ceil(mean),
        mean,
        f"{len(members)} nodes that have to run on {describe(problem, units)} take at least {sum(work)} ticks together",
        where,
        MeanLoad(ceil(mean), where, node_names(problem, members), transfers),
    )


def _class_bounds(
    problem: Problem, kind: int, work: list[int], transfers: tuple[ForcedTransfer, ...]
) -> Iterator[Bound]:
    units = problem.units_of[kind]
    only = [group for group, classes in enumerate(problem.classes) if classes == (kind,)]
    if not only:
        return
    name, where = problem.instance.classes[kind], unit_names(problem, frozenset(units))
    counted, sharing = _counting([work[group] for group in only], len(units))
    if sharing > 1:
        longest = sorted(only, key=lambda group: -work[group])[: (sharing - 1) * len(units) + 1]
        yield Bound(
            "counting",
            "period",
            counted,
            None,
            f"of the {(sharing - 1) * len(units) + 1} longest nodes of class {name!r}, {sharing} share one of its "
            f"{len(units)} units",
            where,
            SharedUnit(counted, where, node_names(problem, longest), transfers),
        )
    # On the unit with most work of these nodes, transfers aside, that work is the sum of some of them.
    pure = [problem.time[kind][group] for group in only]
    floor = max(-(-sum(pure) // len(units)), _counting(pure, len(units))[0])
    lifted = least_reachable(pure, floor)
    if lifted is not None:
        yield Bound(
            "reachable load",
            "period",
            lifted,
            None,
            f"some {name!r} unit works at least {floor} ticks for nodes of this class alone, and the next sum of their "
            f"times is {lifted}",
            where,
            ReachableLoad(lifted, where, node_names(problem, only)),
        )


def _counting(times: list[int], units: int) -> tuple[int, int]:
    """Of the k*m + 1 longest nodes, k + 1 share one of m units: return the best such bound and its k + 1."""
    longest_first = sorted(times, reverse=True)
    until = [0, *accumulate(longest_first)]
    best, sharing = longest_first[0], 1
    for each in range(1, (len(times) - 1) // units + 1):
        last = each * units
        ticks = until[last + 1] - until[last - each]
        if ticks > best:
            best, sharing = ticks, each + 1
    return best, sharing
