"""Costs: a network on a platform becomes an instance of integers.

Let a base node have an im2col matrix of ``rows`` x ``columns`` in ``groups`` groups, applied to ``vectors``
vectors, and a class have crossbars of N x M. With ticks of ``tick_ps`` picoseconds and everything rounded up once:

========================  ============================================================================
time, ``macs`` model      ``macs / macs_per_s``
time, ``mvm`` model       ``vectors * passes * mvm_ps``, passes = ceil(crossbars needed / working in parallel)
time, other nodes         ``operations / operations_per_s``
fused followers           ``fused_operations / fused_per_s`` added (0 if they hide behind the node)
every node                ``overhead_ps`` added
crossbars                 ``groups * ceil(rows/N) * ceil(columns/M)``, or, where several groups fit into one
                          crossbar on its diagonal, ``ceil(groups / min(floor(N/rows), floor(M/columns)))``
tensor                    ``ceil(elements * activation_bits / 8)`` bytes
activation memory         bytes of the tensors that the node writes
energy, base nodes        ``vectors * crossbars * mvm_fj``, or ``macs * mac_fj``
energy, other nodes       ``operations * operation_fj``
energy, every node        ``fused_operations * operation_fj`` added (0 if the class has none)
========================  ============================================================================
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from math import ceil
from pathlib import Path

import msgspec

from mapopt.documents import MAX_TICKS, read_csv, unknown
from mapopt.errors import InputError
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.network.model import Network, Node, WeightMatrix
from mapopt.platform.model import Crossbars, Interconnect, Platform, UnitClass
from mapopt.transfers import Blocking, Delay, Free, Host, Link, Links, TransferModel

_PS = 10**12

TimeTable = dict[tuple[str, str], Decimal]
"""Measured nanoseconds by (node name, class name)."""


def crossbars_needed(matrix: WeightMatrix, crossbars: Crossbars) -> int:
    """Return how many crossbars the matrix occupies.

    Examples
    --------
    >>> crossbars_needed(WeightMatrix(rows=576, columns=128, groups=1, vectors=784), Crossbars(256, 256))
    3
    >>> crossbars_needed(WeightMatrix(rows=9, columns=1, groups=96, vectors=784), Crossbars(256, 256))
    4
    """
    on_diagonal = min(crossbars.rows // matrix.rows, crossbars.columns // matrix.columns)
    if on_diagonal > 0:
        return -(-matrix.groups // on_diagonal)
    return matrix.groups * -(-matrix.rows // crossbars.rows) * -(-matrix.columns // crossbars.columns)


def passes(matrix: WeightMatrix, crossbars: Crossbars) -> int:
    """Return how many times in a row the crossbars fire for one input vector."""
    needed = crossbars_needed(matrix, crossbars)
    return -(-needed // (crossbars.parallel or needed))


def node_time_ps(node: Node, unit_class: UnitClass) -> Fraction | None:
    """Return the analytic time of a node on a unit of a class in picoseconds, or None if it cannot run there."""
    time = Fraction(unit_class.overhead_ps)
    if node.matrix is not None:
        if unit_class.base_model == "macs" and unit_class.macs_per_s is not None:
            time += Fraction(node.macs * _PS, unit_class.macs_per_s)
        elif (
            unit_class.base_model == "mvm"
            and unit_class.mvm_ps is not None
            and unit_class.crossbars is not None
        ):
            time += node.matrix.vectors * passes(node.matrix, unit_class.crossbars) * unit_class.mvm_ps
        else:
            return None
    elif unit_class.operations_per_s is not None:
        time += Fraction(node.operations * _PS, unit_class.operations_per_s)
    else:
        return None
    if unit_class.fused_per_s is not None:
        time += Fraction(node.fused_operations * _PS, unit_class.fused_per_s)
    return time


def node_energy_fj(node: Node, unit_class: UnitClass) -> int | None:
    """Return the energy of a node on a unit of a class in femtojoules, or None if the class does not say."""
    fused = node.fused_operations * (unit_class.operation_fj or 0)
    if node.matrix is not None:
        if unit_class.mvm_fj is not None and unit_class.crossbars is not None:
            vectors = node.matrix.vectors * crossbars_needed(node.matrix, unit_class.crossbars)
            return vectors * unit_class.mvm_fj + fused
        return None if unit_class.mac_fj is None else node.macs * unit_class.mac_fj + fused
    return None if unit_class.operation_fj is None else node.operations * unit_class.operation_fj + fused


def build_instance(
    network: Network, platform: Platform, *, times: TimeTable | None = None, name: str | None = None
) -> Instance:
    """Combine a network and a platform.

    Parameters
    ----------
    times
        Measured times (see :func:`read_times`); they replace the analytic ones, and a node gets a time on a class
        that could not run it otherwise.
    name
        Default: ``<network>@<platform>``.

    Raises
    ------
    InputError
        If no class can run a node, or a measured time names a node or class that does not exist.
    """
    measured = dict(times or {})
    _check_names(measured, network, platform)
    error_ps = Fraction(0)
    nodes = []
    for node in network.nodes:
        ticks: list[int | None] = []
        for unit_class in platform.classes:
            if (node.name, unit_class.name) in measured:
                exact = Fraction(measured[node.name, unit_class.name]) * 1000
                whole = ceil(exact / platform.tick_ps)
                error_ps = max(error_ps, whole * platform.tick_ps - exact)
                ticks.append(whole)
            else:
                time = node_time_ps(node, unit_class)
                ticks.append(None if time is None else ceil(time / platform.tick_ps))
        _check_times(node, ticks, platform)
        nodes.append(_instance_node(node, ticks, network, platform))
    has_energy = all(node.energy for node in nodes)
    if not has_energy:
        nodes = [msgspec.structs.replace(node, energy=()) for node in nodes]
    origin = f"network {network.name!r} on platform {platform.name!r}, analytic times"
    if measured:
        origin += f", {len(measured)} measured times rounded up to ticks by at most {float(error_ps):g} ps"
    units = tuple(
        Unit(
            name=f"{unit_class.name}{index}",
            unit_class=unit_class.name,
            crossbars=None if unit_class.crossbars is None else unit_class.crossbars.count,
            memory_bytes=unit_class.memory_bytes,
        )
        for unit_class in platform.classes
        for index in range(unit_class.count)
    )
    return Instance(
        name=name or f"{network.name}@{platform.name}",
        classes=tuple(unit_class.name for unit_class in platform.classes),
        units=units,
        nodes=tuple(nodes),
        tensors=tuple(
            InstanceTensor(
                name=tensor,
                producer=network.nodes[producer].name,
                consumers=tuple(network.nodes[consumer].name for consumer in network.consumers[tensor]),
                size_bytes=_tensor_bytes(network, tensor, platform),
            )
            for tensor, producer in network.producer.items()
            if network.consumers[tensor]
        ),
        transfer=transfer_model(platform.interconnect, platform, units),
        tick_ps=platform.tick_ps,
        energy_unit="fJ" if has_energy else "",
        source=origin,
    )


def _instance_node(node: Node, ticks: list[int | None], network: Network, platform: Platform) -> InstanceNode:
    crossbars = tuple(
        0
        if node.matrix is None or unit_class.crossbars is None
        else crossbars_needed(node.matrix, unit_class.crossbars)
        for unit_class in platform.classes
    )
    energy = [
        0 if time is None else node_energy_fj(node, unit_class)
        for time, unit_class in zip(ticks, platform.classes, strict=True)
    ]
    known = tuple(each for each in energy if each is not None)
    if known and max(known) > MAX_TICKS:
        raise InputError(
            f"node {node.name!r}: takes {max(known)} fJ per frame; at most {MAX_TICKS} are supported"
        )
    return InstanceNode(
        name=node.name,
        times=tuple(ticks),
        op="+".join((node.op, *node.fused)),
        crossbars=crossbars if any(crossbars) else (),
        memory_bytes=sum(_tensor_bytes(network, tensor, platform) for tensor in node.outputs),
        energy=known if len(known) == len(ticks) else (),
    )


def _tensor_bytes(network: Network, tensor: str, platform: Platform) -> int:
    return -(-network.tensors[tensor].elements * platform.activation_bits // 8)


def _check_times(node: Node, ticks: list[int | None], platform: Platform) -> None:
    present = [time for time in ticks if time is not None]
    if not present:
        kind = "base node" if node.is_base else "node without constant weights"
        raise InputError(
            f"node {node.name!r} ({node.op}): no class of platform {platform.name!r} can run a {kind}; give a class "
            f"{'a base_model' if node.is_base else 'operations_per_s'}, or a measured time"
        )
    if max(present) > MAX_TICKS:
        raise InputError(
            f"node {node.name!r}: takes {max(present)} ticks, at most {MAX_TICKS}; use a larger tick_ps"
        )


def transfer_model(spec: Interconnect, platform: Platform, units: tuple[Unit, ...]) -> TransferModel:
    """Return the instance's transfer model for an interconnect."""
    latency = ceil(Fraction(spec.latency_ps, platform.tick_ps))
    match spec.transfer:
        case "free":
            return Free()
        case "delay":
            return Delay(spec.bytes_per_s, latency)
        case "blocking":
            return Blocking(spec.bytes_per_s, latency)
        case "host":
            hosts = tuple(unit.name for unit in units if unit.unit_class in spec.host_classes)
            return Host(spec.bytes_per_s, latency, hosts)
        case "links":
            return Links(
                links=tuple(
                    Link(f"{unit.name}.{way}", spec.bytes_per_s, latency)
                    for unit in units
                    for way in ("out", "in")
                ),
                egress=tuple((f"{unit.name}.out",) for unit in units),
                ingress=tuple((f"{unit.name}.in",) for unit in units),
            )


