"""Other people's problems with known optima."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from functools import partial

from benchmarks.references.table import INSTANCES, Case, Row, Table, gap_of, percent, seconds
from mapopt.importers.gap import read_gap
from mapopt.importers.rcmax import read_rcmax
from mapopt.importers.stg import read_stg
from mapopt.solvers.model import Limits
from mapopt.sources import read_instance
from mapopt.studies.records import Record

RCMAX, STG, GAP, PLACEMENT = (INSTANCES / name for name in ("rcmax100", "stg50", "gap", "device-placement"))
LIMITS = Limits(time_s=60)

PUBLISHED = {
    "bert24": (20.08, 17.79, 17.78, 17.790),
    "resnet50": (43.92, 39.40, 35.89, 33.775),
    "gnmt": (46.21, 33.03, 31.78, 32.911),
    "inceptionv3": (102.5, 60.42, 54.04, None),
}
"""Expert, PipeDream, local search and contiguous optimum, in ms: Tarnawski et al., NeurIPS 2020; data README."""


def _rcmax() -> Iterable[Case]:
    with (RCMAX / "optimum.csv").open() as stream:
        for line in csv.DictReader(stream):
            load = partial(read_rcmax, RCMAX / line["file"])
            name = f"{line['file']} ({line['type']}, m={line['m']})"
            yield Case(name, load, {"objective": "period", "limits": LIMITS}, int(line["optimum"]))


def _rcmax_row(case: Case, record: Record) -> Row:
    (level,) = record.levels
    return [
        case.name,
        case.known,
        level.value,
        level.bound,
        record.status,
        level.bound_by,
        f"{record.runtime_s:.2f}",
    ]


def _rcmax_summary(found: Sequence[tuple[Case, Record]]) -> Iterable[str]:
    proven = [record for _, record in found if record.status == "optimal"]
    reached = sum(record.levels[0].value == case.known for case, record in found)
    yield f"Known optima reached: {reached} of {len(found)}; proven: {len(proven)}; {seconds(r for _, r in found)}."


def _stg() -> Iterable[Case]:
    for units in (2, 4, 8, 16):
        with (STG / f"Case50_{units}_OPT.csv").open() as stream:
            for file, _, *known in csv.reader(stream):
                name = file.removeprefix("50/")
                bounds = tuple(int(each) for each in known if each.strip())
                arguments = {"objective": "latency", "limits": Limits(time_s=10)}
                yield Case(f"{name} on {units}", partial(read_stg, STG / name, units), arguments, bounds)


def _stg_row(case: Case, record: Record) -> Row:
    (level,) = record.levels
    known = "-".join(map(str, case.known))
    return [case.name, known, level.value, level.bound, record.status, f"{record.runtime_s:.2f}"]


def _stg_summary(found: Sequence[tuple[Case, Record]]) -> Iterable[str]:
    closed = [(case, record) for case, record in found if len(case.known) == 1]
    open_rows = [(case, record) for case, record in found if len(case.known) > 1]
    reached = sum(record.levels[0].value == case.known[0] for case, record in closed)
    proven = sum(record.status == "optimal" for _, record in closed)
    yield (
        f"Closed rows: {reached} of {len(closed)} optima reached, {proven} proven ({proven / len(closed):.1%}); "
        f"{seconds(record for _, record in closed)}."
    )
    now = sum(record.status == "optimal" for _, record in open_rows)
    better = sum((record.levels[0].value or 10**9) < case.known[1] for case, record in open_rows)
    tighter = sum((record.levels[0].bound or 0) > case.known[0] for case, record in open_rows)
    yield (
        f"Open rows: {len(open_rows)}; closed here: {now}; better schedule than published: {better}; tighter bound: "
        f"{tighter}; {seconds(record for _, record in open_rows)}."
    )


def _gap() -> Iterable[Case]:
    with (GAP / "optimum.csv").open() as stream:
        for line in csv.DictReader(stream):
            known = int(line["lower_bound"]), int(line["upper_bound"])
            load = partial(read_gap, GAP / line["file"])
            yield Case(line["file"], load, {"objective": "energy", "limits": LIMITS}, known)


def _gap_row(case: Case, record: Record) -> Row:
    (level,) = record.levels
    return [
        case.name,
        f"{case.known[0]}-{case.known[1]}",
        level.value,
        level.bound,
        record.status,
        f"{record.runtime_s:.2f}",
    ]


def _gap_summary(found: Sequence[tuple[Case, Record]]) -> Iterable[str]:
    records = [record for _, record in found]
    agree = sum(case.known[0] <= (record.levels[0].value or -1) <= case.known[1] for case, record in found)
    proven = sum(record.status == "optimal" for record in records)
    total = sum(record.runtime_s or 0 for record in records)
    yield f"Proven: {proven} of {len(records)}; within the published bounds: {agree}; {total:.1f} s together."


def _placement() -> Iterable[Case]:
    for contiguous in (True, False):
        for name in PUBLISHED:
            load = partial(read_instance, PLACEMENT / f"{name}_inference.json")
            kind = "contiguous" if contiguous else "any"
            arguments = {"objective": "period", "contiguous": contiguous, "limits": LIMITS}
            yield Case(f"{name}, {kind}", load, arguments, PUBLISHED[name])


def _placement_row(case: Case, record: Record) -> Row:
    (level,) = record.levels
    period, bound = ("-" if each is None else f"{each / 1e6:.3f}" for each in (level.value, level.bound))
    gap = "proven" if record.status == "optimal" else percent(gap_of(record, "period"))
    return [case.name, *(each or "-" for each in case.known), period, bound, gap, f"{record.runtime_s:.1f}"]


def _placement_summary(found: Sequence[tuple[Case, Record]]) -> Iterable[str]:
    proven = sum(record.status == "optimal" for _, record in found)
    yield f"Proven: {proven} of {len(found)}."


RCMAX_TABLE = Table(
    "period-rcmax100",
    "Least period on unrelated units: rcmax100",
    "R||Cmax, 100 jobs, `instances/rcmax100`. Limit 60 s, 2 workers.",
    _rcmax,
    ("file", "known optimum", "period", "bound", "status", "proven by", "s"),
    _rcmax_row,
    _rcmax_summary,
)
STG_TABLE = Table(
    "latency-stg50",
    "Least latency of a frame alone: Standard Task Graphs with 50 tasks",
    "P|prec|Cmax, `instances/stg50`. Limit 10 s, 2 workers.",
    _stg,
    ("graph and units", "known", "latency", "bound", "status", "s"),
    _stg_row,
    _stg_summary,
)
GAP_TABLE = Table(
    "energy-gap",
    "Least total cost under capacities: generalised assignment",
    "`instances/gap`. Limit 60 s, 2 workers.",
    _gap,
    ("file", "known", "cost", "bound", "status", "s"),
    _gap_row,
    _gap_summary,
)
PLACEMENT_TABLE = Table(
    "period-device-placement",
    "Least period: device placement of DNN graphs",
    "Six accelerators and a CPU, memory limits, colocation, host transfers; milliseconds; "
    "`instances/device-placement`. The first four columns are published figures (the contiguous optimum is that of "
    "their dynamic program). Limit 60 s, 2 workers.",
    _placement,
    ("workload", "expert", "PipeDream", "local search", "contiguous", "period", "bound", "gap", "s"),
    _placement_row,
    _placement_summary,
)
