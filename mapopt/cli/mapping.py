"""``instance``, ``map``, ``schedule`` and ``convert``: make problems and mappings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mapopt.cli import arguments, output


def instance(
    network: arguments.Source,
    out: arguments.Output,
    platform: arguments.PlatformSpec = None,
    times: arguments.Times = None,
    shape: arguments.Shapes = None,
    strict: arguments.Strict = False,
    no_fuse: arguments.NoFuse = False,
    as_json: arguments.AsJson = False,
) -> None:
    """Write the optimisation problem as one JSON file."""
    from mapopt.feasibility import require_feasible

    arguments.keep(out, network)
    problem = arguments.load(network, platform, times, shape, strict, no_fuse)
    require_feasible(problem)
    problem.save(out)
    summary = {
        "instance": problem.name,
        "digest": problem.digest,
        "nodes": len(problem.nodes),
        "units": len(problem.units),
        "tensors": len(problem.tensors),
        "file": str(out),
    }
    if as_json:
        output.print_json(summary)
    else:
        print(
            f"{problem.name}: {len(problem.nodes)} nodes, {len(problem.tensors)} tensors, {len(problem.units)} units "
            f"-> {out}"
        )


def map_(
    network: arguments.Source,
    out: arguments.Output,
    platform: arguments.PlatformSpec = None,
    mapper: Annotated[str, typer.Option("--mapper", "-m", help="See `mapopt mappers`.")] = "lblp",
    seed: arguments.Seed = 0,
    set_: arguments.Settings = None,
    times: arguments.Times = None,
    shape: arguments.Shapes = None,
    strict: arguments.Strict = False,
    no_fuse: arguments.NoFuse = False,
    as_json: arguments.AsJson = False,
) -> None:
    """Map a network to a platform with one mapper.

    The mapping file also claims what the emulator measured: largest load and single-frame latency.
    """
    from mapopt.mappers.run import map_instance

    arguments.keep(out, network)
    problem = arguments.load(network, platform, times, shape, strict, no_fuse)
    result = map_instance(problem, mapper, seed=seed, options=set_ or ())
    result.save(out)
    if as_json:
        output.print_json(
            {
                "instance": problem.name,
                "mapper": mapper,
                "claims": result.claims,
                "tick_ps": problem.tick_ps,
                "file": str(out),
            }
        )
    elif result.claims is not None:
        print(
            f"{mapper} on {problem.name}: max load {result.claims.max_load_ticks} ticks, single-frame latency "
            f"{result.claims.latency_single_ticks} ticks of {problem.tick_ps} ps -> {out}"
        )


def schedule(
    instance: arguments.InstanceFile,
    mapping: arguments.MappingFile,
    out: arguments.Output,
    as_json: arguments.AsJson = False,
) -> None:
    """Give a mapping start times at its own max load.

    The result is time-triggered: its period is exactly the largest load of a unit or link per frame.
    """
    from mapopt.emulator.schedule import schedule as make_schedule
    from mapopt.feasibility import require
    from mapopt.mapping import Mapping
    from mapopt.sources import read_instance

    arguments.keep(out, instance)
    problem = read_instance(instance)
    assignment = Mapping.load(mapping)
    require(problem, assignment)
    result = make_schedule(problem, assignment)
    result.save(out)
    claims = result.claims
    if as_json:
        output.print_json({"claims": claims, "tick_ps": problem.tick_ps, "file": str(out)})
    elif claims is not None:
        print(
            f"time-triggered: period {claims.period_ticks} ticks, latency {claims.latency_ticks} ticks of "
            f"{problem.tick_ps} ps -> {out}"
        )


def convert(
    source: Annotated[Path, typer.Argument(help="Mapping (.json) or node,unit table (.csv).")],
    target: Annotated[Path, typer.Argument(help="The other of the two.")],
    as_json: arguments.AsJson = False,
) -> None:
    """Convert a mapping to or from a node,unit table."""
    from mapopt.errors import InputError
    from mapopt.mapping import Mapping
    from mapopt.tables import read_table, write_table

    endings = (source.suffix.lower(), target.suffix.lower())
    if endings == (".json", ".csv"):
        mapping = Mapping.load(source)
        if mapping.is_time_triggered:
            output.note(f"{source}: start times are not part of a table; `mapopt schedule` makes them anew")
        write_table(target, mapping)
    elif endings == (".csv", ".json"):
        mapping = read_table(source)
        mapping.save(target)
    else:
        raise InputError(f"convert {source} {target}: one must end in .json and the other in .csv")
    if as_json:
        output.print_json(
            {"nodes": len(mapping.nodes), "patterns": len(mapping.patterns), "file": str(target)}
        )
