"""Where instances come from: an instance file, a device-placement workload, or a network on a platform."""

from __future__ import annotations

from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from pathlib import Path

from mapopt.documents import decode_json, read_bytes
from mapopt.errors import InputError
from mapopt.instance import Instance


def load_instance(
    spec: str,
    *,
    platform: str | None = None,
    times: str | Path | None = None,
    shapes: Dictionary[str, Sequence[int]] | None = None,
    fuse: bool = True,
    strict: bool = False,
) -> Instance:
    """Return the instance that ``spec`` describes.

    Parameters
    ----------
    spec
        A ``.json`` file (an instance, or a device-placement workload), or a network: an ONNX file, a built-in
        name, or ``onnx:<name>`` for a light model of the onnx package.
    platform
        A preset or a TOML file with parameters, see ``mapopt.load_platform``; needed by networks only.
    times
        CSV file of measured times; networks only.
    shapes, fuse, strict
        How networks are read, see ``mapopt.load_network``.

    Raises
    ------
    InputError
        If anything named does not exist or breaks a rule, or if a network comes without a platform.
    """
    if is_instance_file(spec):
        if platform is not None or times is not None or shapes or strict or not fuse:
            raise InputError(
                f"{spec}: is an instance, which has its platform, times and nodes inside; platform, times, shapes, "
                "strict and fusion are for networks, leave them out"
            )
        return read_instance(spec)
    if platform is None:
        raise InputError(f"network {spec!r}: needs a platform, e.g. --platform imce:imc=8,dpu=2")
    from mapopt.costs import build_instance, read_times
    from mapopt.network.library import load_network
    from mapopt.platform.library import load_platform

    chip = load_platform(platform)
    table = None if times is None else read_times(times)
    network = load_network(spec, shapes=shapes, fuse=fuse, strict=strict)
    return build_instance(network, chip, times=table, name=f"{network.name}@{platform}")


def is_instance_file(spec: str) -> bool:
    """Whether ``spec`` names a JSON file rather than a network."""
    return spec.lower().endswith(".json")


def read_instance(path: str | Path) -> Instance:
    """Read an instance file or a device-placement workload.

    Raises
    ------
    InputError
        If the file cannot be read or breaks a rule.
    """
    from mapopt.importers.device_placement import is_workload, workload_to_instance

    raw = decode_json(read_bytes(path), str(path))
    if is_workload(raw):
        return workload_to_instance(raw, Path(path).stem)
    return Instance.from_data(raw, str(path))
