"""The compiled event loop against its literal C++ port and SimPy models, side by side in one run.

    python -m benchmarks.emulator.kernel_vs_cpp_and_simpy [--json]

Protocol: one process, one thread; compilation and warm-up excluded; the contestants take turns, and the median over
the repetitions counts. The kernel and the port work on arrays of their own that start equal, and must end equal in
every entry. Frames are released periodically at ceil(1.05 * max load). Firings are tasks executed.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.emulator.cpp_port import CppPort
from benchmarks.emulator.simpy_model import run_processes, run_servers
from benchmarks.tables import heading, table
from mapopt.emulator import kernel
from mapopt.emulator.analysis import max_load
from mapopt.emulator.lower import lower
from mapopt.emulator.machine import Machine, periodic, saturated
from mapopt.emulator.measure import latency_interval
from mapopt.emulator.program import PatternColumns, Program
from mapopt.mappers.registry import get
from mapopt.sources import load_instance

NETWORK, PLATFORM, MAPPER = "onnx:resnet50", "imce:imc=8,dpu=2", "lpt"
SIZES = (100, 1_000, 10_000, 100_000)


def resnet50() -> Program:
    """ResNet-50 on 8 IMC units and 2 DPUs, self-timed."""
    instance = load_instance(NETWORK, platform=PLATFORM)
    return lower(instance, get(MAPPER).map(instance))


def layered(tasks: int, seed: int = 1) -> Program:
    """A random program: each task reads from one to three of the 50 before it, over half the arcs with a delay."""
    rng = np.random.default_rng(seed)
    units = max(4, tasks // 100)
    fan = rng.integers(1, 4, size=tasks)
    after = np.repeat(np.arange(tasks), fan)
    before = np.maximum(0, after - rng.integers(1, 51, size=len(after)))
    keep = before < after
    before, after = before[keep], after[keep]
    columns = PatternColumns(
        resource=rng.integers(0, units, size=tasks),
        duration=rng.integers(1, 1000, size=tasks),
        hold=np.zeros(tasks, dtype=np.int64),
        label=np.column_stack([np.arange(tasks), *[np.full(tasks, -1)] * 3]),
        before=before,
        after=after,
        delay=rng.integers(0, 2, size=len(after)) * rng.integers(1, 50, size=len(after)),
    )
    names = [f"u{index}" for index in range(units)]
    return Program.of_columns(names, [columns], n_units=units, tick_ps=1000, horizon=None)


def run_kernel(program: Program, interval: int, frames: int, slots: int) -> tuple[float, Machine]:
    machine = prepared(program, interval, frames, slots)
    begin = time.perf_counter()
    machine.run()
    return time.perf_counter() - begin, machine


def run_cpp(port: CppPort, program: Program, interval: int, frames: int, slots: int) -> tuple[float, Machine]:
    machine = prepared(program, interval, frames, slots)
    begin = time.perf_counter()
    port.advance(machine.tables, machine.arrival, machine.state)
    return time.perf_counter() - begin, machine


def prepared(program: Program, interval: int, frames: int, slots: int) -> Machine:
    """Return a machine whose arrays need not grow."""
    machine = Machine(program, periodic(interval), frames=frames)
    while len(machine.state.remaining) < slots:
        machine.grow()
    return machine


def same_state(one: Machine, two: Machine) -> bool:
    """Compare scalars, and the latency and leaving time of every frame remembered."""
    return all(
        np.array_equal(getattr(one.state, name), getattr(two.state, name))
        for name in ("scalar", "latency", "left_at", "running", "free_at")
    )


def compare(program: Program, frames: int, simpy_frames: int, repetitions: int) -> dict[str, Any]:
    """Time kernel, port and SimPy in turns."""
    interval = latency_interval(max_load(program))
    port = CppPort.build()
    _, warm = run_kernel(program, interval, frames, 1)
    slots = len(warm.state.remaining)
    models = {"simpy": run_processes, "simpy_tuned": run_servers}
    times: dict[str, list[float]] = {name: [] for name in ("kernel", "cpp", *models)}
    for _ in range(repetitions):
        seconds, machine = run_kernel(program, interval, frames, slots)
        times["kernel"].append(seconds / frames)
        if port is not None:
            seconds, other = run_cpp(port, program, interval, frames, slots)
            times["cpp"].append(seconds / frames)
            if not same_state(machine, other):
                raise SystemExit("kernel and C++ port disagree")
        for name, model in models.items():
            begin = time.perf_counter()
            model(program, interval, simpy_frames)
            times[name].append((time.perf_counter() - begin) / simpy_frames)
    median = {name: statistics.median(each) for name, each in times.items() if each}
    return {
        "program": f"{NETWORK} on {PLATFORM}, {MAPPER}",
        "tasks_per_frame": program.n_tasks,
        "resources": len(program.resources),
        "frames": {"kernel": frames, "cpp": frames, "simpy": simpy_frames},
        "interval_ticks": interval,
        "firings_per_s": {name: program.n_tasks / each for name, each in median.items()},
        "kernel_over_cpp": median["kernel"] / median["cpp"] if "cpp" in median else None,
        "cpp_skipped": None if port is not None else "g++ is not installed",
        "simpy_over_kernel": median["simpy"] / median["kernel"],
        "simpy_tuned_over_kernel": median["simpy_tuned"] / median["kernel"],
    }


def linearity(repetitions: int, firings: int = 2_000_000) -> list[dict[str, Any]]:
    """Firings per second against tasks per frame, saturated with window 16."""
    rows = []
    for tasks in SIZES:
        program = layered(tasks)
        frames = max(20, firings // tasks)
        seconds = []
        for _ in range(repetitions):
            machine = Machine(program, saturated(16), frames=frames)
            begin = time.perf_counter()
            machine.run()
            seconds.append(time.perf_counter() - begin)
        rows.append(
            {
                "tasks_per_frame": tasks,
                "resources": len(program.resources),
                "frames": frames,
                "firings_per_s": machine[kernel.FIRINGS] / statistics.median(seconds),
            }
        )
    return rows


def memory() -> list[dict[str, Any]]:
    """Peak resident memory of runs of ever more frames, each in a process of its own."""
    peak_mib(1)  # so that none of them compiles
    rows = []
    for frames in (1_000, 10_000, 100_000):
        program = (
            f"from benchmarks.emulator.kernel_vs_cpp_and_simpy import peak_mib; print(peak_mib({frames}))"
        )
        ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
        rows.append({"frames": frames, "peak_rss_mib": round(float(ran.stdout), 1)})
    return rows


def peak_mib(frames: int) -> float:
    """Run ResNet-50 and return the peak of this process so far.

    Read from Linux itself, since a new process inherits its parent's ``ru_maxrss``.
    """
    Machine(resnet50(), saturated(16), frames=frames).run()
    (peak,) = re.findall(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    return int(peak) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--repetitions", type=int, default=7)
    options = parser.parse_args()
    program = resnet50()
    result = {
        "comparison": compare(program, 20_000, 200, options.repetitions),
        "linearity": linearity(3),
        "memory": memory(),
    }
    if options.json:
        print(json.dumps(result, indent=1))
        return
    report(result)


def report(result: dict[str, Any]) -> None:
    one = result["comparison"]
    heading(
        "Emulator against C++ and SimPy",
        f"{one['program']}: {one['tasks_per_frame']} tasks per frame on {one['resources']} resources, self-timed, a "
        f"frame every {one['interval_ticks']} ticks. Limits: 1.25 x the time of the C++ port, 1/140 of SimPy's.",
    )
    rate = one["firings_per_s"]
    rows: list[tuple[str, str, str]] = [("kernel (Numba)", millions(rate["kernel"]), "1")]
    if one["kernel_over_cpp"] is None:
        rows.append(("C++ -O3, same event loop", f"skipped: {one['cpp_skipped']}", ""))
    else:
        rows.append(
            (
                "C++ -O3, same event loop (same end state)",
                millions(rate["cpp"]),
                f"{1 / one['kernel_over_cpp']:.3f}",
            )
        )
    rows.append(("SimPy, a process per task", millions(rate["simpy"]), f"{one['simpy_over_kernel']:.0f}"))
    rows.append(
        (
            "SimPy tuned by hand, a server per resource",
            millions(rate["simpy_tuned"]),
            f"{one['simpy_tuned_over_kernel']:.0f}",
        )
    )
    table(("event loop", "million firings/s", "time, kernel = 1"), rows)
    heading(
        "Emulator: time linear in firings",
        "Random layered programs, 100 tasks per unit, saturated, window 16.",
    )
    table(
        ("tasks per frame", "units", "frames", "million firings/s"),
        (
            (row["tasks_per_frame"], row["resources"], row["frames"], millions(row["firings_per_s"]))
            for row in result["linearity"]
        ),
    )
    heading(
        "Emulator: memory independent of the number of frames",
        "Peak resident memory of a process that runs so many frames, ResNet-50.",
    )
    table(("frames", "MiB"), ((row["frames"], row["peak_rss_mib"]) for row in result["memory"]))


def millions(rate: float) -> str:
    return f"{rate / 1e6:.3f}"


if __name__ == "__main__":
    main()
