"""How far self-timed periods are above the largest load, for every built-in network and mapper."""

from __future__ import annotations

import statistics

from benchmarks.tables import heading, table
from mapopt import build_instance, load_network, load_platform, measure, schedule
from mapopt.mappers.registry import get, names
from mapopt.network.library import builtin_networks

WINDOWS = (4, 16, 64)
UNITS = (2, 4, 8, 16, 32)
BUDGET = 10**6


def main() -> None:
    heading(
        "Self-timed period over the largest load",
        f"imce with {', '.join(map(str, UNITS))} IMC units and a quarter as many DPUs (at least 1), every mapper. "
        "Ratio of the saturated self-timed period to the largest load: median, largest, and the share that attains it "
        "exactly. The time-triggered period equals the largest load in every one of these cases, or this script "
        "fails. Periods without recurrence within 10^6 firings are means and are counted in brackets.",
    )
    columns = ["network", "cases"]
    for window in WINDOWS:
        columns += [f"window {window}: median", "largest", "attained"]
    rows = []
    for info in builtin_networks():
        network = load_network(info.name)
        ratios: dict[int, list[float]] = {window: [] for window in WINDOWS}
        inexact = dict.fromkeys(WINDOWS, 0)
        for units in UNITS:
            instance = build_instance(network, load_platform(f"imce:imc={units},dpu={max(1, units // 4)}"))
            for name in names():
                mapping = get(name).map(instance)
                planned = measure(instance, schedule(instance, mapping))
                if planned.period_ns != planned.max_load_ns:
                    raise SystemExit(
                        f"{info.name}, {name}, {units} units: time-triggered period is not the max load"
                    )
                for window in WINDOWS:
                    found = measure(instance, mapping, interval="saturated", window=window, budget=BUDGET)
                    ratios[window].append(found.period_ns / found.max_load_ns)
                    inexact[window] += not found.exact
        row: list[object] = [info.name, len(ratios[WINDOWS[0]])]
        for window in WINDOWS:
            attained = sum(ratio == 1 for ratio in ratios[window]) / len(ratios[window])
            unsure = f" ({inexact[window]})" if inexact[window] else ""
            row += [
                f"{statistics.median(ratios[window]):.3f}",
                f"{max(ratios[window]):.3f}{unsure}",
                f"{100 * attained:.0f}%",
            ]
        rows.append(row)
    table(columns, rows)


if __name__ == "__main__":
    main()
