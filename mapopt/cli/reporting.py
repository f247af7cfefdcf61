"""``report``: what studies found, as a page, figures or a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from mapopt.cli import output


def report(
    results: Annotated[
        list[Path],
        typer.Argument(metavar="RESULTS...", help="Result folders of studies, or folders of these."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="The page (.html), or the table.  [default: report.html; table: print]"
        ),
    ] = None,
    figures: Annotated[
        Path | None, typer.Option(help="Write every picture into this folder instead.")
    ] = None,
    format_: Annotated[
        Literal["pdf", "svg", "png"] | None, typer.Option("--format", help="Of the figures.  [default: pdf]")
    ] = None,
    table: Annotated[
        Literal["csv", "latex", "md"] | None, typer.Option(help="Write the gap table instead.")
    ] = None,
    instances: Annotated[
        int, typer.Option(min=0, help="How many instances have pictures of their own.")
    ] = 12,
    gantt: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RUN", help="Beginning of the id of a run whose Gantt chart is drawn; repeatable."
        ),
    ] = None,
) -> None:
    """Report what studies found: gaps to proven bounds, comparisons, schedules.

    The page is one file that needs no network. Damaged records are named and left out.
    """  # fmt: skip
    from mapopt.documents import write_atomic
    from mapopt.errors import InputError
    from mapopt.report import report as reports

    if table is not None and figures is not None:
        raise InputError(
            "--table and --figures: are two outputs; give one, and run the command again for the other"
        )
    if format_ is not None and figures is None:
        raise InputError(f"--format {format_}: is the format of figures; name a folder with --figures too")
    if figures is not None and out is not None:
        raise InputError(f"--output {out}: figures go into --figures {figures}; leave one of them out")
    if gantt and table is not None:
        raise InputError("--gantt: a table has no pictures; leave it out")
    target = out or Path("report.html")
    if figures is None and not target.absolute().parent.is_dir():
        raise InputError(f"{target}: its directory does not exist; make it first")
    scene = reports.read(results, detailed=instances, chosen=gantt or ())
    for warning in scene.results.warnings[:10]:
        output.note(f"mapopt: warning: {warning}")
    if len(scene.results.warnings) > 10:
        output.note(f"mapopt: warning: and {len(scene.results.warnings) - 10} more files were passed over")
    if table is not None:
        text = reports.table_text(scene, table)
        if out is None:
            print(text, end="")
        else:
            write_atomic(out, text.encode())
        return
    if figures is not None:
        written, omitted = reports.write_figures(scene, figures, format_ or "pdf")
        for each in omitted:
            output.note(f"not drawn: {each.title}: {each.why}")
        print(f"{len(written)} figures -> {figures}")
        return
    reports.write_page(scene, target)
    print(f"{len(scene.runs):,} runs on {len(scene.cases):,} instances -> {target}")
