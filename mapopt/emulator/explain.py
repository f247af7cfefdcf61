"""Names for the tasks of a lowered program, and words for what is wrong with a schedule."""

from __future__ import annotations

from mapopt.emulator import timetriggered
from mapopt.emulator.program import Program
from mapopt.instance import Instance


def task_name(instance: Instance, program: Program, task: int) -> str:
    """Name a task of a lowered program: the node, or the tensor and where it goes."""
    node, tensor, unit, hop = program.label[task].tolist()
    if node >= 0:
        return f"node {instance.nodes[node].name!r}"
    name, target = instance.tensors[tensor].name, instance.units[unit].name
    if program.resource[task] < program.n_units:
        return f"reading of tensor {name!r} by unit {target!r}"
    return f"transfer of tensor {name!r} to unit {target!r} (hop {hop})"


def explain(instance: Instance, program: Program, conflict: timetriggered.Conflict) -> str:
    """Say what is wrong with a time-triggered mapping, with names and times."""
    resource = program.resources[program.resource[conflict.task]]
    text = (
        f"{task_name(instance, program, conflict.task)}, frame {conflict.frame}, on {resource!r}: "
        f"{conflict.rule}: it starts at tick {conflict.start}, but must not before {conflict.until}"
    )
    if conflict.other >= 0:
        other = task_name(instance, program, conflict.other)
        why = "its data come from" if conflict.rule == timetriggered.Rule.DATA else "occupied by"
        text += f" ({why} {other}, frame {conflict.other_frame})"
    return f"{text}; start it later, or let `mapopt schedule` make the starts"
