"""Concluding a tuning study: the best trials on the validation split, the chosen one on held-out instances."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from mapopt.errors import InputError
from mapopt.mappers import registry
from mapopt.mappers.tuned import Parameters
from mapopt.options import Value
from mapopt.studies.plan import Plan, PlannedRun
from mapopt.studies.records import Record
from mapopt.studies.running import Executor
from mapopt.studies.study import seeds_of
from mapopt.studies.tasks import MapperTask, SolveTask, Task
from mapopt.tuning.cases import Case
from mapopt.tuning.findings import (
    CaseRow,
    Contrast,
    Finalist,
    Findings,
    Summary,
    TrialRow,
    findings_file,
)
from mapopt.tuning.making import OnRuns, made, task_of
from mapopt.tuning.references import reference_method
from mapopt.tuning.scores import Gaps, Reference, gaps_of, mean_gaps, period_of, score
from mapopt.tuning.setup import Setup
from mapopt.tuning.statistics import difference, exchange_test, means
from mapopt.tuning.storage import storage_errors
from mapopt.tuning.subject import COMPARED
from mapopt.tuning.trials import REASON, load_study, trial_score
from mapopt.tuning.tuning import SPLITS, Split

if TYPE_CHECKING:
    from optuna import Study

MIN_TRIALS = 10
"""Completed trials below which nothing is said on the importance of parameters."""


@dataclass(frozen=True, slots=True)
class _Method:
    label: str
    task: MapperTask | SolveTask
    seeds: tuple[int, ...]


def conclude(setup: Setup, executor: Executor, on_runs: OnRuns = lambda _done, _total: None) -> Findings:
    """Choose a trial, compare it, and keep the findings and a plan that reports can draw.

    The best trials and the start are compared on the validation split; the chosen one, the defaults, the start and the
    baselines are run on all splits. Runs that were made before are reused.

    Raises
    ------
    InputError
        If no trial was completed.
    """
    study = load_study(setup)
    with storage_errors(setup.url):
        rows = _trial_rows(study, setup)
        importances = _importances(study, setup)
    chosen, finalists, settings = _choose(setup, rows, executor, on_runs)
    methods = _methods(setup, settings)
    findings = _compared(setup, methods, rows, importances, chosen, finalists, settings, executor, on_runs)
    findings.save(findings_file(setup.folder))
    _plan(setup, methods).save(setup.folder.plan)
    return findings


def parameters_of(findings: Findings) -> Parameters:
    """Return the parameter file of a study's findings."""
    return Parameters(
        mapper=findings.mapper,
        formulation=findings.formulation,
        options=findings.options,
        study=findings.study,
        trial=-1 if findings.trial is None else findings.trial,
        code=findings.code,
        scores=findings.split_scores(),
    ).sealed()


def _trial_rows(study: Study, setup: Setup) -> tuple[TrialRow, ...]:
    return tuple(
        TrialRow(
            trial.number,
            trial.state.name.lower(),
            trial_score(trial, setup),
            trial.params,
            str(trial.user_attrs.get(REASON, "")),
        )
        for trial in study.get_trials(deepcopy=False)
    )


def _importances(study: Study, setup: Setup) -> dict[str, float]:
    """Return the importance of the parameters that all trials have, by PED-ANOVA.

    References
    ----------
    S. Watanabe, A. Bansal, F. Hutter: PED-ANOVA. IJCAI 2023.
    """
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator
    from optuna.trial import TrialState

    completed = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    scores = {trial_score(trial, setup) for trial in completed}
    if len(completed) < MIN_TRIALS or len(scores) < 2:
        return {}
    with warnings.catch_warnings(action="ignore"):
        found = optuna.importance.get_param_importances(
            study,
            evaluator=PedAnovaImportanceEvaluator(),
            target=lambda trial: trial_score(trial, setup) or 0.0,
        )
    return {name: float(value) for name, value in found.items()}


