"""Platforms by specification: ``imce:imc=8,dpu=2`` or ``chip.toml:transfer=delay``."""

from __future__ import annotations

import difflib
import tomllib
from importlib import resources
from pathlib import Path

import msgspec

from mapopt.documents import convert, read_bytes
from mapopt.errors import InputError
from mapopt.platform.model import Platform

PRESETS = ("imce", "imc")

_INTERCONNECT_KEYS = ("transfer", "bytes_per_s", "latency_ps")
_PLATFORM_KEYS = ("tick_ps", "activation_bits")


def preset_text(name: str) -> str:
    """Return the commented TOML file of a preset."""
    return resources.files("mapopt.platform").joinpath("presets", f"{name}.toml").read_text(encoding="utf-8")


def parse_platform(text: str, source: str) -> Platform:
    """Make a platform of TOML text; ``source`` names it in messages.

    Raises
    ------
    InputError
        If the text is not TOML or breaks a rule of the schema.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{source}: not valid TOML ({error})") from None
    return Platform.from_data(raw, source)


def load_platform(spec: str) -> Platform:
    """Return the platform that ``spec`` describes.

    Parameters
    ----------
    spec
        The name of a preset or the path of a TOML file, optionally followed by ``:key=value,key=value``. Keys
        are class names (number of units), ``transfer``, ``bytes_per_s``, ``latency_ps``, ``tick_ps``,
        ``activation_bits``, and ``model`` (``macs`` or ``mvm``: how the time of base nodes is found).

    Raises
    ------
    InputError
        If the preset, file, key or value does not exist or breaks a rule.

    Examples
    --------
    >>> platform = load_platform("imce:imc=4,dpu=1,transfer=delay")
    >>> [(unit_class.name, unit_class.count) for unit_class in platform.classes]
    [('imc', 4), ('dpu', 1)]
    """
    head, separator, parameters = spec, "", ""
    if spec not in PRESETS and not Path(spec).is_file():
        head, separator, parameters = spec.partition(":")
    platform = _load(head)
    if separator:
        platform = with_parameters(platform, _parse_parameters(parameters, spec))
    return platform


def _load(head: str) -> Platform:
    if head in PRESETS:
        return parse_platform(preset_text(head), f"preset {head!r}")
    if head.endswith(".toml") or Path(head).is_file():
        try:
            return parse_platform(read_bytes(head).decode(), head)
        except UnicodeDecodeError:
            raise InputError(f"{head}: is not UTF-8 text; a platform file is TOML") from None
    close = difflib.get_close_matches(head, PRESETS, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise InputError(f"platform {head!r}: {hint}it must be a preset ({', '.join(PRESETS)}) or a TOML file")


def _parse_parameters(text: str, spec: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for item in text.split(","):
        key, separator, value = (part.strip() for part in item.partition("="))
        if not (key and separator and value):
            raise InputError(f"platform {spec!r}: {item!r} is not key=value, e.g. imce:imc=8,dpu=2")
        if key in parameters:
            raise InputError(f"platform {spec!r}: key {key!r} appears twice")
        parameters[key] = value
    return parameters


def with_parameters(platform: Platform, parameters: dict[str, str]) -> Platform:
    """Return the platform with unit counts, interconnect or cost model replaced (keys: see load_platform).

    Raises
    ------
    InputError
        If a key or value does not exist or breaks a rule.
    """
    raw = msgspec.to_builtins(platform)
    classes = {unit_class["name"]: unit_class for unit_class in raw["classes"]}
    for key, value in parameters.items():
        if key in classes:
            classes[key]["count"] = _integer(key, value)
        elif key in _INTERCONNECT_KEYS:
            raw["interconnect"][key] = value if key == "transfer" else _integer(key, value)
        elif key in _PLATFORM_KEYS:
            raw[key] = _integer(key, value)
        elif key == "model":
            for unit_class in raw["classes"]:
                if "base_model" in unit_class:
                    unit_class["base_model"] = value
        else:
            valid = [*classes, *_INTERCONNECT_KEYS, *_PLATFORM_KEYS, "model"]
            raise InputError(
                f"platform {platform.name!r}: unknown key {key!r}; valid keys are {', '.join(valid)}"
            )
    listed = ", ".join(f"{key}={value}" for key, value in parameters.items())
    return convert(raw, Platform, f"platform {platform.name!r} with {listed}")


def _integer(key: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise InputError(f"platform: {key} is {value!r}; it must be a whole number") from None
