"""Record what the schedulers of anrg-saga 2.1.0 do, as a reference for HEFT-Tp, CPoP-Tp, MaxTP and HEFT.

    python3.12 -m venv saga && saga/bin/pip install anrg-saga==2.1.0
    saga/bin/python benchmarks/mappers/saga_reference.py > tests/mappers/data/saga-2.1.0.json

It needs nothing of mapopt, since anrg-saga needs Python 3.12. Times and bandwidths are chosen so that all
quotients are integers: speeds 1, 2, 4, costs in multiples of 4, bandwidths 1 and 2, even sizes. Graphs have one
entry and one exit, since anrg-saga adds artificial ones otherwise.
"""

from __future__ import annotations

import json
import random
from importlib.metadata import version
from typing import Any

from saga import Network, TaskGraph
from saga.schedulers.parametric import ParametricScheduler
from saga.schedulers.parametric.components import (
    CPoPRanking,
    GreedyInsert,
    GreedyInsertCompareFuncs,
    UpwardRanking,
)
from saga.schedulers.throughput import MaxTPScheduler

EFT, THROUGHPUT = GreedyInsertCompareFuncs.EFT, GreedyInsertCompareFuncs.Throughput

SCHEDULERS = {
    "heft": ParametricScheduler(UpwardRanking(), GreedyInsert(compare=EFT)),
    "heft-tp": ParametricScheduler(UpwardRanking(), GreedyInsert(compare=THROUGHPUT)),
    "cpop-tp": ParametricScheduler(CPoPRanking(), GreedyInsert(compare=THROUGHPUT, critical_path=True)),
    "maxtp": MaxTPScheduler(),
}


def problem(seed: int) -> dict[str, Any]:
    """A random task graph on a random network: costs, edges (from, to, size), speeds, bandwidths (a, b, rate)."""
    draw = random.Random(seed)
    count, units = draw.randint(4, 24), draw.randint(2, 6)
    edges = []
    for node in range(1, count):
        for before in sorted(draw.sample(range(node), min(node, draw.randint(1, 3)))):
            edges.append((before, node, 2 * draw.randint(1, 200)))
    read = {before for before, _, _ in edges}
    edges += [(node, count - 1, 2 * draw.randint(1, 200)) for node in range(count - 1) if node not in read]
    return {
        "seed": seed,
        "costs": [4 * draw.randint(1, 200) for _ in range(count)],
        "edges": edges,
        "speeds": [draw.choice((1, 1, 2, 4)) for _ in range(units)],
        "bandwidths": [(a, b, draw.choice((1, 2))) for a in range(units) for b in range(a + 1, units)],
    }


def outcomes(case: dict[str, Any]) -> dict[str, Any]:
    """Unit of every task, bottleneck and makespan under every scheduler."""
    network = Network.create(
        nodes=[(f"u{number}", float(speed)) for number, speed in enumerate(case["speeds"])],
        edges=[(f"u{a}", f"u{b}", float(rate)) for a, b, rate in case["bandwidths"]],
    )
    graph = TaskGraph.create(
        tasks=[(f"n{number:03}", float(cost)) for number, cost in enumerate(case["costs"])],
        dependencies=[
            (f"n{before:03}", f"n{after:03}", float(size)) for before, after, size in case["edges"]
        ],
    )
    found = {}
    for name, scheduler in SCHEDULERS.items():
        schedule = scheduler.schedule(network, graph)
        home = {task.name: unit for unit, tasks in schedule.items() for task in tasks}
        found[name] = {
            "units": [int(home[f"n{number:03}"][1:]) for number in range(len(case["costs"]))],
            "bottleneck": round(1 / schedule.throughput, 6),
            "makespan": round(schedule.makespan, 6),
        }
    return found


def main() -> None:
    if version("anrg-saga") != "2.1.0":
        raise SystemExit(f"anrg-saga is {version('anrg-saga')}; the reference is of 2.1.0")
    cases = [{**case, "outcomes": outcomes(case)} for case in map(problem, range(60))]
    print("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]")


if __name__ == "__main__":
    main()
