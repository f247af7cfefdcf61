"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mapopt.errors import InputError

if TYPE_CHECKING:
    from mapopt.instance import Instance

Source = Annotated[
    str,
    typer.Argument(
        metavar="NETWORK",
        help="ONNX file, built-in network (see `mapopt networks`), onnx:NAME, or an instance file (.json).",
    ),
]
InstanceFile = Annotated[str, typer.Argument(metavar="INSTANCE", help="Instance file (.json).")]
MappingFile = Annotated[Path, typer.Argument(metavar="MAPPING", help="Mapping file (.json).")]
PlatformSpec = Annotated[
    str | None,
    typer.Option("--platform", "-p", help="Preset or TOML file with parameters, e.g. imce:imc=8,dpu=2."),
]
Output = Annotated[Path, typer.Option("--output", "-o", help="File to write.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of everything random.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="OPTION=VALUE", help="Option of the mapper; repeatable.")
]
Shapes = Annotated[
    list[str] | None,
    typer.Option("--shape", metavar="INPUT=1x3x224x224", help="Shape of a network input; repeatable."),
]
Strict = Annotated[bool, typer.Option("--strict", help="Refuse operators that mapopt does not know.")]
NoFuse = Annotated[bool, typer.Option("--no-fuse", help="Keep element-wise followers as nodes of their own.")]
Times = Annotated[
    Path | None, typer.Option("--times", help="CSV of measured times with the columns node, class, time_ns.")
]


def keep(out: Path, *inputs: str | Path) -> None:
    """Refuse to write over what the command reads."""
    for path in inputs:
        if Path(path).exists() and out.exists() and Path(path).samefile(out):
            raise InputError(f"{out}: is an input of this command; write to another file")


def load(
    network: str,
    platform: str | None,
    times: Path | None,
    shape: list[str] | None,
    strict: bool,
    no_fuse: bool,
) -> Instance:
    """Return the instance that these arguments of a command describe."""
    from mapopt.sources import load_instance

    return load_instance(
        network, platform=platform, times=times, shapes=parse_shapes(shape), fuse=not no_fuse, strict=strict
    )


def parse_shapes(items: list[str] | None) -> dict[str, tuple[int, ...]]:
    """Return ``{"x": (1, 3, 224, 224)}`` for ``["x=1x3x224x224"]``."""
    shapes: dict[str, tuple[int, ...]] = {}
    for item in items or ():
        name, separator, text = item.rpartition("=")
        extents = text.replace(",", "x").split("x")
        if not (name and separator and all(extent.isdecimal() for extent in extents)):
            raise InputError(f"--shape {item!r}: must look like input=1x3x224x224")
        if name in shapes:
            raise InputError(f"--shape {item!r}: input {name!r} has a shape already; give it once")
        shapes[name] = tuple(map(int, extents))
    return shapes
