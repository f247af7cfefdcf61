"""How long users wait before anything happens: ``mapopt --help``, and reading a real ONNX file."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.tables import heading, table

ROOT = Path(__file__).parents[1]
RESNET50 = ROOT / "tests" / "data" / "onnx" / "resnet50.torchscript.onnx"


def seconds(*command: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def alternating(first: tuple[str, ...], second: tuple[str, ...], repeats: int = 15) -> tuple[float, float]:
    pairs = [(seconds(*first), seconds(*second)) for _ in range(repeats)][1:]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def main() -> None:
    heading("Start-up", "Medians of 14 alternating runs of whole processes.")
    shown, typer = alternating(("-m", "mapopt", "--help"), ("-c", "import typer"))
    read = f"from mapopt.network.library import load_network; load_network({str(RESNET50)!r})"
    reading, onnx = alternating(("-c", read), ("-c", "import onnx"))
    table(
        ["what", "seconds", "beside", "seconds", "ratio", "target"],
        [
            [
                "`mapopt --help`",
                f"{shown:.3f}",
                "`import typer`",
                f"{typer:.3f}",
                f"{shown / typer:.2f}",
                "<= 3",
            ],
            [
                "reading ResNet-50 (PyTorch export), imports included",
                f"{reading:.3f}",
                "`import onnx`",
                f"{onnx:.3f}",
                f"{reading / onnx:.2f}",
                "<= 1 s",
            ],
        ],
    )


if __name__ == "__main__":
    main()
