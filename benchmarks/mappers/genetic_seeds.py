"""How far ten seeds of the genetic mapper lie apart in what it evolves: the period, and the latency of a frame alone.

    python -m benchmarks.mappers.genetic_seeds

Writes ``results/genetic-seeds.md``; with ``--seeds``, ``--options`` or ``--only`` it prints alone. The instances are
those of ``benchmarks.mappers.choice``. Spreads are (largest - least) / least over the seeds; gaps are those of the
worst seed, to the lower bounds of the instance. A period that is a little longer often allows a latency that is much
less, so that the second spread is also given over the seeds with the least period, where there are several.
"""

from __future__ import annotations

import argparse
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from benchmarks.mappers.choice import TEST
from benchmarks.tables import heading, machine, table
from mapopt import measure
from mapopt.bounds.every import lower_bounds
from mapopt.documents import write_atomic
from mapopt.instance import Instance
from mapopt.library import Library
from mapopt.mappers.base import Mapper
from mapopt.mappers.registry import get

TARGET = Path(__file__).parents[2] / "results" / "genetic-seeds.md"
NEAR = 0.01
"""The spread that counts as near."""


def measured(mapper: Mapper, instance: Instance, seeds: int) -> list[tuple[float, float]]:
    """Return the largest load and the latency of a frame alone of each seed, in nanoseconds."""
    found = [measure(instance, mapper.map(instance, seed=seed)) for seed in range(seeds)]
    return [(float(each.max_load_ns), float(each.latency_single_ns)) for each in found]


def spread(values: list[float]) -> float:
    """Return how far the largest lies above the least, as a share of it."""
    return max(values) / min(values) - 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--library", default="instances")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--options", default="")
    parser.add_argument("--only", nargs="*", default=TEST)
    arguments = parser.parse_args()
    mapper = get("genetic", arguments.options.split(",") if arguments.options else ())
    rows, near = [], [0, 0, 0]
    for member in Library.open(arguments.library).select(only=arguments.only):
        instance = member.make().instance
        bounds, found = lower_bounds(instance), measured(mapper, instance, arguments.seeds)
        periods, latencies = [each[0] for each in found], [each[1] for each in found]
        level = [latency for period, latency in found if period == min(periods)]
        spreads = spread(periods), spread(latencies), spread(level) if len(level) > 1 else None
        near = [
            count + (each is not None and each <= NEAR) for count, each in zip(near, spreads, strict=True)
        ]
        scale = instance.tick_ps / 1000
        gaps = (
            max(periods) / (bounds.period.ticks * scale) - 1,
            max(latencies) / (bounds.latency.ticks * scale) - 1,
        )
        rows.append(
            (
                instance.name,
                *("-" if each is None else f"{each:.2%}" for each in (*spreads, *gaps)),
                len(level),
            )
        )
    captured, told = StringIO(), f"{len(rows)} instances, {arguments.seeds} seeds"
    with redirect_stdout(captured):
        print(
            f"# Seeds of the genetic mapper\n\nPrinted by `python -m benchmarks.mappers.genetic_seeds` on {machine()}."
        )
        heading(
            told,
            f"Options: {arguments.options or 'defaults'}. Within {NEAR:.0%} of each other: the period on {near[0]}, "
            f"the latency of a frame alone on {near[1]}, and among seeds with the least period on {near[2]}.",
        )
        columns = ("period", "latency", "latency at the least period", "period's gap", "latency's gap")
        table(("instance", *columns, "seeds with the least period"), rows)
    print(captured.getvalue(), end="")
    if arguments == parser.parse_args([]):
        write_atomic(TARGET, captured.getvalue().encode())


if __name__ == "__main__":
    main()
