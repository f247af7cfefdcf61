"""Schedules of references: mappings in numbers, which are those of the instance."""

from __future__ import annotations

from typing import Annotated

import msgspec

from mapopt.documents import Count, Part, Ticks
from mapopt.errors import InputError
from mapopt.instance import Instance
from mapopt.mapping import Claims, InstanceRef, Mapping, Pattern, TransferStart


class Schedule(Part, frozen=True):
    """A time-triggered mapping of one pattern in numbers: those of nodes, units and tensors are of the instance.

    Parameters
    ----------
    horizon
        The period in ticks.
    units, starts
        Of each node.
    transfers
        Tensor, unit and the start on each link of every transfer that has times of its own.
    """

    horizon: Annotated[int, msgspec.Meta(ge=1, le=10**15)]
    units: tuple[Count, ...]
    starts: tuple[Ticks, ...]
    transfers: tuple[tuple[Ticks, ...], ...] = ()

    @classmethod
    def of(cls, instance: Instance, mapping: Mapping) -> Schedule:
        """Return the schedule of a time-triggered mapping of one pattern."""
        pattern = mapping.patterns[0]
        assert mapping.horizon is not None
        assert pattern.starts is not None
        tensors = {tensor.name: index for index, tensor in enumerate(instance.tensors)}
        return cls(
            mapping.horizon,
            mapping.assignment(instance)[0],
            tuple(pattern.starts[at] for at in mapping.positions(instance)),
            tuple(
                sorted(
                    (tensors[each.tensor], instance.unit_index[each.unit], *each.starts)
                    for each in pattern.transfers
                )
            ),
        )

    def mapping(self, instance: Instance, claims: Claims | None = None) -> Mapping:
        """Return the mapping of an instance, with claims to be verified.

        Raises
        ------
        InputError
            If a number does not exist in the instance.
        """
        units = [unit.name for unit in instance.units]
        tensors = [tensor.name for tensor in instance.tensors]
        try:
            pattern = Pattern(
                units=tuple(units[unit] for unit in self.units),
                starts=self.starts,
                transfers=tuple(
                    TransferStart(tensors[tensor], units[unit], tuple(starts))
                    for tensor, unit, *starts in self.transfers
                ),
            )
        except (IndexError, ValueError):
            raise InputError(
                f"schedule: names a unit or tensor by a number that instance {instance.name!r} does not have"
            ) from None
        return Mapping(
            nodes=tuple(node.name for node in instance.nodes),
            patterns=(pattern,),
            horizon=self.horizon,
            instance=InstanceRef(instance.name, instance.digest),
            claims=claims,
        )