def _choose(
    setup: Setup, rows: Sequence[TrialRow], executor: Executor, on_runs: OnRuns
) -> tuple[int | None, tuple[Finalist, ...], dict[str, Value]]:
    """Return the number of the chosen trial, the finalists, and the settings chosen."""
    subject = setup.subject
    completed = sorted((row.score, row.number) for row in rows if row.score is not None)
    if not completed:
        raise InputError(
            f"tuning {setup.tuning.name!r}: no trial was completed; run it with `mapopt tune`, and see `mapopt tune "
            "status` for why trials failed"
        )
    candidates: dict[str, tuple[int | None, float, dict[str, Value]]] = {}
    for value, number in completed:
        settings = subject.settings(rows[number].parameters)
        if len(candidates) < setup.tuning.finalists:
            candidates.setdefault(repr(settings), (number, value, settings))
    start = subject.settings({})
    tried = next((each for each in completed if subject.settings(rows[each[1]].parameters) == start), None)
    if repr(start) not in candidates and tried is not None:
        candidates[repr(start)] = (tried[1], tried[0], start)
    cases = setup.counted("validation")
    methods = [_Method("", subject.task(each), setup.seeds) for _, _, each in candidates.values()]
    records = made(
        [task for method in methods for task in _tasks(method, cases)], setup.folder, executor, on_runs
    )
    finalists: list[Finalist] = []
    ranked: list[tuple[float, float, int, int | None, dict[str, Value]]] = []
    for (trial, train, settings), method in zip(candidates.values(), methods, strict=True):
        mean = mean_gaps(_gaps(method, case, reference, records) for case, reference in cases)
        validation = score(mean, setup.tuning.latency_weight)
        finalists.append(Finalist(trial, train, validation))
        ranked.append((validation, train, len(ranked), trial, settings))
    *_, chosen, best = min(ranked, key=lambda each: each[:3])
    return chosen, tuple(finalists), best


def _methods(setup: Setup, settings: Mapping[str, Value]) -> tuple[_Method, ...]:
    """Return tuned, default, start if it differs, and baselines."""
    subject = setup.subject
    name, start, default = subject.name, subject.task(subject.settings({})), subject.task({})
    found = [
        _Method(f"{name} (tuned)", subject.task(settings), setup.seeds),
        _Method(f"{name} (default)", default, setup.seeds),
    ]
    if start != default:
        found.append(_Method(f"{name} (start)", start, setup.seeds))
    for baseline in setup.tuning.others:
        is_random = registry.get(baseline).is_random
        seeds = tuple(seeds_of(setup.tuning.seeds)) if is_random else (0,)
        found.append(_Method(baseline, MapperTask(baseline, COMPARED), seeds))
    return tuple(found)


def _tasks(method: _Method, cases: Sequence[tuple[Case, Reference]]) -> list[Task]:
    return [task_of(method.task, case.instance.digest, seed) for case, _ in cases for seed in method.seeds]


def _gaps(method: _Method, case: Case, reference: Reference, records: Mapping[str, Record]) -> Gaps:
    """Return the mean gaps over seeds; a run without a record counts as failed."""
    keys = [method.task.key(case.instance.digest, seed) for seed in method.seeds]
    bare = Record(key=keys[0], status="failed")
    return mean_gaps(gaps_of(records.get(key.id, bare), reference) for key in keys)


def _lowered(
    case: Case, reference: Reference, methods: Sequence[_Method], records: Mapping[str, Record]
) -> Reference:
    """Return the reference with the least latency of the compared runs too, at a period that is not longer."""
    best = reference
    keys = [method.task.key(case.instance.digest, seed) for method in methods for seed in method.seeds]
    for record in (records[key.id] for key in keys if key.id in records):
        period, level = period_of(record), record.level("latency")
        if period is None or level is None or level.value is None or period > reference.period:
            continue
        if 0 < level.value < best.latency:
            best = msgspec.structs.replace(
                best,
                latency=level.value,
                latency_bound=min(best.latency_bound, level.value),
                source=f"{reference.source}; latency of run {record.key.id}",
            )
    return best


