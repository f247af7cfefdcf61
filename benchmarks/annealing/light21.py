"""Annealed schedules of the 21 light instances beside the best known latency.

python -m benchmarks.annealing.light21 instances/light21 [--cyclic] [--seconds S] [--seed N] [--only TEXT]
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

from mapopt.instance import Instance
from mapopt.search.annealing import Schedule, annealed_cyclic, annealed_list


def search(instance: Instance, period: int, target: int, options: argparse.Namespace) -> Schedule | None:
    """Run the search asked for."""
    method = annealed_cyclic if options.cyclic else annealed_list
    return method(instance, period, seed=options.seed, seconds=options.seconds, target=target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cyclic", action="store_true", help="cyclic sequences instead of list schedules")
    parser.add_argument("--seconds", type=float, default=0.9, help="per instance, after compilation")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="part of the instances' names")
    options = parser.parse_args()
    with (options.folder / "references.csv").open() as file:
        rows = list(csv.DictReader(file))
    small = Instance.from_json((options.folder / "squeezenet-4+2.json").read_bytes())
    for method in (annealed_list, annealed_cyclic):
        method(small, 3080, iterations=1)  # compiles
    print(
        f"{'instance':18} {'period':>6} {'bound':>6} {'best':>6} {'found':>6} {'ratio':>7} {'gap':>6} {'s':>6}"
    )
    near = proven = 0
    for row in rows:
        name = f"{row['network']}-{row['imc_units']}+{row['dpu_units']}"
        if options.only not in name:
            continue
        instance = Instance.from_json((options.folder / f"{name}.json").read_bytes())
        period, best, bound = (int(row[key]) for key in ("minimal_period", "best_latency", "latency_bound"))
        began = time.perf_counter()
        found = search(instance, period, bound, options)
        seconds = time.perf_counter() - began
        if found is None:
            print(f"{name:18} {period:6} {bound:6} {best:6}   none")
            continue
        latency = found.latency
        near += latency <= 1.02 * best
        proven += latency <= bound
        gap = (latency - bound) / latency
        print(
            f"{name:18} {period:6} {bound:6} {best:6} {latency:6} {latency / best:7.4f} {gap:6.1%} {seconds:6.2f}",
            flush=True,
        )
    print(f"within 2% of the best known: {near}; at the bound: {proven}")


if __name__ == "__main__":
    main()
