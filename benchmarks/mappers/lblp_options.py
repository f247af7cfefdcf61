"""What each open choice of LBLP does, one at a time, against weight balance.

    python -m benchmarks.mappers.lblp_options [--networks resnet18 ...] [--units 2 4 ...]

For every network and unit count (that many imc and max(2, a quarter) dpu units of the preset imce) each variant's
largest load per frame and single-frame latency are divided by those of weight balance. Columns: mean and largest
load ratio; at how many unit counts the latency is lower and higher; mean latency ratio. The single-frame latency is
that of the emulator, one frame in an empty machine.
"""

from __future__ import annotations

import argparse
from statistics import mean

from benchmarks.tables import heading, table
from mapopt.costs import build_instance
from mapopt.emulator.analysis import max_load
from mapopt.emulator.lower import lower
from mapopt.emulator.stream import run_single
from mapopt.instance import Instance
from mapopt.mappers import registry
from mapopt.network.library import load_network
from mapopt.platform.library import load_platform

VARIANTS: tuple[tuple[str, ...], ...] = (
    (),
    ("path_order=path",),
    ("path_order=merged",),
    ("peel=repeat",),
    ("rest_order=topological",),
    ("avoid=off",),
    ("avoid=hard",),
    ("scope=fork-join",),
    ("scope=incomparable",),
    ("slack=0",),
    ("slack=0.05",),
    ("slack=0.2",),
    ("ties=index",),
    ("transfers=true",),
    ("avoid=off", "ties=index", "slack=0"),
)


def figures(instance: Instance, name: str, settings: tuple[str, ...] = ()) -> tuple[float, float]:
    """Largest load per frame and single-frame latency, in ticks."""
    program = lower(instance, registry.get(name, settings).map(instance))
    return float(max_load(program).ticks), float(max(run_single(program)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--networks",
        nargs="+",
        default=["resnet18", "resnet50", "googlenet", "squeezenet1_1", "mobilenet_v2", "yolov8n"],
    )
    parser.add_argument("--units", nargs="+", type=int, default=list(range(2, 17)))
    arguments = parser.parse_args()
    for name in arguments.networks:
        network = load_network(name)
        instances = [
            build_instance(network, load_platform(f"imce:imc={units},dpu={max(2, units // 4)}"))
            for units in arguments.units
        ]
        weight_balance = [figures(instance, "wb") for instance in instances]
        rows = []
        for settings in VARIANTS:
            mine = [figures(instance, "lblp", settings) for instance in instances]
            loads = [one[0] / base[0] for one, base in zip(mine, weight_balance, strict=True)]
            latencies = [one[1] / base[1] for one, base in zip(mine, weight_balance, strict=True)]
            rows.append(
                (
                    " ".join(settings) or "(defaults)",
                    f"{mean(loads):.3f}",
                    f"{max(loads):.3f}",
                    sum(each < 1 for each in latencies),
                    sum(each > 1 for each in latencies),
                    f"{mean(latencies):.4f}",
                )
            )
        heading(
            f"LBLP's options on {name}, imce with {arguments.units[0]} to {arguments.units[-1]} IMC units",
            f"Ratios to weight balance over {len(instances)} unit counts: largest load per frame, and latency of one "
            "frame in an empty machine.",
        )
        table(
            ("option", "mean load", "largest load", "lower latency", "higher latency", "mean latency"), rows
        )


if __name__ == "__main__":
    main()
