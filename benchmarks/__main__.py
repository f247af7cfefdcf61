"""Run every benchmark, print what they print, and keep it as ``results/benchmarks.md``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.tables import machine
from mapopt.documents import write_atomic

SCRIPTS = (
    "benchmarks.startup",
    "benchmarks.emulator.kernel_vs_cpp_and_simpy",
    "benchmarks.mappers.lblp_scaling",
    "benchmarks.imce_resnet18",
    "benchmarks.load_balance",
    "benchmarks.mappers.lblp_options",
    "benchmarks.self_timed_deviation",
    "benchmarks.mappers.fast",
    "benchmarks.studies.overhead",
    "benchmarks.tuning.overhead",
)
TARGET = Path(__file__).parents[1] / "results" / "benchmarks.md"


def main() -> None:
    TARGET.parent.mkdir(exist_ok=True)
    parts = [f"# Benchmarks\n\nPrinted by `make bench` on {machine()}; protocol: `benchmarks/README.md`.\n"]
    print(parts[0])
    for script in SCRIPTS:
        ran = subprocess.run([sys.executable, "-m", script], stdout=subprocess.PIPE, text=True)
        if ran.returncode:
            raise SystemExit(
                f"{script} failed with exit code {ran.returncode}; {TARGET.name} is left as it was"
            )
        print(ran.stdout, flush=True)
        parts.append(ran.stdout)
    write_atomic(TARGET, "".join(parts).encode())


if __name__ == "__main__":
    main()
