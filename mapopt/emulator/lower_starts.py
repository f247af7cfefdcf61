"""Lowering the starts of a time-triggered mapping: one per task, and none for a transfer that does not happen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mapopt.errors import InputError
from mapopt.instance import Instance, IntArray
from mapopt.mapping import Pattern


def pattern_starts(
    instance: Instance, pattern: Pattern, position: Sequence[int], label: IntArray, number: int
) -> IntArray | None:
    """Return the start of every task of a pattern; ``None`` if it is self-timed.

    Parameters
    ----------
    position
        Where each node of the instance stands in the mapping.
    label
        Of the tasks, shape (tasks, 4), nodes first (see :class:`mapopt.emulator.program.ProgramTask`); the starts are
        in this order.
    number
        The pattern's, for messages.

    Raises
    ------
    InputError
        If the transfers that have starts are not exactly those that happen.
    """
    if pattern.starts is None:
        return None
    given: dict[tuple[int, int], tuple[int, ...]] = {}
    tensors = {tensor.name: index for index, tensor in enumerate(instance.tensors)}
    for each in pattern.transfers:
        where = f"pattern {number}: the transfer of tensor {each.tensor!r} to unit {each.unit!r}"
        if each.tensor not in tensors or each.unit not in instance.unit_index:
            raise InputError(f"{where} names what instance {instance.name!r} does not have")
        key = (tensors[each.tensor], instance.unit_index[each.unit])
        if key in given:
            raise InputError(f"{where} appears twice; give its starts once")
        given[key] = each.starts
    starts = [pattern.starts[at] for at in position]
    needed: dict[tuple[int, int], int] = {}
    for _, tensor, unit, hop in label[len(starts) :].tolist():
        needed[tensor, unit] = hop + 1
    for key in [*needed, *given]:
        want, have = needed.get(key, 0), len(given.get(key, ()))
        if want != have:
            raise InputError(
                f"pattern {number}: the transfer of tensor {instance.tensors[key[0]].name!r} to unit "
                f"{instance.units[key[1]].name!r} has {have} starts; with this mapping and the "
                f"'{type(instance.transfer).__name__.lower()}' transfer model it needs {want}"
            )
    starts += [given[tensor, unit][hop] for _, tensor, unit, hop in label[len(starts) :].tolist()]
    return np.array(starts, dtype=np.int64)
