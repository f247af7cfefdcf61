"""The commands and their order in ``mapopt --help``."""

from __future__ import annotations

from typing import Annotated

import typer

from mapopt import __version__
from mapopt.cli import (
    catalog,
    comparing,
    emulating,
    explaining,
    importing,
    library,
    mapping,
    reporting,
    solving,
    studying,
    tuning,
    verifying,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich alone would double the time of --help
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Map CNNs onto in-memory-computing chips and measure how far each mapping is from the best possible.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"mapopt {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Exit codes: 0 ok, 1 a check did not hold, 2 bad input."""


app.command()(catalog.inspect)
app.command()(catalog.networks)
app.command()(catalog.platforms)
app.command()(catalog.mappers)
app.command()(catalog.schema)
app.command()(mapping.instance)
app.command("map")(mapping.map_)
app.command()(mapping.schedule)
app.command()(mapping.convert)
app.command("import")(importing.import_)
app.command()(emulating.emulate)
app.command()(verifying.verify)
app.command()(verifying.certify)
app.command()(comparing.compare)
app.command()(solving.solve)
app.command()(explaining.bounds)
app.command()(explaining.explain)
app.command()(solving.pareto)
app.command()(solving.formulations)
app.command()(reporting.report)
app.add_typer(studying.app, name="study")
app.add_typer(library.app, name="library")
app.add_typer(tuning.app, name="tune")
