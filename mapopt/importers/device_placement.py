"""Device placement of DNN graphs: the JSON workloads of Tarnawski et al.

References
----------
Tarnawski, Phanishayee, Devanur, Mahajan, Nina Paravecino: Efficient Algorithms for Device Placement of DNN Graph
Operators, NeurIPS 2020. Period = "max load": accelerators pay for computing and for every tensor they send to or
fetch from host memory; CPUs work on host memory and pay for computing only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec

from mapopt.documents import convert, decode_json, read_bytes
from mapopt.errors import InputError
from mapopt.instance import Instance, InstanceNode, InstanceTensor, SideConstraints, Unit
from mapopt.mapping import Mapping
from mapopt.transfers import Host

TICKS_PER_UNIT = 1_000_000
"""Ticks per time unit of the files (which they do not name; 1 ms is taken, so that a tick is 1 ns)."""

_Number = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
_Size = Annotated[float, msgspec.Meta(ge=0, le=2.0**62)]


class _Node(msgspec.Struct, rename="camel"):
    name: str
    id: int
    supported_on_fpga: int
    cpu_latency: _Number
    fpga_latency: _Number
    color_class: int
    size: _Size


class _Edge(msgspec.Struct, rename="camel"):
    source_id: int
    dest_id: int
    cost: _Number


class _Workload(msgspec.Struct):
    max_size: _Size = msgspec.field(name="maxSizePerFPGA")
    accelerators: _Count = msgspec.field(name="maxFPGAs")
    cpus: _Count = msgspec.field(name="maxCPUs")
    nodes: tuple[_Node, ...]
    edges: tuple[_Edge, ...]


class _Device(msgspec.Struct):
    nodes: tuple[int, ...]


class _Split(msgspec.Struct):
    cpus: tuple[_Device, ...]
    fpgas: tuple[_Device, ...]


def read_workload(path: str | Path) -> Instance:
    """Read a workload file, see :func:`workload_to_instance`.

    Raises
    ------
    InputError
        If the file cannot be read, is not JSON, or breaks a rule.
    """
    raw = decode_json(read_bytes(path), str(path))
    if not is_workload(raw):
        raise InputError(
            f"{path}: has no maxFPGAs, maxCPUs, nodes and edges; it is not a device-placement workload"
        )
    return workload_to_instance(raw, Path(path).stem)


def is_workload(raw: Any) -> bool:
    """Whether decoded JSON looks like a device-placement workload."""
    return isinstance(raw, dict) and {"maxFPGAs", "maxCPUs", "nodes", "edges"} <= raw.keys()


def workload_to_instance(raw: Any, name: str) -> Instance:
    """Make an instance of a decoded workload; nodes are named by their number in the file.

    Times are rounded to the nearest tick of 1/1,000,000 time unit; the largest rounding error is stated in the
    instance's ``source``. A tensor's ``size_bytes`` is its transfer time in ticks (1 byte per tick), not its size.

    Raises
    ------
    InputError
        If a value is missing or out of range, or an edge names a node that does not exist.
    """
    workload = convert(raw, _Workload, name)
    known = {node.id for node in workload.nodes}
    consumers: dict[int, list[int]] = {}
    cost: dict[int, float] = {}
    for edge in workload.edges:
        for end in (edge.source_id, edge.dest_id):
            if end not in known:
                raise InputError(
                    f"{name}: an edge names node {end}, which does not exist; add the node or drop the edge"
                )
        if cost.setdefault(edge.source_id, edge.cost) != edge.cost:
            raise InputError(
                f"{name}: edges from node {edge.source_id} have different costs; one output has one cost"
            )
        consumers.setdefault(edge.source_id, []).append(edge.dest_id)
    colours: dict[int, list[str]] = {}
    for node in workload.nodes:
        colours.setdefault(node.color_class, []).append(str(node.id))
    times = [value for node in workload.nodes for value in (node.fpga_latency, node.cpu_latency)] + list(
        cost.values()
    )
    error = max((abs(value * TICKS_PER_UNIT - _ticks(value)) for value in times), default=0.0)
    accelerators = tuple(
        Unit(f"acc{index}", "acc", memory_bytes=int(workload.max_size))
        for index in range(workload.accelerators)
    )
    cpus = tuple(Unit(f"cpu{index}", "cpu") for index in range(workload.cpus))
    return Instance(
        name=name,
        classes=("acc", "cpu"),
        units=accelerators + cpus,
        nodes=tuple(
            InstanceNode(
                name=str(node.id),
                op=node.name,
                times=(
                    _ticks(node.fpga_latency) if node.supported_on_fpga else None,
                    _ticks(node.cpu_latency),
                ),
                memory_bytes=int(node.size),
            )
            for node in workload.nodes
        ),
        tensors=tuple(
            InstanceTensor(f"t{source}", str(source), tuple(map(str, readers)), _ticks(cost[source]))
            for source, readers in consumers.items()
        ),
        transfer=Host(bytes_per_s=10**9, host_units=tuple(unit.name for unit in cpus)),
        side_constraints=SideConstraints(
            colocate=tuple(tuple(group) for group in colours.values() if len(group) > 1)
        ),
        source=(
            f"device-placement workload (Tarnawski et al., NeurIPS 2020); 1 time unit = {TICKS_PER_UNIT} ticks, "
            f"rounding error at most {error:.3g} ticks"
        ),
    )


def read_split(path: str | Path, instance: Instance) -> Mapping:
    """Read a split of a workload over devices (e.g. a human expert's) as a mapping of its instance.

    Raises
    ------
    InputError
        If a node is missing, unknown or placed twice, or there are more devices than units.
    """
    split = convert(decode_json(read_bytes(path), str(path)), _Split, str(path))
    home: dict[str, int] = {}
    for prefix, devices in (("acc", split.fpgas), ("cpu", split.cpus)):
        for index, device in enumerate(devices):
            unit = instance.unit_index.get(f"{prefix}{index}")
            if unit is None and device.nodes:
                raise InputError(
                    f"{path}: uses device {prefix}{index}, which instance {instance.name!r} does not have"
                )
            for node in map(str, device.nodes):
                if node not in instance.node_index or node in home:
                    raise InputError(
                        f"{path}: node {node} is unknown or placed twice; place every node of the workload once"
                    )
                home[node] = unit or 0
    missing = [node.name for node in instance.nodes if node.name not in home]
    if missing:
        raise InputError(f"{path}: node {missing[0]} is not placed; place every node")
    return Mapping.of(instance, [home[node.name] for node in instance.nodes])


def _ticks(value: float) -> int:
    return round(value * TICKS_PER_UNIT)