def _compared(
    setup: Setup,
    methods: Sequence[_Method],
    rows: tuple[TrialRow, ...],
    importances: dict[str, float],
    chosen: int | None,
    finalists: tuple[Finalist, ...],
    settings: dict[str, Value],
    executor: Executor,
    on_runs: OnRuns,
) -> Findings:
    counted = [pair for split in SPLITS for pair in setup.counted(split)]
    records = made(
        [task for method in methods for task in _tasks(method, counted)], setup.folder, executor, on_runs
    )
    every = [(case, _lowered(case, reference, methods, records)) for case, reference in counted]
    table = {
        case.label: {method.label: _gaps(method, case, reference, records) for method in methods}
        for case, reference in every
    }
    summaries: list[Summary] = []
    contrasts: list[Contrast] = []
    for split in SPLITS:
        labels = [case.label for case, _ in setup.counted(split)]
        columns = {method.label: [table[label][method.label] for label in labels] for method in methods}
        summaries += [_summary(setup, split, label, column) for label, column in columns.items()]
        tuned, *others = columns
        contrasts += [_contrast(setup, split, columns[tuned], other, columns[other]) for other in others]
    return Findings(
        study=setup.tuning.name,
        mapper=setup.tuning.mapper,
        formulation=setup.tuning.formulation,
        sampler=setup.tuning.sampler,
        pruner=setup.tuning.pruner,
        schedule_class=COMPARED,
        latency_weight=setup.tuning.latency_weight,
        options=settings,
        default_options=setup.subject.settings_of({}),
        code=setup.subject.method.code,
        trial=chosen,
        trials=rows,
        importances=importances,
        finalists=finalists,
        methods=tuple(method.label for method in methods),
        cases=tuple(
            CaseRow(
                reference, {name: (gaps.period, gaps.latency) for name, gaps in table[case.label].items()}
            )
            for case, reference in every
        ),
        excluded=tuple(reference for reference in setup.references if reference.excluded),
        summaries=tuple(summaries),
        contrasts=tuple(contrasts),
        overfitting=overfitting(summaries, methods[0].label, methods[1].label),
    )


def _summary(setup: Setup, split: Split, label: str, gaps: Sequence[Gaps]) -> Summary:
    found = means(gaps, setup.tuning.latency_weight)
    (period, period_in), (latency, latency_in), (value, value_in) = (
        found[name] for name in ("period", "latency", "score")
    )
    return Summary(split, label, len(gaps), period, period_in, latency, latency_in, value, value_in)


def _contrast(
    setup: Setup, split: Split, mine: Sequence[Gaps], other: str, others: Sequence[Gaps]
) -> Contrast:
    weight = setup.tuning.latency_weight
    paired = [score(one, weight) - score(two, weight) for one, two in zip(mine, others, strict=True)]
    value, inside = difference(mine, others, weight)
    return Contrast(
        split,
        other,
        value,
        inside,
        exchange_test(mine, others, weight),
        sum(each < 0 for each in paired),
        sum(each > 0 for each in paired),
        sum(each == 0 for each in paired),
    )


def overfitting(summaries: Sequence[Summary], tuned: str, default: str) -> str:
    """Return why a tuning is taken to be over-fitted, or nothing.

    It is where tuning gains on the training instances, and on held-out ones loses or gains less than half as large a
    share of the default's score.
    """
    gains: dict[str, float] = {}
    for split in SPLITS:
        mine, other = (
            next(each.score for each in summaries if (each.split, each.method) == (split, label))
            for label in (tuned, default)
        )
        gains[split] = 1 - mine / other if other > 0 else (0.0 if mine == 0 else -1.0)
    if gains["train"] <= 0:
        return ""
    poor = [split for split in SPLITS[1:] if gains[split] < gains["train"] / 2]
    if not poor:
        return ""
    told = ", ".join(f"{gains[split]:+.0%} on {split}" for split in poor)
    return f"tuning improves the score by {gains['train']:.0%} on train, but by {told}"


def _plan(setup: Setup, methods: Sequence[_Method]) -> Plan:
    """Return the runs on the test split as those of a comparison study, so that reports draw them."""
    runs = []
    solve = reference_method(setup.tuning)
    for case, reference in setup.counted("test"):
        digest = case.instance.digest
        file = str(setup.folder.instance_file(digest))
        for method in methods:
            for seed in method.seeds:
                run = method.task.key(digest, seed).id
                command = method.task.command(file, seed)
                runs.append(PlannedRun(run, case.label, digest, method.label, seed, "mapper", command))
        run = solve.key(digest, 0).id
        if reference.source == f"run {run}":
            command = solve.command(file, 0)
            runs.append(PlannedRun(run, case.label, digest, solve.label, 0, "reference", command))
    unique = {run.id: run for run in runs}
    return Plan(setup.tuning.name, tuple(unique.values()), COMPARED, ("period", "latency"))
