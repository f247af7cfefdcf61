"""``bounds`` and ``explain``: how good a mapping can be, and what binds one."""

from __future__ import annotations

from mapopt.cli import arguments, output


def bounds(instance: arguments.InstanceFile, as_json: arguments.AsJson = False) -> None:
    """List every lower bound, where it comes from, and which one binds."""
    from mapopt.bounds.every import lower_bounds
    from mapopt.emulator.measurement import to_ns
    from mapopt.feasibility import require_feasible
    from mapopt.sources import read_instance

    problem = read_instance(instance)
    require_feasible(problem)
    found = lower_bounds(problem)
    ranked = [*found.of("period"), *found.of("latency")]
    binding = {id(found.period), id(found.latency)}
    if as_json:
        output.print_json(
            [
                {
                    "objective": bound.objective,
                    "name": bound.name,
                    "ticks": bound.ticks,
                    "ns": to_ns(bound.ticks, problem.tick_ps),
                    "any_pattern_ticks": None if bound.any_pattern is None else str(bound.any_pattern),
                    "binding": id(bound) in binding,
                    "explanation": bound.explanation,
                    "binds": bound.binds,
                }
                for bound in ranked
            ]
        )
        return
    output.print_table(
        ["objective", "bound", "ticks", "", "why"],
        [
            (
                bound.objective,
                bound.name,
                output.grouped(bound.ticks),
                "binds" if id(bound) in binding else "",
                bound.explanation,
            )
            for bound in ranked
        ],
        numeric=["ticks"],
        title=f"{problem.name}: no mapping (one pattern, no stealing) is below these; ticks of {problem.tick_ps} ps",
    )


def explain(
    instance: arguments.InstanceFile, mapping: arguments.MappingFile, as_json: arguments.AsJson = False
) -> None:
    """Say what binds a mapping's period and latency, and what a larger platform could buy at most."""
    from mapopt.explanation import explain_mapping
    from mapopt.mapping import Mapping
    from mapopt.sources import read_instance

    problem = read_instance(instance)
    result = explain_mapping(problem, Mapping.load(mapping))
    if as_json:
        output.print_json(result)
        return
    print(f"{problem.name}: times in ticks of {problem.tick_ps} ps")
    print(f"period {output.grouped(result.period)}; bound {output.grouped(result.period_bound)}")
    print(f"  bound by {result.period_bound_reason}")
    output.print_table(
        ["unit or link", "load", "busy", "its longest"],
        [
            (load.name, output.grouped(load.ticks), output.percent(load.share), ", ".join(load.longest))
            for load in result.loads[:12]
        ],
        numeric=["load", "busy"],
    )
    if len(result.loads) > 12:
        print(f"  and {len(result.loads) - 12} less busy ones")
    print()
    print(
        f"latency {output.grouped(result.latency)} ({result.latency_kind}); bound "
        f"{output.grouped(result.latency_bound)}; this mapping's critical path {output.grouped(result.critical_path)}"
    )
    print(f"  bound by {result.latency_bound_reason}")
    print(f"  on the path that binds, tasks wait for their resource {output.grouped(result.waiting)} ticks:")
    output.print_table(
        ["start", "ticks", "task", "on", "waits", "for"],
        [
            (
                output.grouped(step.start),
                output.grouped(step.duration),
                step.task,
                step.resource,
                output.grouped(step.waits) if step.waits else "",
                step.waits_for,
            )
            for step in result.path
        ],
        numeric=["start", "ticks", "waits"],
    )
    print()
    output.print_table(
        ["with", "period", "gains at most", "latency", "gains at most "],
        [
            (
                change.change,
                f">= {output.grouped(change.period_bound)}",
                output.percent(change.period_gain),
                f">= {output.grouped(change.latency_bound)}",
                output.percent(change.latency_gain),
            )
            for change in result.what_if
        ],
        numeric=["period", "gains at most", "latency", "gains at most "],
    )
