"""Optuna's samplers and pruners, and how they see a space."""

from __future__ import annotations

import random
import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from mapopt.errors import InputError
from mapopt.options import Value
from mapopt.tuning.space import Parameter, Space
from mapopt.tuning.tuning import Pruner, Sampler

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.trial import Trial

STARTUP = 10
"""Trials before samplers and pruners begin to draw conclusions."""


def check_sampler(name: Sampler, space: Space) -> None:
    """Refuse a sampler that cannot work here.

    Raises
    ------
    InputError
        If a package is missing, or there is nothing that the sampler could model.
    """
    if name == "gp" and (find_spec("torch") is None or find_spec("scipy") is None):
        raise InputError(
            "sampler 'gp': needs the packages torch and scipy, which mapopt does not bring; install them, or use 'tpe'"
        )
    if name == "cmaes" and all(each.kind == "choice" for each in space.parameters):
        raise InputError(
            "sampler 'cmaes': models numbers only, and every parameter here is a choice; use 'tpe' or 'random'"
        )


def sampler_of(name: Sampler, seed: int) -> BaseSampler:
    """Return a sampler.

    References
    ----------
    TPE: J. Bergstra et al., NIPS 2011, with conditional parameters in groups. CMA-ES: N. Hansen, A. Ostermeier,
    Evolutionary Computation 9, 2001. NSGA-II: K. Deb et al., IEEE Transactions on Evolutionary Computation 6, 2002.
    """
    from optuna import samplers
    from optuna.exceptions import ExperimentalWarning

    with warnings.catch_warnings(action="ignore", category=ExperimentalWarning):
        if name == "tpe":
            return samplers.TPESampler(
                seed=seed,
                multivariate=True,
                group=True,
                constant_liar=True,
                n_startup_trials=STARTUP,
            )
        if name == "cmaes":
            return samplers.CmaEsSampler(seed=seed, n_startup_trials=STARTUP)
        if name == "gp":
            return samplers.GPSampler(seed=seed, n_startup_trials=STARTUP)
        if name == "nsga2":
            return samplers.NSGAIISampler(seed=seed)
        return samplers.RandomSampler(seed=seed)


def sampler_from_first_trial(name: Sampler, seed: str) -> BaseSampler:
    """Return a sampler that is seeded with the number of its first trial too.

    No two workers of a study have the same one, so that they draw differently even where they join at once; and one
    worker alone draws the same whenever it begins anew.
    """
    from optuna.samplers import BaseSampler

    class FromFirstTrial(BaseSampler):
        def __init__(self) -> None:
            self._sampler: BaseSampler | None = None

        def _of(self, trial: Any) -> BaseSampler:
            if self._sampler is None:
                self._sampler = sampler_of(name, random.Random(f"{seed} {trial.number}").randrange(2**31))
            return self._sampler

        def before_trial(self, study: Any, trial: Any) -> None:
            self._of(trial).before_trial(study, trial)

        def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
            return self._of(trial).infer_relative_search_space(study, trial)

        def sample_relative(self, study: Any, trial: Any, search_space: dict[str, Any]) -> dict[str, Any]:
            return self._of(trial).sample_relative(study, trial, search_space)

        def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
            return self._of(trial).sample_independent(study, trial, param_name, param_distribution)

        def after_trial(self, study: Any, trial: Any, state: Any, values: Any) -> None:
            self._of(trial).after_trial(study, trial, state, values)

    return FromFirstTrial()


def pruner_of(name: Pruner, steps: int) -> BasePruner:
    """Return a pruner of trials that run over so many instances."""
    from optuna import pruners

    if name == "median":
        return pruners.MedianPruner(n_startup_trials=STARTUP, n_warmup_steps=0)
    if name == "halving":
        return pruners.SuccessiveHalvingPruner(min_resource=max(1, steps // 4), reduction_factor=2)
    if name == "hyperband":
        return pruners.HyperbandPruner(
            min_resource=max(1, steps // 4), max_resource=steps, reduction_factor=2
        )
    return pruners.NopPruner()


def rungs(pruner: Pruner, steps: int) -> frozenset[int]:
    """Return after how many instances a trial may be given up: a quarter, a half and three quarters.

    Each costs the storage a transaction.
    """
    if pruner == "none":
        return frozenset()
    return frozenset(max(1, round(steps * share)) for share in (0.25, 0.5, 0.75)) - {steps}


def suggest(trial: Trial, space: Space) -> dict[str, Value]:
    """Return the values that a trial tries; parameters that mean nothing under the others' values are left out."""
    chosen: dict[str, Value] = {}
    known = dict(space.fixed)
    for parameter in space.parameters:
        if parameter.only_if is not None:
            owner, values = parameter.only_if
            if owner not in known or known[owner] not in values:
                continue
        chosen[parameter.name] = known[parameter.name] = _suggest(trial, parameter)
    return chosen


def _suggest(trial: Trial, parameter: Parameter) -> Value:
    if parameter.kind == "choice":
        value: Value = trial.suggest_categorical(parameter.name, parameter.choices)
        return value
    assert parameter.low is not None
    assert parameter.high is not None
    if parameter.kind == "int":
        return trial.suggest_int(parameter.name, int(parameter.low), int(parameter.high), log=parameter.log)
    return trial.suggest_float(parameter.name, parameter.low, parameter.high, log=parameter.log)
