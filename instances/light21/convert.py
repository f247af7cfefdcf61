"""Makes the 21 instances from the task graphs: python -m instances.light21.convert, or run this file."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.transfers import Delay

FOLDER = Path(__file__).parent
BYTES_PER_S = 10**9
"""One byte per tick of 1 ns, so that a tensor's bytes are its delay in ticks."""


def instance_of(graph: dict[str, Any], imc_units: int, dpu_units: int, name: str) -> Instance:
    """Return one graph on a number of units."""
    classes = ("imc", "dpu")
    readers: dict[str, list[str]] = {}
    delay: dict[str, int] = {}
    for edge in graph["edges"]:
        readers.setdefault(edge["from"], []).append(edge["to"])
        delay[edge["from"]] = int(edge["delay_between_different_units"])
    return Instance(
        name=name,
        classes=classes,
        units=tuple(
            Unit(f"{kind}{number}", kind)
            for kind, count in zip(classes, (imc_units, dpu_units), strict=True)
            for number in range(count)
        ),
        nodes=tuple(
            InstanceNode(
                node["id"],
                tuple(int(node["duration"]) if node["class"] == kind else None for kind in classes),
            )
            for node in graph["nodes"]
        ),
        tensors=tuple(
            InstanceTensor(producer, producer, tuple(consumers), delay[producer])
            for producer, consumers in readers.items()
        ),
        transfer=Delay(BYTES_PER_S),
        source="light models of the onnx package, see instances/light21/README.md",
    )


def main() -> None:
    """Write one instance per row of the references."""
    with (FOLDER / "references.csv").open() as file:
        for row in csv.DictReader(file):
            imc, dpu = int(row["imc_units"]), int(row["dpu_units"])
            graph = json.loads((FOLDER / "graphs" / f"{row['network']}.json").read_text())
            name = f"{row['network']}-{imc}+{dpu}"
            (FOLDER / f"{name}.json").write_bytes(instance_of(graph, imc, dpu, name).to_json() + b"\n")


if __name__ == "__main__":
    main()
