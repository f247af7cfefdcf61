"""A small library to test with."""

from pathlib import Path

import msgspec

from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.library import Library
from mapopt.library.improving import Stamp, with_construction
from mapopt.library.readme import BEGIN, END, refresh
from mapopt.library.references import Level, Reference
from mapopt.library.schedules import Schedule
from mapopt.solvers.driver import solve
from mapopt.solvers.model import Limits
from mapopt.studies.methods import SolveMethod
from mapopt.studies.outcomes import record_of
from mapopt.studies.records import Record
from mapopt.transfers import Delay

STAMP = Stamp("0.1.0", "2026-01-31")

MANIFEST = """
schema = "mapopt.family/1"
summary = "Small ones."
instances = [
  { name = "five", file = "five.json" },
  { name = "planted", generator = "planted", parameters = { imcs = 2, dpus = 1, nodes_per_unit = 2 } },
]
"""

README = f"# Small ones\n\n{BEGIN}\n{END}\n\nThe end.\n"


def five() -> Instance:
    """A chain of five nodes on two equal units: the least period is 10, the least latency at it 29."""
    return Instance(
        "five",
        classes=("imc",),
        units=(Unit("a", "imc"), Unit("b", "imc")),
        nodes=tuple(InstanceNode(f"n{at}", (time,)) for at, time in enumerate((3, 5, 4, 2, 6))),
        tensors=tuple(InstanceTensor(f"t{at}", f"n{at}", (f"n{at + 1}",), 1) for at in range(4)),
        transfer=Delay(10**9),
    )


def write_library(folder: Path) -> Library:
    """Write a library of one family without references."""
    family = folder / "small"
    family.mkdir(parents=True)
    (family / "family.toml").write_text(MANIFEST)
    (family / "README.md").write_text(README)
    five().save(family / "five.json")
    return Library.open(folder)


def record(instance: Instance, **changes: object) -> Record:
    """Return the record of a solve."""
    limits = Limits(time_s=10, workers=1)
    key = SolveMethod.of("period,latency").key(instance.digest, limits)
    made = record_of(key, instance, solve(instance, "period,latency", limits=limits))
    return msgspec.structs.replace(made, **changes)


def write_references(library: Library) -> None:
    """Write references of that library without solving: one proven by construction, one open."""
    for member in library:
        made = member.make()
        if made.known is None:
            member.keep(best_of_five())
        else:
            member.keep(with_construction(Reference.of(made.instance), made.instance, made.known, STAMP))
    for family in library.families.values():
        refresh(family)


def best_of_five() -> Reference:
    """Return what is known of :func:`five`."""
    instance = five()
    reference = Reference.of(instance)
    finding = STAMP.finding
    return msgspec.structs.replace(
        reference,
        period=Level((finding(10, "lpt"),), (finding(10, "mean load"),)),
        latency=Level((finding(29, "lpt"),), (finding(20, "critical path"),), 10),
        schedule=Schedule(10, (1, 1, 0, 1, 0), (0, 3, 9, 18, 23)),
    )
