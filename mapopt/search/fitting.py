"""Loose classes around a tight one: its nodes keep their times, the others get units and starts by a small model.

Sets and variables: blocks b without a place, units p of their class; x[b, p] = 1 if b runs on p, s[b] its start,
o[b] = s[b] modulo the period.

    earliest[b] <= s[b] <= latest[b]                         by paths from and to the nodes that keep their times
    s[c] >= s[b] + (ticks of b, and of the tensor)           for every edge between two such blocks
    sum over p of x[b, p] = 1                                for every b
    [o[b], o[b] + length) and the same a period later do not overlap with others' on the same unit
    sum over b of (need of b) x[b, p] <= capacity of p       for crossbars and memory
"""

from __future__ import annotations

from typing import Any

from mapopt.instance import Instance
from mapopt.search.blocks import Blocks, Places, lags_of
from mapopt.search.small_models import solve_small
from mapopt.search.tables import Tables

EFFORT = 3.0
"""Deterministic time of CP-SAT."""


def fit(
    instance: Instance, tables: Tables, blocks: Blocks, placed: Places, span: range, period: int, seed: int
) -> Places | None:
    """Place the blocks without a place between those that have one.

    Parameters
    ----------
    placed
        Of the blocks that have one, at times that leave every other block its ticks.
    span
        When blocks run: none starts before, or is over after it.

    Returns
    -------
    dict or None
        With all blocks; ``None`` if CP-SAT finds nothing in time.
    """
    from ortools.sat.python import cp_model

    count = range(len(blocks.members))
    lags = lags_of(instance, tables, blocks)
    lengths = [
        sum(int(tables.duration[node, unit]) for node in chain)
        for chain, unit in zip(blocks.members, blocks.unit, strict=True)
    ]
    fixed = [placed.get(chain[0]) for chain in blocks.members]
    earliest = [span.start if place is None else place[1] for place in fixed]
    latest = [
        span.stop - length if place is None else place[1]
        for place, length in zip(fixed, lengths, strict=True)
    ]
    edges = sorted(lags.items())  # blocks are in topological order
    for (one, other), (apart, _) in edges:
        if fixed[other] is None:
            earliest[other] = max(earliest[other], earliest[one] + apart)
    for (one, other), (apart, _) in reversed(edges):
        if fixed[one] is None:
            latest[one] = min(latest[one], latest[other] - apart)

    model = cp_model.CpModel()
    start: dict[int, Any] = {}
    on: dict[tuple[int, int], Any] = {}
    intervals: dict[int, list[Any]] = {}
    for block in count:
        if fixed[block] is not None:
            continue
        if earliest[block] > latest[block]:
            return None
        start[block] = model.new_int_var(earliest[block], latest[block], "")
        turn = model.new_int_var(earliest[block] // period, latest[block] // period, "")
        offset = model.new_int_var(0, period - 1, "")
        model.add(start[block] == period * turn + offset)
        kind = instance.unit_class[blocks.unit[block]]
        for unit in range(len(instance.units)):
            if instance.unit_class[unit] == kind:
                on[block, unit] = chosen = model.new_bool_var("")
                intervals.setdefault(unit, []).extend(
                    model.new_optional_fixed_size_interval_var(begin, lengths[block], chosen, "")
                    for begin in (offset, offset + period)
                )
        model.add_exactly_one(on[block, unit] for unit in range(len(instance.units)) if (block, unit) in on)
    for (one, other), (apart, _) in edges:
        if one in start and other in start:
            model.add(start[other] >= start[one] + apart)
    for unit, copies in intervals.items():
        model.add_no_overlap(copies)
        for resource in range(2):
            needs = {
                block: sum(
                    int(tables.need[tables.group[node], unit, resource]) for node in blocks.members[block]
                )
                for block in start
                if (block, unit) in on
            }
            model.add(
                sum(need * on[block, unit] for block, need in needs.items())
                <= int(tables.capacity[unit, resource])
            )
    solver = solve_small(model, seed=seed, effort=EFFORT)
    if solver is None:
        return None
    found = dict(placed)
    for block, begin in start.items():
        unit = next(
            unit
            for unit in range(len(instance.units))
            if (block, unit) in on and solver.value(on[block, unit])
        )
        found[blocks.members[block][0]] = unit, solver.value(begin)
    return found
