"""A platform: classes of units, what each can hold and how fast it is, and the interconnect between them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec

from mapopt.documents import Count, Document, Name, Part, Rate, Ticks, unique
from mapopt.errors import InputError

Positive = Annotated[int, msgspec.Meta(ge=1, le=2**31)]
UnitCount = Annotated[int, msgspec.Meta(ge=0, le=100_000)]
Picoseconds = Ticks
Femtojoules = Ticks


class Crossbars(Part, frozen=True):
    """The crossbars of one IMC unit.

    Parameters
    ----------
    rows, columns
        Inputs and outputs of one crossbar, in matrix elements.
    count
        Crossbars of one unit; the weights of all its nodes must fit. ``None``: weights are reloaded, no limit.
    parallel
        How many crossbars of a unit multiply at the same time; ``None``: all that a node occupies.
    """

    rows: Positive
    columns: Positive
    count: Positive | None = None
    parallel: Positive | None = None


class UnitClass(Part, frozen=True):
    """A class of identical units.

    Parameters
    ----------
    name
        Units are called ``<name>0``, ``<name>1``, ...
    count
        Number of units.
    base_model
        How the time of a base node is found: ``"macs"`` (proportional to its multiply-accumulates), ``"mvm"``
        (constant per matrix-vector multiplication), or ``None`` if units of this class cannot run base nodes.
    macs_per_s
        Multiply-accumulates per second, needed by ``"macs"``.
    mvm_ps
        Time of one matrix-vector multiplication in picoseconds, needed by ``"mvm"``.
    crossbars
        Geometry and capacity of the unit's crossbars, needed by ``"mvm"``.
    operations_per_s
        Element operations per second for nodes that are not base nodes; ``None``: cannot run them.
    fused_per_s
        Element operations per second for followers fused into a node; ``None``: they hide behind it.
    overhead_ps
        Added to the time of every node, in picoseconds.
    memory_bytes
        Activation memory of a unit; the output tensors of all its nodes must fit. ``None``: no limit.
    mvm_fj, mac_fj
        Energy of one multiplication of a vector with one crossbar, or of one multiply-accumulate, for base nodes;
        ``mvm_fj`` needs ``crossbars``.
    operation_fj
        Energy of one element operation, fused ones included.
    """

    name: Name
    count: UnitCount
    base_model: Literal["macs", "mvm"] | None = None
    macs_per_s: Rate | None = None
    mvm_ps: Picoseconds | None = None
    crossbars: Crossbars | None = None
    operations_per_s: Rate | None = None
    fused_per_s: Rate | None = None
    overhead_ps: Picoseconds = 0
    memory_bytes: Count | None = None
    mvm_fj: Femtojoules | None = None
    mac_fj: Femtojoules | None = None
    operation_fj: Femtojoules | None = None

    def __post_init__(self) -> None:
        if self.mvm_fj is not None and (self.crossbars is None or self.mac_fj is not None):
            raise InputError(
                f"class {self.name!r}: mvm_fj needs crossbars, and excludes mac_fj; give what fits base_model"
            )
        if self.base_model == "macs" and self.macs_per_s is None:
            raise InputError(f"class {self.name!r}: base_model 'macs' needs macs_per_s")
        if self.base_model == "mvm" and (self.mvm_ps is None or self.crossbars is None):
            raise InputError(f"class {self.name!r}: base_model 'mvm' needs mvm_ps and crossbars")
        if self.base_model is None and self.operations_per_s is None:
            raise InputError(
                f"class {self.name!r}: can run nothing; give it a base_model or operations_per_s"
            )


class Interconnect(Part, frozen=True):
    """How units exchange tensors, see ``mapopt.transfers``.

    Parameters
    ----------
    transfer
        ``links`` gives every unit one full-duplex port: a link out and a link in, joined by a non-blocking switch.
    bytes_per_s, latency_ps
        Of one transfer, or of one link.
    host_classes
        With ``host``: classes that work on host memory itself and pay nothing.
    """

    transfer: Literal["free", "delay", "blocking", "host", "links"]
    bytes_per_s: Rate
    latency_ps: Picoseconds = 0
    host_classes: tuple[Name, ...] = ()


class Platform(Document, frozen=True):
    """A platform, from a preset or a TOML file.

    Parameters
    ----------
    name, summary, reference
        For people.
    classes
        See :class:`UnitClass`.
    interconnect
        See :class:`Interconnect`.
    tick_ps
        Length of a tick in picoseconds.
    activation_bits
        Bits of one activation element.
    """

    KIND: ClassVar[str] = "platform"

    name: Name
    classes: Annotated[tuple[UnitClass, ...], msgspec.Meta(min_length=1)]
    interconnect: Interconnect
    summary: str = ""
    reference: str = ""
    tick_ps: Annotated[int, msgspec.Meta(ge=1, le=10**12)] = 1000
    activation_bits: Annotated[int, msgspec.Meta(ge=1, le=64)] = 8

    def __post_init__(self) -> None:
        unique("class", (unit_class.name for unit_class in self.classes))
        if not any(unit_class.count for unit_class in self.classes):
            raise InputError(
                f"platform {self.name!r}: has no units; give at least one class a count of 1 or more"
            )
        names = [unit_class.name for unit_class in self.classes]
        for name in self.interconnect.host_classes:
            if name not in names:
                raise InputError(f"platform {self.name!r}: host class {name!r} is not among {names}")
