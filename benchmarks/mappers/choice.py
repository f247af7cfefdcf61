"""Which mapper to pick for a budget of time, on the test split of a tuning study.

    python -m benchmarks.mappers.choice [--library instances] [--solve-s 60] [--only PATTERN ...]

Writes ``results/mapper-choice.md``. The instances are the test split of the template ``fast``. A mapping without starts
gets those of ``mapopt schedule`` at its largest load. Gaps: of the period to its best bound, of the latency to the best
known one at the least known period (less at a longer period counts as none); shifted geometric means with the shifts
of the tuning studies, and the largest. Times are those of one call after another of the same kind, medians and largest.
``--solve-s 0`` leaves out the formulations.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.tables import heading, machine, table
from mapopt import schedule
from mapopt.documents import write_atomic
from mapopt.instance import Instance
from mapopt.library import Library
from mapopt.library.references import Reference
from mapopt.mappers.registry import get
from mapopt.mapping import Mapping
from mapopt.solvers.judging import measured
from mapopt.solvers.model import Objective
from mapopt.tuning.scores import Gaps, mean_gaps

TEST = (
    "light21/*",
    "networks/googlenet*",
    "networks/densenet*",
    "networks/yolov8n*",
    "networks/resnet50*",
)
MOMENT = ("lblp", "heft-tp", "maxtp", "parametric-list", "tuned:fast", "auto:budget_s=0.01")
SECOND = ("annealed-list:iterations=3000", "genetic", "lns-cpsat", "auto:budget_s=1")
TARGET = Path(__file__).parents[2] / "results" / "mapper-choice.md"


def maker(spec: str) -> Callable[[Instance], Mapping]:
    """Return what maps an instance by a mapper with options."""
    name, _, options = spec.rpartition(":") if "=" in spec else (spec, "", "")
    mapper = get(name, options.split(",") if options else ())
    return lambda instance: mapper.map(instance)


def gaps_of(instance: Instance, mapping: Mapping, reference: Reference) -> Gaps:
    """Return the gaps of a mapping, measured by the emulator."""
    timed = mapping if mapping.is_time_triggered else schedule(instance, mapping)
    assert timed.horizon is not None
    assert reference.period.bound
    assert reference.latency.value
    latency = measured(instance, timed, Objective.LATENCY)
    return Gaps(timed.horizon / reference.period.bound - 1, max(0.0, latency / reference.latency.value - 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--library", default="instances")
    parser.add_argument("--solve-s", type=float, default=60.0)
    parser.add_argument("--only", nargs="*", default=TEST)
    arguments = parser.parse_args()
    specs = [*MOMENT, *SECOND]
    if arguments.solve_s:
        specs.append(f"auto:budget_s={arguments.solve_s:g}")
    cases: list[tuple[Instance, Reference]] = []
    for member in Library.open(arguments.library).select(only=arguments.only):
        reference = member.reference()
        if reference is not None and reference.schedule is not None:
            cases.append((member.make().instance, reference))
    rows = []
    for spec in specs:
        make, gaps, times = maker(spec), [], []
        make(cases[0][0])  # compiles what it needs
        for number, (instance, reference) in enumerate(cases):
            print(f"\r{spec}: {number + 1} of {len(cases)} ", end="", file=sys.stderr)
            began = perf_counter()
            mapping = make(instance)
            times.append(1000 * (perf_counter() - began))
            gaps.append(gaps_of(instance, mapping, reference))
        mean = mean_gaps(gaps)
        rows.append(
            (
                f"`{spec}`",
                f"{mean.period:.3%}",
                f"{max(each.period for each in gaps):.2%}",
                f"{mean.latency:.2%}",
                f"{max(each.latency for each in gaps):.1%}",
                f"{median(times):,.1f}",
                f"{max(times):,.0f}",
            )
        )
        print(file=sys.stderr)
    page = StringIO()
    with redirect_stdout(page):
        print("# Which mapper for which budget\n")
        command = f"python -m benchmarks.mappers.choice --solve-s {arguments.solve_s:g}"
        print(f"Printed by `{command}` on {machine()}.")
        heading(
            f"{len(cases)} instances",
            "The test split of the tuning study `fast` "
            "([docs/tuning.md](../docs/tuning.md)); time-triggered, one pattern. Shifted geometric means and largest "
            "gaps: "
            "of the period to its bound, of the latency to the best known.",
        )
        columns = ("mapper", "period gap", "largest", "latency gap", "largest", "median ms", "largest ms")
        table(columns, rows)
    print(page.getvalue())
    write_atomic(TARGET, page.getvalue().encode())


if __name__ == "__main__":
    main()
