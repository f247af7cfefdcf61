"""The least period: of the built-in networks, and of random instances made to be hard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from benchmarks.references.hard import hard_instance
from benchmarks.references.table import Case, Row, Table, gap_of, percent, seconds
from mapopt.emulator.analysis import max_load
from mapopt.emulator.lower import lower
from mapopt.errors import InfeasibleError, NoMappingError
from mapopt.feasibility import require_feasible
from mapopt.mappers.run import map_instance
from mapopt.network.library import builtin_networks
from mapopt.solvers.model import Limits
from mapopt.sources import load_instance
from mapopt.studies.records import Record

SIZES = ((2, 1), (4, 2), (8, 2), (16, 4), (32, 8))
HARD = 200
LIMITS = Limits(time_s=60)


def _networks() -> Iterable[Case]:
    for preset in ("imce", "imc"):
        for network in builtin_networks():
            for imc, dpu in SIZES:
                platform = f"{preset}:imc={imc},dpu={dpu}"
                load = partial(load_instance, network.name, platform=platform)
                try:
                    require_feasible(load())
                except InfeasibleError:
                    continue  # its weights do not fit
                yield Case(f"{network.name} {platform}", load, {"objective": "period", "limits": LIMITS})


def _row(case: Case, record: Record) -> Row:
    (level,) = record.levels
    return [
        case.name,
        level.value,
        level.bound,
        percent(gap_of(record, "period")),
        level.value_by,
        level.bound_by,
        f"{record.runtime_s:.2f}",
    ]


def _summary(found: Sequence[tuple[Case, Record]]) -> Iterable[str]:
    records = [record for _, record in found]
    proven = sum(record.status == "optimal" for record in records)
    yield f"Proven: {proven} of {len(records)}; {seconds(records)}."


def _hard() -> Iterable[Case]:
    """Take seeds in order until enough instances are known where LPT is more than 1% above the optimum."""
    for seed in range(2 * HARD):
        try:
            instance = hard_instance(seed)
            load = max_load(lower(instance, map_instance(instance, "lpt"))).ticks
        except (InfeasibleError, NoMappingError):
            continue
        yield Case(
            f"{instance.name} ({instance.source.split(', ')[1]})",
            partial(hard_instance, seed),
            {"objective": "period", "limits": LIMITS},
            known=int(load),
        )


def _hard_row(case: Case, record: Record) -> Row:
    (level,) = record.levels
    off = None if level.bound is None else case.known / level.bound - 1
    return [*_row(case, record), percent(off)]


def _hard_summary(found: Sequence[tuple[Case, Record]]) -> Iterable[str]:
    hard = [
        record
        for case, record in found
        if record.levels[0].value is not None and case.known > 1.01 * record.levels[0].value
    ]
    proven = sum(record.status == "optimal" for record in hard)
    yield f"LPT is more than 1% above the best known period of {len(hard)}; proven of these: {proven}; {seconds(hard)}."
    yield from _summary(found)


COLUMNS = ("instance", "period [ticks]", "bound", "gap", "found by", "proven by", "s")

NETWORKS = Table(
    "period-networks",
    "Least period of the built-in networks",
    "Class: one pattern, no duplication, the preset's transfers. Instances whose weights do not fit are left out.",
    _networks,
    COLUMNS,
    _row,
    _summary,
)
RANDOM = Table(
    "period-hard",
    "Least period of random hard instances",
    "Few nodes per unit, tight capacities, or units with times of their own (`benchmarks/references/hard.py`).",
    _hard,
    (*COLUMNS, "LPT above the bound"),
    _hard_row,
    _hard_summary,
)
