"""``inspect`` a network, and list what is built in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mapopt.cli import arguments, output

if TYPE_CHECKING:
    from mapopt.instance import Instance
    from mapopt.network.model import Network
    from mapopt.options import OptionInfo


def inspect(
    network: arguments.Source,
    platform: arguments.PlatformSpec = None,
    shape: arguments.Shapes = None,
    strict: arguments.Strict = False,
    no_fuse: arguments.NoFuse = False,
    as_json: arguments.AsJson = False,
) -> None:
    """Show a network's nodes: shapes, MACs, weights, times.

    With a platform also the crossbars that a node needs and its time on each class.
    """
    from mapopt.network.library import load_network
    from mapopt.sources import is_instance_file

    if is_instance_file(network):
        _print_instance(arguments.load(network, platform, None, shape, strict, no_fuse), as_json)
        return
    net = load_network(network, shapes=arguments.parse_shapes(shape), fuse=not no_fuse, strict=strict)
    nodes = _records(net)
    if platform is not None:
        _add_costs(nodes, net, platform)
    for warning in net.warnings:
        output.note(f"warning: {warning}")
    if as_json:
        output.print_json(
            {
                "name": net.name,
                "total_macs": net.total_macs,
                "total_weights": net.total_weights,
                "inputs": {name: list(net.tensors[name].shape) for name in net.inputs},
                "outputs": {name: list(net.tensors[name].shape) for name in net.outputs},
                "warnings": list(net.warnings),
                "nodes": nodes,
            }
        )
    else:
        _print_nodes(net, nodes)


def _records(net: Network) -> list[dict[str, Any]]:
    return [
        {
            "name": node.name,
            "op": node.op,
            "fused": list(node.fused),
            "kind": "base" if node.is_base else "digital",
            "output_shape": list(net.tensors[node.outputs[0]].shape),
            "macs": node.macs,
            "weights": node.weights,
            "operations": node.operations,
            "matrix": None
            if node.matrix is None
            else [node.matrix.rows, node.matrix.columns, node.matrix.groups],
        }
        for node in net.nodes
    ]


def _add_costs(nodes: list[dict[str, Any]], net: Network, platform: str) -> None:
    from mapopt.costs import build_instance
    from mapopt.emulator.measurement import to_ns
    from mapopt.platform.library import load_platform

    instance = build_instance(net, load_platform(platform))
    for entry, node in zip(nodes, instance.nodes, strict=True):
        entry["times_ns"] = {
            name: None if ticks is None else to_ns(ticks, instance.tick_ps)
            for name, ticks in zip(instance.classes, node.times, strict=True)
        }
        needed = node.crossbars or (0,) * len(instance.classes)
        entry["crossbars"] = dict(zip(instance.classes, needed, strict=True))


def _print_nodes(net: Network, nodes: list[dict[str, Any]]) -> None:
    classes = list(nodes[0].get("times_ns", {}))
    columns = ["node", "operators", "output", "MACs", "weights", "matrix"]
    if classes:
        columns += ["crossbars", *(f"{name} [us]" for name in classes)]
    output.print_table(
        columns, [_cells(node, classes) for node in nodes], numeric=columns[3:], title=net.name
    )
    base = sum(node["kind"] == "base" for node in nodes)
    print(
        f"{len(nodes)} nodes ({base} base, {len(nodes) - base} digital), {net.total_macs:,} MACs, "
        f"{net.total_weights:,} weights"
    )


def _cells(node: dict[str, Any], classes: list[str]) -> list[str]:
    matrix = node["matrix"]
    cells = [
        node["name"],
        "+".join([node["op"], *node["fused"]]),
        "x".join(map(str, node["output_shape"])),
        output.grouped(node["macs"]),
        output.grouped(node["weights"]),
        "" if matrix is None else f"{matrix[0]}x{matrix[1]}" + (f" x{matrix[2]}" if matrix[2] > 1 else ""),
    ]
    if classes:
        crossbars = max(node["crossbars"].values())
        cells.append(output.grouped(crossbars) if crossbars else "")
    for name in classes:
        time = node["times_ns"][name]
        cells.append("" if time is None else output.grouped(time / 1000, 1))
    return cells


def _print_instance(problem: Instance, as_json: bool) -> None:
    from mapopt.emulator.measurement import to_ns

    written = dict.fromkeys((node.name for node in problem.nodes), 0)
    for tensor in problem.tensors:
        written[tensor.producer] += tensor.size_bytes
    nodes: list[dict[str, Any]] = [
        {
            "name": node.name,
            "op": node.op,
            "times_ns": {
                name: None if ticks is None else to_ns(ticks, problem.tick_ps)
                for name, ticks in zip(problem.classes, node.times, strict=True)
            },
            "crossbars": dict(
                zip(problem.classes, node.crossbars or (0,) * len(problem.classes), strict=True)
            ),
            "memory_bytes": node.memory_bytes,
            "output_bytes": written[node.name],
        }
        for node in problem.nodes
    ]
    if as_json:
        units = [unit.name for unit in problem.units]
        output.print_json(
            {
                "name": problem.name,
                "digest": problem.digest,
                "source": problem.source,
                "units": units,
                "nodes": nodes,
            }
        )
        return
    times = [f"{name} [us]" for name in problem.classes]
    columns = ["node", "operators", "crossbars", "output [bytes]", *times]
    rows = [
        [
            node["name"],
            node["op"],
            output.grouped(max(node["crossbars"].values())),
            output.grouped(node["output_bytes"]),
            *("" if time is None else output.grouped(time / 1000, 1) for time in node["times_ns"].values()),
        ]
        for node in nodes
    ]
    output.print_table(columns, rows, numeric=columns[2:], title=f"{problem.name} ({problem.source})")
    print(f"{len(nodes)} nodes, {len(problem.tensors)} tensors, {len(problem.units)} units")


def networks(as_json: arguments.AsJson = False) -> None:
    """List the built-in networks."""
    from mapopt.network.library import builtin_networks

    _print_catalogue([(info.name, info.description, info.reference) for info in builtin_networks()], as_json)


def platforms(
    show: Annotated[
        str | None, typer.Option("--show", metavar="PRESET", help="Print the commented file.")
    ] = None,
    as_json: arguments.AsJson = False,
) -> None:
    """List the platform presets, or print one as a file."""
    from mapopt.errors import InputError
    from mapopt.platform.library import PRESETS, load_platform, preset_text

    if show is not None:
        if show not in PRESETS:
            raise InputError(f"platform {show!r}: is not a preset; the presets are {', '.join(PRESETS)}")
        if as_json:
            output.print_json(load_platform(show))
        else:
            print(preset_text(show), end="")
        return
    chips = [load_platform(name) for name in PRESETS]
    _print_catalogue([(chip.name, chip.summary, chip.reference) for chip in chips], as_json)


def describe_option(option: OptionInfo) -> dict[str, Any]:
    """Return an option as JSON."""
    return {
        "name": option.name,
        "default": option.default,
        "help": option.help,
        "values": option.values,
        "tuned": option.tuned or None,
    }


def mappers(as_json: arguments.AsJson = False) -> None:
    """List the mappers with their options."""
    from mapopt.mappers.registry import available

    infos = available()
    if as_json:
        output.print_json(
            [
                {
                    "name": info.name,
                    "summary": info.summary,
                    "reference": info.reference,
                    "options": [describe_option(option) for option in info.options],
                }
                for info in infos
            ]
        )
        return
    output.print_table(
        ["name", "summary", "reference"], [(info.name, info.summary, info.reference) for info in infos]
    )
    options = [
        (info.name, option.name, str(option.default), option.help, option.tuned)
        for info in infos
        for option in info.options
    ]
    if options:
        print()
        output.print_table(
            ["mapper", "option", "default", "meaning", "tuned over"],
            options,
            title="Options (--set option=value)",
        )


def schema(
    kind: Annotated[
        Literal[
            "instance",
            "mapping",
            "platform",
            "measurement",
            "record",
            "certificate",
            "study",
            "plan",
            "family",
            "reference",
            "tuning",
            "parameters",
            "findings",
        ],
        typer.Argument(help="Kind of document."),
    ],
    _as_json: arguments.AsJson = False,
) -> None:
    """Print the JSON Schema of a kind of document."""
    from mapopt.certificate import Certificate
    from mapopt.documents import Document
    from mapopt.emulator.measurement import Measurement
    from mapopt.instance import Instance
    from mapopt.library.manifest import Manifest
    from mapopt.library.references import Reference
    from mapopt.mappers.tuned import Parameters
    from mapopt.mapping import Mapping
    from mapopt.platform.model import Platform
    from mapopt.studies.plan import Plan
    from mapopt.studies.records import Record
    from mapopt.studies.study import Study
    from mapopt.tuning.findings import Findings
    from mapopt.tuning.tuning import Tuning

    documents: dict[str, type[Document]] = {
        "instance": Instance,
        "mapping": Mapping,
        "platform": Platform,
        "measurement": Measurement,
        "record": Record,
        "certificate": Certificate,
        "study": Study,
        "plan": Plan,
        "family": Manifest,
        "reference": Reference,
        "tuning": Tuning,
        "parameters": Parameters,
        "findings": Findings,
    }
    output.print_json(documents[kind].json_schema())


def _print_catalogue(rows: list[tuple[str, str, str]], as_json: bool) -> None:
    if as_json:
        output.print_json([dict(zip(("name", "summary", "reference"), row, strict=True)) for row in rows])
    else:
        output.print_table(["name", "summary", "reference"], rows)
