"""``solve``, ``pareto`` and ``formulations``: the best mappings, with proofs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mapopt.cli import arguments, output
from mapopt.cli.catalog import describe_option

if TYPE_CHECKING:
    from fractions import Fraction

    from mapopt.instance import Instance
    from mapopt.solvers.model import Limits
    from mapopt.solvers.outcome import Outcome
    from mapopt.solvers.watch import Progress

TimeLimit = Annotated[float, typer.Option(help="Seconds of wall-clock time.")]
Workers = Annotated[int, typer.Option(help="Threads of the solver.")]
Deterministic = Annotated[
    bool,
    typer.Option(
        "--deterministic",
        help="Same result every time: effort is counted, not timed; CP-SAT formulations only.",
    ),
]
Memory = Annotated[int | None, typer.Option("--memory-mb", help="Memory of the solver.")]


def solve(
    instance: arguments.InstanceFile,
    out: Annotated[Path | None, typer.Option("--output", "-o", help="File for the mapping.")] = None,
    objective: Annotated[
        str, typer.Option(help="period; latency; period,latency; energy; or traffic.")
    ] = "period",
    formulation: Annotated[
        str | None, typer.Option(help="See `mapopt formulations`; default: what suits the instance.")
    ] = None,
    solver: Annotated[
        str | None, typer.Option(help="cpsat, highs, cbc, scip or own; default: the formulation's best.")
    ] = None,
    contiguous: Annotated[
        bool, typer.Option("--contiguous", help="Units must be orderable so that no data flow backwards.")
    ] = False,
    max_period: Annotated[
        int | None, typer.Option(help="With latency: the stream's period may be up to this many ticks.")
    ] = None,
    slack: Annotated[
        float, typer.Option(help="With period,latency: the period may exceed the least by this fraction.")
    ] = 0.0,
    start: Annotated[Path | None, typer.Option(help="Mapping to start from.")] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="Also write a certificate of mapping, claims and proofs.")
    ] = None,
    time_limit: TimeLimit = 60.0,
    workers: Workers = 2,
    seed: arguments.Seed = 0,
    deterministic: Deterministic = False,
    memory_mb: Memory = None,
    set_: arguments.Settings = None,
    as_json: arguments.AsJson = False,
) -> None:
    """Find the best mapping and prove how good it is.

    Ctrl-C ends the search with the best mapping and bound so far. Exits with 1 if no mapping was found.
    """
    from mapopt.certificate import certify
    from mapopt.mapping import Mapping
    from mapopt.solvers.driver import solve as run_solve
    from mapopt.sources import read_instance

    for target in (out, certificate):
        if target is not None:
            arguments.keep(target, instance, *([start] if start else []))
    problem = read_instance(instance)
    with output.StatusLine("bounds and heuristics", quiet=as_json) as line:
        outcome = run_solve(
            problem,
            objective,
            formulation=formulation,
            options=set_ or (),
            solver=solver,
            contiguous=contiguous,
            max_period=max_period,
            slack=_fraction(slack),
            limits=_limits(time_limit, workers, seed, deterministic, memory_mb),
            start=None if start is None else Mapping.load(start),
            on_progress=lambda progress: line.show(_progress(progress)),
        )
    if out is not None and outcome.mapping is not None:
        outcome.mapping.save(out)
    if certificate is not None and outcome.mapping is not None:
        certify(problem, outcome.mapping, outcome).save(certificate)
    if as_json:
        output.print_json(_as_data(problem, outcome) | {"file": str(out) if out else None})
    else:
        _print(problem, outcome, out)
    if outcome.interrupted:
        raise typer.Exit(130)
    if outcome.mapping is None:
        raise typer.Exit(2 if outcome.status == "infeasible" else 1)


def pareto(
    instance: arguments.InstanceFile,
    objectives: Annotated[str, typer.Option(help="Only period,latency so far.")] = "period,latency",
    steps: Annotated[int, typer.Option(help="Number of limits on the period.")] = 8,
    out: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the mappings of the points.")
    ] = None,
    time_limit: TimeLimit = 60.0,
    workers: Workers = 2,
    seed: arguments.Seed = 0,
    deterministic: Deterministic = False,
    memory_mb: Memory = None,
    as_json: arguments.AsJson = False,
) -> None:
    """Find the least latency for several limits on the period, each point with its own gap.

    The time limit holds for each point. Ctrl-C ends with the points found so far.
    """
    from mapopt.emulator.measurement import to_ns
    from mapopt.errors import InputError
    from mapopt.solvers.pareto import pareto as run_pareto
    from mapopt.sources import read_instance

    if objectives != "period,latency":
        raise InputError(f"objectives {objectives!r}: only period,latency is supported; write exactly that")
    problem = read_instance(instance)
    with output.StatusLine("least period", quiet=as_json) as line:
        front = run_pareto(
            problem,
            steps=steps,
            limits=_limits(time_limit, workers, seed, deterministic, memory_mb),
            on_point=lambda point: line.show(
                f"period <= {point.max_period:,}: latency {point.latency:,}, bound {point.bound:,}"
            ),
        )
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for point in front.points:
            point.mapping.save(out / f"period-{point.period}.json")
    if as_json:
        output.print_json(
            {
                "instance": problem.name,
                "class": front.schedule_class,
                "exact": front.exact,
                "complete": front.complete,
                "least_period_proven": front.least_period_proven,
                "points": [
                    {
                        "max_period_ticks": point.max_period,
                        "period_ns": to_ns(point.period, problem.tick_ps),
                        "latency_ns": to_ns(point.latency, problem.tick_ps),
                        "latency_ticks": point.latency,
                        "bound_ticks": point.bound,
                        "gap": point.gap,
                    }
                    for point in front.points
                ],
            }
        )
    else:
        output.print_table(
            ["period <=", "period", "latency", "bound", "gap"],
            [
                (
                    output.grouped(point.max_period),
                    output.grouped(point.period),
                    output.grouped(point.latency),
                    output.grouped(point.bound),
                    "proven" if point.proven else output.percent(point.gap, 2),
                )
                for point in front.points
            ],
            numeric=["period <=", "period", "latency", "bound", "gap"],
            title=f"{problem.name}: {front.schedule_class}; ticks of {problem.tick_ps} ps",
        )
        least = "" if front.least_period_proven else "; the least period is not proven"
        every = "every point is proven" if front.exact else "not every point is proven"
        print(f"{every}{least}; limits between these points were not looked at")
    if not front.complete:
        output.note("mapopt: stopped early; these are the points found so far")
        raise typer.Exit(130 if front.points else 1)


def formulations(as_json: arguments.AsJson = False) -> None:
    """List the formulations: objective, class of schedules, solvers, reference, options."""
    from mapopt.solvers.registry import available

    infos = available()
    if as_json:
        output.print_json(
            [
                {
                    "name": info.name,
                    "summary": info.summary,
                    "objectives": info.objectives,
                    "class": info.schedule_class,
                    "pipelined": info.pipelined,
                    "contiguous": info.contiguous,
                    "solvers": info.solvers,
                    "reference": info.reference,
                    "options": [describe_option(option) for option in info.options],
                }
                for info in infos
            ]
        )
        return
    output.print_table(
        ["name", "minimises", "optimal among", "solvers", "reference"],
        [
            (
                info.name,
                ", ".join(info.objectives),
                info.schedule_class,
                ", ".join(info.solvers),
                info.reference,
            )
            for info in infos
        ],
    )
    print()
    output.print_table(
        ["formulation", "option", "default", "meaning", "tuned over"],
        [
            (info.name, option.name, str(option.default), option.help, option.tuned)
            for info in infos
            for option in info.options
        ],
        title="Options (--set option=value)",
    )


def _fraction(slack: float) -> Fraction:
    from fractions import Fraction
    from math import isfinite

    from mapopt.errors import InputError

    if not isfinite(slack):
        raise InputError(f"slack: is {slack}; it must be a finite number >= 0")
    return Fraction(str(slack))


def _limits(time_limit: float, workers: int, seed: int, deterministic: bool, memory_mb: int | None) -> Limits:
    from mapopt.solvers.model import Limits

    return Limits(time_limit, workers, seed, deterministic, memory_mb)


def _progress(progress: Progress) -> str:
    text = f"{progress.time_s:.1f} s  {progress.objective}: {output.grouped(progress.value)}"
    if progress.bound is None:
        return text
    text += f", bound {output.grouped(progress.bound)}"
    if progress.value is None or progress.bound == 0:
        return text
    return f"{text}, gap {output.percent(progress.value / progress.bound - 1, 2)}"


def _as_data(instance: Instance, outcome: Outcome) -> dict[str, Any]:
    """Return what ``solve --json`` prints; value, bound and gap are the last objective's."""
    from mapopt.emulator.measurement import to_ns

    last, claims, tick_ps = outcome.levels[-1], outcome.mapping and outcome.mapping.claims, instance.tick_ps
    return {
        "instance": instance.name,
        "digest": instance.digest,
        "status": outcome.status,
        "class": outcome.schedule_class,
        "objective": last.value,
        "bound": last.bound,
        "gap": last.gap,
        "period_ns": to_ns(int(claims.period_ticks), tick_ps) if claims and claims.period_ticks else None,
        "latency_ns": to_ns(claims.latency_ticks, tick_ps)
        if claims and claims.latency_ticks is not None
        else None,
        "runtime_s": outcome.runtime_s,
        "interrupted": outcome.interrupted,
        "levels": [
            {
                "objective": level.objective,
                "status": level.status,
                "value": level.value,
                "bound": level.bound,
                "gap": level.gap,
                "value_by": level.value_by,
                "bound_by": level.bound_by,
                "reason": level.reason,
            }
            for level in outcome.levels
        ],
        "trace": outcome.trace,
        "tick_ps": tick_ps,
    }


def _print(instance: Instance, outcome: Outcome, out: Path | None) -> None:
    print(f"{instance.name}: {outcome.status}, {outcome.runtime_s:.1f} s; {outcome.schedule_class}")
    output.print_table(
        ["objective", "status", "value", "bound", "gap", "value by", "bound by"],
        [
            (
                level.objective,
                level.status,
                output.grouped(level.value),
                output.grouped(level.bound),
                output.percent(level.gap, 2),
                level.value_by,
                level.bound_by,
            )
            for level in outcome.levels
        ],
        numeric=["value", "bound", "gap"],
    )
    for level in outcome.levels:
        if level.reason:
            output.note(f"{level.objective}: {level.reason}")
    if outcome.mapping is not None and outcome.mapping.claims is not None:
        claims = outcome.mapping.claims
        where = f" -> {out}" if out else ""
        if claims.period_ticks is None:
            print(
                f"without start times: max load {claims.max_load_ticks} ticks of {instance.tick_ps} ps{where}"
            )
            return
        print(
            f"time-triggered: period {claims.period_ticks} ticks, latency {claims.latency_ticks} ticks of "
            f"{instance.tick_ps} ps{where}"
        )
