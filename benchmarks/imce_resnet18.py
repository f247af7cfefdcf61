"""ResNet18 on the ``imce`` preset with 2 to 16 IMC units: LBLP beside its baselines and the bound."""

from __future__ import annotations

from benchmarks.tables import heading, table
from mapopt import load_instance
from mapopt.comparison import Comparison, Row, compare

MAPPERS = ("lblp", "wb", "rr", "rd")


def us(ns: float | None) -> str:
    return "-" if ns is None else f"{ns / 1000:,.0f}"


def by_name(result: Comparison) -> dict[str, Row]:
    return {row.mapper: row for row in result.rows}


def main() -> None:
    heading(
        "ResNet18 on imce, 2 DPUs",
        "Self-timed, saturated with window 16; rd is the mean of 100 seeds. Periods and latencies in us; latency is "
        "the mean at releases every 1.05 times the largest load, and of one frame alone in brackets.",
    )
    columns = ["IMC units", "bound", *(f"{name} period" for name in MAPPERS)]
    columns += ["lblp / wb", "rr / lblp", "rd / lblp", "lblp latency", "wb latency"]
    lower_latency = lower_single = 0
    rows, ratios = [], []
    counts = range(2, 17)
    for units in counts:
        result = compare(load_instance("resnet18", platform=f"imce:imc={units},dpu=2"), MAPPERS)
        found = by_name(result)
        periods = [found[name].period_ns or 0.0 for name in MAPPERS]
        lblp, wb, rr, rd = periods
        ratios.append((lblp / wb, rr / lblp, rd / lblp))
        latencies = [found[name].latency_ns for name in ("lblp", "wb")]
        means = [0.0 if latency is None else latency.mean for latency in latencies]
        singles = [found[name].latency_single_ns or 0.0 for name in ("lblp", "wb")]
        lower_latency += means[0] < means[1]
        lower_single += singles[0] < singles[1]
        rows.append(
            [
                units,
                us(result.bound_period_ns),
                *map(us, periods),
                *(f"{ratio:.3f}" for ratio in ratios[-1]),
                *(f"{us(mean)} ({us(single)})" for mean, single in zip(means, singles, strict=True)),
            ]
        )
    table(columns, rows)
    print(f"\n- largest lblp / wb: {max(ratio[0] for ratio in ratios):.3f} (target <= 1.01)")
    print(f"- largest rr / lblp: {max(ratio[1] for ratio in ratios):.2f} (target >= 1.9, or the next)")
    print(f"- largest mean rd / lblp: {max(ratio[2] for ratio in ratios):.2f} (target >= 2)")
    print(
        f"- lblp has the lower latency at {lower_latency} of {len(counts)} unit counts in the stream, at "
        f"{lower_single} for one frame alone (target: most)"
    )


if __name__ == "__main__":
    main()
