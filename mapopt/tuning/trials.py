"""The trials of a tuning study, made one after the other by one worker."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mapopt.errors import MapoptError
from mapopt.options import Value
from mapopt.tuning.evaluation import Evaluator, TooSlowError
from mapopt.tuning.lost import TrialClaims
from mapopt.tuning.sampling import pruner_of, rungs, sampler_from_first_trial, suggest
from mapopt.tuning.scores import Gaps, mean_gaps, score
from mapopt.tuning.setup import Setup, find_study
from mapopt.tuning.storage import StorageError, shown, storage_errors

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial, Trial

REASON = "mapopt.reason"
"""Attribute of a trial: why it gave no score."""

RETRY_OF, RETRIED = "failed_trial", "retry_history"
"""Attributes by which Optuna tells of which trials of lost workers a trial is made again."""

INTERRUPTED = "mapopt.interrupted"
"""Attribute of a trial: whether somebody stopped it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a tuning study is.

    Parameters
    ----------
    total
        Trials to be made.
    completed, pruned, failed, running
        Trials so far; those that were interrupted, or lost with their worker and made again, do not count.
    best
        The least score, or ``None``.
    best_trial
        Its number.
    default
        The score of the start: the mapper's defaults, as far as the study's options and ranges allow them; or ``None``.
    """

    total: int
    completed: int
    pruned: int
    failed: int
    running: int
    best: float | None
    best_trial: int | None
    default: float | None

    @property
    def done(self) -> int:
        """Trials that count."""
        return self.completed + self.pruned + self.failed

    @property
    def nothing_left(self) -> bool:
        """Whether the best trial is at the reference everywhere."""
        return self.best == 0


def load_study(setup: Setup, worker: int = 0) -> Study:
    """Return Optuna's study with its sampler and pruner.

    Parameters
    ----------
    worker
        Number of this worker, so that each samples otherwise.

    Raises
    ------
    StorageError
        If the storage is down, or has no such study any more.
    """
    tuning = setup.tuning
    with storage_errors(setup.url):
        study = find_study(setup.url, tuning)
        if study is None:
            raise StorageError(
                f"storage {shown(setup.url)}: study {tuning.name!r} is gone; was its file removed? `mapopt tune` "
                "begins it anew, and runs that were made are kept in its folder"
            )
        study.sampler = sampler_from_first_trial(tuning.sampler, f"{tuning.seed} {worker}")
        study.pruner = pruner_of(tuning.pruner, len(setup.counted("train")))
    return study


def trial_score(trial: FrozenTrial, setup: Setup) -> float | None:
    """Return the score of a completed trial, or ``None``."""
    from optuna.trial import TrialState

    if trial.state != TrialState.COMPLETE:
        return None
    values: Sequence[float] = trial.values
    return values[0] if len(values) == 1 else score(Gaps(*values), setup.tuning.latency_weight)


@dataclass(slots=True)
class _Count:
    """Trials by how they ended, and the best of them."""

    completed: int = 0
    pruned: int = 0
    running: int = 0
    failed: list[int] = field(default_factory=list)
    made_again: list[int] = field(default_factory=list)
    best: tuple[float, int] | None = None
    default: float | None = None

    def add(self, trial: FrozenTrial, setup: Setup, default: dict[str, Value]) -> None:
        """Count a trial."""
        state = trial.state.name
        self.completed += state == "COMPLETE"
        self.pruned += state == "PRUNED"
        self.running += state == "RUNNING"
        if state == "FAIL" and INTERRUPTED not in trial.user_attrs:
            self.failed.append(trial.number)
        if RETRY_OF in trial.system_attrs:
            self.made_again += [trial.system_attrs[RETRY_OF], *trial.system_attrs.get(RETRIED, ())]
        value = trial_score(trial, setup)
        if value is None:
            return
        if self.best is None or (value, trial.number) < self.best:
            self.best = value, trial.number
        if self.default is None and trial.params == default:
            self.default = value


class Follower:
    """Looks how far a study is; a trial that has ended is read once.

    Parameters
    ----------
    study, setup
        The study.
    total
        Trials to be made.
    """

    def __init__(self, study: Study, setup: Setup, total: int) -> None:
        self._study, self._setup, self._total = study, setup, total
        self._default = default_parameters(setup)
        self._ended = _Count()
        self._seen = 0

    def look(self) -> Progress:
        """Return how far the study is now."""
        trials = self._study.get_trials(deepcopy=False)
        while self._seen < len(trials) and trials[self._seen].state.is_finished():
            self._ended.add(trials[self._seen], self._setup, self._default)
            self._seen += 1
        ended = self._ended
        count = replace(ended, failed=[*ended.failed], made_again=[*ended.made_again])
        for trial in trials[self._seen :]:
            count.add(trial, self._setup, self._default)
        best, number = count.best or (None, None)
        return Progress(
            total=self._total,
            completed=count.completed,
            pruned=count.pruned,
            failed=len(set(count.failed) - set(count.made_again)),
            running=count.running,
            best=best,
            best_trial=number,
            default=count.default,
        )


def progress_of(study: Study, setup: Setup, total: int) -> Progress:
    """Look once how far a study is."""
    return Follower(study, setup, total).look()


def default_parameters(setup: Setup) -> dict[str, Value]:
    """Return the parameters of the trial that tries the defaults: those that mean something."""
    space = setup.subject.space
    default = space.default()
    active: dict[str, Value] = dict(space.fixed)
    for parameter in space.parameters:
        if parameter.only_if is None or active.get(parameter.only_if[0]) in parameter.only_if[1]:
            active[parameter.name] = default[parameter.name]
    return {name: active[name] for name in space.names if name in active}


def enqueue_default(study: Study, setup: Setup) -> None:
    """Have the defaults tried first, so that the best trial is never worse than they are."""
    from optuna.trial import TrialState

    default = default_parameters(setup)
    for trial in study.get_trials(deepcopy=False):
        tried = trial.params or trial.system_attrs.get("fixed_params")
        if trial.state != TrialState.FAIL and tried == default:
            return
    study.enqueue_trial(default)


def work(
    setup: Setup,
    *,
    trials: int,
    until: float | None,
    worker: int = 0,
    on_trial: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Make trials until there are enough, the time is over, or nothing is left to gain.

    Parameters
    ----------
    trials
        Of the study as a whole.
    until
        Value of :func:`time.monotonic` after which no trial begins.
    worker
        Number of this worker.
    on_trial
        Called before the first and after every trial.

    Raises
    ------
    StorageError
        If the storage goes away; what it has is kept.
    """
    study = load_study(setup, worker)
    with storage_errors(setup.url):
        claims = TrialClaims(setup.url)
        claims.retry_lost(study)
        follower = Follower(study, setup, trials)
        progress = follower.look()
        on_trial(progress)
        if _enough(progress, until):
            return progress
        objective = _Objective(setup, claims)

        def after(study: Study, trial: FrozenTrial) -> None:
            nonlocal progress
            claims.release(trial.number)
            claims.retry_lost(study)
            progress = follower.look()
            on_trial(progress)
            if _enough(progress, until):
                study.stop()

        study.optimize(objective, callbacks=[after], catch=(MapoptError,))
    return progress


