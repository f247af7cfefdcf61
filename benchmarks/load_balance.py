"""Largest load over the lower bound, and scheduled latency, of every mapper on every built-in network."""

from __future__ import annotations

import statistics

from benchmarks.tables import heading, table
from mapopt import build_instance, load_network, load_platform, lower_bounds, measure, schedule
from mapopt.mappers.registry import get, names
from mapopt.network.library import builtin_networks

UNITS = (2, 4, 8, 16, 32)


def main() -> None:
    heading(
        "Load balance and scheduled latency of every mapper",
        f"{len(builtin_networks())} built-in networks on imce with {', '.join(map(str, UNITS))} IMC units and a "
        "quarter as many DPUs (at least 1), time-triggered at each mapping's own largest load. Both columns are "
        "ratios to the lower bound, which is not always attainable; rd is one seed.",
    )
    loads: dict[str, list[float]] = {name: [] for name in names()}
    latencies: dict[str, list[float]] = {name: [] for name in names()}
    for info in builtin_networks():
        network = load_network(info.name)
        for units in UNITS:
            instance = build_instance(network, load_platform(f"imce:imc={units},dpu={max(1, units // 4)}"))
            bounds = lower_bounds(instance)
            for name in names():
                found = measure(instance, schedule(instance, get(name).map(instance)))
                ticks_per_ns = 1000 / instance.tick_ps
                loads[name].append(found.max_load_ns * ticks_per_ns / bounds.period.ticks)
                latencies[name].append(found.latency_ns.max * ticks_per_ns / bounds.latency.ticks)
    rows = [
        [
            name,
            f"{statistics.geometric_mean(loads[name]):.3f}",
            f"{max(loads[name]):.3f}",
            f"{sum(load == 1 for load in loads[name])} of {len(loads[name])}",
            f"{statistics.geometric_mean(latencies[name]):.2f}",
            f"{max(latencies[name]):.2f}",
        ]
        for name in sorted(names(), key=lambda name: statistics.geometric_mean(loads[name]))
    ]
    table(["mapper", "load: mean ratio", "largest", "at the bound", "latency: mean ratio", "largest"], rows)
    print("\nMean ratios are geometric.")


if __name__ == "__main__":
    main()
