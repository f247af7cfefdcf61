"""Find the instances of ``instances/adversarial`` again, prove their ratios, and write them with their table.

``python -m benchmarks.adversarial [INSTANCE ...]``: all instances, or those named. Searches are deterministic.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from mapopt.documents import write_atomic
from mapopt.instance import Instance
from mapopt.library.generators.adversarial import Proof, generate, generate_cnn, prove
from mapopt.solvers.model import Limits

FOLDER = Path(__file__).parents[1] / "instances" / "adversarial"

BEGIN, END = "<!-- table: python -m benchmarks.adversarial -->\n", "<!-- end of ratios -->"

HEAD = (
    "| instance | nodes | units | LBLP's period | LBLP's units | optimum | ratio | proven by | `mapopt schedule` |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
)

GRAHAM: dict[str, Any] = {"objective": "period", "steps": 6000, "max_ticks": 8}
CHAIN: dict[str, Any] = {"objective": "period", "chain": True, "steps": 20_000, "max_ticks": 12}
PERIOD: dict[str, Any] = {"objective": "period", "steps": 20_000, "max_ticks": 20}
LATENCY: dict[str, Any] = {"objective": "latency", "steps": 4000, "max_ticks": 20, "send_ticks": 5}
OCCUPYING: dict[str, Any] = {**PERIOD, "steps": 6000, "send_ticks": 5}
IMCE: dict[str, Any] = {"objective": "period", "max_nodes": 8, "steps": 4000}
IMC: dict[str, Any] = {"objective": "period", "max_nodes": 10, "steps": 6000, "restarts": 1}
SHORT: dict[str, Any] = {"objective": "latency", "max_nodes": 6, "steps": 3000}

CASES: dict[str, dict[str, Any]] = {
    "period-identical-2-free": {**GRAHAM, "imcs": 2, "max_nodes": 8, "seed": 1},
    "period-identical-3-free": {**GRAHAM, "imcs": 3, "max_nodes": 12, "seed": 2},
    "period-identical-4-free": {**GRAHAM, "imcs": 4, "max_nodes": 16},
    "period-identical-chain-2-free": {**CHAIN, **GRAHAM, "imcs": 2, "max_nodes": 8},
    "period-identical-chain-3-free": {**CHAIN, "imcs": 3},
    "period-identical-chain-4-free": {**CHAIN, "imcs": 4, "max_nodes": 12},
    "period-classes-2-2-free": {**PERIOD, "imcs": 2, "dpus": 2},
    "period-classes-1-3-free": {**PERIOD, "imcs": 1, "dpus": 3, "steps": 6000, "seed": 2},
    "period-identical-capacities-3-free": {**PERIOD, "imcs": 3, "capacities": True},
    "period-classes-capacities-2-2-free": {
        **PERIOD,
        "imcs": 2,
        "dpus": 2,
        "capacities": True,
        "seed": 3,
    },
    "period-identical-3-links": {
        **PERIOD,
        "imcs": 3,
        "transfer": "links",
        "send_ticks": 5,
        "max_nodes": 12,
        "steps": 6000,
        "seed": 3,
    },
    "period-identical-3-blocking": {**OCCUPYING, "imcs": 3, "transfer": "blocking", "seed": 3},
    "period-identical-3-host": {**OCCUPYING, "imcs": 3, "transfer": "host", "max_nodes": 8},
    "period-classes-2-2-blocking": {
        **OCCUPYING,
        "imcs": 2,
        "dpus": 2,
        "transfer": "blocking",
        "max_nodes": 8,
    },
    "period-classes-2-2-host": {**OCCUPYING, "imcs": 2, "dpus": 2, "transfer": "host", "max_nodes": 8},
    "period-imce-3-1": {**IMCE, "platform": "imce:imc=3,dpu=1", "seed": 2},
    "period-imce-4-2": {**IMCE, "platform": "imce:imc=4,dpu=2"},
    "period-imc-3-1": {**IMC, "platform": "imc:imc=3,dpu=1", "max_nodes": 12, "seed": 1},
    "period-imc-4-2": {**IMC, "platform": "imc:imc=4,dpu=2", "max_nodes": 12},
    "latency-identical-2-free": {**LATENCY, "imcs": 2, "seed": 1},
    "latency-identical-3-free": {**LATENCY, "imcs": 3, "seed": 4},
    "latency-identical-3-delay": {**LATENCY, "imcs": 3, "transfer": "delay"},
    "latency-identical-3-links": {**LATENCY, "imcs": 3, "transfer": "links", "max_nodes": 8, "seed": 1},
    "latency-classes-2-2-free": {**LATENCY, "imcs": 2, "dpus": 2},
    "latency-classes-2-2-delay": {**LATENCY, "imcs": 2, "dpus": 2, "transfer": "delay", "seed": 3},
    "latency-identical-capacities-3-free": {**LATENCY, "imcs": 3, "capacities": True, "seed": 4},
    "latency-identical-3-blocking": {
        **LATENCY,
        "imcs": 3,
        "transfer": "blocking",
        "max_nodes": 8,
        "seed": 1,
    },
    "latency-identical-3-host": {**LATENCY, "imcs": 3, "transfer": "host", "max_nodes": 8},
    "latency-classes-2-2-blocking": {**LATENCY, "imcs": 2, "dpus": 2, "transfer": "blocking", "max_nodes": 8},
    "latency-classes-2-2-host": {**LATENCY, "imcs": 2, "dpus": 2, "transfer": "host", "max_nodes": 8},
    "latency-imce-3-1": {**SHORT, "platform": "imce:imc=3,dpu=1"},
    "latency-imce-4-2": {**SHORT, "platform": "imce:imc=4,dpu=2", "seed": 1},
    "latency-imc-3-1": {**IMC, "objective": "latency", "platform": "imc:imc=3,dpu=1", "seed": 2},
    "latency-imc-4-2": {**IMC, "objective": "latency", "platform": "imc:imc=4,dpu=2", "seed": 1},
}
"""By name what :func:`mapopt.library.generators.adversarial.generate` is given, with a platform ``generate_cnn``."""


def find(name: str) -> Instance:
    """Search for the instance of that name."""
    case = CASES[name]
    return generate_cnn(**case) if "platform" in case else generate(**case)


def row(instance: Instance, proof: Proof) -> str:
    """Return an instance's line of the table."""
    ratio = f"{proof.lblp / proof.optimum:.3f}"
    cells = (
        f"`{instance.name}`",
        len(instance.nodes),
        len(instance.units),
        proof.period,
        proof.lblp,
        proof.optimum,
        ratio,
        proof.bound_by,
        proof.scheduled,
    )
    return f"| {' | '.join(map(str, cells))} |\n"


def keep(name: str, line: str) -> None:
    """Write an instance's line into the table; the other lines stay."""
    readme = FOLDER / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    old, _, after = rest.partition(END)
    lines = {each.split("`")[1]: each for each in old.splitlines(keepends=True) if each.startswith("| `")}
    lines[name] = line
    table = HEAD + "".join(lines[each] for each in CASES if each in lines)
    write_atomic(readme, f"{before}{BEGIN}{table}{END}{after}".encode())


def main(names: list[str]) -> None:
    """Find the instances named, or all, and write them."""
    for name in names or CASES:
        instance = find(name)
        line = row(instance, prove(instance, CASES[name]["objective"], Limits(time_s=300)))
        instance.save(FOLDER / f"{name}.json")
        keep(name, line)
        print(line, end="", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
