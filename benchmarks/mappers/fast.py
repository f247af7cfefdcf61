"""Mappers of a moment in one class: the period's gap, the latency of a time-triggered schedule, and the time of a call.

    python -m benchmarks.mappers.fast [--mappers lblp parametric-list ...] [--light instances/light21]

A mapping without starts gets those of the emulator's own list schedule at its largest load. Rows: the light instances,
whose latency is compared with the best known at the least period, and networks on the preset imce, whose latency is
compared with the lower bound of any period. Gaps are geometric means, and in brackets the worst; latencies at a larger
period than the best known one's count as they are. The time is the median over instances of the best of three calls.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from math import exp, log
from pathlib import Path
from statistics import mean, median
from time import perf_counter

from benchmarks.tables import heading, machine, table
from mapopt.bounds.every import lower_bounds
from mapopt.costs import build_instance
from mapopt.emulator.lower import lower
from mapopt.errors import MapoptError
from mapopt.instance import Instance
from mapopt.mappers.registry import get
from mapopt.network.library import load_network
from mapopt.platform.library import load_platform
from mapopt.search.list_search import packed

MAPPERS = ("lblp", "heft-tp", "maxtp", "parametric-list", "genetic")
NETWORKS = ("resnet8", "resnet18", "resnet50", "googlenet", "densenet121", "squeezenet1_1", "yolov8n")
CALLS = 3


@dataclass(frozen=True, slots=True)
class Case:
    """An instance with what its period and its latency are compared with, in ticks."""

    instance: Instance
    period: int
    latency: int


def light(folder: Path) -> list[Case]:
    """Return the light instances with their least periods and best known latencies."""
    with (folder / "references.csv").open() as file:
        return [
            Case(
                Instance.load(folder / f"{row['network']}-{row['imc_units']}+{row['dpu_units']}.json"),
                int(row["minimal_period"]),
                int(row["best_latency"]),
            )
            for row in csv.DictReader(file)
        ]


def preset() -> list[Case]:
    """Return networks on the preset with their lower bounds."""
    cases = []
    for name in NETWORKS:
        instance = build_instance(load_network(name), load_platform("imce"))
        bounds = lower_bounds(instance)
        cases.append(Case(instance, bounds.period.ticks, bounds.latency.ticks))
    return cases


def measure(name: str, case: Case) -> tuple[float, float, float]:
    """Return the ratios of period and latency, and milliseconds."""
    mapper, best = get(name), float("inf")
    for _ in range(CALLS):
        began = perf_counter()
        mapping = mapper.map(case.instance)
        best = min(best, perf_counter() - began)
    period = mapping.horizon or max(1, int(lower(case.instance, mapping).loads().max()))
    claims = mapping.claims
    if mapping.horizon is None or claims is None or claims.latency_ticks is None:
        schedule = packed(case.instance, mapping, period)
        if schedule is None:
            raise MapoptError(f"mapper {name!r}: its load is above the period of {period} ticks")
        latency = schedule.latency
    else:
        latency = claims.latency_ticks
    return period / case.period, latency / case.latency, 1000 * best


def gap(ratios: list[float]) -> str:
    """Write the mean and the worst ratio as gaps."""
    return f"{exp(mean(map(log, ratios))) - 1:.2%} ({max(ratios) - 1:.1%})"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mappers", nargs="+", default=MAPPERS)
    parser.add_argument("--light", type=Path, default=Path("instances/light21"))
    arguments = parser.parse_args()
    rows = []
    for family, cases in (("light21", light(arguments.light)), ("imce", preset())):
        for name in arguments.mappers:
            periods, latencies, times = zip(*(measure(name, case) for case in cases), strict=True)
            rows.append((family, name, gap(list(periods)), gap(list(latencies)), f"{median(times):.1f}"))
    heading("Mappers of a moment", f"Gaps: mean (worst). {machine()}.")
    table(("instances", "mapper", "period", "latency", "ms"), rows)


if __name__ == "__main__":
    main()
