"""A study file expanded to its runs: counted first, then made, and refused if two are the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from math import prod
from pathlib import Path

from mapopt.errors import InputError
from mapopt.instance import Instance
from mapopt.mappers import registry as mappers
from mapopt.solvers import registry as formulations
from mapopt.solvers.isolation import GRACE_S
from mapopt.studies.folder import Folder
from mapopt.studies.plan import KnownBound, Plan, PlannedRun
from mapopt.studies.problems import known_bounds, load, sources_of
from mapopt.studies.study import (
    HARNESS_GRACE_S,
    MAX_RUNS,
    MapperSet,
    RunLimits,
    SolveSet,
    Study,
    Value,
    listed,
    products,
    seeds_of,
)
from mapopt.studies.tasks import MapperTask, SolveTask, Task

MAX_SECONDS = 10**6
"""Longest time of a run, in seconds."""

OBJECTIVES = ("period", "latency", "period,latency")
"""What a solve of a study may minimise."""


@dataclass(frozen=True, slots=True)
class Method:
    """A method with its seeds and limits.

    Parameters
    ----------
    label
        The method as its user wrote it.
    task
        What runs.
    seeds
        One run each.
    kill_s, memory_mib
        Limits that the harness enforces.
    """

    label: str
    task: MapperTask | SolveTask
    seeds: range | tuple[int, ...]
    kill_s: float | None
    memory_mib: int | None


@dataclass(frozen=True, slots=True)
class Expansion:
    """The runs of a study: the plan and, run by run, what a worker needs; and the instances by digest."""

    plan: Plan
    tasks: tuple[Task, ...]
    instances: dict[str, Instance]


def expand(study: Study, base: Path, folder: Folder) -> Expansion:
    """Return the runs of a study.

    Parameters
    ----------
    base
        Where relative paths of the study start.
    folder
        Where its results go.

    Raises
    ------
    InputError
        If a name or an option is unknown, there is no run, there are more than :data:`MAX_RUNS`, or two are the same.
    """
    methods = _methods(study)
    sources = tuple(
        source
        for number, of in enumerate(study.instances)
        for source in sources_of(of, base, f"instances[{number}]", study.library)
    )
    per_instance = sum(len(method.seeds) for method in methods)
    _refuse_too_many(study, len(sources) * per_instance)
    if not sources or not per_instance:
        missing = "instances" if not sources else "mappers or solves"
        raise InputError(f"study {study.name!r}: expands to no run; give it {missing}")
    instances: dict[str, Instance] = {}
    labels: dict[str, str] = {}
    known: list[KnownBound] = []
    taken: Counter[str] = Counter()
    for source in sources:
        label, instance = load(source)
        if instance.digest in labels:
            raise InputError(
                f"study {study.name!r}: instance {label!r} is the same as {labels[instance.digest]!r}; drop one"
            )
        taken[label] += 1
        label += f" ({taken[label]})" if taken[label] > 1 else ""
        instances[instance.digest], labels[instance.digest] = instance, label
        known += known_bounds(source, instance)
    tasks: list[Task] = []
    planned: list[PlannedRun] = []
    made: dict[str, str] = {}
    for digest, label in labels.items():
        file = str(folder.instance_file(digest))
        for method in methods:
            for seed in method.seeds:
                run = method.task.key(digest, seed).id
                if run in made:
                    raise InputError(
                        f"study {study.name!r}: {method.label!r} with seed {seed} is the same run as {made[run]} on "
                        f"instance {label!r}; drop one"
                    )
                made[run] = f"{method.label!r} with seed {seed}"
                tasks.append(Task(run, digest, method.task, seed, method.kill_s, method.memory_mib))
                command = method.task.command(file, seed)
                planned.append(PlannedRun(run, label, digest, method.label, seed, method.task.role, command))
    plan = Plan(study.name, tuple(planned), study.compared, study.goals, tuple(known))
    return Expansion(plan, tuple(tasks), instances)


def _refuse_too_many(study: Study, runs: int) -> None:
    if runs > MAX_RUNS:
        raise InputError(
            f"study {study.name!r}: expands to {runs:,} runs; at most {MAX_RUNS:,} are allowed: give fewer seeds, "
            "options or instances, or split it into several studies"
        )


def _methods(study: Study) -> tuple[Method, ...]:
    counts = [
        *(len(listed(each.name)) * _combinations(each.options) for each in study.mappers),
        *(
            len(listed(each.objective))
            * len(listed(each.formulation))
            * len(listed(each.solver))
            * len(listed(each.max_period))
            * len(listed(each.slack))
            * _combinations(each.options)
            for each in study.solves
        ),
    ]
    _refuse_too_many(study, sum(counts))
    methods = (
        *(method for number, each in enumerate(study.mappers) for method in _mappers(study, each, number)),
        *(method for number, each in enumerate(study.solves) for method in _solves(study, each, number)),
    )
    return tuple(_with_unique_labels(methods))


def _with_unique_labels(methods: Iterable[Method]) -> Iterator[Method]:
    """Yield the methods; those that differ in limits alone are numbered."""
    count: Counter[str] = Counter()
    for method in methods:
        count[method.label] += 1
        number = count[method.label]
        yield method if number == 1 else replace(method, label=f"{method.label} ({number})")


def _combinations(options: dict[str, Value]) -> int:
    return prod(len(listed(value)) for value in options.values())


def _mappers(study: Study, of: MapperSet, number: int) -> Iterator[Method]:
    where = f"mappers[{number}]"
    limits = _checked(of.limits or study.limits, where)
    for name in listed(of.name):
        for options in products(of.options, f"{where}: option"):
            task = MapperTask(name, study.compared, dict(options))
            try:
                is_random = mappers.get(name, task.options).is_random
            except InputError as error:
                raise InputError(f"{where}: {error}") from None
            seeds = seeds_of(of.seeds or study.seeds) if is_random else range(1)
            yield Method(task.label, task, seeds, limits.kill_after(GRACE_S), limits.memory_mib)


def _solves(study: Study, of: SolveSet, number: int) -> Iterator[Method]:
    where = f"solves[{number}]"
    limits = _checked(of.limits or study.limits, where)
    apart = f" time_s={limits.time_s:g}" if limits != study.limits else ""
    axes = (
        listed(of.objective),
        listed(of.formulation),
        listed(of.solver),
        listed(of.max_period),
        listed(of.slack),
        tuple(products(of.options, f"{where}: option")),
    )
    for objective, formulation, solver, max_period, slack, options in product(*axes):
        _check_solve(study, where, objective, formulation, solver, max_period, slack, of.contiguous)
        task = SolveTask(
            objective,
            limits,
            formulation,
            dict(options),
            solver,
            of.contiguous,
            max_period,
            str(Fraction(str(slack))),
        )
        try:
            task.key("sha256:" + "0" * 64, 0)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
        seeds = seeds_of(of.seeds)
        yield Method(task.label + apart, task, seeds, limits.kill_after(HARNESS_GRACE_S), limits.memory_mib)


def _checked(limits: RunLimits, where: str) -> RunLimits:
    for name in ("time_s", "kill_s"):
        value = getattr(limits, name)
        if value is not None and not value <= MAX_SECONDS:
            raise InputError(f"{where}: {name} is {value:g}; it must be at most {MAX_SECONDS:,}")
    return limits


def _check_solve(
    study: Study,
    where: str,
    objective: str,
    formulation: str | None,
    solver: str | None,
    max_period: int | None,
    slack: float,
    contiguous: bool,
) -> None:
    """Refuse what the driver would refuse, and what is not in the class of the study, before anything runs."""
    if objective not in OBJECTIVES:
        raise InputError(f"{where}: objective is {objective!r}; a study has {'; '.join(OBJECTIVES)}")
    if max_period is not None and objective != "latency":
        raise InputError(f"{where}: max_period goes with objective 'latency', not {objective!r}; drop one")
    if slack and objective != "period,latency":
        raise InputError(f"{where}: slack goes with objective 'period,latency', not {objective!r}; drop one")
    if not 0 <= slack < 10**6:
        raise InputError(f"{where}: slack is {slack:g}; it must be >= 0 and finite")
    if contiguous and "latency" in objective:
        raise InputError(f"{where}: contiguous goes with objective 'period' alone; drop one")
    single = objective == "latency" and max_period is None
    if study.compared == "time-triggered" and single:
        raise InputError(
            f"{where}: objective 'latency' without max_period is of a frame alone in the machine, which class "
            "'time-triggered' does not compare; write 'period,latency', or set class = \"single-frame\""
        )
    if study.compared == "single-frame" and not single:
        raise InputError(
            f"{where}: objective {objective!r} is of a stream of frames, which class 'single-frame' does not compare; "
            "write 'latency' without max_period, or set class = \"time-triggered\""
        )
    known = {info.name: info for info in formulations.available()}
    goal = objective.rpartition(",")[2]
    if formulation in known and goal not in known[formulation].objectives:
        raise InputError(f"{where}: formulation {formulation!r} does not minimise {goal!r}; name another")
    if solver is not None:
        infos = [known[formulation]] if formulation in known else list(known.values())
        offered = sorted({each for info in infos for each in info.solvers})
        if solver not in offered:
            owner = f"formulation {formulation!r}" if formulation else "any formulation"
            raise InputError(
                f"{where}: solver {solver!r} is not one of {owner}; there are {', '.join(offered)}"
            )
