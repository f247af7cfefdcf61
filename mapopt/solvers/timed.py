"""Writing a solver's solution as a time-triggered mapping."""

from __future__ import annotations

from collections.abc import Mapping as Dictionary
from collections.abc import Sequence

from mapopt.instance import Instance
from mapopt.mapping import InstanceRef, Mapping, Pattern, TransferStart


def timed_mapping(
    instance: Instance,
    units: Sequence[int],
    starts: Sequence[int],
    transfers: Dictionary[tuple[int, int], Sequence[int]],
    horizon: int,
) -> Mapping:
    """Return a mapping of one pattern, without claims.

    Parameters
    ----------
    units, starts
        Of each node, in the order of the instance.
    transfers
        Starts of the tasks of each transfer that has any, by tensor and destination unit.
    horizon
        The period.
    """
    names = [unit.name for unit in instance.units]
    pattern = Pattern(
        units=tuple(names[unit] for unit in units),
        starts=tuple(starts),
        transfers=tuple(
            TransferStart(instance.tensors[tensor].name, names[unit], tuple(times))
            for (tensor, unit), times in sorted(transfers.items())
        ),
    )
    return Mapping(
        nodes=tuple(node.name for node in instance.nodes),
        patterns=(pattern,),
        horizon=horizon,
        instance=InstanceRef(instance.name, instance.digest),
    )
