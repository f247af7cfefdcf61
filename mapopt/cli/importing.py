"""``import``: other people's problems."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from mapopt.cli import arguments, output


def import_(
    _kind: Annotated[
        Literal["device-placement"],
        typer.Argument(
            metavar="KIND", help="device-placement: JSON workloads of Tarnawski et al., NeurIPS 2020."
        ),
    ],
    source: Annotated[str, typer.Argument(metavar="FILE", help="File to read.")],
    out: arguments.Output,
    as_json: arguments.AsJson = False,
) -> None:
    """Convert a problem of another tool to an instance."""
    from mapopt.importers.device_placement import read_workload

    arguments.keep(out, source)
    problem = read_workload(source)
    problem.save(out)
    if as_json:
        output.print_json(
            {
                "instance": problem.name,
                "nodes": len(problem.nodes),
                "units": len(problem.units),
                "source": problem.source,
                "file": str(out),
            }
        )
    else:
        print(
            f"{problem.name}: {len(problem.nodes)} nodes, {len(problem.units)} units; {problem.source} -> {out}"
        )
