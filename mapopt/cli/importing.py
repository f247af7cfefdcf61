"""``import``: other people's problems."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from mapopt.cli import arguments


def import_(
    _kind: Annotated[
        Literal["device-placement"],
        typer.Argument(
            metavar="KIND", help="device-placement: JSON workloads of Tarnawski et al., NeurIPS 2020."
        ),
    ],
    source: Annotated[str, typer.Argument(metavar="FILE", help="File to read.")],
    out: arguments.Output,
) -> None:
    """Convert a problem of another tool to an instance."""
    from mapopt.importers.device_placement import read_workload

    problem = read_workload(source)
    problem.save(out)
    print(
        f"{problem.name}: {len(problem.nodes)} nodes, {len(problem.units)} units; {problem.source} -> {out}"
    )
