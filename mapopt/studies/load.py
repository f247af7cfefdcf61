"""Reading what studies left: plans, records, and instances on demand."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from mapopt.errors import InputError
from mapopt.instance import Instance
from mapopt.studies.folder import Folder
from mapopt.studies.plan import Plan
from mapopt.studies.records import Record
from mapopt.studies.store import RunStore
from mapopt.studies.table import Row, Table


@dataclass(frozen=True, slots=True)
class Results:
    """What one or many result folders hold.

    Parameters
    ----------
    folders
        The folders that were read, each with a plan.
    plans
        One per folder.
    records
        The intact records of the planned runs by run id, each read when it is asked for. A run without a record was not
        made yet. If several folders have a run, the record with the better value is taken, then that with the larger
        bound, whatever the order of the folders.
    warnings
        What was passed over, for people: damaged or foreign files and other results of a run, each by name.
    rows
        The figures of the same records, by run id: of 100,000 in seconds.
    """

    folders: tuple[Path, ...]
    plans: tuple[Plan, ...]
    records: Mapping[str, Record]
    warnings: tuple[str, ...] = ()
    rows: Mapping[str, Row] = field(default_factory=dict)
    _instances: dict[str, Instance] = field(default_factory=dict, repr=False)

    def instance(self, digest: str) -> Instance:
        """Return the instance with this digest.

        Raises
        ------
        InputError
            If no folder holds it, or what is there has another digest.
        """
        if digest not in self._instances:
            self._instances[digest] = self._read(digest)
        return self._instances[digest]

    def _read(self, digest: str) -> Instance:
        files = [Folder(folder).instance_file(digest) for folder in self.folders]
        found = next((file for file in files if file.exists()), None)
        if found is None:
            listed = ", ".join(map(str, self.folders))
            raise InputError(f"instance {digest[:19]}: is in none of {listed}; run the study again")
        instance = Instance.load(found)
        if instance.digest != digest:
            raise InputError(
                f"{found}: holds an instance with digest {instance.digest[:19]}; delete it and run the study again"
            )
        return instance


def load_results(paths: Iterable[str | Path]) -> Results:
    """Read result folders.

    Parameters
    ----------
    paths
        Result folders of studies, or folders of such folders, e.g. ``results/lblp-paper`` or ``results``.

    Raises
    ------
    InputError
        If a path holds no study, or its plan is damaged. Damaged records are warnings of the result.
    """
    folders = tuple(dict.fromkeys(folder for path in paths for folder in study_folders(path)))
    plans = tuple(Plan.load(Folder(folder).plan) for folder in folders)
    found: dict[str, list[_Candidate]] = {}
    problems: list[str] = []
    for path, plan in zip(folders, plans, strict=True):
        folder = Folder(path)
        planned = {run.id for run in plan.runs}
        store = folder.store
        with Table(folder) as table:
            problems += table.problems
            for row in table.rows():
                if row.id in planned:
                    found.setdefault(row.id, []).append(_Candidate(row, store))
    kept = {identity: _chosen(several, problems) for identity, several in found.items()}
    records = Records({identity: each.store for identity, each in kept.items()})
    return Results(
        folders, plans, records, tuple(problems), {identity: each.row for identity, each in kept.items()}
    )


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A record's figures and the store that it is in."""

    row: Row
    store: RunStore

    @property
    def file(self) -> Path:
        return self.store.file_of(self.row.id)

    @property
    def figures(self) -> Row:
        """What differs only between runs with different results."""
        return msgspec.structs.replace(self.row, runtime_s=None)

    @property
    def rank(self) -> tuple[tuple[float, ...], tuple[float, ...], bool, bool, bytes]:
        """The less the better: values, then bounds, then the status, then the text of the file."""
        values = [math.inf if level.value is None else level.value for level in self.row.levels]
        bounds = [math.inf if level.bound is None else -level.bound for level in self.row.levels]
        text = b""
        with suppress(OSError):  # gone in the meantime
            text = self.file.read_bytes()
        unproven, failed = self.row.status not in ("optimal", "infeasible"), self.row.status == "failed"
        return (*values, math.inf), (*bounds, math.inf), unproven, failed, text


def _chosen(several: list[_Candidate], problems: list[str]) -> _Candidate:
    """Return the best of one run's records, in whatever order they are; say which others have other figures."""
    if len(several) == 1:
        return several[0]
    best, *others = sorted(several, key=lambda each: each.rank)
    problems.extend(
        f"{best.file}: another result of the same run, in {other.file}, is left out; copy this file over it"
        for other in others
        if other.figures != best.figures
    )
    return best


class Records(Mapping[str, Record]):
    """Records by run id, each read and checked again when it is asked for."""

    def __init__(self, stores: dict[str, RunStore]) -> None:
        self._stores = stores

    def __getitem__(self, run: str) -> Record:
        """Return a record.

        Raises
        ------
        KeyError
            If there is none, or its file was damaged in the meantime.
        """
        record = self._stores[run].find(run)
        if record is None:
            raise KeyError(run)
        return record

    def __iter__(self) -> Iterator[str]:
        return iter(self._stores)

    def __len__(self) -> int:
        return len(self._stores)


def study_folders(path: str | Path) -> tuple[Path, ...]:
    """Return the result folders that ``path`` is or directly holds, in alphabetic order.

    Raises
    ------
    InputError
        If there is none.
    """
    top = Path(path)
    candidates = [top] if Folder(top).plan.exists() else sorted(top.glob("*/")) if top.is_dir() else []
    found = tuple(folder for folder in candidates if Folder(folder).plan.exists())
    if not found:
        raise InputError(
            f"{path}: holds no study (a folder with plan.json); name a folder that `mapopt study run` wrote"
        )
    return found
