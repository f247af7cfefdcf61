"""``emulate``: what the chip would do."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mapopt.cli import arguments, output

if TYPE_CHECKING:
    from mapopt.emulator.measurement import Condition, Measurement


def emulate(
    instance: arguments.InstanceFile,
    mapping: arguments.MappingFile,
    frames: Annotated[
        int | None, typer.Option(help="Horizon in frames; default: until the machine's state recurs.")
    ] = None,
    interval: Annotated[
        str | None,
        typer.Option(help="Nanoseconds between frames, or `saturated`; default: see the documentation."),
    ] = None,
    window: Annotated[
        int | None, typer.Option(min=1, help="Frames in flight when saturated.  [default: 16]")
    ] = None,
    dispatch: Annotated[
        Literal["self-timed", "time-triggered"] | None,
        typer.Option(help="Default: time-triggered if the mapping has start times."),
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option(help="Write a trace of the first 32 frames, or --frames, for ui.perfetto.dev (.json)."),
    ] = None,
    gantt: Annotated[Path | None, typer.Option(help="Draw a Gantt chart (.svg or .png).")] = None,
    as_json: arguments.AsJson = False,
) -> None:
    """Run a mapping over a stream of frames and measure it.

    By default the period is that of a saturated run (a frame enters when fewer than `window` are in flight) and the
    latency that of frames released every 1.05 times the largest load.
    """
    from mapopt.emulator.measure import DEFAULT_WINDOW, measure
    from mapopt.emulator.measurement import ticks_from_ns
    from mapopt.errors import InputError
    from mapopt.feasibility import require
    from mapopt.mapping import Mapping
    from mapopt.sources import read_instance

    if gantt is not None and gantt.suffix.lower() not in (".svg", ".png"):
        raise InputError(
            f"{gantt}: a Gantt chart is written as .svg or .png; give the file one of these endings"
        )
    for target in (trace, gantt):
        if target is not None:
            arguments.keep(target, instance, mapping)
            if not target.absolute().parent.is_dir():
                raise InputError(f"{target}: its directory does not exist; make it first")
    problem = read_instance(instance)
    decisions = Mapping.load(mapping)
    require(problem, decisions)
    if decisions.is_time_triggered and dispatch != "self-timed":
        _refuse(
            {"--frames": frames, "--interval": interval, "--window": window},
            "a time-triggered mapping has its own period; leave it out or choose --dispatch self-timed",
        )
    if interval not in (None, "saturated"):
        _refuse({"--window": window}, "is for saturated runs; leave it out beside an interval in ns")
    pace: Fraction | Literal["saturated"] | None = None
    if interval is not None:
        pace = "saturated" if interval == "saturated" else ticks_from_ns(interval, problem.tick_ps)
    size = DEFAULT_WINDOW if window is None else window
    result = measure(problem, decisions, frames=frames, interval=pace, window=size, dispatch=dispatch)
    if trace is not None:
        from mapopt.emulator.trace import DEFAULT_FRAMES, write_trace

        shown = DEFAULT_FRAMES if frames is None else frames
        write_trace(trace, problem, decisions, dispatch=dispatch, interval=pace, window=size, frames=shown)
    if gantt is not None:
        from mapopt.emulator.gantt import draw_gantt

        draw_gantt(gantt, problem, decisions, dispatch=dispatch, interval=pace, window=size)
    if as_json:
        output.print_json(result)
    else:
        _print(result)


def _refuse(options: dict[str, object], why: str) -> None:
    """Refuse options that this run would ignore."""
    from mapopt.errors import InputError

    for name, value in options.items():
        if value is not None:
            raise InputError(f"{name} {value}: {why}")


def _print(result: Measurement) -> None:
    rows = [
        ("dispatch", f"{result.dispatch}, {result.patterns} pattern{'s' if result.patterns > 1 else ''}"),
        ("period", f"{output.exact(result.period_ns)} ns ({_under(result.period_condition)})"),
        ("rate", "-" if result.rate_fps is None else f"{output.exact(result.rate_fps)} frames/s"),
        ("max load", f"{output.exact(result.max_load_ns)} ns on {result.max_load_resource}"),
        ("single-frame latency", f"{output.exact(result.latency_single_ns)} ns"),
        (
            "latency",
            f"mean {output.exact(result.latency_ns.mean)}, p95 {output.exact(result.latency_ns.p95)}, "
            f"max {output.exact(result.latency_ns.max)} ns ({_under(result.latency_condition)})",
        ),
    ]
    if result.cycle_frames is not None:
        transient = result.transient_frames
        known = f"{transient}" if transient is not None else f"at most {result.transient_frames_at_most}"
        rows.append(("recurrence", f"every {result.cycle_frames} frames, after a transient of {known}"))
    if result.period_interval_ns is not None:
        low, high = result.period_interval_ns
        rows.append(
            (
                "period between",
                f"{output.exact(low)} (proven) and {output.exact(high)} ns (measured)",
            )
        )
        rows.append(("backlog", f"{result.backlog} frames after {result.horizon_frames}"))
    output.print_table(["", result.instance.name], rows)
    busy = [
        (name, output.percent(share), output.percent(result.stall[name]) if result.stall[name] else "")
        for name, share in result.utilization.items()
    ]
    print()
    output.print_table(["unit or link", "utilisation", "stall"], busy, numeric=["utilisation", "stall"])


def _under(condition: Condition) -> str:
    arrival = {
        "saturated": f"saturated, window {condition.window}",
        "periodic": f"released every {output.exact(condition.interval_ns or 0)} ns",
        "schedule": "the schedule's own",
    }[condition.arrival]
    exact = (
        "exact" if condition.exact else f"not exact: second half of the horizon, {condition.frames} frames"
    )
    return "; ".join(part for part in (exact, arrival, condition.note) if part)
