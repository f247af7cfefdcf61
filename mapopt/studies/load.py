"""Reading what studies left: plans, records, and instances on demand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

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
        made yet.
    warnings
        What was passed over, for people: damaged or foreign files, each by name.
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
    rows: dict[str, Row] = {}
    stores: dict[str, RunStore] = {}
    problems: list[str] = []
    for path, plan in zip(folders, plans, strict=True):
        folder = Folder(path)
        planned = {run.id for run in plan.runs}
        store = folder.store
        with Table(folder) as table:
            problems += table.problems
            for row in table.rows():
                if row.id in planned and row.id not in rows:
                    rows[row.id], stores[row.id] = row, store
    return Results(folders, plans, Records(stores), tuple(problems), rows)


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
