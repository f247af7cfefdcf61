"""``compare``: a table of mappers on one instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mapopt.cli import arguments, output

if TYPE_CHECKING:
    from mapopt.comparison import Comparison


def compare(
    network: arguments.Source,
    platform: arguments.PlatformSpec = None,
    mappers: Annotated[
        str,
        typer.Option(
            help="`all`, or names separated by commas, each with options: lblp,lblp:OPTION=VALUE,wb."
        ),
    ] = "all",
    dispatch: Annotated[
        Literal["self-timed", "time-triggered"],
        typer.Option(help="self-timed as mapped, or time-triggered after scheduling each mapping."),
    ] = "self-timed",
    window: Annotated[int, typer.Option(min=1, help="Frames in flight when saturated.")] = 16,
    seeds: Annotated[
        int | None,
        typer.Option(
            min=1,
            show_default="100, and 5 of those that search",
            help="Runs of each randomised mapper.",
        ),
    ] = None,
    seed: arguments.Seed = 0,
    times: arguments.Times = None,
    shape: arguments.Shapes = None,
    strict: arguments.Strict = False,
    no_fuse: arguments.NoFuse = False,
    as_json: arguments.AsJson = False,
) -> None:
    """Compare mappers with each other and the lower bound.

    Ctrl-C prints the rows done so far. Exits with 1 if a mapper turns out to be defective.
    """
    from mapopt.comparison import compare as run_comparison

    problem = arguments.load(network, platform, times, shape, strict, no_fuse)
    chosen = [] if mappers == "all" else [name.strip() for name in mappers.split(",")]
    with output.StatusLine("mapping and emulating", quiet=as_json) as progress:
        result = run_comparison(
            problem,
            chosen,
            dispatch=dispatch,
            window=window,
            seeds=seeds,
            seed=seed,
            on_row=lambda row: progress.show(f"mapping and emulating: {row.mapper} done"),
        )
    _print(result, as_json)
    if seeds is None and not as_json:
        _print_searches(result)
    if not result.complete:
        output.note("mapopt: interrupted; these are the mappers that were done")
        raise typer.Exit(130)
    if any(row.status == "failed" for row in result.rows):
        raise typer.Exit(1)


def _print(result: Comparison, as_json: bool) -> None:
    if as_json:
        output.print_json(result)
        return
    columns = [
        "mapper",
        "period [us]",
        "rate [fps]",
        "gap",
        "load gap",
        "latency [us]",
        "single [us]",
        "busy",
    ]
    rows = [
        [
            row.mapper + (f" x{row.spread.seeds}" if row.spread else ""),
            _us(row.period_ns) + ("" if row.exact in (True, None) else " ~"),
            output.grouped(row.rate_fps, 1),
            output.percent(row.gap),
            output.percent(row.load_gap),
            _us(row.latency_ns.mean if row.latency_ns else None)
            + ("" if row.latency_exact in (True, None) else " ~"),
            _us(row.latency_single_ns),
            output.percent(row.utilization),
        ]
        for row in sorted(
            result.rows, key=lambda row: (row.period_ns is None, row.period_ns or 0, row.mapper)
        )
    ]
    bound = ["lower bound", _us(result.bound_period_ns), "", "", "", _us(result.bound_latency_ns), "", ""]
    bound[6] = bound[5]
    output.print_table(
        columns, [*rows, bound], numeric=columns[1:], title=f"{result.instance}: {result.schedule_class}"
    )
    print(f"period bound: {result.bound_period}")
    print(f"latency bound: {result.bound_latency}")
    for row in result.rows:
        if row.spread:
            low, high, spread = _us(row.spread.min), _us(row.spread.max), _us(row.spread.stdev)
            print(
                f"{row.mapper} x{row.spread.seeds}: means over {row.spread.seeds} seeds; period {low} to {high} us, "
                f"standard deviation {spread}"
            )
        if row.status != "mapped":
            output.note(f"{row.mapper}: {row.status}: {row.reason}")
    if any(False in (row.exact, row.latency_exact) for row in result.rows):
        print("~ no recurrence within the budget: mean over the second half of the horizon, not exact")


def _print_searches(result: Comparison) -> None:
    """Say which mappers were run with fewer seeds than others."""
    from mapopt.comparison import SEARCH_SEEDS, is_search, parse_mapper

    searches = [row.mapper for row in result.rows if row.spread and is_search(parse_mapper(row.mapper))]
    if searches:
        print(
            f"{', '.join(searches)}: takes long and was run with {SEARCH_SEEDS} seeds; --seeds sets the number for all"
        )


def _us(ns: float | None) -> str:
    return output.grouped(None if ns is None else ns / 1000, 1)
