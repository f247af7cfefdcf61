"""Taking over the results of another machine: what is absent is copied, nothing is overwritten."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from mapopt.documents import read_bytes, write_atomic
from mapopt.errors import InputError
from mapopt.instance import Instance
from mapopt.studies.claims import Claims
from mapopt.studies.folder import Folder
from mapopt.studies.load import study_folders
from mapopt.studies.plan import Plan
from mapopt.studies.records import Record
from mapopt.studies.store import RecordWarning


@dataclass(slots=True)
class Merged:
    """What became of the records of another folder.

    Parameters
    ----------
    study
        Name of the study.
    copied
        Records that were absent.
    same
        Records that were there with the same result.
    replaced
        Failed runs that have a result now.
    different
        Ids whose record here has another result; it stands.
    skipped
        What was passed over, by name and with the reason.
    """

    study: str
    copied: int = 0
    same: int = 0
    replaced: int = 0
    different: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def merge(other: str | Path, results: str | Path) -> list[Merged]:
    """Copy the intact records of other result folders that are absent here.

    Parameters
    ----------
    other
        A study's result folder, or a folder of such.
    results
        The folder that holds, or will hold, the folders of these studies.

    Raises
    ------
    InputError
        If ``other`` holds no study or is what it would be merged into, or results cannot be written; what was copied
        until then is kept, and merging again goes on from there.
    """
    merged = []
    for path in study_folders(other):
        source = Folder(path)
        plan = Plan.load(source.plan)
        target = Folder(Path(results) / Path(plan.name).name)
        if target.path.exists() and target.path.samefile(path):
            raise InputError(f"{path}: is the folder it would be merged into; name another with --results")
        merged.append(_merge(source, plan, target))
    return merged


def result_of(record: Record) -> Record:
    """Return a record without what differs between two runs with the same result: times and the machine."""
    return msgspec.structs.replace(
        record,
        runtime_s=None,
        trace=tuple(msgspec.structs.replace(entry, time_s=0.0) for entry in record.trace),
        environment={},
        digest="",
    )


def _merge(source: Folder, plan: Plan, target: Folder) -> Merged:
    done = Merged(plan.name)
    with Claims(target.path / "claims"):
        _copy_instances(source, plan, target, done)
        _merge_plans(source, plan, target)
        for path in sorted(source.store.path.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                _copy_record(path, source, target, done)
    return done


def _copy_instances(source: Folder, plan: Plan, target: Folder, done: Merged) -> None:
    for digest in dict.fromkeys(run.instance_digest for run in plan.runs):
        file = source.instance_file(digest)
        try:
            instance = Instance.load(file)
        except InputError as error:
            done.skipped.append(str(error))
            continue
        if instance.digest == digest:
            target.keep(instance)
        else:
            done.skipped.append(f"{file}: holds another instance")


def _merge_plans(source: Folder, plan: Plan, target: Folder) -> None:
    """Take over the plan, or append to the plan here the runs that it lacks."""
    if not target.plan.exists():
        if source.study.exists():
            write_atomic(target.study, read_bytes(source.study))
        plan.save(target.plan)
        return
    mine = Plan.load(target.plan)
    known = {run.id for run in mine.runs}
    lacking = tuple(run for run in plan.runs if run.id not in known)
    if lacking:
        more = tuple(bound for bound in plan.known if bound not in mine.known)
        runs, bounds = (*mine.runs, *lacking), (*mine.known, *more)
        msgspec.structs.replace(mine, runs=runs, known=bounds).save(target.plan)


def _copy_record(path: Path, source: Folder, target: Folder, done: Merged) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RecordWarning)
        is_record = path.suffix == ".json" and path.parent == source.store.path / path.stem[:2]
        record = source.store.find(path.stem) if is_record else None
        if record is None:
            done.skipped.append(str(caught[0].message) if caught else f"{path}: is no record of a run")
            return
        before = target.store.find(record.id)
        if before is None or (before.status == "failed" and record.status != "failed"):
            standing = target.store.put(record, over_failed=True)
            done.copied += before is None and standing == record
            done.replaced += before is not None and standing == record
        elif result_of(before) == result_of(record):
            done.same += 1
        else:
            done.different.append(record.id)
