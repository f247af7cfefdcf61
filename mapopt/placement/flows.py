"""What groups send to each other, with tensors that always travel together made one."""

from __future__ import annotations

from dataclasses import dataclass

from mapopt.placement.problem import Problem


@dataclass(frozen=True, slots=True)
class Flow:
    """Tensors with the same producer and the same readers.

    Parameters
    ----------
    producer
        Group that writes them.
    readers
        Other groups that read them, ascending; not empty.
    tensors
        Indices of the tensors.
    """

    producer: int
    readers: tuple[int, ...]
    tensors: tuple[int, ...]


def flows(problem: Problem) -> list[Flow]:
    """Return everything that may have to move between units, ordered by the first tensor."""
    at = problem.instance.node_index
    merged: dict[tuple[int, tuple[int, ...]], list[int]] = {}
    for number, tensor in enumerate(problem.instance.tensors):
        producer = problem.group_of[at[tensor.producer]]
        readers = {problem.group_of[at[name]] for name in tensor.consumers} - {producer}
        if readers:
            merged.setdefault((producer, tuple(sorted(readers))), []).append(number)
    return [Flow(producer, readers, tuple(tensors)) for (producer, readers), tensors in merged.items()]
