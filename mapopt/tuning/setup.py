"""What all workers of a tuning study share, and what must not change while it goes on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mapopt.documents import Part, read_bytes, write_atomic
from mapopt.errors import InputError
from mapopt.mappers import registry
from mapopt.studies.folder import Folder
from mapopt.studies.running import Executor
from mapopt.studies.study import seeds_of
from mapopt.tuning.cases import Case, cases_of, require_every_split
from mapopt.tuning.making import OnRuns
from mapopt.tuning.references import references_of
from mapopt.tuning.sampling import check_sampler, sampler_of
from mapopt.tuning.scores import Reference
from mapopt.tuning.storage import (
    StorageError,
    file_of,
    is_local,
    open_storage,
    require_form,
    shown,
    storage_errors,
)
from mapopt.tuning.subject import Subject
from mapopt.tuning.tuning import SPLITS, Split, Tuning, parse_tuning

if TYPE_CHECKING:
    from optuna import Study

ATTRIBUTE = "mapopt.setup"


class Shared(Part, frozen=True):
    """What the storage holds of a study beside its trials.

    Parameters
    ----------
    fingerprint
        Everything that scores depend on, by what it is called in messages.
    references
        Of every case, found by whoever began the study.
    """

    fingerprint: dict[str, str]
    references: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Setup:
    """A tuning study that can go on.

    Parameters
    ----------
    tuning
        Its file.
    folder
        Its results.
    url
        Its storage.
    subject
        What is tuned.
    cases
        Its instances.
    references
        One per case.
    """

    tuning: Tuning
    folder: Folder
    url: str
    subject: Subject
    cases: tuple[Case, ...]
    references: tuple[Reference, ...]

    def counted(self, split: Split) -> tuple[tuple[Case, Reference], ...]:
        """Return the cases of a split that count, with their references."""
        return tuple(
            (case, reference)
            for case, reference in zip(self.cases, self.references, strict=True)
            if case.split == split and not reference.excluded
        )

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of a run on an instance; one for a mapper that is not random."""
        return tuple(seeds_of(self.tuning.seeds)) if self.subject.is_random else (0,)


def default_storage(folder: Folder) -> str:
    """Return the storage of a study whose user names none."""
    return f"sqlite:///{folder.path / 'trials.db'}"


def fingerprint(tuning: Tuning, subject: Subject, cases: tuple[Case, ...]) -> dict[str, str]:
    """Return everything that scores depend on, by what it is called in messages."""
    instances = [[case.instance.digest, case.split] for case in cases]
    values: dict[str, object] = {
        subject.kind: subject.name,
        f"code of the {subject.kind}": subject.method.code,
        "versions of the solvers": subject.method.versions,
        "space": repr(subject.space),
        "options": subject.options,
        "instances or splits": instances,
        "seeds": list(seeds_of(tuning.seeds)) if subject.is_random else [0],
        "score": [tuning.latency_weight, tuning.run_s, tuning.sampler == "nsga2"],
        "filter of easy instances": tuning.gain,
        "order of the instances": tuning.seed,
    }
    if subject.limits is not None:
        values["effort"] = subject.limits
    return {name: hashlib.sha256(msgspec.json.encode(each)).hexdigest()[:16] for name, each in values.items()}


def require_same(tuning: Tuning, before: dict[str, str], now: dict[str, str]) -> None:
    """Refuse to go on with a study whose scores would mean something else.

    Raises
    ------
    InputError
        Naming what changed.
    """
    changed = [name for name in now if before.get(name) != now[name]]
    if changed:
        raise InputError(
            f"tuning {tuning.name!r}: changed since the study began: {', '.join(changed)}; its trials cannot be "
            "compared with new ones. Give the file another name to begin a new study, or put back what it was"
        )


def prepare(
    path: str | Path, results: str | Path, storage: str | None
) -> tuple[Tuning, Folder, str, Subject, tuple[Case, ...]]:
    """Read a tuning file and its instances; nothing is written.

    Raises
    ------
    InputError
        If anything in it breaks a rule.
    """
    tuning = parse_tuning(read_bytes(path), str(path))
    folder = Folder(Path(results) / tuning.name)
    subject = Subject.of(tuning)
    check_sampler(tuning.sampler, subject.space)
    for field, names in (("baselines", tuning.others), ("gain", (tuning.gain.mapper,))):
        for name in names:
            try:
                registry.get(name)
            except InputError as error:
                raise InputError(f"tuning {tuning.name!r}: {field}: {error}") from None
    cases = cases_of(tuning, Path(path).parent)
    for case in cases:
        subject.require_supported(case.label, case.instance)
    return tuning, folder, storage or default_storage(folder), subject, cases


