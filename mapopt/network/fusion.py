"""Fusing element-wise followers into the operator that produces their input."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

MAX_LOOKAHEAD = 8
"""Operators that one side branch (such as Sigmoid and Mul of SiLU) may have before it closes."""


@dataclass(frozen=True, slots=True)
class Step:
    """What fusion has to know of one operator.

    Parameters
    ----------
    inputs, outputs
        Activation tensors, without repetition.
    elementwise
        Whether it can be fused into the producer of its inputs.
    elements
        Elements of its first output.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    elementwise: bool
    elements: int


def fused_groups(steps: Sequence[Step], outputs: Collection[str]) -> list[list[int]]:
    """Group every operator with the element-wise operators that follow it.

    A follower joins when all its activation operands come from the group, it keeps the number of elements, and
    afterwards exactly one tensor of the group is visible outside. So ``x -> Relu`` joins, ``x -> Sigmoid -> Mul(x)``
    (SiLU) joins as a whole, and an addition of two branches starts a group of its own.

    Parameters
    ----------
    steps
        In topological order.
    outputs
        Tensors that the network hands out; they stay visible.

    Returns
    -------
    Indices into ``steps``, leading operator first, in the order of the leading operators.
    """
    readers: dict[str, list[int]] = {}
    for index, step in enumerate(steps):
        for name in step.inputs:
            readers.setdefault(name, []).append(index)
    taken = [False] * len(steps)
    groups: list[list[int]] = []
    for index, step in enumerate(steps):
        if taken[index]:
            continue
        group = [index]
        if len(step.outputs) == 1:
            visible = step.outputs[0]
            while branch := _closing_branch(visible, step.elements, steps, readers, outputs):
                group.extend(branch)
                visible = steps[branch[-1]].outputs[0]
        for member in group:
            taken[member] = True
        groups.append(group)
    return groups


def _closing_branch(
    start: str,
    elements: int,
    steps: Sequence[Step],
    readers: Mapping[str, Sequence[int]],
    outputs: Collection[str],
) -> list[int]:
    """Return the shortest run of followers after which only the last one's output is visible; else nothing."""
    branch: list[int] = []
    inside = {start: len(readers.get(start, ()))}
    candidates = list(readers.get(start, ()))
    if start in outputs or not 1 <= len(candidates) <= MAX_LOOKAHEAD:
        return []
    while candidates and len(branch) < MAX_LOOKAHEAD:
        index = next((entry for entry in candidates if _fits(steps[entry], inside, elements)), None)
        if index is None:
            return []
        candidates.remove(index)
        branch.append(index)
        for name in steps[index].inputs:
            inside[name] -= 1
        result = steps[index].outputs[0]
        if not any(inside.values()):
            return branch
        followers = readers.get(result, ())
        if result in outputs or len(followers) > MAX_LOOKAHEAD:
            return []
        inside[result] = len(followers)
        candidates = sorted({*candidates, *followers})
    return []


def _fits(step: Step, inside: Mapping[str, int], elements: int) -> bool:
    return (
        step.elementwise
        and len(step.outputs) == 1
        and step.elements == elements
        and all(name in inside for name in step.inputs)
    )
