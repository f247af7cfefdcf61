"""What the generators share: checks of parameters, units and transfer models.

A tick is a nanosecond and every channel carries a byte per tick, so that a tensor of b bytes is sent in b ticks.
"""

from __future__ import annotations

from collections.abc import Sequence

from mapopt.errors import InputError
from mapopt.instance import Unit
from mapopt.transfers import Blocking, Delay, Free, Host, Link, Links, TransferModel

BYTES_PER_S = 10**9

IMC, DPU = "imc", "dpu"


def whole(name: str, value: int, low: int, high: int) -> None:
    """Refuse a parameter that is no integer from ``low`` to ``high``.

    Raises
    ------
    InputError
        Naming the parameter, its value and its range.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"parameter {name}: is {value!r}; it must be an integer from {low} to {high}")


def share(name: str, value: float, low: float = 0.0, high: float = 1.0) -> None:
    """Refuse a parameter that is no number from ``low`` to ``high``.

    Raises
    ------
    InputError
        Naming the parameter, its value and its range.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InputError(f"parameter {name}: is {value!r}; it must be a number from {low:g} to {high:g}")


def one_of(name: str, value: str, choices: Sequence[str]) -> None:
    """Refuse a parameter that is none of ``choices``.

    Raises
    ------
    InputError
        Naming the parameter, its value and the choices.
    """
    if value not in choices:
        raise InputError(f"parameter {name}: is {value!r}; it must be one of {', '.join(choices)}")


def classes_of(imcs: int, dpus: int) -> tuple[str, ...]:
    """Return the classes that have units, ``imc`` first."""
    return tuple(name for name, count in ((IMC, imcs), (DPU, dpus)) if count)


def units_of(imcs: int, dpus: int, crossbars: int | None = None) -> tuple[Unit, ...]:
    """Return so many units of each class; ``crossbars`` is what each imc unit holds."""
    return (
        *(Unit(f"{IMC}{number}", IMC, crossbars=crossbars) for number in range(imcs)),
        *(Unit(f"{DPU}{number}", DPU) for number in range(dpus)),
    )


def transfer_model(kind: str, units: Sequence[Unit], latency_ticks: int = 0) -> TransferModel:
    """Return a transfer model of one byte per tick.

    Parameters
    ----------
    kind
        ``"free"``, ``"delay"``, ``"blocking"``, ``"host"`` (no unit works on host memory itself), or ``"links"``: every
        unit has a full-duplex port, which is a link out and a link in.
    units
        The instance's.
    latency_ticks
        Of every transfer; with ``links`` of every link.
    """
    if kind == "free":
        return Free()
    if kind == "delay":
        return Delay(BYTES_PER_S, latency_ticks)
    if kind == "blocking":
        return Blocking(BYTES_PER_S, latency_ticks)
    if kind == "host":
        return Host(BYTES_PER_S, latency_ticks)
    names = [unit.name for unit in units]
    return Links(
        links=tuple(
            Link(f"{name}.{way}", BYTES_PER_S, latency_ticks) for name in names for way in ("out", "in")
        ),
        egress=tuple((f"{name}.out",) for name in names),
        ingress=tuple((f"{name}.in",) for name in names),
    )
