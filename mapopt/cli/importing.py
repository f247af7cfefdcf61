"""``import``: other people's problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mapopt.cli import arguments, output

if TYPE_CHECKING:
    from mapopt.instance import Instance

Kind = Literal["stg", "rcmax", "gap", "salbp", "msr", "device-placement"]


def import_(
    kind: Annotated[
        Kind,
        typer.Argument(
            metavar="KIND",
            help="stg: task graphs of the Standard Task Graph Set; rcmax: unrelated machines (n m, then times); gap: "
            "generalised assignment (m n, costs, weights, capacities); salbp: assembly lines (.alb or .IN2); msr or "
            "device-placement: JSON workloads of Tarnawski et al., NeurIPS 2020.",
        ),
    ],
    source: Annotated[str, typer.Argument(metavar="FILE", help="File to read.")],
    out: arguments.Output,
    units: Annotated[
        int | None, typer.Option(help="Number of units, for stg and salbp, whose files do not say it.")
    ] = None,
    as_json: arguments.AsJson = False,
) -> None:
    """Convert a problem of another tool to an instance."""
    arguments.keep(out, source)
    problem = _read(kind, source, units)
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


def _read(kind: Kind, source: str, units: int | None) -> Instance:
    from mapopt.errors import InputError

    if kind in ("stg", "salbp"):
        if units is None:
            raise InputError(f"import {kind}: the file does not say how many units there are; add --units N")
        if kind == "stg":
            from mapopt.importers.stg import read_stg

            return read_stg(source, units)
        from mapopt.importers.salbp import read_salbp

        return read_salbp(source, units)
    if units is not None:
        raise InputError(f"import {kind}: the file says how many units there are; leave --units out")
    if kind == "rcmax":
        from mapopt.importers.rcmax import read_rcmax

        return read_rcmax(source)
    if kind == "gap":
        from mapopt.importers.gap import read_gap

        return read_gap(source)
    from mapopt.importers.device_placement import read_workload

    return read_workload(source)
