"""A key and a record to start from."""

import msgspec

from mapopt.studies.records import LevelRecord, Record, RunKey, TraceEntry

DIGEST = "sha256:" + "0" * 64

KEY = RunKey(
    instance=DIGEST,
    method="mapper heft",
    code=DIGEST,
    objective="period",
    parameters={"rounds": 3, "rule": "a", "share": 0.5, "fast": True, "none": None},
    limits={"time_s": 60.0, "workers": 2},
    seed=1,
    versions={"ortools": "9.15"},
)


def key(seed):
    return msgspec.structs.replace(KEY, seed=seed)


def record(of=KEY, **fields):
    values = {
        "key": of,
        "status": "feasible",
        "instance_name": "i",
        "schedule_class": "one pattern",
        "levels": (LevelRecord("period", "feasible", 12, 10, "heft", "mean load"),),
        "period_ticks": "12",
        "period_ns": "12",
        "runtime_s": 1.5,
        "trace": (TraceEntry(0.1, "period", 13, None), TraceEntry(0.2, "period", 12, 10)),
    }
    return Record(**{**values, **fields})