def begin(
    path: str | Path,
    results: str | Path,
    storage: str | None,
    executor: Executor,
    on_runs: OnRuns = lambda _done, _total: None,
) -> Setup:
    """Begin a tuning study, or join one that somebody began.

    Raises
    ------
    InputError
        If the file breaks a rule, nothing is to be gained in a split, or the study has changed since it began.
    StorageError
        If the storage is down.
    """
    tuning, folder, url, subject, cases = prepare(path, results, storage)
    now = fingerprint(tuning, subject, cases)
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder.path}: cannot be made ({error.strerror or error})") from None
    study = find_study(url, tuning)
    shared = None if study is None else shared_of(study, url)
    if shared is not None:
        require_same(tuning, shared.fingerprint, now)
    for case in cases:
        folder.keep(case.instance)
    write_atomic(folder.path / "tuning.toml", read_bytes(path))
    if shared is None:
        references = references_of(tuning, cases, folder, executor, on_runs)
        counted = [case for case, each in zip(cases, references, strict=True) if not each.excluded]
        require_every_split(tuning.name, counted, lambda split: _lack(references, split))
        study = open_study(url, tuning)
        with storage_errors(url):
            standing = shared_of(study, url)
            shared = standing or Shared(now, references)
            if standing is None:
                study.set_user_attr(ATTRIBUTE, msgspec.json.encode(shared).decode())
    return Setup(tuning, folder, url, subject, cases, shared.references)


def _lack(references: tuple[Reference, ...], split: Split) -> str:
    reasons = [f"{each.label}: {each.excluded[:200]}" for each in references if each.split == split]
    return f"no instance on which there is something to gain ({'; '.join(reasons[:3])})"


def existing(path: str | Path, results: str | Path, storage: str | None) -> Setup:
    """Return a tuning study that somebody began.

    Raises
    ------
    InputError
        If there is none, or it has changed since.
    StorageError
        If the storage is down.
    """
    tuning, folder, url, _, cases = prepare(path, results, storage)
    if storage is None and not folder.path.is_dir():
        raise _not_begun(tuning, url, str(path))
    return join(tuning, cases, folder, url, str(path))


def join(tuning: Tuning, cases: tuple[Case, ...], folder: Folder, url: str, path: str = "FILE") -> Setup:
    """Return a tuning study that somebody began, whose instances are at hand.

    Raises
    ------
    InputError
        If there is none, or it has changed since, by other versions on this machine too; ``path`` is for the remedy.
    StorageError
        If the storage is down.
    """
    subject = Subject.of(tuning)
    study = find_study(url, tuning)
    shared = None if study is None else shared_of(study, url)
    if shared is None:
        raise _not_begun(tuning, url, path)
    require_same(tuning, shared.fingerprint, fingerprint(tuning, subject, cases))
    return Setup(tuning, folder, url, subject, cases, shared.references)


def _not_begun(tuning: Tuning, url: str, path: str) -> InputError:
    return InputError(
        f"tuning {tuning.name!r}: was not begun in {shown(url)}; run it with `mapopt tune {path}`"
    )


def find_study(url: str, tuning: Tuning) -> Study | None:
    """Return Optuna's study, or ``None`` if it does not exist; no file is made.

    Raises
    ------
    InputError
        If the storage is of no known form.
    StorageError
        If the storage is down.
    """
    import optuna

    if is_local(url) and file_of(url).name and not file_of(url).exists():
        require_form(url)
        return None
    with storage_errors(url):
        storage = open_storage(url)
        if tuning.name not in (study.study_name for study in storage.get_all_studies()):
            return None
        return optuna.load_study(
            study_name=tuning.name, storage=storage, sampler=sampler_of("random", tuning.seed)
        )


def open_study(url: str, tuning: Tuning) -> Study:
    """Return Optuna's study, made where it does not exist.

    Raises
    ------
    InputError
        If it has other objectives.
    StorageError
        If the storage is down.
    """
    import optuna

    objectives = 2 if tuning.sampler == "nsga2" else 1
    with storage_errors(url):
        study = optuna.create_study(
            study_name=tuning.name,
            storage=open_storage(url),
            sampler=sampler_of("random", tuning.seed),
            directions=["minimize"] * objectives,
            load_if_exists=True,
        )
        found = len(study.directions)
    if found != objectives:
        raise InputError(
            f"tuning {tuning.name!r}: the study of this name in {shown(url)} has {found} objectives, and sampler "
            f"{tuning.sampler!r} needs {objectives}; give the file another name, or use another --storage"
        )
    return study


def shared_of(study: Study, url: str) -> Shared | None:
    """Return what the storage holds of a study beside its trials, or ``None`` if it was not begun."""
    with storage_errors(url):
        text = study.user_attrs.get(ATTRIBUTE)
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=Shared)
    except msgspec.DecodeError as error:
        raise StorageError(
            f"storage {shown(url)}: what it has of the study cannot be read ({error}); use another --storage"
        ) from None


def split_counts(setup: Setup) -> dict[str, tuple[int, int]]:
    """Return for every split how many instances count, and how many there are."""
    return {
        split: (len(setup.counted(split)), sum(case.split == split for case in setup.cases))
        for split in SPLITS
    }
