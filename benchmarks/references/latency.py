"""The least period, then the least latency at that period."""

from __future__ import annotations

import csv
import statistics
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from benchmarks.references.table import INSTANCES, Case, Row, Table, gap_of, percent, seconds
from mapopt.errors import InfeasibleError
from mapopt.feasibility import require_feasible
from mapopt.solvers.model import Limits
from mapopt.sources import load_instance
from mapopt.studies.records import Record

LIGHT = INSTANCES / "light21"
NETWORKS = ("resnet50", "squeezenet", "inception_v1", "inception_v2", "densenet121", "shufflenet", "vgg19")
SIZES = ((4, 2), (8, 2), (16, 4))
ARGUMENTS = {"objective": "period,latency", "limits": Limits(time_s=60)}


def _light() -> Iterable[Case]:
    with (LIGHT / "references.csv").open() as stream:
        for line in csv.DictReader(stream):
            name = f"{line['network']}-{line['imc_units']}+{line['dpu_units']}"
            known = int(line["best_latency"]), int(line["latency_bound"])
            yield Case(name, partial(load_instance, str(LIGHT / f"{name}.json")), ARGUMENTS, known)


def _preset(platform: str) -> Callable[[], Iterable[Case]]:
    def cases() -> Iterable[Case]:
        for network in NETWORKS:
            for imc, dpu in SIZES:
                spec = platform.format(imc=imc, dpu=dpu)
                load = partial(load_instance, f"onnx:{network}", platform=spec)
                try:
                    require_feasible(load())
                except InfeasibleError:
                    continue  # its weights do not fit
                yield Case(f"{network} {spec}", load, ARGUMENTS)

    return cases


def _row(case: Case, record: Record) -> Row:
    period, latency = record.level("period"), record.level("latency")
    known = [f"{case.known[0]} ({case.known[1]})"] if case.known else []
    return [
        case.name,
        *(
            [period.value, "yes" if period.status == "optimal" else f"bound {period.bound}"]
            if period
            else ["", ""]
        ),
        *([latency.value, latency.bound] if latency else ["", ""]),
        "proven" if record.status == "optimal" else percent(gap_of(record, "latency")),
        *known,
        f"{record.runtime_s:.1f}",
    ]


def _summary(found: Sequence[tuple[Case, Record]]) -> Iterable[str]:
    records = [record for _, record in found]
    gaps = [gap for record in records if (gap := gap_of(record, "latency")) is not None]
    proven = sum(record.status == "optimal" for record in records)
    yield (
        f"Proven: {proven} of {len(records)}; gaps: median {percent(statistics.median(gaps))}, "
        f"largest {percent(max(gaps))}; {seconds(records)}."
    )


COLUMNS = ("instance", "period [ticks]", "proven", "latency [ticks]", "bound", "gap", "s")
TEXT = (
    "Class: time-triggered, one pattern, no duplication, {}; the latency is the least at the least period. Limit 60 s, "
    "2 workers."
)

LIGHT21 = Table(
    "latency-light21",
    "Period, then latency: 21 light instances",
    TEXT.format("delay transfers") + " Best known (bound) before: `instances/light21/references.csv`.",
    _light,
    (*COLUMNS[:-1], "best known before (bound)", COLUMNS[-1]),
    _row,
    _summary,
)
DELAY = Table(
    "latency-presets-delay",
    "Period, then latency: the imc preset's own costs, delay transfers",
    TEXT.format("delay transfers"),
    _preset("imc:imc={imc},dpu={dpu}"),
    COLUMNS,
    _row,
    _summary,
)
DELAY_MACS = Table(
    "latency-presets-imce-delay",
    "Period, then latency: the imce preset's own costs, delay transfers",
    TEXT.format("delay transfers"),
    _preset("imce:imc={imc},dpu={dpu},transfer=delay"),
    COLUMNS,
    _row,
    _summary,
)
LINKS = Table(
    "latency-presets-links",
    "Period, then latency: the imce preset's own costs, links",
    TEXT.format("links: one port out and one in per unit"),
    _preset("imce:imc={imc},dpu={dpu}"),
    COLUMNS,
    _row,
    _summary,
)
