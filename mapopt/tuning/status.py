"""How far a tuning study is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mapopt.options import Value
from mapopt.tuning.setup import existing, split_counts
from mapopt.tuning.storage import shown, storage_errors
from mapopt.tuning.trials import REASON, Progress, load_study, progress_of


@dataclass(frozen=True, slots=True)
class State:
    """How far a tuning study is, and what it found so far.

    Parameters
    ----------
    study, mapper, formulation, storage
        Names, of a mapper or a formulation; the storage without its password.
    progress
        See :class:`mapopt.tuning.trials.Progress`.
    best_parameters
        What the best trial tried.
    splits
        For each split how many instances count, and how many there are.
    excluded
        Why instances do not count, by label.
    reasons
        Why trials gave no score, by number.
    """

    study: str
    mapper: str | None
    formulation: str | None
    storage: str
    progress: Progress
    best_parameters: dict[str, Value]
    splits: dict[str, tuple[int, int]]
    excluded: dict[str, str]
    reasons: dict[int, str]


def status_of(path: str | Path, results: str | Path, storage: str | None) -> State:
    """Look how far a tuning study is.

    Raises
    ------
    InputError
        If it was not begun, or has changed since.
    StorageError
        If the storage is down.
    """
    setup = existing(path, results, storage)
    study = load_study(setup)
    with storage_errors(setup.url):
        progress = progress_of(study, setup, setup.tuning.budget.trials)
        trials = study.get_trials(deepcopy=False)
    best = {} if progress.best_trial is None else dict(trials[progress.best_trial].params)
    return State(
        setup.tuning.name,
        setup.tuning.mapper,
        setup.tuning.formulation,
        shown(setup.url),
        progress,
        best,
        split_counts(setup),
        {each.label: each.excluded for each in setup.references if each.excluded},
        {trial.number: trial.user_attrs[REASON] for trial in trials if REASON in trial.user_attrs},
    )
