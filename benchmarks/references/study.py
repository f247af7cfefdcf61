"""The formulation study: every ingredient switched off in turn, on eight named instances."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from benchmarks.references.hard import hard_instance
from benchmarks.references.table import INSTANCES, Case, Row, Table, gap_of, percent
from mapopt.importers.rcmax import read_rcmax
from mapopt.instance import Instance
from mapopt.solvers.model import Limits
from mapopt.solvers.registry import get
from mapopt.sources import load_instance, read_instance
from mapopt.studies.records import Record

LIMITS = Limits(time_s=20)


def _light(name: str) -> partial[Instance]:
    return partial(read_instance, INSTANCES / "light21" / f"{name}.json")


NAMED = (
    ("light squeezenet 4+2", "period,latency", "latency-modulo", _light("squeezenet-4+2")),
    ("light resnet50 8+2", "period,latency", "latency-modulo", _light("resnet50-8+2")),
    ("light inception_v2 8+2", "period,latency", "latency-modulo", _light("inception_v2-8+2")),
    (
        "squeezenet imce 8+2, links",
        "period,latency",
        "latency-modulo-transfers",
        partial(load_instance, "onnx:squeezenet", platform="imce:imc=8,dpu=2"),
    ),
    (
        "resnet50 imce 8+2, links",
        "period",
        "period-assignment",
        partial(load_instance, "resnet50", platform="imce:imc=8,dpu=2"),
    ),
    (
        "bert24 device placement",
        "period",
        "period-assignment",
        partial(read_instance, INSTANCES / "device-placement" / "bert24_inference.json"),
    ),
    ("rcmax fr0801", "period", "period-patterns", partial(read_rcmax, INSTANCES / "rcmax100" / "fr0801.txt")),
    ("hard-26 (unrelated)", "period", "period-patterns", partial(hard_instance, 26)),
)


def _cases() -> Iterable[Case]:
    for name, objective, formulation, load in NAMED:
        arguments = {"objective": objective, "formulation": formulation, "limits": LIMITS}
        yield Case(f"{name} | {formulation}", load, arguments, "everything")
        for option, value in get(formulation).options.as_dict().items():
            if value is True:
                off = arguments | {"options": {option: False}}
                yield Case(f"{name} | {formulation}", load, off, f"without {option}")


def _row(case: Case, record: Record) -> Row:
    level = record.levels[-1]
    name, _, formulation = case.name.partition(" | ")
    gap = "proven" if level.status == "optimal" else percent(gap_of(record, level.objective))
    return [name, formulation, case.known, level.value, level.bound, gap, f"{record.runtime_s:.1f}"]


def _summary(found: Sequence[tuple[Case, Record]]) -> Iterable[str]:
    """Say for each ingredient on how many of its instances the run got worse without it."""
    everything = {case.name: record for case, record in found if case.known == "everything"}
    worse: dict[tuple[str, str], list[bool]] = {}
    for case, record in found:
        if case.known != "everything":
            formulation = case.name.rpartition(" | ")[2]
            worse.setdefault((formulation, case.known), []).append(
                _effort(record) > 1.25 * _effort(everything[case.name])
            )
    for (formulation, ingredient), flags in sorted(worse.items()):
        yield f"- {formulation} {ingredient}: clearly worse on {sum(flags)} of {len(flags)}"


def _effort(record: Record) -> float:
    """Order runs: proven ones by time, at least a second; others by gap, after all proven ones."""
    level = record.levels[-1]
    if level.status == "optimal":
        return max(1.0, record.runtime_s or 0.0)
    gap = gap_of(record, level.objective)
    return 100.0 * (1.0 + (10.0 if gap is None else gap))


STUDY = Table(
    "study",
    "Formulation study: every ingredient switched off in turn",
    "Through `mapopt solve`, heuristics and bounds included. Limit 20 s, 2 workers, one run each; clearly worse: more "
    "than 1.25 times the time to the proof, or 1.25 times one plus the gap.",
    _cases,
    ("instance", "formulation", "ingredients", "value", "bound", "gap", "s"),
    _row,
    _summary,
)