def _enough(progress: Progress, until: float | None) -> bool:
    late = until is not None and time.monotonic() >= until
    return late or progress.nothing_left or progress.done + progress.running >= progress.total


class _Objective:
    """Maps a trial to its score over the training instances, in an order that is the same for all trials."""

    def __init__(self, setup: Setup, claims: TrialClaims) -> None:
        self._setup = setup
        self._claims = claims
        self._evaluator = Evaluator(setup)
        self._cases = list(setup.counted("train"))
        random.Random(setup.tuning.seed).shuffle(self._cases)
        self._rungs = rungs(setup.tuning.pruner, len(self._cases))

    def __call__(self, trial: Trial) -> float | tuple[float, float]:
        from optuna import TrialPruned

        self._claims.take(trial.number)
        weight = self._setup.tuning.latency_weight
        gaps: list[Gaps] = []
        try:
            values = suggest(trial, self._setup.subject.space)
            for step, found in enumerate(self._evaluator.gaps(values, self._cases), 1):
                gaps += found
                if step in self._rungs:
                    trial.report(score(mean_gaps(gaps), weight), step)
                    if trial.should_prune():
                        raise TrialPruned
        except TooSlowError as error:
            trial.set_user_attr(REASON, str(error))
            raise TrialPruned from None
        except MapoptError as error:
            trial.set_user_attr(REASON, str(error))
            raise
        except KeyboardInterrupt:
            trial.set_user_attr(INTERRUPTED, True)
            raise
        mean = mean_gaps(gaps)
        if self._setup.tuning.sampler == "nsga2":
            return mean.period, mean.latency
        return score(mean, weight)
