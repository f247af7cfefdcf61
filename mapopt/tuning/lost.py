"""Trials of workers that were killed: found, and made again.

On PostgreSQL Optuna's heartbeat finds them. The journals have none; there every worker holds a lock for the trial that
it makes, which the system drops when the worker ends, however it ends.
"""

from __future__ import annotations

import warnings
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from mapopt.studies.claims import Claims
from mapopt.tuning.storage import file_of, is_local, retrying

if TYPE_CHECKING:
    from optuna import Study

LOST_AFTER_S = 5.0
"""How long a worker has between asking for a trial and locking it."""


class TrialClaims:
    """The locks of one worker.

    Parameters
    ----------
    url
        Of the storage.
    """

    def __init__(self, url: str) -> None:
        self._claims = Claims(Path(f"{file_of(url)}.claims")) if is_local(url) else None

    def take(self, number: int) -> None:
        """Lock the trial that this worker makes."""
        if self._claims is not None:
            self._claims.take(_identity(number))

    def release(self, number: int) -> None:
        """Unlock a trial that has ended."""
        if self._claims is not None:
            self._claims.release(_identity(number))

    def retry_lost(self, study: Study) -> None:
        """Have the trials made again whose workers are gone; to be called while this worker makes none."""
        if self._claims is None:
            _retry_stale(study)
            return
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        retry = retrying()
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            begun = trial.datetime_start or datetime.min
            if datetime.now() - begun < timedelta(seconds=LOST_AFTER_S) or self._claims.held(
                _identity(trial.number)
            ):
                continue
            try:
                study.tell(trial.number, state=TrialState.FAIL)
            except (UpdateFinishedTrialError, ValueError):  # another worker was faster
                continue
            retry(study, trial)


def _retry_stale(study: Study) -> None:
    """Have the trials made again that gave no heartbeat for long."""
    import optuna
    from optuna.exceptions import ExperimentalWarning

    with warnings.catch_warnings(action="ignore", category=ExperimentalWarning):
        optuna.storages.fail_stale_trials(study)


def _identity(number: int) -> str:
    return f"{number:012x}"