def read_times(path: str | Path) -> TimeTable:
    """Read measured times from a CSV file with the columns ``node``, ``class`` and ``time_ns``.

    Raises
    ------
    InputError
        If a column is missing, a time is not a finite number >= 0, or a (node, class) appears twice.
    """
    table: TimeTable = {}
    for where, row in read_csv(path, ("node", "class", "time_ns")):
        node, kind = row["node"], row["class"]
        if (node, kind) in table:
            raise InputError(f"{where}: node {node!r} on class {kind!r} appears twice; measure it once")
        table[node, kind] = _nanoseconds(row["time_ns"], f"{where}: time_ns")
    return table


def _nanoseconds(text: str, where: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise InputError(f"{where} is {text!r}; it must be a number") from None
    if not value.is_finite() or not 0 <= value <= MAX_TICKS:
        raise InputError(f"{where} is {text!r}; it must be a finite number from 0 to {MAX_TICKS}")
    return value


def _check_names(measured: TimeTable, network: Network, platform: Platform) -> None:
    nodes = dict.fromkeys(node.name for node in network.nodes)
    classes = [unit_class.name for unit_class in platform.classes]
    for node, kind in measured:
        if node not in nodes:
            raise unknown(f"measured times: in network {network.name!r} node", node, nodes)
        if kind not in classes:
            raise unknown(f"measured times: node {node!r}: class", kind, classes)
